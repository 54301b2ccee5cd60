"""Times of a clock whose zone is not known may be wrong by a day: which facts bear such a time, and how far they reach."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from stellwerk_rules.known import Fact

UNZONED_MARGIN = timedelta(days=1)
"""No two zones are further apart."""

CONFLICT_MARGIN = timedelta(hours=2)
"""Two values of one field, written at two systems closer together than this, count as written at once."""


def conflict_margin(unzoned: frozenset[str]) -> timedelta:
    """Within which times of two systems do not say which value is the newer; `unzoned` are those whose zone is not known."""
    return UNZONED_MARGIN if unzoned else CONFLICT_MARGIN


def marked(facts: Iterable[Fact], unzoned: frozenset[str]) -> tuple[Fact, ...]:
    """`facts` as the ledger keeps them: told by a system of `unzoned`, a fact's time stays doubtful for ever."""
    return tuple(replace(fact, unzoned=True) if fact.told_by in unzoned else fact for fact in facts)


def reach(fact: Fact) -> timedelta:
    """How far the fact's time may be from what it says, for want of a zone."""
    return UNZONED_MARGIN if fact.unzoned else timedelta()
