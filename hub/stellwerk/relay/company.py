"""Who is asked for in one call: everybody at first, and in ever smaller company whoever was in calls that failed.

An answer that cannot be used says nothing of whose fault it is. If one contact makes it unusable each time, the others
must not wait with it: after the second failure everybody is asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

MOST = 100
SMALLER_BY = 8
OUTAGE = 3  # failures in a row after which nobody else is asked for in this turn

T = TypeVar("T")


def companies(waiting: Sequence[T], attempts: Callable[[T], int]) -> list[list[T]]:
    """`waiting` in groups for one call each; who failed least goes first, so that others' failures hold nobody up."""
    groups: list[list[T]] = []
    for failed, same in groupby(sorted(waiting, key=attempts), key=attempts):
        members, size = list(same), max(1, MOST // SMALLER_BY**failed)
        groups += [members[start : start + size] for start in range(0, len(members), size)]
    return groups
