"""Values written at both sides: whatever happened, they settle, and who wins is as the row says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_rules.fields import carry, wins
from stellwerk_rules.model import Contact, FieldValue, Origin, Remembered, Seen, Written
from stellwerk_toys.field_rows import NOON, contact, known, way, ways

LATER = NOON + timedelta(hours=3)


moments_ = st.sampled_from(
    [timedelta(0), timedelta(minutes=90), timedelta(hours=5), timedelta(hours=20), timedelta(days=2)]
)
values = st.sampled_from(["Ulm", "Bonn", "Köln", None])
MODES: list[dict[str, Any]] = [
    {},
    {"owner": "crm"},
    {"owner": "mail"},
    {"fill_only": True},
    {"to": "mail"},
    {"to": "crm"},
]
NAMES = {"crm": "city", "mail": "CITY"}


class Pair:
    """One field at both systems, linked with `start` on both sides; both may change before anything is delivered."""

    def __init__(self, mode: dict[str, Any], start: str | None, *, per_field: bool, unzoned: bool) -> None:
        self.ways = {one: way(one, other, **mode) for one, other in (("crm", "mail"), ("mail", "crm"))}
        self.stands: dict[str, str | None] = {"crm": start, "mail": start}
        self.written = {"crm": NOON, "mail": NOON}
        self.per_field = per_field
        self.unzoned = frozenset({"mail"}) if unzoned else frozenset[str]()
        seen = {one: {NAMES[one]: Seen(digest=start or "", at=NOON)} for one in NAMES}
        self.remembered = Remembered(seen=seen)

    def contact(self, system: str) -> Contact:
        at, name = self.written[system], NAMES[system]
        entry = Written(value=self.stands[system], at=at, origin=Origin.PERSON)
        touched = at + timedelta(days=9)  # something else of the contact changed later
        own_time = self.per_field and system == "crm"
        return Contact(
            fields={name: self.stands[system]},
            history={name: (entry,)} if own_time else {},
            updated_at=touched if own_time else at,
            read_at=touched,
        )

    def planned(self, source: str) -> FieldValue | None:
        target, one = ("mail", "crm")[source == "mail"], self.ways[source]
        if one is None:
            return None
        return carry((one,), self.contact(source), self.remembered, str, source, target).values.get(NAMES[target])

    def delivered(self, target: str, new: FieldValue | None) -> bool:
        known_ = replace(known(), remembered=self.remembered, unzoned=self.unzoned)
        return new is not None and wins(NAMES[target], new, self.contact(target), known_, target)


def settled(pair: Pair) -> dict[str, str | None]:
    """What stands once both changes were decided and then delivered, each against what stood there."""
    to_mail, to_crm = pair.planned("crm"), pair.planned("mail")
    mail_changes, crm_changes = pair.delivered("mail", to_mail), pair.delivered("crm", to_crm)
    stands = dict(pair.stands)
    if mail_changes and to_mail is not None:
        stands["mail"] = to_mail.value
    if crm_changes and to_crm is not None:
        stands["crm"] = to_crm.value
    return stands


pairs = st.builds(Pair, st.sampled_from(MODES), values, per_field=st.booleans(), unzoned=st.booleans())


@given(pairs, values, moments_, values, moments_)
def test_both_sides_agree_on_who_won(
    pair: Pair, mine: str | None, my_delay: timedelta, theirs: str | None, their_delay: timedelta
) -> None:
    start = pair.stands["crm"]
    pair.stands |= {"crm": mine, "mail": theirs}
    pair.written = {"crm": NOON + my_delay, "mail": NOON + their_delay}
    after = settled(pair)
    both_ways = all(one is not None for one in pair.ways.values())
    fills = any(one is not None and one.fill_only for one in pair.ways.values())
    if both_ways and not fills:
        assert after["crm"] == after["mail"]
        if mine == start:
            assert after["crm"] == theirs  # only one side changed
        elif theirs == start:
            assert after["crm"] == mine
        else:
            margin = timedelta(days=1) if pair.unzoned else timedelta(hours=2)
            newer_there = pair.written["mail"] - pair.written["crm"] > margin
            assert after["crm"] == (theirs if newer_there else mine)


@given(st.sampled_from(["crm", "mail"]), values, values, values)
def test_the_owners_value_stands_at_the_other_side_and_its_own_is_never_touched(
    owner: str, start: str | None, mine: str | None, theirs: str | None
) -> None:
    pair = Pair({"owner": owner}, start, per_field=True, unzoned=False)
    pair.stands |= {"crm": mine, "mail": theirs}
    owned = pair.stands[owner]
    after = settled(pair)
    assert after[owner] == owned
    if owned != start:
        assert after["mail" if owner == "crm" else "crm"] == owned


@given(values, values, values)
def test_a_filling_row_never_changes_a_value(start: str | None, mine: str | None, theirs: str | None) -> None:
    pair = Pair({"fill_only": True}, start, per_field=False, unzoned=False)
    pair.stands |= {"crm": mine, "mail": theirs}
    after = settled(pair)
    for system, before in (("crm", mine), ("mail", theirs)):
        assert before is None or after[system] == before


@given(st.sampled_from(["crm", "mail"]), values, values, values)
def test_a_one_way_row_never_writes_back(target: str, start: str | None, mine: str | None, theirs: str | None) -> None:
    pair = Pair({"to": target}, start, per_field=True, unzoned=False)
    pair.stands |= {"crm": mine, "mail": theirs}
    source = "mail" if target == "crm" else "crm"
    before = pair.stands[source]
    assert settled(pair)[source] == before


@given(pairs, values)
def test_a_value_emptied_on_purpose_is_emptied_and_one_that_never_was_empties_nothing(
    pair: Pair, there: str | None
) -> None:
    pair.remembered = Remembered(seen={"mail": {"CITY": Seen(digest=there or "", at=NOON)}})
    pair.stands = {"crm": None, "mail": there}
    assert pair.planned("crm") is None
    pair.remembered = replace(
        pair.remembered, seen={**pair.remembered.seen, "crm": {"city": Seen(digest="Ulm", at=NOON)}}
    )
    new = pair.planned("crm")
    assert pair.ways["crm"] is None or (new is not None and new.value is None)


def test_a_fields_own_time_counts_and_one_for_the_whole_contact_only_without_it() -> None:
    told = contact("Ulm", updated_at=LATER, changed_at={"city": NOON})
    assert carry(ways(), told, Remembered(), str, "crm", "mail").values["CITY"].at == NOON
    written = (Written(value="Ulm", at=NOON + timedelta(minutes=1), origin=Origin.PERSON),)
    read = replace(told, history={"city": written})
    assert carry(ways(), read, Remembered(), str, "crm", "mail").values["CITY"].at == written[0].at
    other = contact("Ulm", updated_at=LATER, changed_at={"name": NOON})
    assert carry(ways(), other, Remembered(), str, "crm", "mail").values["CITY"].at == LATER
