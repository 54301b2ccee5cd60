"""A hub moves from its file to a server: nothing is lost on the way, and the file is not run again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from stellwerk.errors import StoreError
from stellwerk.relay import instance
from stellwerk.relay.place import Place
from stellwerk.store import meta, moving
from stellwerk.store.address import shown
from stellwerk.store.postgres import PostgresStore
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Tx


async def move(source: Path, url: str, state: Path) -> dict[str, int]:
    """Rows by table that are on the server now. `state` is the folder of this host that the hub there will use.

    Raises `StoreError` when a hub runs on the file, the database there is used, or one of the two cannot be used.
    """
    target = shown(url, source.parent)
    here = SqliteStore.open(source)
    try:
        await PostgresStore.open(url).close()
        if moving.is_used(url):
            raise StoreError(f"{target} has been used by a hub already; take an empty database")
        with closing(Place(state)) as place:
            return await _moved(here, source, url, target, place.mark)
    finally:
        await here.close()


async def _moved(here: SqliteStore, source: Path, url: str, target: str, there: Path) -> dict[str, int]:
    mark = await here.read(lambda tx: instance.to_carry(tx, source, there, here.now()))
    before = await here.read(lambda tx: meta.value(tx, meta.MOVED))
    rows = [] if mark is None else [(f"{meta.INSTANCE} {mark.id}", msgspec.json.encode(mark))]
    # First of all: between here and the end there must be no moment at which both could be run.
    await here.write(lambda tx: meta.set_value(tx, meta.MOVED, target.encode()))
    try:
        counted = moving.copy(source, url, iter(rows))
    except StoreError:
        await here.write(lambda tx: _as_before(tx, before))
        raise
    if mark is not None:
        instance.put(there, mark)
    return counted


def _as_before(tx: Tx, moved: bytes | None) -> None:
    """A file that was moved before stays so, whatever becomes of moving it once more."""
    if moved is None:
        meta.drop(tx, meta.MOVED)
    else:
        meta.set_value(tx, meta.MOVED, moved)
