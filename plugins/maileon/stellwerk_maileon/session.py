"""What every ability of one open account shares."""

from __future__ import annotations

from datetime import tzinfo

from msgspec import Struct

from stellwerk.sdk import Services
from stellwerk_maileon import zone
from stellwerk_maileon.client import MaileonClient


class Session(Struct, frozen=True, kw_only=True):
    """`zone` is the zone of the times that Maileon prints, as well as it is known; `supposed` the one in the file."""

    client: MaileonClient
    services: Services
    zone: tzinfo
    supposed: str

    def just_written(self, updated: str | None) -> None:
        """Learn the zone from the `updated` of a contact that our last call has surely changed."""
        seen = zone.learnt(updated, self.services.now(), self.supposed)
        if seen is not None:
            self.services.zone_seen(seen)
