"""How sure an opt-out is: proved, claimed, denied."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.consent import (
    ends_suppression,
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
from stellwerk_toys.ledgers import CLAIM, DAY, HOUR, NO, NOON, OUT, fact, folded

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


kinds = st.sampled_from(FactKind)
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
