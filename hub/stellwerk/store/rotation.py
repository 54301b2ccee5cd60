"""Replacing `secret_key`: the keys are wrapped anew and credentials sealed anew at once, payloads in slices.

The key for hashes stays what it is, so that every digest, suppression and link goes on meaning what it meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stellwerk.errors import StoreError
from stellwerk.store import meta
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault

BEFORE = "key before:"
"""Begins the names of account keys that something may still be sealed with."""

DONE_UP_TO = "sealed anew"
SLICE = 200
SEALED: Mapping[str, Sequence[str]] = {
    "inbox": ("body", "answer"),
    "outbox": ("body", "answer"),
    "trace": ("body",),
    "sync_row": ("body",),
}
CREDENTIALS = ("secrets", "oauth", "hook_secret")


def begin(tx: Tx, vault: Vault) -> None:
    """Wrap every key with the `secret_key` of today. Accounts get new keys; the former ones are kept until `end`.

    Does nothing where that was done. Raises `StoreError` when a key was wrapped by neither of the two.
    """
    wrapped = meta.value(tx, "hash_key")
    anew = None if wrapped is None else vault.wrapped_anew("hash", wrapped)
    if anew is not None and _former(tx):
        raise StoreError(
            "an earlier replacement of secret_key is not finished; start with that secret_key until the log says it is"
        )
    if anew is not None:
        meta.set_value(tx, "hash_key", anew)
        _wrap_others(tx, vault)
        for row in tx.all("select * from account"):
            _new_account_key(tx, vault, row)
        for table in SEALED:
            meta.set_cursor(tx, DONE_UP_TO, table, "0")
    use_former_keys(tx, vault)


def use_former_keys(tx: Tx, vault: Vault) -> None:
    """Let `vault` open what is still sealed with them."""
    for row in _former(tx):
        vault.use_account_key_before(row["name"].removeprefix(BEFORE), row["value"])


def is_under_way(tx: Tx) -> bool:
    return meta.cursor(tx, DONE_UP_TO, "inbox") is not None


def go_on(tx: Tx, vault: Vault) -> int:
    """Seal the next slice anew; the number of rows looked at, 0 when all are done."""
    accounts = [row["name"].removeprefix(BEFORE) for row in _former(tx)]
    for table, columns in SEALED.items():
        start = int(meta.cursor(tx, DONE_UP_TO, table) or 0)
        rows = tx.all(f"select * from {table} where id > :start order by id limit :limit", start=start, limit=SLICE)
        if not rows:
            continue
        for row in rows:
            owners = [row["account"]] if "account" in row else accounts
            for column in columns:
                _seal(tx, vault, table, row, column, owners)
        meta.set_cursor(tx, DONE_UP_TO, table, str(rows[-1]["id"]))
        return len(rows)
    return 0


def end(tx: Tx) -> None:
    """Nothing is sealed with a former key any more: they go."""
    for row in _former(tx):
        meta.drop(tx, row["name"])
    for table in SEALED:
        meta.drop_cursor(tx, DONE_UP_TO, table)


def _wrap_others(tx: Tx, vault: Vault) -> None:
    for row in tx.all("select name, value from meta where name like 'key:%'"):
        anew = vault.wrapped_anew(row["name"].partition(":")[2], row["value"])
        if anew is not None:
            meta.set_value(tx, row["name"], anew)


def _new_account_key(tx: Tx, vault: Vault, row: Mapping[str, Any]) -> None:
    one = row["id"]
    former = vault.wrapped_anew(one, row["data_key"]) or row["data_key"]
    vault.use_account_key_before(one, former)
    meta.set_value(tx, BEFORE + one, former)
    key = vault.new_key(one)
    vault.use_account_key(one, key)
    tx.run("update account set data_key = :key where id = :id", key=key, id=one)
    for column in CREDENTIALS:
        _seal(tx, vault, "account", row, column, [one])


def _seal(tx: Tx, vault: Vault, table: str, row: Mapping[str, Any], column: str, owners: Sequence[str]) -> None:
    if row[column] is None:
        return
    anew = next(filter(None, (vault.sealed_anew(one, row[column]) for one in owners)), None)
    if anew is not None:
        tx.run(f"update {table} set {column} = :anew where id = :id", anew=anew, id=row["id"])


def _former(tx: Tx) -> Sequence[Mapping[str, Any]]:
    return tx.all("select name, value from meta where name like :before", before=f"{BEFORE}%")
