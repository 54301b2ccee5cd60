"""Looking into the database beside a running hub: read-only, with the key of the same file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from stellwerk.app import SQLITE
from stellwerk.config.load import load
from stellwerk.config.secrets import BadReference, is_reference
from stellwerk.config.secrets import Vault as References
from stellwerk.config.spec import Integration
from stellwerk.errors import ConfigError, StoreError
from stellwerk.registry import load_connectors
from stellwerk.store import meta, rotation
from stellwerk.store.sqlite import SqliteTx, connect
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault


class Beside(Struct, frozen=True, kw_only=True):
    """One consistent view of the database, and what opens what is sealed in it."""

    integration: Integration
    tx: Tx
    vault: Vault


@contextmanager
def beside(config: Path) -> Iterator[Beside]:
    """The database that the file names. Raises `ConfigError` for a wrong file, `StoreError` for a database that is not there.

    Of the environment only `hub.secret_key` and `hub.database` are looked up; nobody is called, so no other secret is needed.
    """
    loaded = load(config, None, load_connectors())
    integration = loaded.integration
    if integration is None:
        raise ConfigError(loaded.errors)
    folder = loaded.path.absolute().parent
    path = _database(folder, _followed("database", integration.hub.database, folder))
    before = integration.hub.secret_key_before
    vault = Vault(
        _followed("secret_key", integration.hub.secret_key.reveal(), folder),
        None if before is None else _followed("secret_key_before", before.reveal(), folder),
    )
    try:
        with closing(connect(path, read_only=True)) as connection:
            connection.execute("begin")
            tx = SqliteTx(connection)
            wrapped = meta.value(tx, "hash_key")
            if wrapped is None:
                raise StoreError(f"{path} was never used by a hub")
            vault.use_hash_key(wrapped)
            rotation.use_former_keys(tx, vault)
            yield Beside(integration=integration, tx=tx, vault=vault)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read: {error}") from None


def database_of(config: Path) -> Path:
    """The database file that the file names; no other reference of it is looked up."""
    loaded = load(config, None, load_connectors())
    if loaded.integration is None:
        raise ConfigError(loaded.errors)
    folder = loaded.path.absolute().parent
    return _database(folder, _followed("database", loaded.integration.hub.database, folder))


def _followed(key: str, written: str, folder: Path) -> str:
    """What stands for itself, or what a reference means."""
    if not is_reference(written):
        return written
    try:
        return References(environ=os.environ, folder=folder).text(written)
    except BadReference as bad:
        raise StoreError(f"hub.{key}: {bad.what}; {bad.mend}") from None


def _database(folder: Path, database: str) -> Path:
    if not database.startswith(SQLITE):
        raise StoreError(f"no store for {database.split(':', 1)[0]}: in this version; use sqlite:///FILE")
    path = folder / database.removeprefix(SQLITE)
    if not path.is_file():
        raise StoreError(f"{path} is not there; has the hub of this file ever run?")
    return path
