"""What entering comes to for the contact that stands at the mail system."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_rules.model import (
    Ask,
    AskTerms,
    Contact,
    Create,
    Enter,
    FieldValue,
    Held,
    Permission,
    Presence,
    SetFields,
    SetPeer,
    Skip,
)
from stellwerk_rules.settle import settle_enter

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TERMS = AskTerms(plus=True, options={"mailing": "K1"})
NAME, CITY = FieldValue(value="Ada"), FieldValue(value="Ulm")
ENTER = Enter(
    email="ada@example.com",
    peer_id="c1",
    wish="w1",
    wished_at=NOON,
    explicit=True,
    ask=TERMS,
    grant=Permission.NONE,
    fields={"NAME": NAME, "CITY": CITY, "ZIP": FieldValue(value=None)},
)
GRANT = replace(ENTER, ask=None, grant=Permission.SINGLE)
BACK = replace(ENTER, way_back=True)
ABSENT = Contact(presence=Presence.ABSENT, read_at=NOON)


def there(permission: Permission | None = Permission.NONE, **more: Any) -> Contact:
    return Contact(**{"id": "m1", "permission": permission, "fields": {"NAME": "Eve"}, "read_at": NOON, **more})


def settled(enter: Enter, target: Contact, *, linked: bool = False) -> Any:
    found = settle_enter(enter, target, linked=linked)
    return found.because.code if isinstance(found, Skip | Held) else found


@pytest.mark.behaviour("asks-doi")
def test_an_unknown_address_is_asked_with_everything_known_of_it() -> None:
    assert settled(ENTER, ABSENT) == (
        Ask(
            email="ada@example.com",
            peer_id="c1",
            mark="w1",
            terms=TERMS,
            fields={"NAME": "Ada", "CITY": "Ulm"},
            existing=False,
        ),
    )


def test_an_unknown_address_that_is_not_asked_is_created_with_its_grant() -> None:
    assert settled(GRANT, ABSENT) == (
        Create(
            email="ada@example.com",
            peer_id="c1",
            permission=Permission.SINGLE,
            fields={"NAME": "Ada", "CITY": "Ulm"},
        ),
    )
    assert settled(replace(GRANT, peer_id=""), ABSENT)[0].peer_id is None


@pytest.mark.behaviour("known-none")
def test_an_existing_contact_without_permission_is_asked_and_only_its_blanks_filled() -> None:
    (ask,) = settled(ENTER, there())
    assert (ask.existing, ask.fields, ask.peer_id) == (True, {"CITY": "Ulm"}, "c1")
    (ask,) = settled(ENTER, there(None, peer_id="c9"))
    assert ask.peer_id is None
    assert settled(replace(ENTER, peer_id=""), there())[0].peer_id is None


@pytest.mark.behaviour("known-none-no-doi")
def test_an_existing_contact_without_permission_is_not_granted_one() -> None:
    assert settled(GRANT, there()) == (SetPeer(peer_id="c1"), SetFields(fields={"CITY": CITY}))


@pytest.mark.behaviour("known-single")
@pytest.mark.parametrize("permission", [Permission.SINGLE, Permission.CONFIRMED])
def test_who_has_a_permission_keeps_it_and_is_asked_again_only_where_the_connection_wants(
    permission: Permission,
) -> None:
    assert settled(ENTER, there(permission)) == (SetPeer(peer_id="c1"), SetFields(fields={"CITY": CITY}))
    assert isinstance(settled(replace(ENTER, again=True), there(permission))[0], Ask)


@pytest.mark.behaviour("known-double")
@pytest.mark.parametrize("permission", [Permission.DOUBLE, Permission.DOUBLE_PLUS])
def test_who_confirmed_is_never_asked(permission: Permission) -> None:
    for enter in (ENTER, replace(ENTER, again=True), BACK):
        assert not any(isinstance(one, Ask) for one in settled(enter, there(permission)))


@pytest.mark.behaviour("known-other")
def test_a_foreign_permission_is_asked_unless_the_contact_is_linked() -> None:
    assert isinstance(settled(ENTER, there(Permission.OTHER))[0], Ask)
    assert isinstance(settled(ENTER, there(Permission.OTHER), linked=True)[0], SetPeer)
    assert settled(ENTER, there(Permission.OTHER, peer_id="c1")) == (SetFields(fields={"CITY": CITY}),)


@pytest.mark.behaviour("known-blocked")
def test_a_blocked_contact_is_linked_and_never_asked() -> None:
    assert settled(ENTER, there(blocked=True)) == (SetPeer(peer_id="c1"), SetFields(fields={"CITY": CITY}))


def test_a_contact_that_is_as_it_should_be_needs_nothing() -> None:
    full = there(Permission.SINGLE, peer_id="c1", fields={"NAME": "Eve", "CITY": "Bonn"})
    assert settled(ENTER, full) == "linked"
    assert settled(replace(ENTER, peer_id="", fields={}), there(Permission.SINGLE)) == "linked"
    assert settled(replace(ENTER, fields={}), there(Permission.SINGLE)) == (SetPeer(peer_id="c1"),)


def test_an_address_that_stands_twice_is_linked_to_none_and_waits_for_a_person() -> None:
    held = settle_enter(ENTER, there(presence=Presence.TWICE), linked=False)
    assert isinstance(held, Held)
    assert (held.repair, held.because.code) == ("stands-twice", "stands-twice")


@pytest.mark.behaviour("enters-archived")
def test_an_archived_contact_is_left_alone() -> None:
    assert settled(ENTER, there(presence=Presence.ARCHIVED)) == "archived-there"


@pytest.mark.behaviour("known-marker")
@pytest.mark.parametrize("target", [ABSENT, Contact(presence=Presence.ANONYMOUS, read_at=NOON), there(), there(None)])
def test_a_marker_keeps_out(target: Contact) -> None:
    marked = replace(target, opted_out=True)
    assert settled(ENTER, marked) == "opted-out-there"
    assert settled(GRANT, marked) == "opted-out-there"


@pytest.mark.behaviour("known-marker-back")
def test_a_marker_of_somebody_who_came_back_keeps_nobody_out() -> None:
    assert isinstance(settled(ENTER, there(Permission.DOUBLE, opted_out=True)), tuple)


def test_the_way_back_passes_the_marker_and_asks() -> None:
    for target in (replace(ABSENT, opted_out=True), there(opted_out=True), there(Permission.SINGLE)):
        (ask,) = settled(BACK, target)
        assert isinstance(ask, Ask)
        assert ask.way_back


def test_without_a_double_opt_in_there_is_no_way_back() -> None:
    bare = replace(BACK, ask=None)
    assert settled(bare, ABSENT) == "no-way-to-ask"
    assert settled(bare, there()) == "no-way-to-ask"
    assert settled(BACK, there(blocked=True)) == "no-way-to-ask"


targets = st.builds(
    there,
    st.none() | st.sampled_from(Permission),
    presence=st.sampled_from(Presence),
    opted_out=st.booleans(),
    blocked=st.booleans(),
    peer_id=st.none() | st.just("c9"),
)
enters = st.builds(
    lambda ask, grant, way_back, again: replace(ENTER, ask=ask, grant=grant, way_back=way_back, again=again),
    st.none() | st.just(TERMS),
    st.sampled_from(Permission),
    st.booleans(),
    st.booleans(),
)


@given(enters, targets, st.booleans())
def test_entering_never_raises_a_permission_but_by_asking_or_creating_the_unknown(
    enter: Enter, target: Contact, linked: bool
) -> None:
    found = settle_enter(enter, target, linked=linked)
    for change in () if isinstance(found, Skip | Held) else found:
        if isinstance(change, Create):
            assert target.presence in (Presence.ABSENT, Presence.ANONYMOUS)
            assert not target.opted_out
            assert not enter.way_back
        if isinstance(change, Ask):
            assert enter.ask is not None
            assert change.terms == enter.ask
            assert target.presence is not Presence.PRESENT or not target.blocked
        if isinstance(change, SetFields):
            assert not any(target.fields.get(name) for name in change.fields)
