"""What is kept of a contact between events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stellwerk_rules.model import Change, Enter, FieldValue, Permission, Remembered, Seen, SetFields, Unsubscribe
from stellwerk_rules.remember import given_up

CITY = {"CITY": FieldValue(value="Graz")}
ON_ITS_WAY = Remembered(going={"mail": {"CITY": Seen(digest="Graz"), "NAME": Seen(digest="Ada")}})
ENTER = Enter(
    email="ada@example.com",
    peer_id="c1",
    wish="w",
    wished_at=datetime(2026, 11, 24, tzinfo=UTC),
    explicit=True,
    ask=None,
    grant=Permission.NONE,
    fields=CITY,
)


def same(text: str) -> str:
    return text


@pytest.mark.parametrize("change", [SetFields(fields=CITY), ENTER])
def test_what_was_given_up_is_not_on_its_way_any_more(change: Change) -> None:
    assert given_up(ON_ITS_WAY, "mail", change, same).going == {"mail": {"NAME": Seen(digest="Ada")}}


def test_a_younger_value_stays_on_its_way() -> None:
    older = SetFields(fields={"CITY": FieldValue(value="Wien")})
    assert given_up(ON_ITS_WAY, "mail", older, same).going == ON_ITS_WAY.going


def test_a_change_without_values_takes_none_away() -> None:
    assert given_up(ON_ITS_WAY, "mail", Unsubscribe(), same).going == ON_ITS_WAY.going


def test_of_a_change_that_cannot_be_read_nothing_counts_as_on_its_way() -> None:
    assert given_up(ON_ITS_WAY, "mail", None, same).going == {"mail": {}}
