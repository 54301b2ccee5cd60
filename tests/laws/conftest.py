"""The laws' own profile: the same histories at every run, so that a fault is found or missed by its kind and never by chance."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

# A planted fault need only be found; making its history short takes longer than finding it.
SHRINKS = () if "STELLWERK_PLANTED_FAULT" in os.environ else (Phase.shrink,)

settings.register_profile(
    "laws",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
    phases=[Phase.explicit, Phase.generate, *SHRINKS],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` plays the usual histories, in which every law is watched; each law's own hard ones and harder ground take longer."""
    for item in items:
        if item.path.parent.name == "laws" and item.path.name.startswith(("test_law_", "test_two_", "test_ground")):
            item.add_marker(pytest.mark.long)
