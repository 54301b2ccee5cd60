"""How a change ended: what was planned and made, what came of it, and how the contact read before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from stellwerk_rules.model import Change, Contact, Planned


class Ending(Struct, frozen=True, kw_only=True):
    """`change` is one of those that `planned` came to; `target` is the contact as it read before.

    `outcome` is done, not_needed, opted_out, rejected, ambiguous_given_up or skipped (not lawful, or not there); `remote_id`
    and `remote_at` are what the answer told of the contact's id there and the time of the write by that clock.
    `left_out` has the fields that the target did not take, with a code: they are still to be carried, at the next occasion.
    `tried`: a call was made for it before, of which nobody knows what it did. `code`: that of the reason why it was not made.
    """

    planned: Planned
    change: Change
    outcome: str
    target: Contact
    remote_id: str | None = None
    remote_at: datetime | None = None
    left_out: Mapping[str, str] = {}
    tried: bool = False
    code: str = ""

    @property
    def system(self) -> str:
        return self.planned.system

    @property
    def done(self) -> bool:
        return self.outcome == "done"

    @property
    def well(self) -> bool:
        """What was planned is as it was to be, by this change or before it."""
        return self.outcome in ("done", "not_needed")
