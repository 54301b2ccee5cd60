"""What both sides must show, computed from what truly happened. Knows the product's promises and none of its code."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct, field

from stellwerk_simulation.history import PEOPLE

HOUR, DAY = 3600.0, 86_400.0
CARRIED = {"firstname": "FIRSTNAME"}
CONFIRMED, LEFT, RETURNED = "Double opt-in confirmed", "Unsubscribed from Maileon", "A Maileon mail bounced for good"
NONE, DOUBLE, DOUBLE_PLUS = 1, 4, 5
GRANTS = {"none": 1, "single": 2, "confirmed": 3}
NAMES = {1: "none", 2: "single", 3: "confirmed", 4: "double", 5: "double_plus"}


class Shown(Struct, kw_only=True):
    """A contact of the CRM as it must read."""

    subscribe: str = ""
    stage: str = "lead"
    fields: dict[str, str] = field(default_factory=dict)


class Person(Struct, kw_only=True):
    """One address: its contact at the CRM, its contact at the newsletter, and what it allowed."""

    record: Shown | None = None
    there: dict[str, str] | None = None
    permission: int = NONE
    entered: bool = False
    left: bool = False
    """Opted out by what the newsletter knows of; `out`: by that or by an answer."""
    out: bool = False
    confirmed: bool = False
    open: list[float] = field(default_factory=list)
    """When the double opt-ins that nobody answered were started."""
    mails: int = 0
    written: dict[str, float] = field(default_factory=dict)
    """When each field was last written at the CRM."""
    written_there: dict[str, float] = field(default_factory=dict)
    entries: Counter[str] = field(default_factory=Counter)


class Oracle:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.people = {email: Person() for email in PEOPLE}

    # --- what happened ------------------------------------------------------------------------------------------------

    def wrote(self, email: str, by: str, values: dict[str, str], at: float) -> None:
        one = self.people[email]
        new = one.record is None
        record = one.record = one.record or Shown()
        said = values.get("maileon_subscribe")
        changed = said is not None and said != record.subscribe
        if said is not None:
            record.subscribe = said
        for name in CARRIED:
            if name in values and values[name] != record.fields.get(name, ""):
                record.fields[name] = values[name]
                one.written[name] = at
        wish = changed and said == "true" and by in ("form", "person")
        if changed and said == "false" and not new and self._no_counts(by):
            self._opt_out(one)
        elif wish or (not one.entered and self._comes_in(record)):
            self._enter(one, at, wish=wish)
        if not one.out:
            self._carry(one)

    def confirmed(self, email: str) -> None:
        """The click on the link was the one that confirmed."""
        one = self.people[email]
        one.permission = DOUBLE_PLUS if self._plus() else DOUBLE
        one.confirmed, one.out, one.left, one.open = True, False, False, []
        self._tell(one, CONFIRMED, "on_confirmed")
        self._carry(one)

    def left(self, email: str) -> None:
        one = self.people[email]
        self._gone(one)
        one.left = one.out = True
        if one.record is not None:
            one.record.subscribe = "false"
        self._tell(one, LEFT, "on_unsubscribed")

    def edited_there(self, email: str, name: str, value: str, at: float) -> None:
        one = self.people[email]
        assert one.there is not None
        if one.there.get(name) != value:
            one.there[name] = value
            one.written_there[name] = at
        if not one.out:
            self._carry(one)

    # --- what follows -------------------------------------------------------------------------------------------------

    def _no_counts(self, by: str) -> bool:
        return self.settings["on_no"] == "unsubscribe" and (by != "form" or self.settings["form_no_unsubscribes"])

    def _comes_in(self, record: Shown) -> bool:
        return record.subscribe == "true" or (record.subscribe == "" and self.settings["no_answer"] == "yes")

    def _plus(self) -> bool:
        return bool(self.settings["double_opt_in"] and self.settings["double_opt_in_plus"])

    def _enter(self, one: Person, at: float, *, wish: bool) -> None:
        if one.out:
            if wish:
                self._ask(one, at)
            return
        if not self.settings["double_opt_in"]:
            if one.there is None:
                one.there, one.permission = {}, GRANTS[self.settings["permission"]]
            one.entered = True
            return
        if one.there is not None and one.permission != NONE:
            one.entered = True
            return
        if one.open and (not wish or at - one.open[-1] < DAY or len(one.open) >= 3):
            return
        self._ask(one, at)

    def _ask(self, one: Person, at: float) -> None:
        one.entered = True
        one.mails += 1
        one.open.append(at)
        if one.there is None:
            one.there, one.permission = {}, NONE
        self._carry(one)

    def _opt_out(self, one: Person) -> None:
        self._gone(one)
        one.left = one.out = True

    def _gone(self, one: Person) -> None:
        one.there, one.permission, one.open, one.confirmed, one.written_there = None, NONE, [], False, {}

    def _carry(self, one: Person) -> None:
        """Of each field the value that was written last stands on both sides."""
        if one.there is None or one.record is None or not one.entered:
            return
        for here, there in CARRIED.items():
            if one.written_there.get(there, 0.0) > one.written.get(here, 0.0) and one.there.get(there):
                one.record.fields[here] = one.there[there]
            elif one.record.fields.get(here):
                one.there[there] = one.record.fields[here]

    def _tell(self, one: Person, text: str, move: str) -> None:
        if one.record is None:
            return
        if self.settings["timeline"] == "note":
            one.entries[text] += 1
        chosen = self.settings[move]
        if chosen["enabled"] and one.record.stage == chosen["source"]:
            one.record.stage = chosen["target"]

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
                "status": self._status(one),
                "permission": NAMES[one.permission] if one.entered or one.left else "",
                "entries": dict(one.entries),
            },
            "news": None if one.there is None else {"permission": one.permission, **one.there},
            "mails": one.mails,
            "suppressed": one.out,
        }

    def _status(self, one: Person) -> str:
        if one.left and one.there is None:
            return "unsubscribed"
        if not one.entered:
            return ""
        if one.permission != NONE:
            return "subscribed"
        return "pending" if one.open else "not_subscribed"
