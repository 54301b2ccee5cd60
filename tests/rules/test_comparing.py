"""What a comparison of both sides names as drift, and what it leaves to an event of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules import comparing, remember
from stellwerk_rules.comparing import DriftKind, drift, left_to_its_event
from stellwerk_rules.model import (
    AddEntry,
    AskTerms,
    Because,
    Change,
    Decision,
    DeleteContact,
    Enter,
    Fact,
    FactKind,
    MoveAddress,
    MoveStage,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    Skip,
    Unsubscribe,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import Mirror

ADA = "ada@example.com"
BOTH = {"crm": "c1", "mail": "m1"}


def decided(*changes: Change) -> Decision:
    why = Because(code="", text="")
    return Decision(changes=tuple(Planned(system="mail", change=one, key="k", because=why) for one in changes))


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (DeleteContact(), {DriftKind.GONE}),
        (Unsubscribe(), {DriftKind.OPT_OUT}),
        (MoveStage(source="lead", target="customer", reset=False, fact="f"), set()),
        (MoveAddress(email="b@example.com", former="d", seen="s"), {DriftKind.LINK}),
        (SetFields(fields={}), {DriftKind.FIELD}),
        (SetFields(fields={}, mirror=True), {DriftKind.STATE}),
    ],
)
def test_drift_is_named_by_what_would_be_done(world: Any, change: Change, kinds: set[DriftKind]) -> None:
    known = world.known()
    assert drift(world.plan, world.event(world.crm()), known, decided(change)) == kinds


@pytest.mark.parametrize(
    ("ask", "grant", "left"),
    [
        (None, Permission.NONE, False),
        (AskTerms(), Permission.NONE, True),
        (None, Permission.SINGLE, True),
        (AskTerms(), Permission.SINGLE, True),
    ],
)
def test_only_an_entry_that_asks_or_grants_is_left_to_its_event(
    world: Any, ask: AskTerms | None, grant: Permission, left: bool
) -> None:
    entry = Enter(
        email=ADA, peer_id="c1", wish="w", wished_at=world.now, explicit=True, ask=ask, grant=grant, fields={}
    )
    why = left_to_its_event(decided(Unsubscribe(), entry))
    assert (why is not None and why.code == "left-to-its-event") is left


def test_what_is_left_to_its_event_is_all_the_drift_there_is(world: Any) -> None:
    skips = tuple(Skip(because=Because(code=code, text="")) for code in ("unmapped", "address-left"))
    decision = replace(decided(DeleteContact()), skips=skips)
    assert drift(world.plan, world.event(world.crm()), world.known(), decision) == {DriftKind.ADDRESS}


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (FactKind.OPTED_OUT, DriftKind.OPT_OUT),
        (FactKind.CONFIRMED, DriftKind.CONFIRMATION),
        (FactKind.NO_SET, DriftKind.GONE),
    ],
)
def test_an_opt_out_or_a_confirmation_that_was_missed_is_all_the_drift_there_is(
    world: Any, kind: FactKind, named: DriftKind
) -> None:
    fact = Fact(kind=kind, key="f", at=world.now, event="e")
    for told in ({"facts": (fact,)}, {"former_facts": (fact,)}):
        decision = replace(decided(DeleteContact()), **told)
        assert drift(world.plan, world.event(world.crm()), world.known(), decision) == {named}


def test_a_move_is_left_to_its_event() -> None:
    why = left_to_its_event(decided(MoveAddress(email="b@example.com", former="d", seen="s")))
    assert why is not None
    assert why.code == "address-left"


def test_what_is_to_be_carried_anew_is_not_seen_any_more() -> None:
    before = Remembered(seen={"crm": {"a": Seen(digest="x"), "b": Seen(digest="y")}})
    assert remember.unseen(before, "crm", "a").seen == {"crm": {"b": Seen(digest="y")}}


@pytest.mark.parametrize(
    ("read", "written"),
    [("2026-11-24T12:00:00.000Z", "2026-11-24T12:00:00Z"), ("soon", "soon"), (None, None)],
)
def test_a_time_counts_in_the_spelling_that_we_write(read: str | None, written: str | None) -> None:
    assert comparing._time_shown(read) == written


def owning(world: Any, *, owned: bool = True, there: str | None = "Ada", ids: Mapping[str, str] = BOTH) -> Plan:
    """The CRM's FIELD shows the mail system's, which owns it and was seen with `there`; the CRM's was written as Ada."""
    (way, *_) = world.plan.ways[("mail", "crm")]
    ways = {**world.plan.ways, ("mail", "crm"): (replace(way, owned=owned, source="THERE", target="here"),)}
    digest = world.known().digest
    seen = {name: Seen(digest=remember.digest_of(digest, value)) for name, value in (("a", "Ada"), ("t", there))}
    world.remembered = Remembered(ids=ids, seen={"crm": {"here": seen["a"]}, "mail": {"THERE": seen["t"]}})
    return replace(world.plan, ways=ways, mirrors=())


def test_a_field_that_another_system_owns_and_reads_other_is_carried_anew(world: Any) -> None:
    plan = owning(world)
    stands = comparing.stands(plan, world.event(world.crm(here="Eve")), world.known())
    assert stands.kinds == {DriftKind.FIELD}
    assert stands.look_again == ("mail",)
    assert "THERE" not in stands.known.remembered.seen["mail"]


@pytest.mark.parametrize(
    ("how", "read"),
    [
        ({}, {"here": "Ada"}),
        ({"owned": False}, {"here": "Eve"}),
        ({"there": None}, {"here": "Eve"}),
        ({"ids": {"crm": "c1"}}, {"here": "Eve"}),
        ({}, {"here": "Eve", "presence": Presence.ABSENT}),
    ],
    ids=["reads as written", "nobody owns it", "empty over there", "not linked", "not there any more"],
)
def test_a_field_is_not_carried_anew_when(world: Any, how: dict[str, Any], read: dict[str, Any]) -> None:
    plan = owning(world, **how)
    known = world.known()
    stands = comparing.stands(plan, world.event(world.crm(**read)), known)
    assert (stands.known, stands.look_again, stands.kinds) == (known, (), frozenset())


def test_a_field_never_seen_over_there_is_not_carried_anew(world: Any) -> None:
    plan = owning(world)
    world.remembered = remember.unseen(world.remembered, "mail", "THERE")
    assert comparing.stands(plan, world.event(world.crm(here="Eve")), world.known()).kinds == frozenset()


def test_a_secondary_address_is_not_compared(world: Any) -> None:
    plan = owning(world)
    world.remembered = replace(world.remembered, within="c9")
    assert comparing.stands(plan, world.event(world.crm(here="Eve")), world.known()).kinds == frozenset()


def test_only_states_that_are_shown_here_are_looked_at(world: Any) -> None:
    mirrors = (Mirror(of="crm", on_="mail", status="STATUS"), Mirror(of="mail", on_="crm", permission="x_permission"))
    plan = replace(world.plan, mirrors=mirrors)
    world.remembered = Remembered(
        ids={"crm": "c1", "mail": "m1"},
        seen={"crm": {"x_permission": Seen(digest=remember.digest_of(world.known().digest, "none"))}},
    )
    stands = comparing.stands(plan, world.event(world.crm(x_permission="double")), world.known())
    assert (stands.kinds, stands.look_again) == ({DriftKind.STATE}, ("mail",))
    mirrors = (Mirror(of="mail", on_="crm", unsubscribed_at="x_left"),)
    shown = comparing._shown(replace(plan, mirrors=mirrors), "crm")
    assert [name for name, _, _ in shown] == ["x_left"]


# --- an own file whose rules do something for changes at the CRM

GOLD: dict[str, Any] = {
    "id": "gold",
    "from": "crm",
    "to": "mail",
    "events": ["changed"],
    "only_if": {"field": "plan", "became": "gold"},
    "set": {"TIER": "gold"},
    "timeline": {"text": {"en": "Gold", "de": "Gold"}},
}


@pytest.fixture
def own(file: Mapping[str, Any], world: Any) -> Any:
    made = type(world)(rules=[*file["rules"], GOLD])
    made.settings.update(world.settings)
    return made


def done_for_gold(decision: Decision) -> list[type[Change]]:
    return [type(one.change) for one in decision.changes if one.because.rule == "gold"]


@pytest.mark.behaviour("compare-own-rules")
def test_what_a_file_does_for_a_change_is_left_to_its_event_by_a_comparison_before_it(own: Any) -> None:
    own.remembered = Remembered(ids=BOTH, entered=True)
    own.decide(own.crm(subscribe="yes", plan="basic"))
    looked = own.decide(own.crm(subscribe="yes", plan="gold"), compared=True)
    assert done_for_gold(looked) == []
    assert done_for_gold(own.decide(own.crm(subscribe="yes", plan="gold"))) == [SetFields, AddEntry]
    assert done_for_gold(own.decide(own.crm(subscribe="yes", plan="gold"))) == []


def test_a_comparison_owes_nothing_for_what_was_so_before(own: Any) -> None:
    own.remembered = Remembered(ids=BOTH, entered=True)
    own.decide(own.crm(subscribe="yes", plan="gold"))
    own.decide(own.crm(subscribe="yes", plan="gold"), compared=True)
    assert done_for_gold(own.decide(own.crm(subscribe="yes", plan="gold"))) == []
