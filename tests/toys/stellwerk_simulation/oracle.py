"""What both sides must show, computed from what truly happened. Knows the product's promises and none of its code."""

from __future__ import annotations

from typing import Any

from stellwerk_simulation.history import PEOPLE
from stellwerk_simulation.people import DOUBLE, DOUBLE_PLUS, NONE, Person, Shown

DAY = 86_400.0
OWN = {"maileon_contact_doi": "ask", "maileon_contact_doi_plus": "plus", "maileon_contact_permission": "grant"}
CARRIED = {"firstname": "FIRSTNAME"}
CONFIRMED, LEFT = "Double opt-in confirmed", "Unsubscribed from Maileon"
RETURNED, BLOCKED = "A Maileon mail bounced for good", "Blocked in Maileon"
STAGES = ("", "lead", "marketingqualifiedlead")
MOST_ASKS, BOUNCES_THAT_BLOCK = 3, 3
UNSAID = {
    "contacts_may_skip_doi": False,
    "forms_may_skip_doi": False,
    "ask_again": False,
    "on_opt_out": "keep",
    "on_moved": "ask_again",
    "on_moved_old": "keep",
}
GRANTS = {"none": 1, "single": 2, "confirmed": 3}


class Oracle:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = {**UNSAID, **settings}
        self.people = {email: Person() for email in PEOPLE}

    # --- what happened ------------------------------------------------------------------------------------------------

    def wrote(self, email: str, by: str, values: dict[str, str], at: float) -> None:
        one = self._holder(email)
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
        for name in values.keys() & OWN.keys():
            if record.own.get(OWN[name]) != values[name]:
                record.own[OWN[name]] = values[name]
                (record.by_form.add if by == "form" else record.by_form.discard)(OWN[name])
        wish = changed and said == "true" and by in ("form", "person")
        if changed and said == "false" and not new and self._no_counts(by):
            self._opt_out(one)
        elif wish or (not one.entered and self._comes_by_itself(record)):
            self._enter(one, at, wish=wish)
        if not one.left:
            self._carry(one)

    def confirmed(self, email: str) -> None:
        """The click on the link was the one that confirmed."""
        one = self.people[email]
        one.permission = DOUBLE_PLUS if one.plus else DOUBLE
        one.out, one.left, one.open = one.refuses, False, []
        one.pending = False
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
        if not one.left:
            self._carry(one)

    def opted_out(self, email: str, *, out: bool) -> None:
        """Of all mail at the CRM; whoever takes that back there is not let in by it."""
        one = self.people[email]
        one.refuses = out
        if out:
            self._refused(one)

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
        assert record is not None
        one.binned, one.entered = None, one.there is not None
        record.only_wish = True
        record.subscribe = "false" if one.left and record.subscribe == "true" else record.subscribe

    def erased(self, email: str) -> None:
        one = self.people[email]
        self._removed(one)
        one.record, one.entered = None, False

    def was_there(self, email: str, values: dict[str, str]) -> None:
        """A contact of the CRM that is older than the connection, which leaves it alone."""
        record = self.people[email].record = Shown(older=True, subscribe=values.get("maileon_subscribe", ""))
        record.fields = {name: values[name] for name in CARRIED if name in values}

    def moved(self, email: str, to: str, by: str, at: float, *, refuses: bool) -> None:
        """Consent belongs to an address: the new one starts anew, or the permission goes along where nothing speaks against it."""
        one, other = self.people[email], self.people[to]
        record, was_in = one.record, one.entered
        assert record is not None
        one.record, one.entered, other.record, other.entered = None, False, record, False
        other.refuses = other.refuses or refuses
        along = was_in and self._goes_along(one, other, by)
        if along and other.there is None and one.permission != NONE:
            other.there, other.permission, other.entered = one.there, one.permission, True
            other.bounces, other.blocked, other.apart = one.bounces, one.blocked, {}
            self._removed(one)
            return
        if was_in and not along and by != "form" and self.settings["on_moved_old"] == "unsubscribe":
            self._opt_out(one)
        elif was_in and not along and by != "form" and self.settings["on_moved_old"] == "delete":
            self._removed(one)
        if refuses:
            self._refused(other)
        fresh = not record.older or record.wished
        if self._comes_by_itself(record) or (was_in and fresh and self._comes_in(record)):
            self._enter(other, at, wish=False)

    def _goes_along(self, one: Person, other: Person, by: str) -> bool:
        if self.settings["on_moved"] != "keep_permission" or by == "form":
            return False
        return not (one.out or other.out or other.refuses or one.pending)

    def merged(self, email: str, other: str, *, refuses: bool) -> None:
        """Links go along and consent never does: whoever was out stays out, and the other address is told of beside the contact."""
        one, two = self.people[email], self.people[other]
        assert one.record is not None
        assert two.record is not None
        record, lost = one.record, two.record
        record.subscribe = record.subscribe or lost.subscribe
        record.stage = max(record.stage, lost.stage, key=STAGES.index)
        for name, value in lost.fields.items():
            if value and not record.fields.get(name):
                record.fields[name] = value
                one.apart[name] = "here"
        for name, value in lost.own.items():
            if name not in record.own:
                record.own[name] = value
                record.by_form.add(name)  # it may have been a form's
        record.entries += lost.entries
        record.only_wish, record.mirrored = True, record.mirrored or lost.mirrored
        two.record, two.within, two.had, two.entered = None, email, two.entered, False
        if refuses and not one.refuses:
            self._refused(one)
        if not one.left:
            self._carry(one)

    def synced(self, *, ask: bool, permission: str, at: float) -> None:
        """Whoever is not in yet and does not say no, on terms of its own."""
        for one in self.people.values():
            if one.record is None or one.record.only_wish or not self._comes_in(one.record):
                continue
            if one.out or one.refuses or (one.entered and (one.known or (one.there is not None and not ask))):
                continue
            self._brought_in(one, ask, permission, at)

    def _brought_in(self, one: Person, ask: bool, permission: str, at: float) -> None:
        assert one.record is not None
        asked_first, plus, _ = self._terms(one.record)
        own = GRANTS[one.record.own.get("grant", permission)]
        again = one.permission == NONE or (self.settings["ask_again"] and one.permission < DOUBLE)
        if ask and one.there is not None and not again:
            ask = False
        if one.there is not None:
            self._link(one)
        if ask and not one.blocked and not one.open:
            self._ask(one, at, asked_first and plus)
        elif not ask and one.there is None:
            own_ask = asked_first and not self.settings["double_opt_in"]
            one.there, one.permission = {}, NONE if own_ask else min(GRANTS[permission], own)
            one.known = one.known or one.permission != NONE
            self._link(one)

    # --- what follows -------------------------------------------------------------------------------------------------

    def _refused(self, one: Person) -> None:
        one.out = one.refuses = True
        one.open, one.pending = [], False
        if self.settings["on_opt_out"] == "unsubscribe":
            self._opt_out(one)

    def _no_counts(self, by: str) -> bool:
        return self.settings["on_no"] == "unsubscribe" and (by != "form" or self.settings["form_no_unsubscribes"])

    def _holder(self, email: str) -> Person:
        """Whose contact at the CRM has this address, be it as a secondary one."""
        within = self.people[email].within
        return self.people[within or email]

    def _comes_by_itself(self, record: Shown) -> bool:
        return not record.older and not record.only_wish and self._comes_in(record)

    def _comes_in(self, record: Shown) -> bool:
        return record.subscribe == "true" or (record.subscribe == "" and self.settings["no_answer"] == "yes")

    def _terms(self, record: Shown) -> tuple[bool, bool, int]:
        """Whether she is asked, whether with plus, and what else she is granted: more asked or less granted by her own values."""
        said, own = self.settings, record.own
        ask = said["double_opt_in"] or own.get("ask") == "true"
        if own.get("ask") == "false" and said["contacts_may_skip_doi"]:
            ask = ask and "ask" in record.by_form and not said["forms_may_skip_doi"]
        plus = own.get("plus", "true" if said["double_opt_in"] and said["double_opt_in_plus"] else "false") == "true"
        return ask, ask and plus, min(GRANTS[said["permission"]], GRANTS[own.get("grant", said["permission"])])

    def _enter(self, one: Person, at: float, *, wish: bool) -> None:
        assert one.record is not None
        if one.refuses:
            return
        one.record.wished = one.record.wished or wish
        ask, plus, grant = self._terms(one.record)
        if one.out:
            back = [asked for asked in one.ways_back if at - asked < 30 * DAY]
            if wish and len(back) < MOST_ASKS and not self._asked_lately(one, at, wish=wish):
                one.ways_back = [*back, at]
                self._ask(one, at, plus)
            return
        if not one.entered and one.there is not None:
            self._link(one)
        if not ask:
            if one.there is None:
                one.there, one.permission, one.known = {}, grant, one.known or grant != NONE
                self._link(one)
            return
        again = one.permission == NONE or (self.settings["ask_again"] and one.permission < DOUBLE)
        if one.blocked or (one.there is not None and not again):
            return
        if not self._asked_lately(one, at, wish=wish):
            self._ask(one, at, plus)
        one.record.mirrored = True

    def _asked_lately(self, one: Person, at: float, *, wish: bool) -> bool:
        """Whether an unanswered double opt-in stands in the way of another."""
        return bool(one.open) and (not wish or at - one.open[-1] < DAY or len(one.open) >= MOST_ASKS)

    def _ask(self, one: Person, at: float, plus: bool) -> None:
        one.mails += 1
        one.plus, one.pending, one.known = plus, True, True
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
        one.there, one.permission, one.pending = None, NONE, False
        one.apart, one.bounces, one.blocked, one.known = {}, 0, False, True

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
        beside = None if one.within is None or not one.had else self.people[one.within].record
        record = one.record if one.entered else beside
        if record is None:
            return
        if self.settings["timeline"] == "note":
            record.entries[text] += 1
        chosen = {"enabled": False} if move is None or record is beside else self.settings[move]
        if chosen["enabled"] and record.stage == chosen["source"]:
            record.stage = chosen["target"]

    def everybody_out(self) -> set[tuple[str, int]]:
        """Every opt-out so far: whose, and which of hers."""
        return {(email, number) for email, one in self.people.items() for number in range(one.opt_outs)}

    def expected(self, email: str) -> dict[str, Any]:
        return self.people[email].shown()
