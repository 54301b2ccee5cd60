"""Facts about the database itself: wrapped keys, counters, cursors."""

from __future__ import annotations

from stellwerk.store.store import Tx

INSTANCE = "instance"
"""Begins the names under which hosts count, so that a restored back-up is known."""

MOVED = "moved"
"""Names, in a file that is not to be run any more, where its contents went."""


def value(tx: Tx, name: str) -> bytes | None:
    row = tx.one("select value from meta where name = :name", name=name)
    return None if row is None else row["value"]


def values(tx: Tx, prefix: str) -> list[bytes]:
    """Of all names that start so."""
    rows = tx.all("select name, value from meta order by name")
    return [row["value"] for row in rows if row["name"].startswith(prefix)]


def set_value(tx: Tx, name: str, new: bytes) -> None:
    tx.run(
        "insert into meta (name, value) values (:name, :value) on conflict (name) do update set value = excluded.value",
        name=name,
        value=new,
    )


def first_value(tx: Tx, name: str, proposed: bytes) -> bytes:
    """The value that stands, `proposed` when none stood before."""
    tx.run("insert into meta (name, value) values (:name, :value) on conflict do nothing", name=name, value=proposed)
    stands = value(tx, name)
    assert stands is not None
    return stands


def count(tx: Tx, name: str, by: int = 1) -> None:
    tx.run(
        "insert into counter (name, value) values (:name, :by) on conflict (name) do update set value = counter.value + :by",
        name=name,
        by=by,
    )


def counters(tx: Tx) -> dict[str, int]:
    return {row["name"]: row["value"] for row in tx.all("select name, value from counter order by name")}


def cursor(tx: Tx, account: str, name: str) -> str | None:
    row = tx.one("select value from cursor where account = :account and name = :name", account=account, name=name)
    return None if row is None else row["value"]


def set_cursor(tx: Tx, account: str, name: str, new: str) -> None:
    tx.run(
        "insert into cursor (account, name, value) values (:account, :name, :value)"
        " on conflict (account, name) do update set value = excluded.value",
        account=account,
        name=name,
        value=new,
    )


def cursors(tx: Tx, account: str, prefix: str) -> list[str]:
    """Names of the account's cursors that start so."""
    rows = tx.all("select name from cursor where account = :account order by name", account=account)
    return [row["name"] for row in rows if row["name"].startswith(prefix)]


def drop_cursor(tx: Tx, account: str, name: str) -> None:
    tx.run("delete from cursor where account = :account and name = :name", account=account, name=name)


def drop(tx: Tx, name: str) -> None:
    tx.run("delete from meta where name = :name", name=name)
