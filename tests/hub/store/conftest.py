"""One contract for every adapter: `database` is the adapter under test, `store` an open store of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from stellwerk.store.inbox import NewEvent
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.store import Store
from stellwerk.store.vault import Vault
from stellwerk_toys.databases import PostgresDatabase, SqliteDatabase, TestDatabase

SECRET_KEY = "a secret key of the tests, long enough"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> TestDatabase:
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path)
    return PostgresDatabase(request.getfixturevalue("pg_server"))


@pytest.fixture
async def store(database: TestDatabase) -> AsyncIterator[Store]:
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
