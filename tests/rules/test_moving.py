"""An address that changes: the new one starts anew, the old one keeps what it gave; or the permission goes along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.consent import fold
from stellwerk_rules.ending import Ending
from stellwerk_rules.evaluate import evaluate, wants_history
from stellwerk_rules.laws import may_move_address
from stellwerk_rules.model import (
    ADDRESS,
    AddEntry,
    Contact,
    Decision,
    DeleteContact,
    Elsewhere,
    Enter,
    EventKind,
    Fact,
    FactKind,
    Former,
    Held,
    MoveAddress,
    Origin,
    Permission,
    Presence,
    Remembered,
    SetPeer,
    Skip,
    Unsubscribe,
    Written,
)
from stellwerk_rules.moving import freed
from stellwerk_rules.prepare import Ready, prepare

HOUR = timedelta(hours=1)
NEW = "new@example.com"
OLD = Elsewhere(id="m1", address="old")


@pytest.fixture
def linked(world: Any) -> Any:
    """In, with the answer handled, and confirmed."""
    world.decide(world.crm(subscribe="yes", said_at=world.now - 2 * HOUR))
    world.remembered = Remembered(
        ids={"crm": "c1", "mail": "m1"}, seen=world.remembered.seen, entered=True, answered=world.remembered.answered
    )
    return world


def contact(world: Any, by: Origin | None = Origin.PERSON, **more: Any) -> Contact:
    made: Contact = world.crm(subscribe="yes", said_at=world.now - 2 * HOUR, email=NEW, **more)
    history = dict(made.history)
    if by is not None:
        history[ADDRESS] = (Written(value=NEW, at=world.now - HOUR, origin=by),)
    return Contact(**{name: getattr(made, name) for name in made.__struct_fields__} | {"history": history})


def moves(world: Any, *facts: Fact, by: Origin | None = Origin.PERSON, former: bool = True, **more: Any) -> Decision:
    known = world.known(former=Former(address="old", facts=facts) if former else None)
    event = world.event(contact(world, by, **more))
    return world.keep(evaluate(world.plan, event, known, world.settings))  # type: ignore[no-any-return]


def fact(world: Any, kind: FactKind, **more: Any) -> Fact:
    return Fact(kind=kind, key=more.pop("key", "f"), at=world.now - HOUR, event="e", **more)


def changes(decision: Decision) -> list[object]:
    return [one.change for one in decision.changes]


@pytest.mark.behaviour("moved-new")
def test_the_old_address_loses_our_id_and_the_new_one_is_asked(linked: Any) -> None:
    first, second = changes(moves(linked))
    assert first == SetPeer(peer_id=None, replaces="c1", of=OLD)
    assert isinstance(second, Enter)
    assert (second.email, second.explicit) == (NEW, False)


@pytest.mark.parametrize(
    ("chosen", "change"), [("unsubscribe", Unsubscribe(of=OLD)), ("delete", DeleteContact(of=OLD, removal=True))]
)
def test_the_old_address_is_taken_out_where_the_setting_says_so(linked: Any, chosen: str, change: object) -> None:
    linked.settings["on_moved_old"] = chosen
    assert changes(moves(linked))[0] == change


@pytest.mark.parametrize("by", [Origin.FORM, Origin.MERGE, None])
def test_it_stays_where_a_form_may_have_changed_the_address(linked: Any, by: Origin | None) -> None:
    linked.settings["on_moved_old"] = "delete"
    decision = moves(linked, by=by)
    assert isinstance(changes(decision)[0], SetPeer)
    assert [one.code for one in decision.notices] == ["old-address-kept"]


def test_without_an_old_contact_over_there_nothing_becomes_of_it(linked: Any) -> None:
    linked.remembered = Remembered(ids={"crm": "c1"}, seen=linked.remembered.seen, entered=True)
    assert [type(one) for one in changes(moves(linked))] == [Enter]
    assert freed(linked.plan, "mail", "m1", "old", linked.known(), "k") != ()
    linked.remembered = Remembered()
    assert freed(linked.plan, "mail", "m1", "old", linked.known(), "k") == ()


# --- the permission goes along -----------------------------------------------------------------------------------------


@pytest.fixture
def keeps(linked: Any) -> Any:
    linked.settings["on_moved"] = "keep_permission"
    return linked


@pytest.mark.behaviour("moved-keeps")
def test_the_permission_goes_along_with_the_same_contact(keeps: Any) -> None:
    decision = moves(keeps, fact(keeps, FactKind.CONFIRMED, permission=Permission.DOUBLE))
    (change,) = changes(decision)
    assert isinstance(change, MoveAddress)
    assert (change.email, change.former, decision.remembered.ids["mail"]) == (NEW, "old", "m1")


@pytest.mark.behaviour("moved-keeps-not")
@pytest.mark.parametrize(
    "kind", [FactKind.OPTED_OUT, FactKind.ASKED, FactKind.ASK_UNKNOWN], ids=lambda kind: str(kind.value)
)
def test_nothing_goes_along_after_an_opt_out_or_while_a_mail_is_unanswered(keeps: Any, kind: FactKind) -> None:
    decision = moves(keeps, fact(keeps, kind))
    assert not any(isinstance(one, MoveAddress) for one in changes(decision))
    assert decision.notices


@pytest.mark.behaviour("moved-keeps-not")
@pytest.mark.parametrize(("by", "out"), [(Origin.FORM, False), (Origin.PERSON, True)])
def test_nothing_goes_along_by_a_form_or_for_somebody_who_wants_no_mail_at_all(
    keeps: Any, by: Origin, out: bool
) -> None:
    decision = moves(keeps, by=by, opted_out=out)
    assert "permission-not-kept" in [one.code for one in decision.notices]


def test_what_is_not_known_of_the_old_address_goes_nowhere(world: Any) -> None:
    nothing = fold((), False, world.now, world.plan.limits)
    assert getattr(may_move_address(nothing, None), "code", None) == "permission-not-kept"
    assert may_move_address(nothing, nothing) is None


@pytest.fixture
def going(keeps: Any) -> Callable[..., Any]:
    """Prepares the change of address against what stands over there, and what is known of the old one by then."""
    (planned,) = moves(keeps).changes

    def prepared(*facts: Fact, **target: Any) -> Any:
        there = keeps.mail(**{"permission": Permission.DOUBLE, **target})
        known = keeps.known(former=Former(address="old", facts=facts))
        return prepare(keeps.plan, planned, there, known, keeps.settings, keeps.now)

    prepared.planned = planned  # type: ignore[attr-defined]
    return prepared


def test_the_laws_are_asked_again_just_before_the_address_is_changed(going: Callable[..., Any], keeps: Any) -> None:
    assert isinstance(going(), Ready)
    assert isinstance(going(fact(keeps, FactKind.OPTED_OUT)), Skip)
    assert isinstance(going(fact(keeps, FactKind.OPTED_OUT, final=False)), Held)
    assert going(permission=Permission.NONE).because.code == "not-subscribed"
    assert going(presence=Presence.ARCHIVED).because.code == "not-there"


@pytest.mark.behaviour("changed-meanwhile")
def test_it_is_not_changed_once_the_setting_lets_no_permission_go_along_any_more(
    going: Callable[..., Any], keeps: Any
) -> None:
    keeps.settings["on_moved"] = "ask_again"
    assert going().because.code == "permission-not-kept"


def test_once_done_the_ledgers_of_both_addresses_say_so(going: Any, keeps: Any) -> None:
    ended = after_move(keeps, going.planned, "done")
    assert [(one.kind, one.permission) for one in ended.facts] == [(FactKind.KEPT, Permission.DOUBLE)]
    assert [one.kind for one in ended.former_facts] == [FactKind.REMOVED]


@pytest.mark.behaviour("moved-keeps")
@pytest.mark.parametrize(("permission", "told"), [(Permission.DOUBLE, 0), (Permission.SINGLE, 1)])
def test_a_confirmation_that_came_along_and_is_told_again_is_counted_once_and_one_still_to_come_is_counted(
    going: Any, keeps: Any, permission: Permission, told: int
) -> None:
    planned = going.planned
    ending = Ending(
        planned=planned, change=planned.change, outcome="done", target=keeps.mail(permission=permission, mark="w0")
    )
    keeps.keep(after(keeps.plan, ending, keeps.known(former=Former(address="old")), keeps.now))
    for _ in range(2):
        entry = keeps.mail(email=NEW, permission=Permission.DOUBLE, mark="w0")
        decision = keeps.decide(entry, EventKind.CONFIRMED, "mail")
        assert sum(isinstance(one, AddEntry) for one in changes(decision)) == told
        told = 0


@pytest.mark.parametrize("outcome", ["rejected", "not_needed", "opted_out", "skipped"])
def test_where_it_cannot_be_done_the_address_starts_anew(going: Any, keeps: Any, outcome: str) -> None:
    ended = after_move(keeps, going.planned, outcome)
    assert ended.look_again == ("crm",)
    assert "mail" not in ended.remembered.ids
    assert [one.kind for one in ended.facts] == ([FactKind.OPTED_OUT] if outcome == "opted_out" else [])
    assert isinstance(changes(ended)[0], SetPeer)
    keeps.keep(ended)
    entered = any(isinstance(one, Enter) for one in changes(moves(keeps, former=False)))
    assert entered is (outcome != "opted_out")


def after_move(world: Any, planned: Any, outcome: str) -> Decision:
    known = world.known(former=Former(address="old"))
    target = world.mail(permission=Permission.DOUBLE)
    ending = Ending(
        planned=planned, change=planned.change, outcome=outcome, target=target, remote_id="m1", remote_at=world.now
    )
    return after(world.plan, ending, known, world.now)


# --- what ours has left ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "ids", "peer", "left"),
    [
        (None, {"crm": "c1"}, "c1", True),
        (None, {"crm": "c1"}, "c9", False),
        ("old", {"crm": "c1"}, "c1", False),
        (None, {"crm": "c1", "mail": "m1"}, "c1", False),
    ],
)
def test_an_old_address_is_touched_only_while_it_is_nobody_elses(
    linked: Any, own: str | None, ids: dict[str, str], peer: str, left: bool
) -> None:
    planned = moves(linked).changes[0]
    linked.remembered = Remembered(ids=ids)
    known = linked.known(address=own)
    ready = prepare(linked.plan, planned, linked.mail(peer_id=peer), known, linked.settings, linked.now)
    assert isinstance(ready, Ready) is left


@pytest.mark.parametrize(("peer", "taken"), [("c1", True), (None, True), ("deleted", True), ("c9", False)])
@pytest.mark.parametrize("chosen", ["unsubscribe", "delete"])
def test_an_old_address_that_bears_the_id_of_a_deleted_contact_is_nobody_elses(
    linked: Any, chosen: str, peer: str | None, taken: bool
) -> None:
    linked.settings["on_moved_old"] = chosen
    planned = moves(linked).changes[0]
    known = linked.known(in_bin=frozenset({"deleted"}))
    ready = prepare(linked.plan, planned, linked.mail(peer_id=peer), known, linked.settings, linked.now)
    assert isinstance(ready, Ready) is taken


def test_what_was_made_for_an_address_left_meanwhile_is_linked_with_nobody(linked: Any) -> None:
    linked.remembered = Remembered()
    (planned,) = linked.decide(linked.crm(subscribe="yes")).changes
    moves(linked, former=False)
    target = Contact(presence=Presence.ABSENT, read_at=linked.now)
    known = linked.known(about="old")
    ending = Ending(
        planned=planned, change=planned.change, outcome="done", target=target, remote_id="m1", remote_at=linked.now
    )
    ended = after(linked.plan, ending, known, linked.now)
    assert "mail" not in ended.remembered.ids
    assert changes(ended) == [SetPeer(peer_id=None, replaces="c1", of=OLD)]


def test_an_old_address_that_was_taken_out_is_an_opt_out_of_its_own(linked: Any) -> None:
    linked.settings["on_moved_old"] = "unsubscribe"
    planned = moves(linked).changes[0]
    target = linked.mail(permission=Permission.DOUBLE)
    before = linked.remembered
    ending = Ending(planned=planned, change=planned.change, outcome="done", target=target)
    ended = after(linked.plan, ending, linked.known(), linked.now)
    assert [one.kind for one in ended.facts] == [FactKind.OPTED_OUT]
    assert (ended.changes, ended.remembered.ids) == ((), before.ids)


@pytest.mark.behaviour("moved-old-out")
@pytest.mark.parametrize(("chosen", "kind"), [("unsubscribe", FactKind.OPTED_OUT), ("delete", FactKind.REMOVED)])
@pytest.mark.parametrize("presence", [Presence.ABSENT, Presence.ANONYMOUS])
def test_an_old_address_that_was_taken_out_by_a_call_whose_answer_was_lost_is_as_out_as_any(
    linked: Any, chosen: str, kind: FactKind, presence: Presence
) -> None:
    linked.settings["on_moved_old"] = chosen
    planned = moves(linked).changes[0]
    target = Contact(presence=presence, read_at=linked.now)
    why = prepare(linked.plan, planned, target, linked.known(), linked.settings, linked.now)
    assert isinstance(why, Skip)

    def facts(*, tried: bool) -> list[FactKind]:
        ended = dropped(linked.plan, planned, why, target, linked.known(), linked.now, tried=tried)
        return [one.kind for one in ended.facts]

    assert facts(tried=True) == [kind]
    # Who was not there before left or was deleted by somebody else: an unsubscription is told by its own report.
    assert facts(tried=False) == ([kind] if (chosen, presence) == ("delete", Presence.ABSENT) else [])


def test_who_wrote_an_address_is_asked_where_it_changed(linked: Any) -> None:
    assert not wants_history(linked.plan, linked.crm(subscribe="yes"), linked.known(), linked.settings)
    assert wants_history(linked.plan, contact(linked), linked.known(), linked.settings)
