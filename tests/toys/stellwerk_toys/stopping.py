"""A store that ends the process at a chosen write: just before it is committed, or just after."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stellwerk.store.store import Store, Tx
from stellwerk_toys.faults import Stopped

T = TypeVar("T")


class StoppingStore:
    """A store that counts its writes. `stop_at` is the number of the write at which everything ends."""

    def __init__(self, store: Store) -> None:
        self.writes = 0
        self.stop_at: int | None = None
        self.after = False
        self._store = store

    @property
    def alone(self) -> bool:
        return self._store.alone

    @property
    def full(self) -> bool:
        return self._store.full

    def now(self) -> float:
        return self._store.now()

    async def write(self, work: Callable[[Tx], T], /) -> T:
        self.writes += 1
        here = self.stop_at is not None and self.writes >= self.stop_at
        if here and not self.after:
            raise Stopped("before a commit")
        result = await self._store.write(work)
        if here:
            raise Stopped("after a commit")
        return result

    async def read(self, work: Callable[[Tx], T], /) -> T:
        return await self._store.read(work)

    async def close(self) -> None:
        await self._store.close()
