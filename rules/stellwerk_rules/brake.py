"""The brake: more double opt-ins or removals within an hour than the file allows wait for a person.

Counted by the origin of the contact's record, so that an import never holds back a form. An opt-out is never held. Nor is
what a sync asks: a person confirmed the number of its mails.
"""

from __future__ import annotations

from enum import StrEnum

from stellwerk_rules.model import Ask, Because, Change, DeleteContact, Enter, Held, Origin
from stellwerk_rules.spec import Limits

WINDOW_SECONDS = 3600.0


class Braked(StrEnum):
    """What is counted. The value is the code of the repair that shows what is held."""

    ASKS = "too-many-asks"
    REMOVALS = "too-many-removals"


def source_of(change: Change) -> Origin:
    """Where the record comes from that `change` is made for: form, person, import, workflow or other."""
    origin = change.origin if isinstance(change, Enter | DeleteContact) else Origin.OTHER
    return Origin.OTHER if origin is Origin.INTEGRATION else origin


def braked(planned: Change, change: Change) -> Braked | None:
    """What `change`, one of those that `planned` comes to, counts as; None for what the brake never holds."""
    if isinstance(change, Ask):
        return None if isinstance(planned, Enter) and planned.backfill else Braked.ASKS
    if isinstance(planned, DeleteContact) and planned.removal:
        return Braked.REMOVALS
    return None


def over(limits: Limits, kind: Braked, source: Origin, within_the_hour: int) -> Held | None:
    """Why one more has to wait, where `within_the_hour` of that kind were started for that source already."""
    asks = kind is Braked.ASKS
    most = limits.doi_mails_per_hour if asks else limits.removals_per_hour
    if within_the_hour < most:
        return None
    what = "double opt-ins" if asks else "removals"
    text = f"more than {most} {what} within an hour for contacts that came by {source.value}; a person decides"
    return Held(repair=kind.value, because=Because(code=kind.value, text=text))
