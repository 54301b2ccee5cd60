"""A restored back-up must not mail again: an id and a counter stand in the database and in a small file beside it.
With a database on a server the file lies in the state folder, and each host has a file and a row of its own.

The counter is raised at each start, each minute and at the end, and compared each time. What is not equal is another, older
database: everything that mails or grants is held until a person says so. A hub that was merely away for long holds it until
the reports of the gap were read.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from stellwerk.errors import StoreError
from stellwerk.registry import has
from stellwerk.relay.hub import Hub, log
from stellwerk.sdk.connector import Reporter
from stellwerk.store import accounts, connections, counts, hold, lease, meta, repairs
from stellwerk.store.hold import PAUSED, RESTORED, Hold
from stellwerk.store.private import private
from stellwerk.store.put_back import put_back
from stellwerk.store.store import Tx

BEAT_SECONDS = 60.0
LONG_SECONDS = 3600.0
RESTORED_AT = "restored_at"
ALIVE_SECONDS = 3 * BEAT_SECONDS
APART_SECONDS = 5.0
"""Further than the clocks of two hosts that go by one server can be."""


class Mark(Struct, frozen=True, kw_only=True):
    """`settled` is False in the file while the database may not have the same counter yet; `beat` when it was raised."""

    id: str
    counter: int
    beat: float = 0.0
    settled: bool = True


def judged(stored: Mark | None, beside: Mark | None, now: float, newest: float = 0.0) -> str | None:
    """What happened to a used database since it was last open: restored, paused, or nothing (None).

    `newest` is when any host last raised its counter.
    """
    if stored is None or beside is None or stored.id != beside.id:
        return RESTORED
    late = not beside.settled and stored.counter == beside.counter - 1
    if stored.counter != beside.counter and not late:
        return RESTORED
    return PAUSED if now - max(stored.beat, newest) > LONG_SECONDS else None


async def begin(hub: Hub) -> None:
    """Compare both, hold what mails or grants where they are not equal, and raise the counter."""
    if hub.place is None:
        await _compare(hub, begins=True)
        return
    async with hub.place.starting():
        if hub.place.watches():
            await _compare(hub, begins=True)
        else:
            _know(hub, _read(hub.place.mark))


async def _compare(hub: Hub, *, begins: bool) -> None:
    """While it runs, a hub was not away, however long its beats were kept from the database."""
    path = _file(hub)
    if path is None:
        return
    beside = _read(path)

    def work(tx: Tx) -> None:
        stored = _stored(tx, hub, beside)
        beats = [one.beat for one in _all(tx)]
        if not beats and (not connections.every(tx) or not counts.is_anything_planned(tx)):
            return  # a new database: nothing was ever sent from it
        if not beats and beside is None and hub.place is None:
            return  # of a version that had no such mark
        if stored is not None and stored.beat > hub.now() + APART_SECONDS:
            log.warning("the clock was put back: whatever waits is looked at now")
            put_back(tx, hub.now())
        verdict = judged(stored, beside, hub.now(), newest=max(beats, default=0.0))
        if beside is None and hub.place is not None and hub.now() - max(beats, default=0.0) < ALIVE_SECONDS:
            verdict = None  # one more host, beside others that are at it
        if verdict == RESTORED or (verdict == PAUSED and begins):
            _hold(tx, verdict, hub.now())

    await hub.store.write(work)
    await _raise(hub, path)


def _hold(tx: Tx, because: str, now: float) -> None:
    if because == RESTORED:
        meta.set_value(tx, RESTORED_AT, str(now).encode())
    if not hold.put_on(tx, Hold(since=now, by="the hub", because=because)):
        return
    log.warning("%s: what mails or grants is held", because)
    if because == RESTORED:
        text = "this database is older than, or another than, the one that ran here last; nobody is mailed until `stellwerk hold off`"
        repairs.open_(tx, repairs.WHOLE_HUB, RESTORED, text, now)


def restored_at(tx: Tx) -> datetime | None:
    """When this database last turned out to be a restored one: of what happened before, more may be done than it knows."""
    value = meta.value(tx, RESTORED_AT)
    return None if value is None else datetime.fromtimestamp(float(value), UTC)


async def beat(hub: Hub) -> None:
    """Compare, and raise the counter; of several processes of a host one does, and the others learn how far it has come."""
    path = _file(hub)
    if path is None:
        return
    beside = _read(path)
    if hub.place is not None and not hub.place.watches():
        _know(hub, beside)
    elif beside is None:  # whoever took the file away while we run has put no other database there
        await _raise(hub, path)
    else:
        await _compare(hub, begins=False)


def _know(hub: Hub, mark: Mark | None) -> None:
    hub.counted = None if mark is None or not mark.settled else (_row(hub, mark), mark.counter)


async def look(hub: Hub) -> None:
    """Before anybody is called: a server may have come back with an older database, of which no start has told."""
    if hub.store.alone or hub.counted is None:
        return
    name, counter = hub.counted

    def is_older(tx: Tx) -> bool:
        value = meta.value(tx, name)
        return value is None or msgspec.json.decode(value, type=Mark).counter < counter

    if await hub.store.read(is_older):
        await hub.store.write(lambda tx: _hold(tx, RESTORED, hub.now()))
        hub.counted = None  # until it is told anew


async def _raise(hub: Hub, path: Path) -> None:
    """The file first, so that a crash in between is not taken for a restore."""
    beside = _read(path)
    before = await hub.store.read(lambda tx: _stored(tx, hub, beside)) or Mark(id=secrets.token_hex(16), counter=0)
    next_ = Mark(id=before.id, counter=before.counter + 1, beat=hub.now())
    _write(path, msgspec.structs.replace(next_, settled=False))
    name = _row(hub, next_)
    await hub.store.write(lambda tx: meta.set_value(tx, name, msgspec.json.encode(next_)))
    _know(hub, next_)
    _write(path, next_)


async def end_pause(hub: Hub) -> None:
    """Let go on what a pause held, once every account that reports was asked for what happened meanwhile."""

    def work(tx: Tx) -> bool:
        stands = hold.standing(tx)
        if stands is None or stands.because != PAUSED:
            return False
        for account in accounts.every(tx, hub.vault):
            reports = account.system in hub.systems and has(hub.systems[account.system].connector, Reporter)
            if account.state == "ok" and reports and hold.holds(tx, account.id):
                return False
        hold.lift(tx)
        lease.wake_all(tx, hub.now())  # whoever reports nothing hears of it by no poll of its own
        return True

    if await hub.store.write(work):
        hub.wake()


def to_carry(tx: Tx, database: Path, there: Path, now: float) -> Mark | None:
    """The mark that goes with a database file to another place; None where the file is not the one that ran here last.

    `there` is where the mark goes. Where it stands already and was raised, a hub went on after the file had been moved.
    """
    value = meta.value(tx, meta.INSTANCE)
    stored = None if value is None else msgspec.json.decode(value, type=Mark)
    if stored is None or judged(stored, _read(_beside(database)), now) == RESTORED:
        return None
    went_on = _read(there)
    return None if went_on is not None and went_on.id == stored.id and went_on.counter > stored.counter else stored


def put(path: Path, mark: Mark) -> None:
    """Write the small file. Raises `StoreError`."""
    _write(path, mark)


def _beside(database: Path) -> Path:
    return database.with_name(database.name + ".instance")


def _file(hub: Hub) -> Path | None:
    if hub.place is not None:
        return hub.place.mark
    return None if hub.database is None else _beside(hub.database)


def _row(hub: Hub, mark: Mark) -> str:
    """Name of the row that belongs to the file: a database on a server has one for each host."""
    return meta.INSTANCE if hub.place is None else f"{meta.INSTANCE} {mark.id}"


def _stored(tx: Tx, hub: Hub, beside: Mark | None) -> Mark | None:
    if hub.place is not None and beside is None:
        return None
    value = meta.value(tx, meta.INSTANCE if beside is None else _row(hub, beside))
    return None if value is None else msgspec.json.decode(value, type=Mark)


def _all(tx: Tx) -> list[Mark]:
    return [msgspec.json.decode(value, type=Mark) for value in meta.values(tx, meta.INSTANCE)]


def _read(path: Path) -> Mark | None:
    """What stands in the file; None where it is missing or not to be read, which both count as a restore."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(path: Path, mark: Mark) -> None:
    fresh = path.with_name(path.name + ".new")
    try:
        with open(fresh, "wb", opener=private) as file:
            file.write(msgspec.json.encode(mark))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({os.strerror(error.errno or 0)}); the hub's user must own its folder"
        ) from None
