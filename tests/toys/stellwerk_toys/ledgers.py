"""Facts of a ledger that is folded by itself, all at one noon unless said otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from stellwerk_rules.consent import Consent, fold
from stellwerk_rules.model import Fact, FactKind
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
