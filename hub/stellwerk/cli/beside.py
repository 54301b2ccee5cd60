"""Looking into the database beside a running hub: read-only, with the key of the same file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from stellwerk.config.load import load
from stellwerk.config.secrets import BadReference, is_reference
from stellwerk.config.secrets import Vault as References
from stellwerk.config.spec import HubSpec, Integration
from stellwerk.errors import ConfigError, StoreError
from stellwerk.registry import load_connectors
from stellwerk.store import meta, rotation
from stellwerk.store.address import database_file, looking, shown
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault


class Beside(Struct, frozen=True, kw_only=True):
    """One consistent view of the database, and what opens what is sealed in it."""

    integration: Integration
    tx: Tx
    vault: Vault


View: TypeAlias = Callable[[], AbstractContextManager[Beside]]


def beside(config: Path) -> AbstractContextManager[Beside]:
    """The database that the file names. Raises `ConfigError` for a wrong file, `StoreError` for a database that is not there.

    Of the environment only `hub.secret_key` and `hub.database` are looked up; nobody is called, so no other secret is needed.
    """
    return view_of(config)()


def view_of(config: Path) -> View:
    """The same for whoever looks again and again: the file is read once. Raises `ConfigError` here, `StoreError` at a look."""
    loaded = load(config, None, load_connectors())
    integration = loaded.integration
    if integration is None:
        raise ConfigError(loaded.errors)
    folder = loaded.path.absolute().parent

    @contextmanager
    def view() -> Iterator[Beside]:
        database = followed("database", integration.hub.database, folder)
        before = integration.hub.secret_key_before
        vault = Vault(
            followed("secret_key", integration.hub.secret_key.reveal(), folder),
            None if before is None else followed("secret_key_before", before.reveal(), folder),
        )
        with looking(database, folder) as tx:
            wrapped = meta.value(tx, "hash_key")
            if wrapped is None:
                raise StoreError(f"{shown(database, folder)} was never used by a hub")
            vault.use_hash_key(wrapped)
            rotation.use_former_keys(tx, vault)
            yield Beside(integration=integration, tx=tx, vault=vault)

    return view


def hub_of(config: Path) -> tuple[HubSpec, Path]:
    """What stands under `hub:`, references as they are written, and the folder of the file. Raises `ConfigError`."""
    loaded = load(config, None, load_connectors())
    if loaded.integration is None:
        raise ConfigError(loaded.errors)
    return loaded.integration.hub, loaded.path.absolute().parent


def database_of(config: Path) -> Path | None:
    """The database file that the file names, None for one on a server; no other reference of the file is looked up."""
    spec, folder = hub_of(config)
    path = database_file(followed("database", spec.database, folder), folder)
    if path is not None and not path.is_file():
        raise StoreError(f"{path} is not there; has the hub of this file ever run?")
    return path


def followed(key: str, written: str, folder: Path) -> str:
    """What stands for itself, or what a reference means. Raises `StoreError`."""
    if not is_reference(written):
        return written
    try:
        return References(environ=os.environ, folder=folder).text(written)
    except BadReference as bad:
        raise StoreError(f"hub.{key}: {bad.what}; {bad.mend}") from None
