"""What both sides must show, computed from what truly happened. Knows the product's promises and none of its code."""

from __future__ import annotations

from typing import Any

from stellwerk_simulation.history import FIELDS, PEOPLE
from stellwerk_simulation.people import BOUNCES_THAT_BLOCK, PERMISSIONS, Person, Record

TWO_CLOCKS = 7_200.0  # within these of each other an opt-out is younger than a yes, and the CRM's value wins
DAY, MOST_ASKS, OWN, STAGES = 86_400.0, 3, "maileon_contact_", ("", "lead", "marketingqualifiedlead")


class Oracle:
    """Told of each deed; `people` are then as both sides must be."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings, self.people = settings, {email: Person() for email in PEOPLE}

    def wrote(self, email: str, by: str, values: dict[str, str], at: float) -> None:
        one, new = self.people[email], not self.people[email].record.alive
        record = one.record = Record(alive=True, mirrored=one.left) if new else one.record
        before, record.subscribe = record.subscribe, values.get("maileon_subscribe", record.subscribe)
        for name, value in values.items():
            if name in FIELDS and record.fields.get(name) != value:
                record.fields[name] = one.written[name] = value
                one.wrote_at = at
            elif name.startswith(OWN) and record.own.get(name, ("", False))[0] != value:
                record.own[name] = (value, by == "form")
        wish = before != record.subscribe == "true" and by in ("form", "person")
        counts = self.settings["on_no"] == "unsubscribe" and (by != "form" or self.settings["form_no_unsubscribes"])
        if before != record.subscribe == "false" and counts and not new:
            one.let_go("unsubscribe")
        elif wish or not (one.linked or record.came or record.older or record.only_wish or not self._comes_in(record)):
            self._enter(one, at, wish=wish)
        one.carry()

    def confirmed(self, email: str) -> None:
        """The click on the link was the one that confirmed."""
        one = self.people[email]
        one.there.permission = "double_plus" if one.there.plus else "double"
        one.there.asked, one.out, one.left, one.open, one.apart = False, one.refuses, False, [], None
        self._tell(one, "Double opt-in confirmed", "on_confirmed")
        one.carry()

    def left(self, email: str, at: float) -> None:
        one = self.people[email]
        one.let_go("unsubscribe", shows=one.linked, apart=None if one.linked else at)
        one.record.subscribe = "false" if one.linked else one.record.subscribe
        self._tell(one, "Unsubscribed from Maileon", "on_unsubscribed")

    def edited_there(self, email: str, name: str, value: str, at: float) -> None:
        one = self.people[email]
        if one.there.fields.get(name) != value:
            one.there.fields[name] = value
            wins = name not in one.written or at - one.wrote_at > TWO_CLOCKS
            one.written[name] = value if wins else one.written[name]
        one.carry()

    def opted_out(self, email: str, *, out: bool = True) -> None:
        """Of all mail at the CRM; whoever takes that back there is not let in by it."""
        one = self.people[email]
        one.refuses = out
        if out:
            one.out, one.open, one.there.asked, one.record.back = True, [], False, False
            one.let_go(self.settings["on_opt_out"])

    def bounced(self, email: str) -> None:
        one = self.people[email]
        one.there.bounces += 1
        self._tell(one, "A Maileon mail bounced for good")
        if one.there.bounces == BOUNCES_THAT_BLOCK:
            self._tell(one, "Blocked in Maileon")

    def deleted(self, email: str, *, for_privacy: bool = False) -> None:
        """In the recycle bin of the CRM, or for good, with the addresses of all who were merged into it."""
        one = self.people[email]
        for each in (one, *(two for two in self.people.values() if for_privacy and two.within is one.record)):
            each.let_go("delete" if for_privacy else self.settings["on_deleted"])
        one.binned, one.record, one.linked = one.record, Record(), False

    def restored(self, email: str) -> None:
        """Back from the recycle bin: whoever still stands at the newsletter is linked again, and nobody is subscribed."""
        one = self.people[email]
        one.record, one.linked, one.binned.only_wish = one.binned, one.there.alive, True
        if one.left and one.record.subscribe == "true" and not one.record.back:
            one.record.subscribe, one.apart = "false", None

    def moved(self, email: str, to: str, by: str, at: float) -> None:
        """Consent belongs to an address: the new one starts anew, or the permission goes along where nothing speaks against it."""
        one, other = self.people[email], self.people[to]
        record, linked = one.record, one.linked
        one.record, one.linked, other.record, other.linked = Record(), False, record, False
        against = by == "form" or one.out or other.out or other.refuses or other.marked or one.there.asked
        along = linked and self.settings["on_moved"] == "keep_permission" and not against
        if along and not other.there.alive and one.there.permission != "none":
            other.there, other.linked, other.written = one.there, True, {}
            one.let_go("delete")
            return
        if linked and not along and by != "form":
            one.let_go(self.settings["on_moved_old"], apart=at)
        self.opted_out(to, out=other.refuses)
        comes = self._comes_in(record, by)
        fresh = linked or not (record.older or record.only_wish)
        record.came = comes and (record.came if linked and record.older else fresh)
        record.only_wish = record.only_wish or (self._comes_in(record) and not comes)
        if record.came:
            self._enter(other, at, wish=False)

    def merged(self, email: str, other: str) -> None:
        """Links go along and consent never does: whoever was out stays out, and of the other address the contact is told too."""
        one, two = self.people[email], self.people[other]
        record, lost = one.record, two.record
        record.subscribe = record.subscribe or lost.subscribe
        record.stage = max(record.stage, lost.stage, key=STAGES.index)
        one.written |= {name: value for name, value in lost.fields.items() if name not in record.fields}
        record.fields = lost.fields | record.fields
        record.own = {name: (value, True) for name, (value, _) in lost.own.items()} | record.own
        record.entries += lost.entries
        record.only_wish, record.mirrored = True, record.mirrored or lost.mirrored
        for each in self.people.values():
            each.within = record if each.within is lost or (each is two and two.linked) else each.within
        two.record, two.linked = Record(), False
        if two.refuses and not one.refuses:
            self.opted_out(email)
        one.carry()

    def synced(self, *, ask: bool, permission: str, at: float) -> None:
        """Whoever is not in yet and does not say no, on terms of its own."""
        for one in self.people.values():
            comes = one.record.alive and not one.record.only_wish and self._comes_in(one.record) and not one.out
            entered = one.linked or one.record.came
            if comes and not (entered and (one.known or (one.linked and not ask))):
                asked_first, plus, grant = self._terms(one.record, permission)
                grant = "none" if asked_first and not self.settings["double_opt_in"] else grant
                self._bring_in(one, at, ask=ask, plus=plus, grant=grant, waits=bool(one.open))

    def _comes_in(self, record: Record, moved_by: str = "") -> bool:
        silent = not record.subscribe or (moved_by == "form" and record.subscribe == "true")  # a yes of another visitor
        return self.settings["no_answer"] == "yes" if silent else record.subscribe == "true"

    def _terms(self, record: Record, most: str) -> tuple[bool, bool, str]:
        """Whether she is asked, whether with plus, and what else she is granted: more asked or less granted by her own values."""
        said, (doi, by_form) = self.settings, record.own.get(OWN + "doi", ("", False))
        may_skip = said["contacts_may_skip_doi"] and (said["forms_may_skip_doi"] or not by_form)
        ask = doi == "true" or (said["double_opt_in"] and not (doi == "false" and may_skip))
        plus = "true" if said["double_opt_in"] and said["double_opt_in_plus"] else "false"
        plus, _ = record.own.get(OWN + "doi_plus", (plus, False))
        granted, _ = record.own.get(OWN + "permission", (most, False))
        return ask, ask and plus == "true", min(most, granted, key=PERMISSIONS.index)

    def _enter(self, one: Person, at: float, *, wish: bool) -> None:
        """By a wish, or as somebody who did not say no: the way back, a question, or a grant."""
        younger = wish and (one.apart is None or at - one.apart > TWO_CLOCKS)
        one.record.back = one.record.back or younger
        if one.refuses:
            return
        one.record.came = True
        ask, plus, grant = self._terms(one.record, self.settings["permission"])
        waits = bool(one.open) and (not wish or at - one.open[-1] < DAY or len(one.open) >= MOST_ASKS)
        if one.out:
            often = sum(at - asked < 30 * DAY for asked in one.ways_back) >= MOST_ASKS
            if younger and not often and not waits:
                one.ways_back.append(at)
                self._ask(one, at, plus)
            elif wish and not younger:  # so that the next yes is heard at once
                one.record.subscribe, one.apart = "false", None
            return
        self._bring_in(one, at, ask=ask, plus=plus, grant=grant, waits=waits)

    def _bring_in(self, one: Person, at: float, *, ask: bool, plus: bool, grant: str, waits: bool) -> None:
        """Linked with whoever is there, and asked where that may be done; or made there with what is granted."""
        if one.marked and not one.there.alive:  # nothing tells that she took that back, but her next yes will
            one.let_go("unsubscribe", apart=None if one.record.subscribe == "true" else at)
            one.record.subscribe = one.record.subscribe and "false"
            return
        if one.there.alive or not ask:
            one.link(grant)
        again = self.settings["ask_again"] and not one.there.permission.startswith("double")
        if ask and one.there.bounces < BOUNCES_THAT_BLOCK and (again or one.there.permission == "none"):
            one.record.mirrored = True
            if not waits:
                self._ask(one, at, plus)

    def _ask(self, one: Person, at: float, plus: bool) -> None:
        one.link()
        one.there.asked, one.there.plus, one.known, one.mails = True, plus, True, one.mails + 1
        one.open.append(at)

    def _tell(self, one: Person, text: str, stage: str = "") -> None:
        """The contact that it is linked with, whose stage may move; or else the one whose secondary address it is."""
        record = one.record if one.linked else one.within or Record()
        if self.settings["timeline"] == "note":
            record.entries[text] += 1
        move = self.settings[stage] if stage and one.linked else {"enabled": False}
        if move["enabled"] and record.stage == move["source"]:
            record.stage = move["target"]
