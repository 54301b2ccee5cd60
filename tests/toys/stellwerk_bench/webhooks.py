"""webhooks: acknowledged requests over HTTP, beside peers that take the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from stellwerk_bench import machine
from stellwerk_bench.figures import Line, Series, Verdict, number, percentile
from stellwerk_bench.peers.n8n import n8n
from stellwerk_bench.peers.node_red import PLAIN, node_red
from stellwerk_bench.peers.room import Absent
from stellwerk_bench.posted import PATH, Posted, requests
from stellwerk_bench.posting import Client
from stellwerk_bench.scene import PORTAL, BenchScene, people
from stellwerk_demo.scene import HOOK_HOST

CONNECTIONS, ROUNDS, SECONDS_A_ROUND, CONTACTS = 16, 3, 6.0, 20_000
BATCHES, SINGLES = 100, 1
SHAPES = {BATCHES: "requests of 100", SINGLES: "single events"}
MOST_REQUESTS = {BATCHES: 4_000, SINGLES: 20_000}
OURS, TAKING, BARE = "Stellwerk", "Stellwerk taking in only", "Node-RED keeping nothing"
NODE_RED, N8N = "Node-RED", "n8n"
SLOW_VENDOR = {"name": "bench", "kind": "latency", "match": {"path": "batch/read"}, "seconds": [20.0, 20.0]}
KEPT = (
    "Stellwerk: every event (SQLite, synchronous=FULL). Node-RED: every body (SQLite in WAL mode, synchronous=FULL by its"
    " default). n8n: nothing for sure, its execution is saved after the answer"
)
WHY = (
    "Node-RED takes a request as one message, whatever is in it, and keeps its body as one row. The hub checks who sent it, makes"
    " a row of each of its events, seals each, finds those that it has already, and meanwhile reads and decides in the same"
    " interpreter, which no peer does with what it took."
)


class Room(Struct):
    """Where a subject takes webhooks, and the process that does."""

    port: int
    path: str
    process: int
    settings: str


class Found(Struct):
    """What one subject did in all rounds, by events a request."""

    rates: dict[int, list[float]]
    cores: dict[int, float]
    slowest: dict[int, float]


def measured(scale: float) -> Line:
    """Events a second that are acknowledged, in requests of 100 events and of one."""
    share = min(1.0, scale * 4)
    with ExitStack() as open_rooms:
        scene = open_rooms.enter_context(connected(max(500, int(CONTACTS * share))))
        rooms, absent = _rooms(open_rooms, scene)
        found = {name: Found(rates={}, cores={}, slowest={}) for name in rooms}
        starts = iter(range(0, 10**9, 10**7))
        for turn in range(ROUNDS):
            order = list(rooms)
            for name in order[turn % len(order) :] + order[: turn % len(order)]:
                with _slow_vendor(scene) if name == TAKING else ExitStack():
                    for events in SHAPES:
                        posted = _made(scene, int(MOST_REQUESTS[events] * max(share, 0.1)), events, next(starts))
                        _round(found[name], rooms[name], posted, events, max(2.0, SECONDS_A_ROUND * share))
    return _line(rooms, absent, found)


@contextmanager
def connected(contacts: int) -> Iterator[BenchScene]:
    """A hub that somebody connected, with contacts that events can be about."""
    with BenchScene() as scene:
        scene.seed(people(contacts))
        scene.connect()
        yield scene


def _rooms(open_rooms: ExitStack, scene: BenchScene) -> tuple[dict[str, Room], dict[str, str]]:
    told = "uvicorn, SQLite; every event authentic, sealed and recognised before it is acknowledged"
    hub = scene.processes()["hub"]
    rooms = {
        OURS: Room(scene.port, PATH, hub, f"{told}; its lanes read and decide meanwhile"),
        TAKING: Room(scene.port, PATH, hub, f"{told}; the vendor answers no read meanwhile, so that its lanes wait"),
    }
    absent: dict[str, str] = {}
    peers: tuple[tuple[str, Callable[[], object]], ...] = ((NODE_RED, node_red), (N8N, n8n))
    for name, start in peers:
        try:
            (port, path, process), settings = open_rooms.enter_context(start())  # type: ignore[arg-type]
        except Absent as why:
            absent[name] = str(why)
            continue
        rooms[name] = Room(port, path, process, settings)
        if name == NODE_RED:
            rooms[BARE] = Room(port, PLAIN, process, "the same process; http in → http response, nothing is kept")
    return rooms, absent


@contextmanager
def _slow_vendor(scene: BenchScene) -> Iterator[None]:
    scene.hubspot.control("POST", "/faults", SLOW_VENDOR)
    try:
        yield
    finally:
        scene.hubspot.control("DELETE", "/faults")


def _made(scene: BenchScene, count: int, events: int, start: int) -> list[Posted]:
    secret, app = (scene.environment[name] for name in ("HUBSPOT_CLIENT_SECRET", "HUBSPOT_APP_ID"))
    made = requests(
        count, secret=secret, base_url=HOOK_HOST, portal=PORTAL, app=int(app), events=events, start=start, contacts=scene.ids
    )  # fmt: skip
    return list(made)


def _round(found: Found, room: Room, posted: list[Posted], events: int, seconds: float) -> None:
    client, used, began = Client(room.port, room.path), machine.Used({"it": room.process}), time.perf_counter()
    rate = client.send(posted, seconds, CONNECTIONS)
    found.cores[events] = used.cores(time.perf_counter() - began)["it"]
    found.slowest[events] = percentile(client.waits, 0.99)
    found.rates.setdefault(events, []).append(rate * events)


def _line(rooms: dict[str, Room], absent: dict[str, str], found: dict[str, Found]) -> Line:
    names = [*rooms, *absent]
    series = [
        Series(
            subject=f"{name}, {shape}",
            rounds=found[name].rates[events] if name in found else [],
            settings=rooms[name].settings if name in rooms else "",
            peer=name not in (OURS, TAKING),
            absent=absent.get(name, ""),
        )
        for events, shape in SHAPES.items()
        for name in names
    ]
    used = [(f"{name}, {shape}", found[name], events) for events, shape in SHAPES.items() for name in rooms]
    return Line(
        name="webhooks",
        title="Webhooks over HTTP",
        what=f"the same requests over {CONNECTIONS} connections that stay open, counted when they are acknowledged",
        unit="events/s",
        better="higher",
        series=series,
        verdicts=[_verdict(series, shape) for shape in SHAPES.values()],
        limits="one process each, and whoever sends has the other core: cores in use in the last round, "
        + ", ".join(f"{name} {one.cores[events]:.2f}" for name, one, events in used),
        facts={
            **{f"p99 of a request, {name}": f"{number(one.slowest[events] * 1000)} ms" for name, one, events in used},
            "on disk when it is acknowledged": KEPT,
        },
    )


def _verdict(series: list[Series], shape: str) -> Verdict:
    medians = {
        one.subject.removesuffix(f", {shape}"): one.median
        for one in series
        if one.rounds and one.subject.endswith(shape)
    }
    best = max((name for name in medians if name in (NODE_RED, N8N)), key=medians.__getitem__, default=None)
    if best is None:
        return Verdict(
            aim=f"not slower than peers that keep what they take, {shape}",
            found="no peer could be run",
            met=False,
            why=str(series[-1].absent),
        )
    return Verdict(
        aim=f"not slower than peers that keep what they take, {shape}",
        found=f"{medians[OURS] / medians[best]:.2f} of {best}; {medians[TAKING] / medians[best]:.2f} while it only takes in",
        met=medians[OURS] >= medians[best],
        why=WHY,
    )  # fmt: skip
