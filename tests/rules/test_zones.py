"""Times of a clock whose zone is not known: doubtful by a day, for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stellwerk_rules.consent import fold, leads_back
from stellwerk_rules.model import Contact, Fact, FactKind, OptOutEntry, OptOutEvidence, Permission, Presence
from stellwerk_rules.proof import prove
from stellwerk_rules.spec import Limits
from stellwerk_rules.zones import marked, reach

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fact(kind: str, at: datetime = NOON, told_by: str = "mail", **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key="k", at=at, event="e", told_by=told_by, **more)


def test_only_facts_told_by_a_clock_without_a_zone_are_doubtful() -> None:
    told = (fact("opted_out"), fact("opted_out", told_by="crm"), fact("asked", told_by=""))
    assert [one.unzoned for one in marked(told, frozenset({"mail"}))] == [True, False, False]
    assert marked(told, frozenset()) == told


def test_a_doubtful_fact_reaches_a_day_and_another_not_at_all() -> None:
    assert reach(fact("confirmed", unzoned=True)) == timedelta(days=1)
    assert reach(fact("confirmed")) == timedelta()


@pytest.mark.parametrize(
    ("after", "unzoned", "back"),
    [(3 * HOUR, False, True), (3 * HOUR, True, False), (24 * HOUR, True, False), (25 * HOUR, True, True)],
)
def test_a_yes_leads_back_a_day_after_an_opt_out_of_an_unknown_zone_and_two_hours_after_another(
    after: timedelta, unzoned: bool, back: bool
) -> None:
    out = fact("opted_out", unzoned=unzoned)
    assert leads_back(fold([out], True, NOON + 3 * timedelta(days=1), Limits()), NOON + after, "crm") is back


@pytest.mark.parametrize(("unzoned", "final"), [(False, False), (True, True)])
def test_an_opt_out_within_a_day_before_a_confirmation_of_an_unknown_zone_may_be_the_younger(
    unzoned: bool, final: bool
) -> None:
    contact = Contact(id="m1", presence=Presence.PRESENT, permission=Permission.DOUBLE, read_at=NOON)
    entry = OptOutEntry(key="E1", at=NOON - 5 * HOUR)
    evidence = OptOutEvidence(contact=contact, marker=False, entries=(entry,))
    proof = prove(evidence, [fact("confirmed", unzoned=unzoned)], NOON, NOON, {})
    assert proof.final is final
