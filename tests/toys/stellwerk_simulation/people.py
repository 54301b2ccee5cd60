"""The people of a history, as the oracle knows them: both sides of an address, and what they hold of each other."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

PERMISSIONS = ("none", "single", "confirmed", "double", "double_plus", "other")
BOUNCES_THAT_BLOCK = 3


class Record(Struct, kw_only=True):
    """A contact of the CRM. `own`: its values for settings, and whether a form may have written them. `mirrored`: its status shows.

    It `came` in, linked or not; `older` than the connection, or where `only_wish` holds, after a merge or back from a deletion,
    only by an explicit yes. `back`: one of those is younger than the last opt-out.
    """

    alive: bool = False
    subscribe: str = ""
    stage: str = "lead"
    fields: dict[str, str] = field(default_factory=dict)
    entries: Counter[str] = field(default_factory=Counter)
    own: dict[str, tuple[str, bool]] = field(default_factory=dict)
    mirrored: bool = False
    older: bool = False
    only_wish: bool = False
    came: bool = False
    back: bool = False


class Subscriber(Struct, kw_only=True):
    """A contact of the newsletter. `asked`, with `plus` or without: may still click on the link of that mail."""

    alive: bool = False
    permission: str = "none"
    fields: dict[str, str] = field(default_factory=dict)
    asked: bool = False
    plus: bool = False
    bounces: int = 0


class Person(Struct, kw_only=True):
    """One address: its contact at the CRM, its contact at the newsletter, whether they are `linked`, and what it allowed.

    `left`: opted out as the newsletter shows it, `marked`: ever; `out`: nothing may be sent; `refuses` all mail, as the CRM shows it.
    `open` are the times of the double opt-ins that nobody answered, `written` is what one side has and the other not yet,
    `wrote_at` when the CRM did. `apart`: when an opt-out came for which no contact of the CRM was set to no, so that only
    another clock tells of it. `within`: linked once with what is now part of that contact. `known`: ever asked, granted, removed.
    """

    record: Record = field(default_factory=Record)
    there: Subscriber = field(default_factory=Subscriber)
    linked: bool = False
    left: bool = False
    out: bool = False
    refuses: bool = False
    apart: float | None = None
    open: list[float] = field(default_factory=list)
    ways_back: list[float] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    wrote_at: float = 0.0
    mails: int = 0
    opt_outs: int = 0
    binned: Record = field(default_factory=Record)
    within: Record | None = None
    known: bool = False
    marked: bool = False

    def link(self, permission: str = "none") -> None:
        """From now on the two are one, made with this permission where there is none; a first meeting fills blanks only."""
        self.written = self.written if self.linked and self.there.alive else {}
        if not self.there.alive:
            self.there, self.known = Subscriber(alive=True, permission=permission), self.known or permission != "none"
        here, there = self.record.fields, self.there.fields
        self.record.fields, self.there.fields = {**there, **here}, {**here, **there}
        self.linked = self.record.mirrored = True

    def carry(self) -> None:
        """What was written on one side stands on both."""
        if self.linked and self.there.alive and not self.left:
            self.record.fields.update(self.written)
            self.there.fields.update(self.written)
            self.written = {}

    def let_go(self, how: str, *, shows: bool = True, apart: float | None = None) -> None:
        """Of the newsletter's contact, where `how` is not to keep it. The mail that asked went out, and still counts."""
        self.marked = self.marked or (how == "unsubscribe" and self.there.alive)
        if how != "keep":
            self.there, self.written, self.known = Subscriber(), {}, True
        if how == "unsubscribe":
            self.left, self.out, self.open, self.opt_outs = True, True, [], self.opt_outs + 1
            self.apart, self.record.back, self.binned.back = self.apart if apart is None else apart, False, False
            self.record.mirrored = self.record.mirrored or shows

    def status(self) -> str:
        """As the CRM shows it, where it shows one."""
        if self.there.bounces >= BOUNCES_THAT_BLOCK:
            return "blocked"
        asked = "pending" if self.there.asked else "unsubscribed" if self.left else "not_subscribed"
        return asked if self.there.permission == "none" else "subscribed"
