"""One contract for every adapter: `database` is the adapter under test, `store` an open store of it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from stellwerk.store.inbox import NewEvent
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Store
from stellwerk.store.vault import Vault

SECRET_KEY = "a secret key of the tests, long enough"


class SqliteDatabase:
    """A database file in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "hub.db"

    def open(self) -> Store:
        return SqliteStore.open(self.path)

    def as_after_a_crash(self) -> SqliteDatabase:
        """What a machine that stopped at this moment would find: the files as they are now, nothing finished."""
        copy = SqliteDatabase(self.folder / f"after-{len(list(self.folder.iterdir()))}")
        copy.folder.mkdir()
        for suffix in ("", "-wal"):
            if (file := self.path.with_name(self.path.name + suffix)).exists():
                shutil.copy(file, copy.path.with_name(copy.path.name + suffix))
        return copy


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteDatabase:
    return {"sqlite": SqliteDatabase}[request.param](tmp_path)


@pytest.fixture
async def store(database: SqliteDatabase) -> AsyncIterator[Store]:
    opened = database.open()
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    made = Vault(SECRET_KEY)
    made.use_hash_key(made.new_key("hash"))
    return made


@pytest.fixture
def event() -> Callable[..., NewEvent]:
    """An event with what the test does not care about filled in."""

    def make(
        subject: str, *, account: str = "crm:1", dedup: str | None = None, at: float = 0.0, urgency: int = 1
    ) -> NewEvent:
        return NewEvent(
            account=account,
            dedup=dedup,
            subject=subject,
            kind="changed",
            body=b"sealed",
            occurred=None,
            received=at,
            urgency=urgency,
        )

    return make


@pytest.fixture
def delivery() -> Callable[..., NewDelivery]:
    """A delivery with what the test does not care about filled in."""

    def make(
        contact: int,
        *,
        tag: str = "set_fields",
        once: str | None = None,
        urgency: int = 1,
        due: float = 0.0,
        body: bytes = b"sealed",
        connection: str = "acme",
        account: str = "mail:1",
    ) -> NewDelivery:
        return NewDelivery(
            account=account,
            connection=connection,
            contact=contact,
            tag=tag,
            once=once,
            urgency=urgency,
            due=due,
            body=body,
            event="e1",
            created=due,
        )

    return make
