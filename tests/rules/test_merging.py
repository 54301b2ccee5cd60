"""Contacts that became one: links go along, consent never does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stellwerk_rules.evaluate import evaluate, wants_history
from stellwerk_rules.merging import Stored, holder, is_merge, renamed, secondary, survivor, taken_over
from stellwerk_rules.model import (
    AddEntry,
    Contact,
    Decision,
    Enter,
    EventKind,
    Known,
    Origin,
    Permission,
    Presence,
    Remembered,
    Seen,
    SetFields,
    SetPeer,
    Skip,
)
from stellwerk_toys.decisions import codes

HOUR = timedelta(hours=1)
LINKED = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)


def merged(world: Any, contact: Contact, *absorbed: Remembered, kind: EventKind = EventKind.MERGED) -> Decision:
    known = world.known(absorbed=absorbed)
    return world.keep(evaluate(world.plan, world.event(contact, kind), known, world.settings))  # type: ignore[no-any-return]


def test_the_one_with_the_address_goes_on() -> None:
    stored = [
        Stored(address="b", remembered=Remembered(ids={"crm": "c3"})),
        Stored(address="a", remembered=Remembered(ids={"crm": "c1"})),
    ]
    assert survivor(stored, "crm", "c3", "a", frozenset("b")) == 1


def test_a_secondary_addresses_contact_never_goes_on_as_the_first() -> None:
    stored = [Stored(address="b", remembered=Remembered(ids={"crm": "c3"}))]
    assert survivor(stored, "crm", "c3", "a", frozenset("b")) is None
    within = [Stored(address="x", remembered=Remembered(within="c3"))]
    assert survivor(within, "crm", "c3", "a", frozenset("b")) is None


def test_one_that_moved_just_before_goes_on_by_its_number() -> None:
    stored = [
        Stored(address="x", remembered=Remembered(ids={"crm": "c1"})),
        Stored(address=None, remembered=Remembered(ids={"crm": "c3"})),
    ]
    assert survivor(stored, "crm", "c3", "a", frozenset("b")) == 1


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ([], None),
        ([Remembered()], 0),
        ([Remembered(ids={"mail": "m1"})], 0),
        ([Remembered(), Remembered()], 1),
        ([Remembered(ids={"mail": "m1"}), Remembered()], 0),
        ([Remembered(ids={"mail": "m1"}, binned=True), Remembered()], 0),
        ([Remembered(), Remembered(binned=True)], 0),
        ([Remembered(), Remembered(erased=True)], 0),
        ([Remembered(), Remembered(within="c3")], 0),
        ([Remembered(binned=True), Remembered(within="c3")], 1),
        ([Remembered(ids={"mail": "m1"}, binned=True), Remembered(ids={"mail": "m2"})], 1),
        ([Remembered(ids={"mail": "m1"}), Remembered(ids={"mail": "m2"})], None),
    ],
)
def test_an_address_of_several_is_whose_contact_over_there_it_is_or_the_living_ones(
    stored: list[Remembered], found: int | None
) -> None:
    assert holder(stored, "mail") == found


def test_what_was_carried_of_a_secondary_address_is_no_news_of_the_record_that_has_it_now(world: Any) -> None:
    digest = world.known().digest
    carried = {"crm": {"firstname": Seen(digest=digest("Eve"))}, "mail": {"FIRSTNAME": Seen(digest=digest("Eve"))}}
    world.remembered = secondary(Remembered(ids={"crm": "c2", "mail": "m2"}, entered=True, seen=carried), "crm", "c3")
    decision = world.decide(world.crm(id="c9", firstname=None))
    assert [type(one.change) for one in decision.changes] == [SetPeer] * len(decision.changes)
    assert (decision.look_again, decision.remembered.ids) == (("mail",), {"crm": "c9", "mail": "m2"})
    filled = world.decide(world.mail(id="m2", FIRSTNAME="Eve"), EventKind.CHANGED, "mail")
    assert [one.change.fields["firstname"].value for one in filled.changes if "firstname" in one.change.fields] == [
        "Eve"
    ]


@pytest.mark.behaviour("merged-both")
def test_a_secondary_address_keeps_its_contact_over_there() -> None:
    assert secondary(LINKED, "crm", "c3") == Remembered(ids={"mail": "m1"}, entered=True, by_wish=True, within="c3")


def test_a_merge_is_seen_in_what_reads_and_not_in_the_signal(world: Any) -> None:
    def news(known: Known, one: str) -> bool:
        return is_merge(known, "crm", Contact(id=one, read_at=world.now))

    world.remembered = LINKED
    assert not news(world.known(), "c1")
    assert news(world.known(), "c3")
    assert news(world.known(absorbed=(Remembered(),)), "c1")
    world.remembered = Remembered(within="c3")
    assert news(world.known(), "c3")


def test_whatever_one_of_the_merged_had_answered_is_handled(world: Any) -> None:
    digest = world.known().digest
    name = world.plan.answer_field("crm")
    contact = world.crm(subscribe="yes")
    before = Remembered(answered={name: Seen(digest=digest("no"), at=world.now)})
    other = Remembered(answered={name: Seen(digest=digest("yes"), at=world.now - HOUR), "else": Seen(digest="d")})
    taken = taken_over(before, world.known(absorbed=(other,)), contact, (name,))
    assert (taken.answered[name], taken.by_wish, taken.within) == (other.answered[name], True, None)


def test_what_a_merge_brought_along_nobody_said(world: Any) -> None:
    contact = world.crm(subscribe="no", by=Origin.MERGE)
    world.remembered = LINKED
    decision = merged(world, contact, Remembered(ids={"mail": "m2"}))
    assert (decision.changes, decision.facts) == ((), ())
    assert world.decide(contact).changes == ()


def test_a_no_that_somebody_said_counts_also_when_it_is_seen_with_the_merge(world: Any) -> None:
    world.remembered = LINKED
    decision = merged(world, world.crm(subscribe="no", by=Origin.PERSON), Remembered())
    assert len(decision.facts) == 1


@pytest.mark.behaviour("merged-new-id")
def test_the_new_id_replaces_the_old_one_over_there_and_its_state_is_read_again(world: Any) -> None:
    world.remembered = LINKED
    decision = merged(world, world.crm(id="c3", also_ids=("c1", "c2")))
    assert [one.change for one in decision.changes] == [SetPeer(peer_id="c3", replaces="c1")]
    assert (decision.look_again, decision.remembered.ids["crm"]) == (("mail",), "c3")
    again = world.decide(world.crm(id="c3", also_ids=("c1", "c2")))
    assert (again.changes, again.look_again) == ((), ())


@pytest.mark.behaviour("merged-new-id")
def test_the_new_id_is_stored_and_links_where_the_id_over_there_could_not_be_read_when_it_was_made(world: Any) -> None:
    world.settings["double_opt_in"] = False
    (made,) = world.decide(world.crm(firstname="Ada")).changes
    world.make(made, world.mail(presence=Presence.ABSENT, id=None), remote_id=None)
    assert "mail" not in world.remembered.ids
    renames, fields = merged(world, world.crm(id="c3", also_ids=("c1", "c2"), firstname="Augusta")).changes
    assert (renames.change, type(fields.change)) == (SetPeer(peer_id="c3", replaces="c1"), SetFields)
    world.make(renames, world.mail(peer_id="c1"))
    assert world.remembered.ids == {"crm": "c3", "mail": "m1"}


def test_there_is_nothing_to_rename_where_nothing_is_linked() -> None:
    new = Remembered(ids={"crm": "c3"})
    assert renamed(new, LINKED, "crm", "mail", "e1") == ()
    assert renamed(LINKED, LINKED, "crm", "mail", "e1") == ()
    assert renamed(LINKED, Remembered(), "crm", None, "e1") == ()


@pytest.mark.behaviour("merged-never-in")
def test_out_of_a_merge_only_an_explicit_yes_brings_in(world: Any) -> None:
    assert codes(merged(world, world.crm(id="c3", also_ids=("c1",)))) == ["older"]
    wish = world.crm(id="c3", also_ids=("c1",), subscribe="yes", said_at=world.now)
    assert wants_history(world.plan, wish, world.known(), world.settings)
    (planned,) = world.decide(wish).changes
    assert isinstance(planned.change, Enter)


@pytest.mark.behaviour("merged-deletion")
def test_a_loser_that_is_told_as_deleted_is_the_merge_itself(world: Any) -> None:
    world.remembered = LINKED
    world.settings["on_deleted"] = "delete"
    decision = merged(world, world.crm(id="c3", also_ids=("c1",)), kind=EventKind.DELETED)
    assert [one.change for one in decision.changes] == [SetPeer(peer_id="c3", replaces="c1")]


def test_what_went_into_the_bin_is_known_as_such_until_it_reads_again(world: Any) -> None:
    world.remembered = LINKED
    gone = world.decide(Contact(id="c1", presence=Presence.ARCHIVED, read_at=world.now), EventKind.DELETED)
    assert gone.remembered.binned
    assert not world.decide(world.crm(), EventKind.RESTORED).remembered.binned
    erased = world.decide(Contact(id="c1", presence=Presence.ABSENT, read_at=world.now), EventKind.ERASED)
    assert (erased.remembered.binned, erased.remembered.erased) == (False, True)


@pytest.mark.behaviour("merged-secondary-confirms")
def test_a_secondary_address_confirms_on_the_timeline_alone(world: Any) -> None:
    world.remembered = secondary(Remembered(ids={"crm": "c2", "mail": "m2"}, entered=True), "crm", "c3")
    world.settings["on_confirmed"] = type(world.settings["on_confirmed"])(enabled=True, target="mql")
    contact = world.mail(id="m2", permission=Permission.DOUBLE, FIRSTNAME="Eve")
    decision = world.decide(contact, EventKind.CONFIRMED, "mail")
    assert [type(one.change) for one in decision.changes] == [AddEntry]
    assert codes(decision) == ["secondary"]


def test_nobody_is_asked_at_an_address_that_became_a_secondary_one(world: Any) -> None:
    (planned,) = world.decide(world.crm(subscribe="yes")).changes
    world.remembered = secondary(world.remembered, "crm", "c3")
    skip = world.make(planned, Contact(presence=Presence.ABSENT, read_at=world.now))
    assert isinstance(skip, Skip)
    assert skip.because.code == "merged"


def test_a_restore_subscribes_nobody_and_what_was_said_before_is_handled(world: Any) -> None:
    wish = world.crm(subscribe="yes", said_at=world.now - HOUR)
    decision = world.decide(wish, EventKind.RESTORED, occurred_at=world.now)
    assert (decision.changes, codes(decision), decision.look_again) == ((), ["restored"], ("mail",))
    assert world.decide(wish).changes == ()
    assert len(world.decide(world.crm(subscribe="yes", said_at=world.now + HOUR)).changes) == 1


def test_a_yes_younger_than_the_restore_is_still_a_wish(world: Any) -> None:
    wish = world.crm(subscribe="yes", said_at=world.now)
    world.decide(wish, EventKind.RESTORED, occurred_at=world.now - HOUR)
    assert len(world.decide(wish).changes) == 1


def test_what_was_erased_is_decided_on_no_more(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1"}, erased=True)
    assert codes(world.decide(world.crm(subscribe="yes"))) == ["erased"]
