"""Whether a contact may be asked once more for its last explicit yes, as it is told."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from stellwerk.relay.asking_again import asking as may_be_asked
from stellwerk.relay.hub import Hub
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.asking_again import AskAgain


class Asking(Struct, frozen=True, kw_only=True):
    """`code` is `allowed`, or the condition that forbids it (`ask-unknown`: a person may say that the mail did not go out).

    Of what another connection of the mail account was told, only that it forbids it (`asked-by-another`,
    `answered-elsewhere`), without times.

    `seen` is the time that the condition saw. `until`: where it is allowed, the last moment; else from when a new yes would
    be answered by a mail, null where at once.
    """

    code: str
    seen: str | None
    until: str | None


def asking(tx: Tx, hub: Hub, connection: Connection, who: str) -> Asking | None:
    """None where nobody is known by that name."""
    told = may_be_asked(tx, hub, connection, who)
    return None if told is None else as_told(told)


def as_told(told: AskAgain) -> Asking:
    return Asking(code=told.code, seen=_text(told.seen), until=_text(told.until))


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")
