"""A seed's number means the same history for ever, so that a number that was noted once can be played again."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from stellwerk_simulation.drawing import drawn
from stellwerk_simulation.later import LATER
from stellwerk_simulation.latest import LATEST, RESTORED, UNLINKED

MEANT = {
    1: "749ddc52f0b8b528",
    LATER: "70bfe7d587a008c2",
    LATEST: "173ba0986bbdd6c1",
    RESTORED: "5f286b2336e871d4",
    UNLINKED: "44fc0b342886c93d",
}


@pytest.mark.parametrize("first", MEANT)
def test_a_number_means_the_history_that_it_meant(first: int) -> None:
    """Whoever draws more draws it from a number on that nobody has played yet."""
    histories = repr([said(drawn(seed)) for seed in range(first, first + 100)])
    assert hashlib.sha256(histories.encode()).hexdigest()[:16] == MEANT[first]


def said(one: Any) -> Any:
    """What a history says, without what it leaves as it is: a deed may learn more later."""
    if isinstance(one, tuple):
        return [said(each) for each in one]
    if not isinstance(one, msgspec.Struct):
        return one
    fields = [(field, getattr(one, field.name)) for field in msgspec.structs.fields(one)]
    return [type(one).__name__, {field.name: said(value) for field, value in fields if value != field.default}]
