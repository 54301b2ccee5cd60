"""Who opted out and was asked back: what ends that ask, who has left again since, and by whose clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.consent import AskOutcome, Consent, fold
from stellwerk_rules.ending import Ending
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.laws import MOST_ASKS
from stellwerk_rules.model import (
    Ask,
    AskTerms,
    Contact,
    Enter,
    EventKind,
    Fact,
    FactKind,
    OptOutEntry,
    OptOutEvidence,
    Permission,
    Planned,
    Presence,
    Remembered,
    Skip,
    Unsubscribe,
)
from stellwerk_rules.model import Because as Reason
from stellwerk_rules.prepare import prepare
from stellwerk_rules.proof import prove
from stellwerk_rules.spec import Limits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def fact(kind: str, key: str, at: datetime = NOON, told_by: str = "mail", **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=at, event="e", told_by=told_by, **more)


def folded(*facts: Fact) -> Consent:
    return fold(facts, False, NOON + HOUR, Limits())


LEFT = fact("opted_out", "E1", NOON - HOUR)
BACK = fact("asked", "w2", told_by="")
OWN = fact("opted_out", "out:c1:first", NOON + MINUTE, told_by="crm")


# --- the CRM's own opt-out while the ask is out ------------------------------------------------------------------------


def test_the_crms_own_opt_out_ends_the_waiting_and_not_what_the_mail_can_still_confirm() -> None:
    found = folded(LEFT, BACK, OWN)
    assert found.asks["w2"].outcome is AskOutcome.OVERRULED
    assert (found.open_ask, found.last_ask, found.asks_in_window) == (None, None, 0)
    assert [ask.mark for ask in found.confirmable] == ["w2"]


@pytest.mark.parametrize("end", ["opted_out", "confirmed"])
def test_an_overruled_ask_is_ended_by_an_opt_out_there_and_by_a_confirmation(end: str) -> None:
    found = folded(LEFT, BACK, OWN, fact(end, "later", NOON + HOUR))
    assert (found.asks["w2"].outcome, found.confirmable) == (AskOutcome.ENDED, ())
    assert folded(LEFT, BACK, OWN, fact("confirmed", "w2")).asks["w2"].outcome is AskOutcome.CONFIRMED


@pytest.mark.behaviour("out-while-asked")
@pytest.mark.parametrize(
    ("outs", "outcome"),
    [
        ((LEFT,), AskOutcome.ENDED),
        ((OWN,), AskOutcome.OVERRULED),
        ((LEFT, OWN), AskOutcome.ENDED),
        ((), AskOutcome.SENT),
    ],
)
def test_an_opt_out_that_was_faster_than_the_receipt_has_ended_the_ask(outs: Any, outcome: AskOutcome) -> None:
    ask = folded(*outs, replace(BACK, overtaken=True)).asks["w2"]
    assert (ask.outcome, ask.way_back) == (outcome, False)


def test_the_crms_own_opt_out_brings_no_deleted_contact_back() -> None:
    assert folded(LEFT, BACK, fact("removed", "r"), OWN).confirmable == ()


@pytest.fixture
def asked_back(world: Any) -> Any:
    """Left, asked back a minute ago, and then opted out of all mail at the CRM."""
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m2"}, entered=True)
    world.facts = [
        fact("confirmed", "w1", world.now - 3 * HOUR, permission=Permission.DOUBLE),
        fact("opted_out", "E1", world.now - 2 * HOUR),
        fact("asked", "w2", world.now - MINUTE, told_by=""),
        fact("opted_out", "out:c1:after:w1", world.now, told_by="crm"),
    ]
    return world


def shown(decision: Any) -> dict[str, Any]:
    return {
        name: one.value
        for planned in decision.changes
        if getattr(planned.change, "mirror", False)
        for name, one in planned.change.fields.items()
    }


@pytest.mark.behaviour("crm-out-confirms")
def test_who_clicks_after_the_crms_own_opt_out_is_shown_as_the_mail_system_has_it(asked_back: Any) -> None:
    contact = asked_back.mail(id="m2", permission=Permission.DOUBLE, mark="w2", opted_out=True)
    decision = asked_back.decide(contact, EventKind.CONFIRMED, "mail")
    assert [(one.kind, one.key) for one in decision.facts] == [(FactKind.CONFIRMED, "w2")]
    assert (shown(decision)["x_status"], shown(decision)["x_permission"]) == ("subscribed", "double")


@pytest.mark.behaviour("crm-out-confirms")
def test_the_crms_own_opt_out_stands_for_whoever_confirmed_over_it(asked_back: Any) -> None:
    contact = asked_back.mail(id="m2", permission=Permission.DOUBLE, mark="w2", opted_out=True)
    assert asked_back.decide(contact, EventKind.CONFIRMED, "mail").look_again == ("crm",)
    again = asked_back.decide(asked_back.crm(subscribe="yes", opted_out=True))
    assert [(one.kind, one.key) for one in again.facts] == [(FactKind.OPTED_OUT, "out:c1:after:w2")]


def test_the_crms_own_opt_out_takes_out_whoever_was_asked_back_where_the_file_says_so(
    make_world: Any, file: dict[str, Any]
) -> None:
    out = {"id": "out", "from": "crm", "to": "mail", "events": ["unsubscribed"], "contact": "unsubscribe"}
    world = make_world(rules=[*file["rules"], out])
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m2"}, entered=True)
    world.facts = [fact("opted_out", "E1", world.now - HOUR), fact("asked", "w2", world.now - MINUTE, told_by="")]
    decision = world.decide(world.crm(subscribe="yes", opted_out=True))
    assert [one.change for one in decision.changes if isinstance(one.change, Unsubscribe)] != []


# --- who has left again ------------------------------------------------------------------------------------------------


def proved(entry: OptOutEntry, *facts: Fact, others: tuple[OptOutEntry, ...] = ()) -> str:
    gone = Contact(presence=Presence.ABSENT, read_at=NOON)
    evidence = OptOutEvidence(contact=gone, marker=True, entries=(*others, entry))
    return prove(evidence, facts, NOON + HOUR, NOON + HOUR, {}).key


def told(at: datetime, contact: str | None = "m2", key: str = "E2") -> OptOutEntry:
    return OptOutEntry(key=key, at=at, contact_id=contact)


MADE = fact("asked", "w2", told_by="", contact="m2")
NO_ENTRY = fact("opted_out", "no:1", NOON - HOUR, told_by="crm")
apart = st.integers(-3600, 3600).map(lambda seconds: NOON + seconds * SECOND)


@given(apart)
def test_who_was_made_for_the_ask_has_left_after_it_however_far_the_clocks_are_apart(at: datetime) -> None:
    assert proved(told(at), NO_ENTRY, MADE) == "E2"


@given(apart)
def test_an_entry_of_whoever_was_there_before_the_ask_is_the_opt_out_that_stands(at: datetime) -> None:
    key = proved(told(at, contact="m1"), NO_ENTRY, MADE)
    assert key == ("E2" if at > NOON + CLOCK_MARGIN else "no:1")


@pytest.mark.parametrize("asked", [MADE, BACK])
@pytest.mark.parametrize("contact", ["m2", None])
def test_an_opt_out_as_old_as_the_ask_is_the_younger_where_no_contact_tells(asked: Fact, contact: str | None) -> None:
    assert proved(told(NOON - CLOCK_MARGIN + SECOND, contact), NO_ENTRY, asked) == "E2"
    if None in (asked.contact, contact):
        assert proved(told(NOON - CLOCK_MARGIN, contact), NO_ENTRY, asked) == "no:1"


@pytest.mark.behaviour("unsubscribed-second")
def test_who_leaves_again_weeks_after_the_ask_opted_out_anew() -> None:
    assert proved(told(NOON), NO_ENTRY, fact("asked", "w2", NOON - 40 * 24 * HOUR, told_by="")) == "E2"


def test_nobody_leaves_again_who_was_not_asked_since() -> None:
    assert proved(told(NOON + HOUR), fact("asked", "w2", NOON - 2 * HOUR, told_by="", contact="m2"), NO_ENTRY) == "no:1"


# --- what the ledger keeps of an ask -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "made"),
    [
        (Contact(presence=Presence.ABSENT, read_at=NOON), "m2"),
        (Contact(presence=Presence.ANONYMOUS, id="m1", read_at=NOON), "m2"),
        (Contact(id="m2", created_at=NOON, read_at=NOON), "m2"),
        (Contact(id="m2", created_at=NOON - HOUR, read_at=NOON), None),
        (Contact(id="m2", read_at=NOON), None),
    ],
)
def test_the_contact_that_an_ask_made_is_kept_with_it(world: Any, target: Contact, made: str | None) -> None:
    enter = Enter(
        email="ada@example.com",
        peer_id="c1",
        wish="w2",
        wished_at=NOON,
        explicit=True,
        ask=AskTerms(),
        grant=Permission.NONE,
        fields={},
    )
    planned = Planned(system="mail", change=enter, key="enter:w2", because=Reason(code="wish", text="a wish"))
    ask = Ask(email=enter.email, peer_id=None, mark="w2", terms=AskTerms(), fields={}, existing=False, way_back=True)
    ending = Ending(planned=planned, change=ask, outcome="done", target=target, remote_id="m2")
    decision = after(world.plan, ending, world.known(), NOON)
    assert [(one.kind, one.contact) for one in decision.facts] == [(FactKind.ASKED, made)]


@pytest.mark.behaviour("out-while-asked")
@pytest.mark.parametrize(("way_back", "left_at", "overtaken"), [(True, -3, False), (True, 3, True), (False, -3, True)])
def test_an_opt_out_that_stands_at_the_receipt_was_faster_unless_the_wish_leads_back_from_it(
    world: Any, way_back: bool, left_at: int, overtaken: bool
) -> None:
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    (planned,) = [one for one in world.decide(world.crm(subscribe="yes")).changes if isinstance(one.change, Enter)]
    enter = replace(planned.change, way_back=way_back)
    world.facts = [fact("opted_out", "E1", enter.wished_at + left_at * HOUR)]
    ask = Ask(email=enter.email, peer_id=None, mark="w2", terms=AskTerms(), fields={}, existing=False)
    target = Contact(presence=Presence.ABSENT, read_at=world.now)
    ending = Ending(planned=replace(planned, change=enter), change=ask, outcome="done", target=target)
    (asked,) = after(world.plan, ending, world.known(), world.now).facts
    assert asked.overtaken is overtaken


@pytest.mark.parametrize("tried", [False, True])
def test_an_opt_out_met_after_a_call_that_may_have_asked_waits_for_its_proof(world: Any, tried: bool) -> None:
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    (planned,) = [one for one in world.decide(world.crm(subscribe="yes")).changes if isinstance(one.change, Enter)]
    marked = Contact(presence=Presence.ABSENT, opted_out=True, read_at=world.now)
    why = prepare(world.plan, planned, marked, world.known(), world.settings, world.now)
    assert isinstance(why, Skip)
    ended = dropped(world.plan, planned, why, marked, world.known(), world.now, tried=tried)
    assert [(one.kind, one.final) for one in ended.facts] == [(FactKind.OPTED_OUT, not tried)]


def test_asks_that_were_overruled_count_no_more() -> None:
    asks = [fact("asked", f"w{number}", told_by="") for number in range(MOST_ASKS)]
    assert folded(LEFT, *asks, OWN).asks_in_window == 0
