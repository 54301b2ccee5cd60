"""Orders: what a person tells a hub to do by a command; carried out by the hub that has the database.

A hub that runs listens on a socket beside its database, which only its own user may open. One line of JSON comes in,
`{"order": name, "with": {…}}`, and one goes out: `{"told": …}`, or `{"refused": why}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.errors import UNREADABLE, StellwerkError
from stellwerk.relay import dead, forgetting, held, holding, operator_link, preview, reconcile, renewal, states, sync
from stellwerk.relay.bug import place
from stellwerk.relay.hub import Hub, log

LONGEST_LINE = 1_000_000
BEGIN_SECONDS, LAST_WORD_SECONDS = 0.05, 2.0
"""For whoever was let in last to be heard, and for everybody to be answered, when the hub ends."""

LONGEST_NAME = 100
"""Bytes of a socket's path that every system takes."""

GIVE_WAY = "give way"


async def give_way(hub: Hub, *, by: str) -> bool:
    """Let go of the database for a hub that starts. Raises `StellwerkError` where this is one itself."""
    if hub.gives_way is None:
        raise StellwerkError("a hub has this database")
    hub.gives_way.set()
    log.info("the database is given to the hub that %s starts", by)
    return True


Order = Callable[..., Awaitable[Any]]
ORDERS: Mapping[str, Order] = {
    "hold": holding.hold,
    "go on": holding.go_on,
    "release": held.release,
    "discard": held.discard,
    "replay": dead.replay,
    "preview replay": preview.preview,
    "dismiss": dead.dismiss,
    "state": states.set_state,
    "renew webhooks": renewal.renew_hooks,
    "erase": forgetting.erase_address,
    "forget": forgetting.forget_connection,
    "sync dry run": sync.dry_run,
    "sync start": sync.start,
    "sync stop": sync.stop,
    "sync resume": sync.resume,
    "sync cancel": sync.cancel,
    "sync status": sync.status,
    "reconcile": reconcile.reconcile,
    "operator link": operator_link.operator_link,
    GIVE_WAY: give_way,
}


class Given(Struct, frozen=True, kw_only=True, rename={"arguments": "with"}):
    """One order as it is written to the socket."""

    order: str
    arguments: dict[str, Any]


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it: `refused` says why nothing did."""

    told: Any = None
    refused: str | None = None


def socket_of(database: Path) -> Path:
    """Where the hub that has this database listens."""
    return database.with_name(database.name + ".sock")


@contextmanager
def named(socket: Path) -> Iterator[str]:
    """A name for the socket that is short enough, whatever its folder is called."""
    if len(os.fsencode(socket.absolute())) <= LONGEST_NAME:
        yield str(socket.absolute())
        return
    folder = os.open(socket.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{socket.name}"
    finally:
        os.close(folder)


async def carry_out(hub: Hub, order: str, arguments: Mapping[str, Any]) -> Any:
    """What the order answers. Raises `StellwerkError` where it cannot be done."""
    work = ORDERS.get(order)
    if work is None:
        raise StellwerkError(f"this hub knows no order {order!r}; is it of another version than the command?")
    return await work(hub, **arguments)


@asynccontextmanager
async def listening(hub: Hub, database: Path | None) -> AsyncIterator[None]:
    """Take orders while this lasts; without a database file, or where no socket can be made, nobody can give any."""
    talks: set[asyncio.Task[Any]] = set()
    server = None if database is None else await _server(hub, database, talks)
    try:
        yield
    finally:
        if database is not None and server is not None:
            with contextlib.suppress(OSError):
                socket_of(database).unlink(missing_ok=True)
            await asyncio.sleep(BEGIN_SECONDS)  # whom a server takes in once it is closed it never lets go of
            server.close()
            await _over(talks)


async def _over(talks: set[asyncio.Task[Any]]) -> None:
    """Whoever is being answered gets a moment; then the line is cut, so that none is left open."""
    if talks:
        _, silent = await asyncio.wait(talks, timeout=LAST_WORD_SECONDS)
        for one in silent:
            one.cancel()
        await asyncio.gather(*silent, return_exceptions=True)


async def _server(hub: Hub, database: Path, talks: set[asyncio.Task[Any]]) -> asyncio.Server | None:
    """What listens beside the database; None where none can be made: contacts do not wait for commands."""
    socket = socket_of(database)
    before = os.umask(0o177)
    try:
        socket.unlink(missing_ok=True)  # of a hub that ended; whoever has the database's lock is alone
        with named(socket) as name:
            return await asyncio.start_unix_server(lambda r, w: _talk(hub, r, w, talks), name, limit=LONGEST_LINE)
    except OSError as error:
        log.warning("no orders are taken: %s cannot be made a socket: %s", socket, error.strerror or error)
        return None
    finally:
        os.umask(before)


async def _talk(
    hub: Hub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talks: set[asyncio.Task[Any]]
) -> None:
    me = asyncio.current_task()
    assert me is not None
    talks.add(me)
    try:
        await _answer(hub, reader, writer)
    finally:
        talks.discard(me)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _answer(hub: Hub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        given = msgspec.json.decode(await reader.readline(), type=Given)
    except (*UNREADABLE, ValueError, ConnectionError):
        answer = Answer(refused="this is no order")
    else:
        answer = await _done(hub, given)
    with contextlib.suppress(ConnectionError):
        writer.write(msgspec.json.encode(answer) + b"\n")
        await writer.drain()


async def _done(hub: Hub, given: Given) -> Answer:
    try:
        return Answer(told=await carry_out(hub, given.order, given.arguments))
    except StellwerkError as refused:
        return Answer(refused=str(refused))
    except Exception as bug:
        log.error("an order: a bug: %s", place(bug))
        return Answer(refused="a bug kept this from being done; the hub's log names the place")
