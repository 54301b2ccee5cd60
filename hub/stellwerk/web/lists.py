"""What the page reads from the systems: lists to choose from and how many contacts are new. An outage costs no page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from msgspec import Struct

from stellwerk.errors import DeliveryError
from stellwerk.relay.budget import Budget
from stellwerk.relay.foresight import newest_contacts
from stellwerk.relay.hub import Hub
from stellwerk.relay.rulebook import Rulebook
from stellwerk.sdk.connector import Catalogue, Counter, FieldSpec, Option
from stellwerk.store.accounts import AccountRow
from stellwerk_rules.model import Contact
from stellwerk_rules.spec import PickSetting, Setting, StageMoveSetting

FRESH_SECONDS = 60.0
PATIENCE_SECONDS = 8.0
COUNT = "created"
FIELDS = "fields"
NEWEST = "newest"
COUNTED_DAYS = 30
T = TypeVar("T")


class Door(Struct, frozen=True, kw_only=True):
    """An account that can be asked: one that is stored, or settings that were tested and are not stored yet."""

    account: str
    system: str
    row: AccountRow | None = None
    settings: Any = None


class Lists:
    """One for the hub. What was read counts for a minute, so that a form with errors does not ask again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}

    async def options(self, doors: Iterable[Door], settings: Iterable[Setting]) -> dict[str, tuple[Option, ...] | None]:
        """By `SYSTEM.LIST` every list that these settings offer; None where it could not be read now."""
        by_system = {door.system: door for door in doors}
        wanted = sorted({name for setting in settings if (name := list_of(setting)) is not None})
        read = [self._options(by_system.get(name.partition(".")[0]), name.partition(".")[2]) for name in wanted]
        return dict(zip(wanted, await asyncio.gather(*read), strict=True))

    async def created_lately(self, door: Door) -> int | None:
        """How many contacts were created there in the last 30 days; None where nobody can tell."""
        since = self._hub.time() - timedelta(days=COUNTED_DAYS)

        async def count(connector: Any) -> int | None:
            return await connector.created_since(since) if isinstance(connector, Counter) else None

        return await self._kept_or(door, COUNT, count)

    async def fields(self, accounts: Mapping[str, AccountRow]) -> dict[str, tuple[FieldSpec, ...] | None]:
        """By system every field that is there; None where it could not be read now."""

        async def read(connector: Any) -> tuple[FieldSpec, ...] | None:
            return tuple(await connector.fields()) if isinstance(connector, Catalogue) else None

        found = [
            self._kept_or(Door(account=row.id, system=name, row=row), FIELDS, read) for name, row in accounts.items()
        ]
        return dict(zip(accounts, await asyncio.gather(*found), strict=True))

    async def newest(self, account: AccountRow, book: Rulebook) -> tuple[Contact, ...] | None:
        """The contacts created there last; None where nobody can tell, or they cannot be read now."""
        door = Door(account=account.id, system=account.system, row=account)

        async def read(_: Any) -> tuple[Contact, ...] | None:
            return await newest_contacts(self._hub, book, account)

        return await self._kept_or(door, f"{NEWEST} {book.plan.hash}", read)

    async def _options(self, door: Door | None, name: str) -> tuple[Option, ...] | None:
        async def read(connector: Any) -> tuple[Option, ...] | None:
            if not isinstance(connector, Catalogue) or name not in connector.lists:
                return None
            return tuple(await connector.options(name))

        return None if door is None else await self._kept_or(door, f"list {name}", read)

    async def _kept_or(self, door: Door, name: str, read: Callable[[Any], Awaitable[T | None]]) -> T | None:
        now = self._hub.now()
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        if (door.account, name) in self._kept:
            kept: T = self._kept[door.account, name][1]
            return kept
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._opened(door) as connector:
                fresh = await read(connector)
        except (DeliveryError, TimeoutError):
            return None
        if fresh is not None and fresh != ():  # what is empty is soon filled, and looked at again for that
            self._kept[door.account, name] = (now + FRESH_SECONDS, fresh)
        return fresh

    @asynccontextmanager
    async def _opened(self, door: Door) -> AsyncIterator[Any]:
        if door.row is not None:
            async with self._hub.open(door.row) as desk:
                yield desk.connector
            return
        side = self._hub.systems[door.system]
        services = self._hub.services(side, Budget(*side.connector.rate, self._hub.now), {}, None)
        async with side.connector.open(side.settings, door.settings, services) as connector:
            yield connector


def list_of(setting: Setting) -> str | None:
    """The `SYSTEM.LIST` that a setting's values come from."""
    if isinstance(setting, PickSetting):
        return setting.of
    return f"{setting.system}.stages" if isinstance(setting, StageMoveSetting) else None
