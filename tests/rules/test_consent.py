"""The consent ledger folded, and how sure an opt-out is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.consent import (
    AskOutcome,
    Consent,
    ConsentState,
    ends_suppression,
    fold,
    leads_back,
    reaches_all,
    told_elsewhere,
)
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.model import (
    Contact,
    Fact,
    FactKind,
    OptOutEntry,
    OptOutEvidence,
    OptOutProof,
    Permission,
    Presence,
)
from stellwerk_rules.proof import prove
from stellwerk_rules.spec import Limits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def fact(kind: str, key: str = "k", at: datetime = NOON, told_by: str = "mail", **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=at, event="e", told_by=told_by, **more)


def folded(*facts: Fact, suppressed: bool = False, at: datetime = NOON, since: datetime | None = None) -> Consent:
    return fold(facts, suppressed, at, Limits(), since)


CLAIM = fact("opted_out", "claim", final=False, told_by="")
NO = fact("opted_out", "no:1", final=False, told_by="crm")
OUT = fact("opted_out", "E1")


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


def test_facts_that_only_record_change_nothing() -> None:
    assert folded(fact("wished"), OUT).standing == folded(OUT).standing


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


# --- proof -------------------------------------------------------------------------------------------------------------

GONE = Contact(presence=Presence.ABSENT, read_at=NOON)
HERE = Contact(id="m1", permission=Permission.DOUBLE, read_at=NOON)


def entry(key: str = "E1", at: datetime = NOON, **details: str) -> OptOutEntry:
    return OptOutEntry(key=key, at=at, details=details)


def proved(
    contact: Contact,
    *entries: OptOutEntry,
    marker: bool = False,
    facts: tuple[Fact, ...] = (),
    after: timedelta = timedelta(),
    told_by_entry: str | None = None,
) -> OptOutProof:
    evidence = OptOutEvidence(contact=contact, marker=marker, entries=entries)
    return prove(evidence, facts, NOON, NOON + after, {"method": "link"}, told_by_entry=told_by_entry)


def test_a_new_entry_proves_the_opt_out_even_while_the_contact_still_reads() -> None:
    proof = proved(HERE, entry("E1", NOON - HOUR, msg_id="9"))
    assert (proof.final, proof.key, proof.at) == (True, "E1", NOON - HOUR)
    assert proof.details == {"msg_id": "9", "method": "link"}


@pytest.mark.parametrize("presence", [Presence.ABSENT, Presence.ANONYMOUS])
def test_a_contact_that_is_gone_with_its_marker_there_proves_it(presence: Presence) -> None:
    proof = proved(Contact(presence=presence, read_at=NOON), marker=True)
    assert (proof.final, proof.at, proof.details) == (True, NOON, {"method": "link"})


def test_a_plain_404_without_marker_and_entry_proves_nothing() -> None:
    assert not proved(GONE).final
    assert not proved(GONE, after=2 * HOUR).denied


def test_a_marker_alone_proves_nothing_while_the_contact_reads_subscribed() -> None:
    proof = proved(HERE, marker=True)
    assert (proof.final, proof.denied) == (False, False)


def test_an_hour_after_the_claim_a_contact_that_reads_subscribed_denies_it() -> None:
    assert not proved(HERE, after=HOUR - timedelta(seconds=1)).denied
    assert proved(HERE, marker=True, after=HOUR).denied


@pytest.mark.parametrize("permission", [None, Permission.NONE])
def test_a_contact_without_permission_denies_nothing(permission: Permission | None) -> None:
    assert not proved(Contact(permission=permission, read_at=NOON), after=2 * HOUR).denied


def test_an_entry_that_was_counted_proves_nothing_again() -> None:
    facts = (OUT, fact("confirmed", "1", NOON + timedelta(minutes=5)))
    assert not proved(HERE, entry("E1"), facts=facts).final


def test_what_the_report_tells_late_of_an_opt_out_that_a_confirmation_followed_is_denied_at_once() -> None:
    facts = (OUT, fact("confirmed", "1", NOON + timedelta(minutes=5)))
    anonymous = Contact(id="m0", presence=Presence.ANONYMOUS, read_at=NOON)
    proof = proved(anonymous, entry("E1"), facts=facts, told_by_entry="claim:7")
    assert (proof.final, proof.denied, proof.key) == (False, True, "claim:7")


def test_what_the_report_tells_of_an_opt_out_that_stands_is_that_opt_out() -> None:
    facts = (fact("confirmed", "1", NOON - HOUR), OUT)
    proof = proved(GONE, entry("E1"), facts=facts, told_by_entry="claim:7")
    assert (proof.final, proof.denied, proof.key) == (True, False, OUT.key)


def test_a_newer_entry_beside_one_that_a_confirmation_followed_is_an_opt_out() -> None:
    facts = (OUT, fact("confirmed", "1", NOON + timedelta(minutes=5)))
    proof = proved(HERE, entry("E1"), entry("E2", NOON + HOUR), facts=facts, told_by_entry="claim:7")
    assert (proof.final, proof.key) == (True, "E2")


def test_an_entry_from_before_the_last_confirmation_proves_nothing() -> None:
    facts = (fact("confirmed", "1", NOON),)
    assert not proved(HERE, entry("E0", NOON - timedelta(seconds=1)), facts=facts).final
    assert proved(HERE, entry("E2", NOON), facts=facts).final


def test_a_confirmation_timed_by_our_clock_leaves_the_clock_margin() -> None:
    facts = (fact("confirmed", "1", NOON, told_by=""),)
    assert proved(HERE, entry("E2", NOON - timedelta(seconds=120)), facts=facts).final
    assert not proved(HERE, entry("E2", NOON - timedelta(seconds=121)), facts=facts).final


def test_the_youngest_new_entry_names_the_opt_out() -> None:
    assert proved(GONE, entry("E1"), entry("E2", NOON + HOUR), entry("E0")).key == "E2"


@pytest.mark.behaviour("unsubscribed-second")
def test_a_second_opt_out_within_the_hour_is_one_of_its_own() -> None:
    facts = (OUT, fact("asked", "1"), fact("confirmed", "1", NOON + timedelta(minutes=10)))
    proof = proved(GONE, entry("E1"), entry("E2", NOON + timedelta(minutes=20)), marker=True, facts=facts)
    assert (proof.final, proof.key) == (True, "E2")


def test_the_same_opt_out_told_again_has_the_same_key_whatever_is_read_by_then() -> None:
    first = proved(GONE, marker=True)
    counted = fact("opted_out", first.key)
    again = proved(GONE, entry("E9", NOON + HOUR), marker=True, facts=(counted,), after=DAY)
    assert (again.key, again.final, again.at) == (first.key, True, counted.at)
    assert proved(HERE, facts=(counted,), after=DAY).key == first.key


def test_a_younger_entry_beside_the_counted_one_is_another_opt_out() -> None:
    assert proved(GONE, entry("E1"), entry("E2", NOON + HOUR), facts=(OUT,)).key == "E2"


def test_an_entry_no_younger_than_the_opt_out_that_stands_is_that_one() -> None:
    assert proved(GONE, entry("E1"), entry("E2", NOON), facts=(OUT,)).key == "E1"


@pytest.mark.behaviour("unsubscribed-second")
def test_who_was_asked_back_and_leaves_again_opted_out_anew() -> None:
    unlisted = fact("opted_out", "first")
    asked = fact("asked", "w2", NOON + HOUR, told_by="")
    assert proved(GONE, entry("E2", NOON + 2 * HOUR), facts=(unlisted, asked), after=3 * HOUR).key == "E2"
    assert proved(GONE, entry("E2", NOON + HOUR - CLOCK_MARGIN), facts=(unlisted, asked), after=3 * HOUR).key == "first"


def test_an_opt_out_after_a_confirmation_has_another_key_than_the_one_before() -> None:
    first = proved(GONE, marker=True)
    facts = (fact("opted_out", first.key), fact("confirmed", "mark"))
    assert proved(GONE, marker=True, facts=facts).key not in (first.key, "mark")


def test_two_contacts_one_after_the_other_at_an_address_have_two_keys() -> None:
    keys = {proved(Contact(id=one, presence=Presence.ANONYMOUS, read_at=NOON), marker=True).key for one in ("1", "2")}
    assert len(keys) == 2


def test_the_crms_own_opt_out_does_not_stand_for_one_at_the_mail_system() -> None:
    proof = proved(GONE, entry("E1"), facts=(fact("opted_out", "out:c1", told_by="crm"),))
    assert (proof.key, proof.final) == ("E1", True)


def test_a_claim_that_stands_keeps_its_key() -> None:
    assert proved(GONE, facts=(CLAIM,)).key == "claim"
    assert proved(GONE).key == proved(GONE).key != "claim"


def test_what_reads_at_the_mail_system_denies_no_no_that_was_said_at_a_crm() -> None:
    assert proved(HERE, facts=(NO,), after=HOUR).key != "no:1"
    assert proved(HERE, facts=(NO, CLAIM), after=HOUR).key == "claim"


kinds = st.sampled_from([one for one in FactKind if one is not FactKind.WISHED])
ledgers = st.lists(
    st.builds(
        fact,
        kinds.map(lambda one: one.value),
        st.sampled_from(["1", "2", "3"]),
        st.integers(-40, 0).map(lambda days: NOON + days * DAY),
        final=st.booleans(),
    ),
    max_size=8,
).map(tuple)


def test_a_withdrawn_claim_ends_the_suppression_that_it_began_and_no_other() -> None:
    denied = fact("opt_out_denied", "claim")
    assert ends_suppression((CLAIM,), None, (denied,))
    assert ends_suppression((CLAIM,), CLAIM.at, (denied,))
    assert not ends_suppression((CLAIM,), CLAIM.at - DAY, (denied,))
    assert not ends_suppression((OUT, CLAIM), OUT.at, (denied,))
    assert not ends_suppression((), NOON, (denied,))
    assert not ends_suppression((CLAIM,), CLAIM.at, (fact("no_set", "claim"),))
    assert not ends_suppression((CLAIM, NO), CLAIM.at, (denied,)), "another one stands"


def test_claims_that_are_all_withdrawn_end_the_suppression_that_the_first_of_them_began() -> None:
    later = fact("opted_out", "later", NOON + DAY, final=False, told_by="")
    withdrawn = (fact("opt_out_denied", "claim"), fact("opt_out_denied", "later"))
    assert ends_suppression((CLAIM, later), CLAIM.at, withdrawn)


@pytest.mark.parametrize("permission", Permission)
def test_of_confirmations_only_the_contacts_own_ends_a_suppression(permission: Permission) -> None:
    own = permission in (Permission.DOUBLE, Permission.DOUBLE_PLUS)
    assert ends_suppression((OUT,), OUT.at, (fact("confirmed", permission=permission),)) is own


@pytest.mark.parametrize("permission", list(Permission))
def test_a_confirmation_by_the_contact_ends_the_suppression(permission: Permission) -> None:
    confirmed = fact("confirmed", "1", permission=permission)
    by_contact = permission in (Permission.DOUBLE, Permission.DOUBLE_PLUS)
    assert ends_suppression((OUT,), OUT.at, (confirmed,)) is by_contact


@given(ledgers)
def test_after_a_proved_opt_out_an_address_is_always_out(facts: tuple[Fact, ...]) -> None:
    found = folded(*facts, fact("opted_out", "9"))
    assert found.opted_out
    assert found.left
    assert found.confirmation is None
    assert found.asks_in_window == 0


@given(ledgers)
def test_an_opt_out_that_was_counted_is_proved_by_its_own_key_until_a_confirmation(facts: tuple[Fact, ...]) -> None:
    counted = (*facts, fact("opted_out", "9"))
    proof = proved(GONE, entry("E1"), marker=True, facts=counted)
    assert folded(*counted).is_counted(FactKind.OPTED_OUT, proof.key)


@given(ledgers)
def test_telling_the_whole_ledger_as_one_gives_the_state_it_ends_with(facts: tuple[Fact, ...]) -> None:
    found = folded(*facts)
    assert found.opted_out is (found.left or bool(found.standing))
    assert found.claimed() is (not found.left and any(not one.final for one in found.standing))


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
