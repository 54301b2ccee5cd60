"""The people of a history, as the oracle knows them: both sides and what they allowed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct, field

NONE, DOUBLE, DOUBLE_PLUS = 1, 4, 5
NAMES = {1: "none", 2: "single", 3: "confirmed", 4: "double", 5: "double_plus"}


class Shown(Struct, kw_only=True):
    """A contact of the CRM as it must read. `own` are its own values for settings, of which a form wrote those `by_form`.

    `older` than the connection, until it `wished`; `only_wish` brings it in, after a merge or back from a deletion.
    """

    subscribe: str = ""
    stage: str = "lead"
    fields: dict[str, str] = field(default_factory=dict)
    entries: Counter[str] = field(default_factory=Counter)
    mirrored: bool = False
    own: dict[str, str] = field(default_factory=dict)
    by_form: set[str] = field(default_factory=set)
    older: bool = False
    only_wish: bool = False
    wished: bool = False


class Person(Struct, kw_only=True):
    """One address: its contact at the CRM, its contact at the newsletter, and what it allowed.

    `left`: opted out as the newsletter shows it; `out`: nothing may be sent; `refuses`: all mail, as the CRM shows it. `open` has the times of the double opt-ins that
    nobody answered, `apart` the fields that were written on one side while nothing was carried, with the side.
    `within`: a secondary address of that contact, to which it was linked (`had`); `known`: ever asked, granted, confirmed, removed.
    """

    record: Shown | None = None
    there: dict[str, str] | None = None
    permission: int = NONE
    entered: bool = False
    left: bool = False
    out: bool = False
    refuses: bool = False
    open: list[float] = field(default_factory=list)
    ways_back: list[float] = field(default_factory=list)
    mails: int = 0
    plus: bool = False
    pending: bool = False
    opt_outs: int = 0
    bounces: int = 0
    blocked: bool = False
    apart: dict[str, str] = field(default_factory=dict)
    binned: Shown | None = None
    within: str | None = None
    had: bool = False
    known: bool = False

    def shown(self) -> dict[str, Any]:
        """What both sides, the suppression list and the mails must be."""
        record = self.record
        crm = (
            None
            if record is None
            else {
                "subscribe": record.subscribe,
                "stage": record.stage,
                **record.fields,
                "status": self._status() if record.mirrored else "",
                "permission": NAMES[self.permission] if record.mirrored else "",
                "entries": dict(record.entries),
            }
        )
        news = None if self.there is None else {"permission": self.permission, **self.there}
        return {"crm": crm, "news": news, "mails": self.mails, "suppressed": self.out}

    def _status(self) -> str:
        if self.blocked:
            return "blocked"
        if self.left and self.there is None:
            return "unsubscribed"
        if self.permission != NONE:
            return "subscribed"
        return "pending" if self.pending else "not_subscribed"
