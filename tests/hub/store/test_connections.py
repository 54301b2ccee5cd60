"""What customers set up, and what stood before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import structs

from stellwerk.store import connections, repairs
from stellwerk.store.connections import Changed, Connection
from stellwerk.store.store import Store, Tx
from stellwerk_rules.model import Agreement

pytestmark = pytest.mark.anyio
ACME = Connection(
    id="acme",
    origin="page",
    accounts={"crm": "crm:1", "mail": "mail:1"},
    settings={"double_opt_in": True, "move": {"enabled": True, "source": None}, "mailing": "K1", "most": 3},
    began=5.0,
    agreed=Agreement(by="Jo Doe", at=datetime(2026, 11, 23, tzinfo=UTC), words="hash"),
)


async def save(store: Store, new: Connection, who: str = "jo", now: float = 1.0) -> Connection:
    return await store.write(lambda tx: connections.save(tx, new, who=who, now=now))


async def test_a_connection_is_read_back_as_it_was_saved(store: Store) -> None:
    saved = await save(store, ACME)
    assert saved == ACME
    assert await store.read(lambda tx: connections.by_id(tx, "acme")) == ACME
    assert await store.read(connections.every) == [ACME]


async def test_each_save_raises_the_version(store: Store) -> None:
    second = await save(store, structs.replace(await save(store, ACME), brand="shoes"))
    assert second.version == 2
    assert await store.read(lambda tx: connections.by_id(tx, "acme")) == second


async def test_what_somebody_saved_meanwhile_is_not_overwritten(store: Store) -> None:
    seen = await save(store, ACME)
    theirs = await save(store, structs.replace(seen, settings={"double_opt_in": False}))
    with pytest.raises(Changed):
        await save(store, structs.replace(seen, settings={"double_opt_in": True}))
    assert await store.read(lambda tx: connections.by_id(tx, "acme")) == theirs
    assert len(await store.read(lambda tx: connections.history(tx, "acme"))) == 2


async def test_the_history_has_every_save_newest_first_with_who_and_when(store: Store) -> None:
    first = await save(store, ACME, who="jo", now=1.0)
    await save(store, structs.replace(first, settings={"most": 4}), who="kim", now=2.0)
    history = await store.read(lambda tx: connections.history(tx, "acme"))
    assert [(row.who, row.at, row.settings) for row in history] == [
        ("kim", 2.0, {"most": 4}),
        ("jo", 1.0, ACME.settings),
    ]
    assert all(row.agreed is not None for row in history)


async def test_connections_that_share_an_account_are_found_by_it(store: Store) -> None:
    await save(store, ACME)
    await save(store, structs.replace(ACME, id="brand", accounts={"crm": "crm:1", "mail": "mail:2"}))

    async def of(account: str) -> list[str]:
        found = await store.read(lambda tx: connections.of_account(tx, account))
        return [connection.id for connection in found]

    assert await of("crm:1") == ["acme", "brand"]
    assert await of("mail:2") == ["brand"]
    assert await of("mail:3") == []


async def test_a_problem_that_repeats_stays_one_repair_that_counts(store: Store) -> None:
    def twice(tx: Tx) -> None:
        repairs.open_(tx, "mail:1", "key-expired", "first", 1.0)
        repairs.open_(tx, "mail:1", "key-expired", "second", 2.0)
        repairs.open_(tx, "mail:2", "key-expired", "another", 2.0)

    await store.write(twice)
    rows = await store.read(repairs.still_open)
    assert [(row["subject"], row["text"], row["count"], row["opened"], row["seen"]) for row in rows] == [
        ("mail:1", "second", 2, 1.0, 2.0),
        ("mail:2", "another", 1, 2.0, 2.0),
    ]


async def test_a_mended_problem_that_comes_back_is_a_new_repair(store: Store) -> None:
    await store.write(lambda tx: repairs.open_(tx, "mail:1", "key-expired", "first", 1.0))
    await store.write(lambda tx: repairs.close(tx, "mail:1", "key-expired", 2.0))
    assert await store.read(repairs.still_open) == []
    await store.write(lambda tx: repairs.open_(tx, "mail:1", "key-expired", "again", 3.0))
    (row,) = await store.read(repairs.still_open)
    assert (row["text"], row["count"], row["opened"]) == ("again", 1, 3.0)
