"""A store whose processes may come across an account that another one has just added: they look for its key, and go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stellwerk.store import accounts
from stellwerk.store.store import Store, Tx
from stellwerk.store.vault import UnknownAccount, Vault

T = TypeVar("T")


class Keyring:
    """Runs a function once more when it met an account that the vault did not know yet."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    @property
    def alone(self) -> bool:
        return self._store.alone

    @property
    def full(self) -> bool:
        return self._store.full

    def now(self) -> float:
        return self._store.now()

    async def write(self, work: Callable[[Tx], T], /) -> T:
        try:
            return await self._store.write(work)
        except UnknownAccount:
            await self._look()
            return await self._store.write(work)

    async def read(self, work: Callable[[Tx], T], /) -> T:
        try:
            return await self._store.read(work)
        except UnknownAccount:
            await self._look()
            return await self._store.read(work)

    async def close(self) -> None:
        await self._store.close()

    async def _look(self) -> None:
        await self._store.read(lambda tx: accounts.every(tx, self._vault))
