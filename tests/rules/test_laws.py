"""The laws, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.consent import Consent, fold
from stellwerk_rules.laws import lawful, may_ask, may_enter, may_grant, may_move, may_write
from stellwerk_rules.model import (
    AddEntry,
    Agreement,
    Ask,
    AskTerms,
    Because,
    Change,
    Contact,
    Create,
    Enter,
    Fact,
    MoveStage,
    Permission,
    Presence,
    SetFields,
    SetPeer,
    Unsubscribe,
)
from stellwerk_rules.spec import Limits
from stellwerk_toys.ledgers import fact

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AGREED = Agreement(by="Jo", at=NOON)

ENTER = Enter(
    email="ada@example.com",
    peer_id="c1",
    wish="w1",
    wished_at=NOON,
    explicit=True,
    ask=AskTerms(),
    grant=Permission.NONE,
    fields={},
)
ASK = Ask(email="ada@example.com", peer_id="c1", mark="w1", terms=AskTerms(), fields={}, existing=False)
CREATE = Create(email="ada@example.com", peer_id="c1", permission=Permission.SINGLE, fields={})
MOVE = MoveStage(source="lead", target="mql", reset=False, fact="w1")


def folded(*facts: Fact, suppressed: bool = False, at: datetime = NOON) -> Consent:
    return fold(facts, suppressed, at, Limits())


OUT = fact("opted_out", "E1", NOON - DAY)
BACK = replace(ENTER, way_back=True)


def code(reason: Because | None) -> str | None:
    return None if reason is None else reason.code


# --- law 1: an opt-out wins --------------------------------------------------------------------------------------------


def test_who_never_opted_out_may_enter() -> None:
    assert may_enter(ENTER, folded(), "crm") is None


@pytest.mark.parametrize("consent", [folded(OUT), folded(suppressed=True), folded(replace(OUT, final=False))])
def test_after_an_opt_out_nobody_enters_as_usual(consent: Consent) -> None:
    assert code(may_enter(ENTER, consent, "crm")) == "opted-out"


def test_a_younger_wish_leads_back() -> None:
    assert may_enter(BACK, folded(OUT), "crm") is None


def test_an_older_wish_does_not_lead_back() -> None:
    assert code(may_enter(replace(BACK, wished_at=NOON - DAY), folded(OUT), "crm")) == "opt-out-younger"


def test_only_a_double_opt_in_leads_back() -> None:
    assert code(may_enter(replace(BACK, ask=None), folded(OUT), "crm")) == "no-way-to-ask"


@pytest.mark.behaviour("out-three")
def test_three_ways_back_in_thirty_days_are_enough() -> None:
    asks = [fact("asked", str(n), NOON - HOUR) for n in range(3)]
    assert may_enter(BACK, folded(OUT, *asks[:2]), "crm") is None
    assert code(may_enter(BACK, folded(OUT, *asks), "crm")) == "ways-back-used-up"


def test_no_values_are_written_for_an_address_that_is_out() -> None:
    assert code(may_write(folded(OUT), None)) == "opted-out"
    assert may_write(folded(), None) is None


@pytest.mark.behaviour("crm-out-subscriber")
def test_the_crms_own_opt_out_does_not_stop_the_values_of_a_subscriber() -> None:
    assert may_write(folded(fact("opted_out", "out:c1", told_by="crm")), None) is None


def test_a_claim_alone_does_not_stop_values() -> None:
    assert may_write(folded(fact("opted_out", "claim", final=False)), None) is None


@pytest.mark.parametrize("presence", [one for one in Presence if one not in (Presence.PRESENT, Presence.TWICE)])
def test_nothing_is_written_on_what_is_not_there(presence: Presence) -> None:
    assert code(may_write(folded(), Contact(presence=presence, read_at=NOON))) == "not-there"


def test_nothing_is_written_on_one_of_two_that_have_the_address() -> None:
    assert code(may_write(folded(), Contact(presence=Presence.TWICE, read_at=NOON))) == "stands-twice"


def test_values_are_written_where_the_contact_reads() -> None:
    assert may_write(folded(), Contact(read_at=NOON)) is None


# --- law 2: a permission rises only on evidence ------------------------------------------------------------------------


def test_nothing_is_granted_that_nobody_agreed_to() -> None:
    assert code(may_grant(Permission.SINGLE, None)) == "grant-not-agreed"
    assert may_grant(Permission.SINGLE, AGREED) is None
    assert may_grant(Permission.NONE, None) is None
    assert code(may_grant(Permission.DOUBLE, AGREED)) == "grant-not-agreed"


# --- law 3: one mail for one wish --------------------------------------------------------------------------------------


@pytest.mark.behaviour("pending-change")
def test_a_wish_is_asked_once() -> None:
    assert may_ask(ENTER, folded(), NOON) is None
    for kind in ("asked", "ask_unknown"):
        assert code(may_ask(ENTER, folded(fact(kind, "w1", NOON - 20 * DAY)), NOON)) == "already-asked"


def test_a_confirmed_address_is_not_asked() -> None:
    assert code(may_ask(ENTER, folded(fact("confirmed", "0")), NOON)) == "already-confirmed"


@pytest.mark.behaviour("pending-change")
def test_while_an_ask_is_unanswered_only_an_explicit_yes_brings_another() -> None:
    pending = folded(fact("asked", "0", NOON - 2 * DAY))
    assert code(may_ask(replace(ENTER, explicit=False), pending, NOON)) == "pending"
    assert may_ask(ENTER, pending, NOON) is None


@pytest.mark.behaviour("pending-yes")
def test_a_second_mail_waits_a_day() -> None:
    pending = folded(fact("asked", "0", NOON - DAY))
    assert may_ask(ENTER, pending, NOON) is None
    assert code(may_ask(ENTER, pending, NOON - timedelta(seconds=1))) == "asked-lately"


@pytest.mark.behaviour("pending-three")
def test_three_unanswered_mails_in_thirty_days_are_enough() -> None:
    asks = [fact("asked", str(n), NOON - (n + 2) * DAY) for n in range(3)]
    assert may_ask(ENTER, folded(*asks[:2]), NOON) is None
    assert code(may_ask(ENTER, folded(*asks), NOON)) == "asked-often"


def test_the_way_back_does_not_wait() -> None:
    assert may_ask(BACK, folded(fact("asked", "0", NOON - HOUR), OUT), NOON) is None


@pytest.mark.behaviour("pending-deleted")
def test_an_ask_that_was_deleted_with_its_contact_holds_up_the_next_as_any_other() -> None:
    """An automation that makes and deletes a contact again and again must not mail it each time."""
    asked, removed = fact("asked", "w0"), fact("removed", "r", NOON + HOUR)
    assert code(may_ask(ENTER, folded(asked, removed, at=NOON + 2 * HOUR), NOON + 2 * HOUR)) == "asked-lately"
    after = NOON + 25 * HOUR
    assert may_ask(ENTER, folded(asked, removed, at=after), after) is None
    assert code(may_ask(replace(ENTER, explicit=False), folded(asked, removed, at=after), after)) == "pending"
    three = [one for number in range(3) for one in (fact("asked", f"w-{number}"), removed)]
    assert code(may_ask(ENTER, folded(*three, at=NOON + 20 * DAY), NOON + 20 * DAY)) == "asked-often"


@pytest.mark.behaviour("pending-over")
def test_after_its_days_an_ask_is_asked_anew_also_without_an_explicit_yes() -> None:
    assert may_ask(replace(ENTER, explicit=False), folded(fact("asked", "0", NOON - 14 * DAY)), NOON) is None


# --- law 5: a stage moves only while its fact holds --------------------------------------------------------------------


def test_a_stage_moves_for_the_confirmation_that_holds() -> None:
    assert may_move(MOVE, folded(fact("confirmed", "w1"))) is None


@pytest.mark.behaviour("stage-over")
def test_a_stage_does_not_move_for_a_confirmation_that_an_opt_out_ended() -> None:
    assert code(may_move(MOVE, folded(fact("confirmed", "w1"), OUT))) == "fact-no-longer-holds"


def test_a_stage_does_not_move_for_an_older_confirmation_or_one_nobody_knows() -> None:
    assert code(may_move(MOVE, folded(fact("confirmed", "w1"), fact("confirmed", "w2")))) == "fact-no-longer-holds"
    assert code(may_move(MOVE, folded())) == "fact-no-longer-holds"


def test_a_claim_alone_does_not_end_a_confirmation() -> None:
    assert may_move(MOVE, folded(fact("confirmed", "w1"), fact("opted_out", "claim", final=False))) is None


@pytest.mark.behaviour("stage-over")
def test_a_stage_moves_for_the_opt_out_that_stands_and_not_after_the_way_back() -> None:
    move = replace(MOVE, fact="E1")
    assert may_move(move, folded(OUT)) is None
    assert code(may_move(move, folded(OUT, fact("confirmed", "w1")))) == "fact-no-longer-holds"


# --- one function for all ----------------------------------------------------------------------------------------------


def judged(change: Change, consent: Consent, *, to_mail: bool = True, **more: Any) -> str | None:
    given = {"wished_by": "crm", "agreed": AGREED, "at": NOON, **more}
    return code(lawful(change, consent, to_mail=to_mail, **given))


@pytest.mark.parametrize(
    ("change", "consent", "expected"),
    [
        (ENTER, folded(OUT), "opted-out"),
        (SetFields(fields={}), folded(OUT), "opted-out"),
        (SetPeer(peer_id="c1"), folded(OUT), "opted-out"),
        (MOVE, folded(OUT), "fact-no-longer-holds"),
        (Unsubscribe(), folded(OUT), None),
    ],
)
def test_every_change_is_judged_by_its_law(change: Change, consent: Consent, expected: str | None) -> None:
    assert judged(change, consent) == expected


def test_what_entering_comes_to_is_judged_again() -> None:
    assert judged(ASK, folded(OUT), enter=ENTER) == "opted-out"
    assert judged(ASK, folded(fact("asked", "w1")), enter=ENTER) == "already-asked"
    assert judged(CREATE, folded(fact("asked", "w1")), enter=ENTER) is None
    assert judged(CREATE, folded(), enter=ENTER, agreed=None) == "grant-not-agreed"
    assert judged(ASK, folded(), enter=ENTER, agreed=None) is None


def test_nobody_is_asked_or_created_but_who_enters() -> None:
    assert judged(ASK, folded()) == judged(CREATE, folded()) == "not-entering"


def test_elsewhere_than_at_the_mail_system_only_the_stage_has_a_law() -> None:
    assert judged(SetFields(fields={}), folded(OUT), to_mail=False) is None
    assert judged(MOVE, folded(), to_mail=False) == "fact-no-longer-holds"
    entry = AddEntry(text={}, shown=(), at=NOON, mark="m", form="note", fact="w1")
    assert judged(entry, folded(), to_mail=False) is None
