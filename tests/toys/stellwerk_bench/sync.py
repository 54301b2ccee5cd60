"""sync: all contacts of a portal brought in, beside peers that only read them from the same twin."""

from __future__ import annotations

import time

from stellwerk_bench import machine, readers
from stellwerk_bench.figures import Line, Series, Verdict, number
from stellwerk_bench.peers.room import Absent
from stellwerk_bench.scene import BenchScene, over, people

CONTACTS = 100_000
OURS, DRY = "Stellwerk, reads, decides, writes", "Stellwerk, reads and decides"
DLT, TAP = "dlt, reads", "tap-hubspot, reads"


def measured(scale: float) -> Line:
    """Contacts a second, from a portal that nobody connected before. Peers read before and after the hub has its turn."""
    count = max(200, int(CONTACTS * scale))
    rates: dict[str, list[float]] = {OURS: [], DRY: [], TAP: [], DLT: []}
    told: dict[str, str] = {}
    absent: dict[str, str] = {}
    cores: dict[str, str] = {}

    def peers(scene: BenchScene) -> None:
        for name, read in (
            (TAP, lambda: readers.tap(scene.hubspot.url, count)),
            (DLT, lambda: readers.dlt(scene.hubspot.url)),
        ):
            try:
                rate, told[name] = read()
                rates[name].append(rate)
            except Absent as why:
                absent[name] = str(why)

    with BenchScene() as scene:
        scene.seed(people(count))
        connection = scene.connect()
        peers(scene)
        for name, what in ((DRY, "dry-run"), (OURS, "start")):
            used, began = machine.Used(scene.processes()), time.perf_counter()
            done = over(scene.sync(connection, what))
            seconds = time.perf_counter() - began
            assert done["contacts"] == count, done
            rates[name].append(count / seconds)
            cores[name] = machine.told(used.cores(seconds))
        there = scene.maileon.control("GET", "/accounts/9001/contacts")["contacts"]
        assert len(there) == count, len(there)
        peers(scene)
    told[OURS] = (
        "sync start; Maileon's budget is 100 calls a second, the most that the file can say; HubSpot's twin without a limit"
    )
    told[DRY] = "sync dry-run: our figure without the part that peers have not"
    series = [
        Series(subject=name, rounds=rates[name], settings=told.get(name, ""), peer=name in (TAP, DLT), absent=absent.get(name, ""))
        for name in rates
    ]  # fmt: skip
    best = max((one.median for one in series if one.peer and one.rounds), default=0.0)
    ours, dry = rates[OURS][0], rates[DRY][0]
    return Line(
        name="sync",
        title="Initial sync without limits",
        what=f"{count:,} contacts with 16 fields each",
        unit="contacts/s",
        better="higher",
        series=series,
        verdicts=[
            Verdict(
                aim="not slower than the best peer that only reads, though we also decide and write",
                found=f"{ours / best:.2f} of it; {dry / best:.2f} without writing" if best else "no peer could be run",
                met=ours >= best,
                why="A peer asks for one page of 100 contacts with their values, one call. The hub asks for the page, reads"
                " the 100 by their ids in a second call, decides each, writes it to Maileon, shows its state in HubSpot, and decides"
                " once more on what comes back of that: four transactions of each contact, some hundred statements. They wait for the"
                " disk in groups, 0.4 times for a contact, and what they cost one core of Python is what holds it up: two"
                " fifths of a transaction are SQLite's statements, a third are the rules, and nothing single stands out.",
            )
        ],
        limits=f"cores in use, sync: {cores[OURS]}; dry run: {cores[DRY]}",
        facts={"time of the whole sync": f"{number(count / ours)} s"},
    )
