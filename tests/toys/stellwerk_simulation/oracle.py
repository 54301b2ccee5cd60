"""What both sides must show, computed from what truly happened. Knows the product's promises and none of its code."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct, field

from stellwerk_simulation.history import PEOPLE

HOUR, DAY = 3600.0, 86_400.0
CARRIED = {"firstname": "FIRSTNAME"}
CONFIRMED, LEFT = "Double opt-in confirmed", "Unsubscribed from Maileon"
RETURNED, BLOCKED = "A Maileon mail bounced for good", "Blocked in Maileon"
MOST_ASKS, BOUNCES_THAT_BLOCK = 3, 3
NONE, DOUBLE, DOUBLE_PLUS = 1, 4, 5
GRANTS = {"none": 1, "single": 2, "confirmed": 3}
NAMES = {1: "none", 2: "single", 3: "confirmed", 4: "double", 5: "double_plus"}


class Shown(Struct, kw_only=True):
    """A contact of the CRM as it must read."""

    subscribe: str = ""
    stage: str = "lead"
    fields: dict[str, str] = field(default_factory=dict)
    entries: Counter[str] = field(default_factory=Counter)
    mirrored: bool = False
    by_wish: bool = False


class Person(Struct, kw_only=True):
    """One address: its contact at the CRM, its contact at the newsletter, and what it allowed.

    `left`: opted out as the newsletter shows it; `out`: nothing may be sent. `open` has the times of the double opt-ins that
    nobody answered, `apart` the fields that were written on one side while nothing was carried, with the side.
    """

    record: Shown | None = None
    there: dict[str, str] | None = None
    permission: int = NONE
    entered: bool = False
    left: bool = False
    out: bool = False
    open: list[float] = field(default_factory=list)
    ways_back: list[float] = field(default_factory=list)
    mails: int = 0
    opt_outs: int = 0
    bounces: int = 0
    blocked: bool = False
    apart: dict[str, str] = field(default_factory=dict)
    binned: Shown | None = None


class Oracle:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.people = {email: Person() for email in PEOPLE}

    # --- what happened ------------------------------------------------------------------------------------------------

    def wrote(self, email: str, by: str, values: dict[str, str], at: float) -> None:
        one = self.people[email]
        new = one.record is None
        record = one.record = one.record or Shown(mirrored=one.left)
        said = values.get("maileon_subscribe")
        changed = said is not None and said != record.subscribe
        if said is not None:
            record.subscribe = said
        for name in CARRIED:
            if name in values and values[name] != record.fields.get(name, ""):
                record.fields[name] = values[name]
                one.apart[name] = "here"
        wish = changed and said == "true" and by in ("form", "person")
        if changed and said == "false" and not new and self._no_counts(by):
            self._opt_out(one)
        elif wish or (not one.entered and not record.by_wish and self._comes_in(record)):
            self._enter(one, at, wish=wish)
        if not one.out:
            self._carry(one)

    def confirmed(self, email: str) -> None:
        """The click on the link was the one that confirmed."""
        one = self.people[email]
        one.permission = DOUBLE_PLUS if self._plus() else DOUBLE
        one.out, one.left, one.open = False, False, []
        self._tell(one, CONFIRMED, "on_confirmed")
        self._carry(one)

    def left(self, email: str) -> None:
        one = self.people[email]
        self._gone(one)
        one.left = one.out = True
        if one.record is not None and one.entered:
            one.record.subscribe = "false"
        self._tell(one, LEFT, "on_unsubscribed")

    def edited_there(self, email: str, name: str, value: str) -> None:
        one = self.people[email]
        assert one.there is not None
        if one.there.get(name) != value:
            one.there[name] = value
            one.apart.update({here: "there" for here, there in CARRIED.items() if there == name})
        if not one.out:
            self._carry(one)

    def bounced(self, email: str) -> None:
        one = self.people[email]
        one.bounces += 1
        self._tell(one, RETURNED, None)
        if one.bounces == BOUNCES_THAT_BLOCK:
            one.blocked = True
            self._tell(one, BLOCKED, None)

    def deleted(self, email: str) -> None:
        """In the recycle bin of the CRM."""
        one = self.people[email]
        if self.settings["on_deleted"] == "unsubscribe":
            self._opt_out(one)
        elif self.settings["on_deleted"] == "delete":
            self._removed(one)
        one.binned, one.record, one.entered = one.record, None, False

    def restored(self, email: str) -> None:
        """Back from the recycle bin: whoever still stands at the newsletter is linked again, and nobody is subscribed."""
        one = self.people[email]
        record = one.record = one.binned
        one.binned, one.entered = None, one.there is not None
        if record is not None:
            record.by_wish = True
            record.subscribe = "false" if one.left and record.subscribe == "true" else record.subscribe

    def erased(self, email: str) -> None:
        one = self.people[email]
        self._removed(one)
        one.record, one.entered = None, False

    # --- what follows -------------------------------------------------------------------------------------------------

    def _no_counts(self, by: str) -> bool:
        return self.settings["on_no"] == "unsubscribe" and (by != "form" or self.settings["form_no_unsubscribes"])

    def _comes_in(self, record: Shown) -> bool:
        return record.subscribe == "true" or (record.subscribe == "" and self.settings["no_answer"] == "yes")

    def _plus(self) -> bool:
        return bool(self.settings["double_opt_in"] and self.settings["double_opt_in_plus"])

    def _enter(self, one: Person, at: float, *, wish: bool) -> None:
        if one.out:
            back = [asked for asked in one.ways_back if at - asked < 30 * DAY]
            if wish and len(back) < MOST_ASKS and not self._asked_lately(one, at, wish=wish):
                one.ways_back = [*back, at]
                self._ask(one, at)
            return
        if not one.entered and one.there is not None:
            self._link(one)
        if not self.settings["double_opt_in"]:
            if one.there is None:
                one.there, one.permission = {}, GRANTS[self.settings["permission"]]
                self._link(one)
            return
        if one.blocked or (one.there is not None and one.permission != NONE):
            return
        if not self._asked_lately(one, at, wish=wish):
            self._ask(one, at)
        elif one.record is not None:
            one.record.mirrored = True  # nobody is there to be linked with, and that is shown

    def _asked_lately(self, one: Person, at: float, *, wish: bool) -> bool:
        """Whether an unanswered double opt-in stands in the way of another."""
        return bool(one.open) and (not wish or at - one.open[-1] < DAY or len(one.open) >= MOST_ASKS)

    def _ask(self, one: Person, at: float) -> None:
        one.mails += 1
        one.open.append(at)
        if one.there is None:
            one.there, one.permission = {}, NONE
        self._link(one)

    def _link(self, one: Person) -> None:
        """From now on the two are one; a first meeting fills blanks only, whatever was written before."""
        assert one.record is not None
        assert one.there is not None
        first = not one.entered or not one.there
        one.entered = one.record.mirrored = True
        for here, there in CARRIED.items():
            if one.record.fields.get(here) and not one.there.get(there):
                one.there[there] = one.record.fields[here]
            elif one.there.get(there) and not one.record.fields.get(here):
                one.record.fields[here] = one.there[there]
        if first:
            one.apart = {}

    def _opt_out(self, one: Person) -> None:
        self._gone(one)
        one.left = one.out = True
        if one.record is not None:
            one.record.mirrored = True

    def _gone(self, one: Person) -> None:
        one.opt_outs += 1
        self._removed(one)
        one.open = []

    def _removed(self, one: Person) -> None:
        """Not there any more. The mail that asked went out, and still counts."""
        one.there, one.permission = None, NONE
        one.apart, one.bounces, one.blocked = {}, 0, False

    def _carry(self, one: Person) -> None:
        """What was written on one side stands on both."""
        if one.there is None or one.record is None or not one.entered:
            return
        for here, side in one.apart.items():
            if side == "here":
                one.there[CARRIED[here]] = one.record.fields[here]
            else:
                one.record.fields[here] = one.there[CARRIED[here]]
        one.apart = {}

    def _tell(self, one: Person, text: str, move: str | None) -> None:
        if one.record is None or not one.entered:
            return
        if self.settings["timeline"] == "note":
            one.record.entries[text] += 1
        chosen = {"enabled": False} if move is None else self.settings[move]
        if chosen["enabled"] and one.record.stage == chosen["source"]:
            one.record.stage = chosen["target"]

    def everybody_out(self) -> set[tuple[str, int]]:
        """Every opt-out so far: whose, and which of hers."""
        return {(email, number) for email, one in self.people.items() for number in range(one.opt_outs)}

    # --- what must be shown -------------------------------------------------------------------------------------------

    def expected(self, email: str) -> dict[str, Any]:
        one = self.people[email]
        record = one.record
        return {
            "crm": None
            if record is None
            else {
                "subscribe": record.subscribe,
                "stage": record.stage,
                **record.fields,
                "status": self._status(one) if record.mirrored else "",
                "permission": NAMES[one.permission] if record.mirrored else "",
                "entries": dict(record.entries),
            },
            "news": None if one.there is None else {"permission": one.permission, **one.there},
            "mails": one.mails,
            "suppressed": one.out,
        }

    def _status(self, one: Person) -> str:
        if one.blocked:
            return "blocked"
        if one.left and one.there is None:
            return "unsubscribed"
        if one.permission != NONE:
            return "subscribed"
        return "pending" if one.open and one.there is not None else "not_subscribed"
