"""The order of permissions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.model import Agreement, Permission
from stellwerk_rules.permission import grantable, is_rise, named

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ORDER = [Permission.NONE, Permission.SINGLE, Permission.CONFIRMED, Permission.DOUBLE, Permission.DOUBLE_PLUS]
AGREED = Agreement(by="Jo", at=NOON)
permissions = st.sampled_from(Permission)


@pytest.mark.parametrize(("low", "high"), [(a, b) for n, a in enumerate(ORDER) for b in ORDER[n + 1 :]])
def test_going_up_the_order_is_a_rise_and_going_down_is_none(low: Permission, high: Permission) -> None:
    assert is_rise(low, high)
    assert not is_rise(high, low)


@pytest.mark.parametrize("permission", ORDER)
def test_to_other_is_a_rise_from_everywhere(permission: Permission) -> None:
    assert is_rise(permission, Permission.OTHER)


@pytest.mark.parametrize("permission", ORDER[1:])
def test_from_other_is_a_rise_to_anything_but_none(permission: Permission) -> None:
    assert is_rise(Permission.OTHER, permission)
    assert not is_rise(Permission.OTHER, Permission.NONE)


@given(permissions)
def test_staying_is_no_rise(permission: Permission) -> None:
    assert not is_rise(permission, permission)


@given(permissions)
def test_nothing_is_granted_without_an_agreement(permission: Permission) -> None:
    assert grantable(permission, None) is Permission.NONE


@pytest.mark.parametrize("permission", [Permission.DOUBLE, Permission.DOUBLE_PLUS])
def test_a_double_opt_in_is_granted_only_where_the_agreement_says_where_it_was_given(permission: Permission) -> None:
    assert grantable(permission, AGREED) is Permission.NONE
    given_there = Agreement(by="Jo", at=NOON, confirmation_given="shop")
    assert grantable(permission, given_there) is permission


@pytest.mark.parametrize("permission", [Permission.SINGLE, Permission.CONFIRMED, Permission.OTHER, Permission.NONE])
def test_what_was_agreed_is_granted(permission: Permission) -> None:
    assert grantable(permission, AGREED) is permission


def test_only_a_permissions_own_name_names_it() -> None:
    assert named("double_plus") is Permission.DOUBLE_PLUS
    assert named("4") is None
    assert named(True) is None
