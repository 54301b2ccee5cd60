"""What the relay's tests ask for besides the hub over the two toys."""

from __future__ import annotations

import pytest

from stellwerk_toys.yard import Yard


@pytest.fixture
def connected(yard: Yard) -> Yard:
    """A yard whose settings the test has chosen."""
    return yard
