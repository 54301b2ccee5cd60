"""A store whose caller stands still just before a chosen write, long enough for another process to take over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from stellwerk.store.store import Tx
from stellwerk_toys.stopping import StoppingStore

T = TypeVar("T")


class FreezingStore:
    """`freeze_at` is the number of the write, as the store beneath counts them, before which `meanwhile` is done."""

    def __init__(self, store: StoppingStore, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.freeze_at: int | None = None
        self._store = store
        self._meanwhile = meanwhile

    @property
    def alone(self) -> bool:
        return self._store.alone

    @property
    def full(self) -> bool:
        return self._store.full

    def now(self) -> float:
        return self._store.now()

    async def write(self, work: Callable[[Tx], T], /) -> T:
        if self.freeze_at is not None and self._store.writes + 1 >= self.freeze_at:
            self.freeze_at = None
            await self._meanwhile()
        return await self._store.write(work)

    async def read(self, work: Callable[[Tx], T], /) -> T:
        return await self._store.read(work)

    async def close(self) -> None:
        await self._store.close()
