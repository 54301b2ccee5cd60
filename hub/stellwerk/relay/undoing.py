"""Doing something for real on a store that undoes it: what is told is what would happen, and nothing did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stellwerk.store.store import Store, Tx

T = TypeVar("T")


class Undoing:
    """A store on which nothing lasts. `first` is done before each piece of work, in the same transaction."""

    def __init__(self, store: Store, first: Callable[[Tx], None]) -> None:
        self._store = store
        self._first = first

    async def write(self, work: Callable[[Tx], T], /) -> T:
        done: list[T] = []

        def played(tx: Tx) -> None:
            self._first(tx)
            done.append(work(tx))
            raise _Undone

        try:
            await self._store.write(played)
        except _Undone:
            return done[-1]
        raise AssertionError("what is played is always undone")

    async def read(self, work: Callable[[Tx], T], /) -> T:
        """What would be read if the letters were put back."""
        return await self.write(work)

    @property
    def alone(self) -> bool:
        return self._store.alone

    @property
    def full(self) -> bool:
        return self._store.full

    def now(self) -> float:
        return self._store.now()

    async def close(self) -> None:
        """The real store goes on."""


class _Undone(Exception):
    """Takes a transaction back that went well."""
