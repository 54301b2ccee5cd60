"""`connections[].only_if`: who belongs to a connection enters by it, and nobody else; an opt-out counts for everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stellwerk.config.load import load_bytes, ruleset
from stellwerk.registry import load_connectors
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import Agreement, Contact, Decision, Event, EventKind, Known, Origin, Remembered, Written
from stellwerk_rules.plan import Plan, compile_plan
from stellwerk_rules.settings import defaults

SAMPLE = Path(__file__).resolve().parents[3] / "integration.yaml"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STRANGER = Remembered()
SHOES = """
connections:
  - id: shoes
    crm: {account: "1", access_token: env:TOKEN}
    mail: {api_key: env:KEY}
    only_if: {field: industry, in: [shoes, both]}
    settings: {double_opt_in: true, doi_mailing: K1}
    agreed: {by: Jo Doe, at: 2026-11-23}
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    loaded = load_bytes((SAMPLE.read_text() + SHOES).encode(), None, load_connectors())
    assert loaded.integration is not None, [str(problem) for problem in loaded.problems]
    return compile_plan(ruleset(loaded, loaded.integration.connections[0]))


def decided(plan: Plan, industry: str | None, subscribe: str, remembered: Remembered = STRANGER) -> Decision:
    written = Written(value=subscribe, at=NOW - timedelta(minutes=1), origin=Origin.PERSON)
    contact = Contact(
        id="7",
        email="ada@example.com",
        fields={"maileon_subscribe": subscribe, "industry": industry},
        history={"maileon_subscribe": (written,)},
        created_at=NOW - timedelta(minutes=5),
        read_at=NOW,
    )
    known = Known(
        digest=str, began_at=NOW - timedelta(days=1), agreed=Agreement(by="Jo", at=NOW), remembered=remembered
    )
    event = Event(id="1", kind=EventKind.CREATED, system="crm", contact=contact, at=NOW)
    return evaluate(plan, event, known, {**defaults(plan), "double_opt_in": True, "doi_mailing": "K1"})


def test_the_field_that_tells_who_belongs_is_read(plan: Plan) -> None:
    assert "industry" in plan.reads("crm")


def test_it_is_read_nowhere_else(plan: Plan) -> None:
    """Another system has no such field, and may refuse whatever names it."""
    strange = [name for name in plan.reads("mail") if not name.startswith("custom:") and name != name.upper()]
    assert strange == []


def test_of_whom_nobody_can_tell_nobody_is_brought_in(plan: Plan) -> None:
    contact = Contact(id="9", email="bea@example.com", created_at=NOW - timedelta(minutes=5), read_at=NOW)
    known = Known(digest=str, began_at=NOW - timedelta(days=1), agreed=Agreement(by="Jo", at=NOW))
    event = Event(id="2", kind=EventKind.CHANGED, system="mail", contact=contact, at=NOW)
    assert evaluate(plan, event, known, {**defaults(plan), "only_in_mail": "create"}).changes == ()


@pytest.mark.parametrize("industry", ["shoes", "both"])
def test_who_belongs_enters(plan: Plan, industry: str) -> None:
    assert [type(one.change).__name__ for one in decided(plan, industry, "yes").changes] == ["Enter"]


@pytest.mark.parametrize("industry", ["hats", None])
def test_who_does_not_belong_stays_out_and_the_reason_names_the_field(plan: Plan, industry: str | None) -> None:
    decision = decided(plan, industry, "yes")
    assert decision.changes == ()
    assert any("industry" in (skip.because.nearest or skip.because.text) for skip in decision.skips)


def test_a_no_counts_also_for_who_belongs_no_more(plan: Plan) -> None:
    inside = Remembered(ids={"crm": "7", "mail": "9"}, entered=True)
    changes = decided(plan, "hats", "no", inside).changes
    assert [type(one.change).__name__ for one in changes] == ["Unsubscribe"]
