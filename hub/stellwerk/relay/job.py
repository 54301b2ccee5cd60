"""A delivery in the making."""

from __future__ import annotations

from msgspec import Struct

from stellwerk.relay.case import Case
from stellwerk.store.outbox import OutboxRow
from stellwerk_rules.model import Change, Contact, Planned


class Job(Struct, frozen=True, kw_only=True):
    """One delivery being made, with the contact as it stands over there."""

    row: OutboxRow
    planned: Planned
    case: Case
    target: Contact


class Write(Struct, frozen=True, kw_only=True):
    """A concrete change of a job: its `first`, its `last`, both, or one in between."""

    job: Job
    change: Change
    first: bool = True
    last: bool = True


def email_of(planned: Planned) -> str | None:
    """The address that a change names; its consent is what counts for it. None: the contact's own."""
    email: str | None = getattr(planned.change, "email", None)
    return email


def tag(change: Change) -> str:
    """The change's name in batch sizes and tables."""
    name = change.__struct_config__.tag
    assert isinstance(name, str)
    return name
