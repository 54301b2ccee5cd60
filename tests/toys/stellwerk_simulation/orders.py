"""What operators and customers order of the hub: to hold what mails, to watch, to sync. An order is given until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from stellwerk.errors import StellwerkError
from stellwerk.relay import holding, linking, states, sync
from stellwerk.relay.hub import Hub
from stellwerk.relay.sync import SyncRefused
from stellwerk.store import connections
from stellwerk_simulation.fate import Gone
from stellwerk_simulation.history import PEOPLE, Merge, Save, Sync, Unlink, Watch, Write
from stellwerk_simulation.oracle import Oracle
from stellwerk_simulation.people import Person
from stellwerk_simulation.process import CONNECTIONS
from stellwerk_simulation.world import World

WHILE_SECONDS = 60.0
TRIES = 400
TAKEN = frozenset({"going-on", "dry-run-used"})
"""Why an order is refused that was taken already, by a process that ended before it could say so."""


Oracles: TypeAlias = Mapping[str, Oracle]
"""Of each address, the oracle of the connection that it belongs to."""


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


def connection_of(world: World, who: int) -> str:
    return CONNECTIONS[world.vendors.portals.index(world.vendors.portal(PEOPLE[who]))]


def _linked(oracles: Oracles, email: str) -> bool:
    return oracles[email].people[email].linked


async def save(world: World, oracles: Oracles, deed: Save) -> None:
    oracle = oracles[PEOPLE[deed.who]]
    settings = {**oracle.settings, **deed.settings}
    if settings["no_answer"] != oracle.settings["no_answer"]:
        world.told_by_polls += 1  # of who is new a poll tells once more, and by the new setting that could bring her in
        await world.rest()
    await order(world, lambda _: world.process.save(connection_of(world, deed.who), settings))
    oracle.settings = settings


async def go_on(world: World) -> None:
    await order(world, lambda hub: holding.go_on(hub, by="jo"))


async def hold(world: World, oracles: Oracles, meanwhile: Write) -> None:
    """Nothing is mailed while an operator holds it; what was held is made up for."""
    await order(world, lambda hub: holding.hold(hub, by="jo"))
    await _without_a_mail(world, lambda: write(world, oracles, meanwhile))
    await go_on(world)


async def watch(world: World, oracles: Oracles, deed: Watch) -> None:
    """Nothing is mailed while the connection watches or rests; what happened meanwhile is decided at the next event."""

    connection = connection_of(world, deed.meanwhile.who)

    def turned(state: str) -> Callable[[Hub], Awaitable[Any]]:
        return lambda hub: states.set_state(hub, connection=connection, state=state, by="jo")

    await order(world, turned(deed.state))
    email, said = PEOPLE[deed.meanwhile.who], deed.meanwhile
    await _without_a_mail(world, lambda: world.vendors.write(said.by, email, said.values))
    await order(world, turned("runs"))
    touched = {"firstname": f"Dora {world.now():.0f}"} if deed.then is None else deed.then
    first = world.vendors.write("person", email, touched)
    if deed.then is None:
        oracles[first].wrote(first, said.by, {**said.values, **touched}, world.now())
    else:
        oracles[first].wrote(first, said.by, said.values, world.now())
        oracles[first].wrote(first, "person", touched, world.now())


async def unlink(world: World, oracles: Oracles, deed: Unlink, happens: Callable[[], Awaitable[object]]) -> None:
    """Of an unlinked contact only a no is carried. Linked again it is as one back from a deletion whose records meet anew."""
    email, said = PEOPLE[deed.who], deed.meanwhile
    oracle, one = oracles[email], oracles[email].people[email]

    def pressed(button: Callable[..., Awaitable[str | None]], wanted: set[str]) -> Callable[[Hub], Awaitable[Any]]:
        async def press(hub: Hub) -> None:
            known = await hub.store.read(lambda tx: connections.by_id(tx, connection_of(world, deed.who)))
            assert known is not None
            told = await button(hub, known, who=email, by="jo")
            if told not in wanted:
                raise Differs(f"{button.__name__} answers {told}")

        return press

    await order(world, pressed(linking.unlink, {linking.UNLINKED, linking.ALREADY}))
    one.linked, one.record.only_wish, one.binned = False, True, one.record
    if isinstance(said, Write):
        world.vendors.write(said.by, email, said.values)
        wishes = said.values.get("maileon_subscribe") == "true"  # which nobody hears
        oracle.wrote(email, "import" if wishes else said.by, said.values, world.now())
    else:
        await happens()
    await world.rest()
    await world.rest()  # a webhook that was lost meanwhile is made up for by a poll
    await order(world, pressed(linking.link_again, {linking.ASKED_FOR, linking.ALREADY}))
    oracle.restored(email)
    one.linked = False
    if one.there.alive:
        one.link()


async def run_sync(world: World, oracles: Oracles, deed: Sync) -> None:
    """A dry run, and with the numbers that it counted the sync; what happens meanwhile is nothing that the sync could change."""
    connection = connection_of(world, deed.who)
    terms = {"ask": deed.ask, "permission": "none" if deed.ask else deed.permission}
    await order(world, lambda hub: sync.dry_run(hub, connection=connection, by="jo", **terms))
    counts = (await _done(world, connection, "dry run"))["counts"]
    numbers = {"ask": counts["mailed"], "grant": counts["granted"]}
    await order(world, lambda hub: sync.start(hub, connection=connection, by="jo", **numbers))
    before = {email: _place(oracle.people[email]) for email, oracle in oracles.items()}
    oracles[PEOPLE[deed.who]].synced(**terms, at=world.now())
    match deed.meanwhile:
        case Write() if _linked(oracles, PEOPLE[deed.meanwhile.who]):
            write(world, oracles, deed.meanwhile)
        case Merge():
            one, other = PEOPLE[deed.meanwhile.who], PEOPLE[deed.meanwhile.other]
            # Whom the sync is to bring in is brought in before a merge or stays out after it, as it comes to them.
            now = {email: _place(oracles[email].people[email]) for email in (one, other)}
            stays = all(place.linked and place == before[email] for email, place in now.items())
            if stays and merge(world, oracles, one, other):
                world.reached["merge during a sync"] += 1
    await _done(world, connection, "sync")


class _Place(NamedTuple):
    """Whether somebody is in, and what a sync may change of that."""

    linked: bool
    mails: int
    there: bool
    permission: str


def _place(one: Person) -> _Place:
    return _Place(one.linked, one.mails, one.there.alive, one.there.permission)


async def _done(world: World, connection: str, kind: str) -> dict[str, Any]:
    """The status of the last run of this kind, once it is over."""
    found: list[dict[str, Any]] = []

    async def look(hub: Hub) -> None:
        found[:] = [one for one in await sync.status(hub, by="jo", connection=connection) if one["kind"] == kind]

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


def write(world: World, oracles: Oracles, deed: Write) -> None:
    first = world.vendors.write(deed.by, PEOPLE[deed.who], deed.values)
    oracles[first].wrote(first, deed.by, deed.values, world.now())


def merge(world: World, oracles: Oracles, one: str, other: str) -> bool:
    """Whether that could be."""
    merges = world.vendors.merge(one, other)
    if merges:
        oracles[one].merged(one, other)
    return merges


def move(world: World, oracles: Oracles, one: str, to: str, by: str) -> bool:
    """Not of somebody who opted out: what the newsletter tells of the old address afterwards may be taken for the new one's."""
    known = oracles[one].people[one]
    moves = not (known.opt_outs or known.refuses) and world.vendors.move(by, one, to)
    if moves:
        oracles[one].moved(one, to, by, world.now())
    return moves
