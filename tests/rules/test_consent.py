"""The consent ledger folded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from stellwerk_rules.consent import (
    AskOutcome,
    ConsentState,
    leads_back,
    reaches_all,
    told_elsewhere,
)
from stellwerk_rules.model import (
    Fact,
    FactKind,
    Permission,
)
from stellwerk_toys.ledgers import CLAIM, DAY, HOUR, NOON, OUT, fact, folded


def test_nothing_known_is_not_subscribed() -> None:
    found = folded()
    assert (found.state, found.opted_out, found.left) == (ConsentState.NOT_SUBSCRIBED, False, False)
    assert (found.open_ask, found.confirmation, found.opt_out(), found.claimed()) == (None, None, None, False)


@pytest.mark.behaviour("pending-over")
def test_an_ask_is_pending_until_its_days_are_over() -> None:
    asked = fact("asked", at=NOON)
    assert folded(asked, at=NOON + 13 * DAY).state is ConsentState.PENDING
    late = folded(asked, at=NOON + 14 * DAY)
    assert (late.state, late.open_ask) == (ConsentState.NOT_SUBSCRIBED, None)
    assert late.asks["k"].outcome is AskOutcome.SENT


def test_the_last_of_several_asks_is_the_open_one() -> None:
    found = folded(fact("asked", "1"), fact("asked", "2", NOON + DAY), at=NOON + 2 * DAY)
    assert found.open_ask is not None
    assert (found.open_ask.mark, found.asks_in_window) == ("2", 2)


def test_an_ask_of_unknown_outcome_counts_as_sent_and_may_turn_out_so() -> None:
    unknown = folded(fact("ask_unknown"))
    assert unknown.state is ConsentState.PENDING
    assert unknown.asks["k"].outcome is AskOutcome.UNKNOWN
    sent = folded(fact("ask_unknown"), fact("asked", at=NOON + HOUR))
    assert (sent.asks["k"].outcome, sent.asks["k"].at) == (AskOutcome.SENT, NOON)


def test_an_ask_that_failed_was_none() -> None:
    found = folded(fact("asked", "1"), fact("ask_unknown", "2"), fact("ask_failed", "2"))
    assert set(found.asks) == {"1"}


@pytest.mark.behaviour("pending-answered")
def test_a_confirmation_ends_all_asks_and_their_count() -> None:
    found = folded(fact("asked", "1", plus=True), fact("asked", "2"), fact("confirmed", "1"))
    assert (found.asks["1"].outcome, found.asks["2"].outcome) == (AskOutcome.CONFIRMED, AskOutcome.ENDED)
    assert found.asks["1"].plus
    assert (found.state, found.asks_in_window) == (ConsentState.SUBSCRIBED, 0)
    assert found.confirmation is found.last_confirmation is not None


def test_a_receipt_that_comes_after_the_confirmation_does_not_open_the_ask_again() -> None:
    found = folded(fact("confirmed", "1"), fact("asked", "1"))
    assert found.asks["1"].outcome is AskOutcome.CONFIRMED
    assert found.state is ConsentState.SUBSCRIBED


def test_a_grant_subscribes() -> None:
    assert folded(fact("granted", permission=Permission.SINGLE)).state is ConsentState.SUBSCRIBED


@pytest.mark.behaviour("pending-answered")
def test_an_opt_out_ends_everything_before_it() -> None:
    found = folded(fact("granted"), fact("confirmed", "0"), fact("asked", "1"), OUT)
    assert (found.state, found.opted_out, found.left) == (ConsentState.UNSUBSCRIBED, True, True)
    assert (found.confirmation, found.granted, found.open_ask) == (None, None, None)
    assert found.last_confirmation is not None
    assert found.asks["1"].outcome is AskOutcome.ENDED


def test_a_removal_leaves_an_unanswered_ask_void_and_counted() -> None:
    found = folded(fact("asked", "1"), fact("removed", "r", NOON + HOUR), at=NOON + DAY)
    assert (found.state, found.open_ask, found.asks["1"].outcome) == (
        ConsentState.NOT_SUBSCRIBED,
        None,
        AskOutcome.VOID,
    )
    assert found.last_ask is not None
    assert (found.last_ask.mark, found.asks_in_window) == ("1", 1)


@pytest.mark.parametrize("end", ["confirmed", "opted_out"])
def test_a_void_ask_is_ended_like_any_other(end: str) -> None:
    found = folded(fact("asked", "1"), fact("removed", "r"), fact(end, "x"))
    assert (found.last_ask, found.asks_in_window, found.asks["1"].outcome) == (None, 0, AskOutcome.ENDED)


def test_an_outcome_is_final() -> None:
    found = folded(fact("asked", "1"), fact("confirmed", "1"), OUT)
    assert found.asks["1"].outcome is AskOutcome.CONFIRMED


def test_an_ask_after_an_opt_out_is_a_way_back_and_pending() -> None:
    found = folded(OUT, fact("asked", "1", NOON + HOUR), at=NOON + 2 * HOUR)
    assert (found.state, found.opted_out, found.ways_back_in_window) == (ConsentState.PENDING, True, 1)


def test_an_ordinary_ask_is_no_way_back() -> None:
    assert folded(fact("asked", "1")).ways_back_in_window == 0


def test_a_confirmation_leads_back() -> None:
    found = folded(OUT, fact("asked", "1"), fact("confirmed", "1"))
    assert (found.state, found.opted_out, found.standing) == (ConsentState.SUBSCRIBED, False, ())
    assert found.ways_back_in_window == 1


def test_counts_reach_back_thirty_days() -> None:
    old, new = fact("asked", "1", NOON - 30 * DAY), fact("asked", "2", NOON - 29 * DAY)
    assert folded(old, new).asks_in_window == 1
    assert folded(OUT, old, new).ways_back_in_window == 1


def test_a_claim_keeps_out_but_is_not_counted() -> None:
    found = folded(CLAIM)
    assert (found.opted_out, found.left, found.claimed()) == (True, False, True)
    assert not found.is_counted(FactKind.OPTED_OUT, "claim")


def test_a_denied_claim_never_was() -> None:
    found = folded(fact("confirmed", "1"), CLAIM, fact("opt_out_denied", "claim"))
    assert (found.state, found.opted_out) == (ConsentState.SUBSCRIBED, False)
    assert found.confirmation is not None


def test_a_proof_replaces_the_claims() -> None:
    assert folded(CLAIM, fact("opted_out", "claim2", final=False), OUT).standing == (OUT,)


def test_a_claim_while_an_opt_out_stands_changes_nothing() -> None:
    assert folded(OUT, CLAIM).standing == (OUT,)


@pytest.mark.parametrize("claim_first", [True, False])
def test_a_claim_beside_the_crms_own_opt_out_stands_and_counts(claim_first: bool) -> None:
    own = fact("opted_out", "out:c1", told_by="crm")
    told = (CLAIM, own) if claim_first else (own, CLAIM)
    found = folded(*told)
    assert found.standing == told
    assert (found.left, found.claimed(), found.opt_out()) == (False, True, own)


def test_a_suppression_without_facts_keeps_out() -> None:
    found = folded(suppressed=True, since=NOON)
    assert (found.opted_out, found.left, found.standing) == (True, True, ())
    assert found.suppressed_at == NOON
    assert folded(since=NOON).suppressed_at is None


def test_a_confirmation_is_stronger_than_a_suppression_that_nobody_lifted() -> None:
    assert not folded(OUT, fact("confirmed"), suppressed=True).opted_out


def test_the_denial_of_another_claim_changes_nothing() -> None:
    assert folded(fact("opt_out_denied", "another"), OUT).standing == folded(OUT).standing


# --- the way back ------------------------------------------------------------------------------------------------------


def back(wished_at: datetime, *facts: Fact, **more: Any) -> bool:
    return leads_back(folded(*facts, **more), wished_at, "crm")


@pytest.mark.behaviour("out-yes-older")
def test_two_clocks_need_two_hours_between_opt_out_and_wish() -> None:
    assert not back(NOON + 2 * HOUR, OUT)
    assert back(NOON + 2 * HOUR + timedelta(seconds=1), OUT)


def test_a_no_said_at_the_same_system_is_compared_by_its_clock() -> None:
    said_no = fact("opted_out", "no:1", told_by="crm")
    assert back(NOON + timedelta(seconds=1), said_no)
    assert not back(NOON, said_no)


def test_a_yes_after_the_no_we_set_is_younger_than_the_opt_out() -> None:
    no_set = fact("no_set", "E1", NOON + timedelta(minutes=5), told_by="crm")
    assert back(NOON + timedelta(minutes=6), OUT, no_set)
    assert not back(NOON + timedelta(minutes=5), OUT, no_set)


def test_a_no_we_set_for_another_opt_out_does_not_count() -> None:
    assert not back(NOON + HOUR, OUT, fact("no_set", "E0", NOON, told_by="crm"))


def test_a_no_set_at_a_time_nobody_told_does_not_count() -> None:
    assert not back(NOON + HOUR, OUT, fact("no_set", "E1", NOON, told_by=""))


def test_a_wish_must_be_younger_than_every_opt_out_that_stands() -> None:
    said_no = fact("opted_out", "no:1", NOON + 5 * HOUR, told_by="crm")
    assert not back(NOON + 4 * HOUR, OUT, said_no)
    assert back(NOON + 6 * HOUR, OUT, said_no)


def test_from_a_bare_suppression_a_wish_leads_back_only_when_its_time_is_known() -> None:
    assert not back(NOON + DAY, suppressed=True)
    assert not back(NOON + 2 * HOUR, suppressed=True, since=NOON)
    assert back(NOON + 3 * HOUR, suppressed=True, since=NOON)


# --- connections that share a mail account


def test_a_proved_opt_out_reaches_every_connection_and_a_crms_own_or_a_claim_does_not() -> None:
    assert reaches_all(OUT)
    assert not reaches_all(CLAIM)
    assert not reaches_all(fact("opted_out", "out:7:first", told_by="crm"))
    assert not reaches_all(fact("confirmed"))


def test_a_no_said_at_another_crm_is_younger_than_a_yes_here_within_two_hours() -> None:
    no = fact("opted_out", "no:1", told_by="crm")
    assert leads_back(folded(no), NOON + HOUR, "crm")
    (theirs,) = told_elsewhere([no], "mail")
    assert not leads_back(folded(theirs), NOON + HOUR, "crm")
    assert leads_back(folded(theirs), NOON + 3 * HOUR, "crm")


def test_a_no_that_was_set_at_another_crm_says_nothing_of_this_one() -> None:
    told = [OUT, fact("no_set", "E1", told_by="crm"), fact("confirmed", at=NOON + DAY)]
    assert told_elsewhere(told, "mail") == (told[0], told[2])
