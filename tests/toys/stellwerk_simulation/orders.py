"""What operators and customers order of the hub: to hold what mails, to watch, to sync. An order is given until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from stellwerk.errors import StellwerkError
from stellwerk.relay import holding, states, sync
from stellwerk.relay.hub import Hub
from stellwerk.relay.sync import SyncRefused
from stellwerk_simulation.fate import Gone
from stellwerk_simulation.history import PEOPLE, Merge, Sync, Watch, Write
from stellwerk_simulation.oracle import Oracle
from stellwerk_simulation.people import Person
from stellwerk_simulation.process import CONNECTION
from stellwerk_simulation.world import World

WHILE_SECONDS = 60.0
TRIES = 400
TAKEN = frozenset({"going-on", "dry-run-used"})
"""Why an order is refused that was taken already, by a process that ended before it could say so."""


class Differs(AssertionError):
    """What is shown is not what must be."""


async def order(world: World, work: Callable[[Hub], Awaitable[Any]]) -> None:
    """The hub may be ending, or its disk be full: then once more."""
    for _ in range(TRIES):
        try:
            await work(world.process.hub)
        except SyncRefused as refused:
            if refused.code in TAKEN:
                return
            raise
        except (StellwerkError, Gone, asyncio.CancelledError):
            await world.sleep(10)
        else:
            return
    raise Differs("an order was not taken for an hour")


async def go_on(world: World) -> None:
    await order(world, lambda hub: holding.go_on(hub, by="jo"))


async def hold(world: World, oracle: Oracle, meanwhile: Write) -> None:
    """Nothing is mailed while an operator holds it; what was held is made up for."""
    await order(world, lambda hub: holding.hold(hub, by="jo"))
    await _without_a_mail(world, lambda: write(world, oracle, meanwhile))
    await go_on(world)


async def watch(world: World, oracle: Oracle, deed: Watch) -> None:
    """Nothing is mailed while the connection watches or rests; what happened meanwhile is decided at the next event."""

    def turned(state: str) -> Callable[[Hub], Awaitable[Any]]:
        return lambda hub: states.set_state(hub, connection=CONNECTION, state=state, by="jo")

    await order(world, turned(deed.state))
    email, said = PEOPLE[deed.meanwhile.who], deed.meanwhile
    await _without_a_mail(world, lambda: world.vendors.write(said.by, email, said.values))
    await order(world, turned("runs"))
    touched = {"firstname": f"Dora {world.now():.0f}"} if deed.then is None else deed.then
    first = world.vendors.write("person", email, touched)
    if deed.then is None:
        oracle.wrote(first, said.by, {**said.values, **touched}, world.now())
    else:
        oracle.wrote(first, said.by, said.values, world.now())
        oracle.wrote(first, "person", touched, world.now())


async def run_sync(world: World, oracle: Oracle, deed: Sync) -> None:
    """A dry run, and with the numbers that it counted the sync; what happens meanwhile is nothing that the sync could change."""
    terms = {"ask": deed.ask, "permission": "none" if deed.ask else deed.permission}
    await order(world, lambda hub: sync.dry_run(hub, connection=CONNECTION, by="jo", **terms))
    counts = (await _done(world, "dry run"))["counts"]
    numbers = {"ask": counts["mailed"], "grant": counts["granted"]}
    await order(world, lambda hub: sync.start(hub, connection=CONNECTION, by="jo", **numbers))
    before = {email: _place(one) for email, one in oracle.people.items()}
    oracle.synced(**terms, at=world.now())
    match deed.meanwhile:
        case Write() if oracle.people[PEOPLE[deed.meanwhile.who]].linked:
            write(world, oracle, deed.meanwhile)
        case Merge():
            one, other = PEOPLE[deed.meanwhile.who], PEOPLE[deed.meanwhile.other]
            # Whom the sync is to bring in is brought in before a merge or stays out after it, as it comes to them.
            now = {email: _place(oracle.people[email]) for email in (one, other)}
            if all(place.linked and place == before[email] for email, place in now.items()):
                merge(world, oracle, one, other)
    await _done(world, "sync")


class _Place(NamedTuple):
    """Whether somebody is in, and what a sync may change of that."""

    linked: bool
    mails: int
    there: bool
    permission: str


def _place(one: Person) -> _Place:
    return _Place(one.linked, one.mails, one.there.alive, one.there.permission)


async def _done(world: World, kind: str) -> dict[str, Any]:
    """The status of the last run of this kind, once it is over."""
    found: list[dict[str, Any]] = []

    async def look(hub: Hub) -> None:
        found[:] = [one for one in await sync.status(hub, by="jo", connection=CONNECTION) if one["kind"] == kind]

    for _ in range(TRIES):
        await world.sleep(20)
        await order(world, look)
        if found and found[0]["state"] != "running":
            break
    if not found or found[0]["state"] != "done":
        raise Differs(f"the {kind} did not come to its end: {found}")
    return found[0]


async def _without_a_mail(world: World, happens: Callable[[], None]) -> None:
    before = len(world.vendors.news.mails)
    happens()
    await world.sleep(WHILE_SECONDS)
    if len(world.vendors.news.mails) != before:
        raise Differs("a mail went out while nothing was to be mailed")


# --- what people do at the CRM, for both the twin and the oracle ------------------------------------------------------


def write(world: World, oracle: Oracle, deed: Write) -> None:
    first = world.vendors.write(deed.by, PEOPLE[deed.who], deed.values)
    oracle.wrote(first, deed.by, deed.values, world.now())


def merge(world: World, oracle: Oracle, one: str, other: str) -> None:
    if world.vendors.merge(one, other):
        oracle.merged(one, other)


def move(world: World, oracle: Oracle, one: str, to: str, by: str) -> None:
    """Not of somebody who opted out: what the newsletter tells of the old address afterwards may be taken for the new one's."""
    known = oracle.people[one]
    if not (known.opt_outs or known.refuses) and world.vendors.move(by, one, to):
        oracle.moved(one, to, by, world.now())
