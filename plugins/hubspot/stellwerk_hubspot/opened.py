"""What an open connector has, as far as the abilities in modules of their own use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stellwerk.sdk import AddEntry, FieldSpec, Receipt, Services
from stellwerk_hubspot.client import Client
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

__all__ = ["Opened", "report_unknown"]


class Opened(Protocol):
    """One open portal. `specs` is by property name; `unknown` has the names the portal turned out not to know, `sure` those
    it knows although an answer did not show them. `event_type` is the full name of our app event, once it was asked for.
    """

    client: Client
    services: Services
    system: HubspotSystem
    account: HubspotAccount
    specs: Mapping[str, FieldSpec]
    unknown: set[str]
    sure: set[str]
    event_type: str | None

    async def add_note(self, contact_id: str, entry: AddEntry) -> Receipt:
        """The entry as a note."""
        ...


def report_unknown(opened: Opened, names: set[str]) -> None:
    """Remember that the portal does not know a field. The hub tells people: a connector is opened anew every few seconds."""
    for name in sorted(names - opened.unknown):
        opened.services.log.debug("unknown-field: the portal has no property %s; going on without it", name)
    opened.unknown |= names
