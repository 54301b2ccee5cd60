"""Abreast: transactions of several contacts handed over together, so that all of them wait for the disk once.

Each is a transaction of its own all the same: it sees what those before it wrote, and fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import groupby
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 20
"""What else is to be written meanwhile waits for so many at most."""


def groups(several: Iterable[T], may: Callable[[T], bool]) -> list[Sequence[T]]:
    """`several` in their order: those next to each other that `may` go abreast together, the others one by one."""
    found: list[Sequence[T]] = []
    for together, some in groupby(several, key=may):
        members, size = list(some), MOST if together else 1
        found += [members[start : start + size] for start in range(0, len(members), size)]
    return found


async def abreast(several: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each came to, in their order. Raises what the first of them raised, after all have ended."""
    told = await asyncio.gather(*several, return_exceptions=True)
    for one in told:
        if isinstance(one, BaseException):
            raise one
    return [one for one in told if not isinstance(one, BaseException)]
