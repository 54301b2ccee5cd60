"""What a comparison of both sides names as drift, and what it leaves to an event of its own."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules import comparing, remember
from stellwerk_rules.comparing import DriftKind, drift, left_to_its_event
from stellwerk_rules.model import (
    Because,
    Change,
    Decision,
    DeleteContact,
    MoveAddress,
    MoveStage,
    Planned,
    Remembered,
    Seen,
    Unsubscribe,
)
from stellwerk_rules.spec import Mirror


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
    ],
)
def test_drift_is_named_by_what_would_be_done(world: Any, change: Change, kinds: set[DriftKind]) -> None:
    known = world.known()
    assert drift(world.plan, world.event(world.crm()), known, decided(change)) == kinds


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


def test_a_field_that_another_system_owns_and_reads_other_is_carried_anew(world: Any) -> None:
    (way, *_) = world.plan.ways[("mail", "crm")]
    owned = replace(way, owned=True)
    plan = replace(world.plan, ways={**world.plan.ways, ("mail", "crm"): (owned,)}, mirrors=())
    digest = world.known().digest
    there = Seen(digest=remember.digest_of(digest, "Ada"))
    world.remembered = Remembered(
        ids={"crm": "c1", "mail": "m1"}, seen={"crm": {owned.target: there}, "mail": {owned.source: there}}
    )
    event = world.event(world.crm(**{owned.target: "Eve"}))
    stands = comparing.stands(plan, event, world.known())
    assert stands.kinds == {DriftKind.FIELD}
    assert stands.look_again == ("mail",)
    assert owned.source not in stands.known.remembered.seen["mail"]


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
