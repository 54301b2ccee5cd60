"""live: from a change in the portal to its delivery at the other side, at 50 events a second, alone and during a sync."""

from __future__ import annotations

import re
import subprocess
import time
from typing import Any

from stellwerk_bench import machine
from stellwerk_bench.figures import Line, Series, Verdict, number, percentile
from stellwerk_bench.scene import PORTAL, BenchScene, over, people, until

RATE = 50
LINKED = 1_000
OTHERS = 100_000
SECONDS = 60.0
PATIENCE_SECONDS = 240.0
MARK = re.compile(r"live-(\d+)-of-(\w+)")


def measured(scale: float) -> Line:
    """Seconds until each of the changes is delivered: alone, and while a sync of the rest of the portal goes on."""
    seconds = max(6.0, SECONDS * scale)
    with BenchScene() as scene:
        scene.seed(people(LINKED + max(1_000, int(OTHERS * scale))))
        connection = scene.connect()
        _come_in(scene)
        used, began = machine.Used(scene.processes()), time.monotonic()
        alone = _latencies(scene, "alone", seconds)
        cores = machine.told(used.cores(time.monotonic() - began))
        over(scene.sync(connection, "dry-run"))
        syncing = scene.sync(connection, "start")
        until(lambda: scene.command("sync", "status", connection).count("contacts"), PATIENCE_SECONDS)
        during = _latencies(scene, "during", seconds)
        going_on = syncing.poll() is None
        _end(syncing)
    slow = percentile(during, 0.99)
    return Line(
        name="live",
        title="Live events",
        what=f"a field changed in the portal until Maileon has it, {RATE} a second for {seconds:.0f} s, of {LINKED:,} contacts",
        unit="s, p99",
        better="lower",
        series=[
            Series(subject="Stellwerk, alone", rounds=[percentile(alone, 0.99)], settings=_told(alone)),
            Series(subject="Stellwerk, during a sync", rounds=[slow], settings=f"{_told(during)}; the sync {'went on all the time' if going_on else 'ended meanwhile'}"),
        ],
        verdicts=[
            Verdict(aim="p99 at most 2 s, alone", found=f"{number(percentile(alone, 0.99))} s", met=percentile(alone, 0.99) <= 2, why=WHY),
            Verdict(aim="p99 at most 2 s, also during a sync", found=f"{number(slow)} s", met=slow <= 2, why=WHY),
        ],
        limits=f"Maileon has no batch read: each contact is looked up by itself before it is written, in groups of eight. Cores in use, alone: {cores}",
        facts={"changes that were not delivered within 4 minutes": "0"},
    )  # fmt: skip


WHY = (
    "Each change is looked up at Maileon by two calls of its own before it is written (contact, marker), one after the other;"
    " 50 a second are the 100 calls a second that the file can allow at most, so that the longer it goes on the longer it takes."
    " The marker is asked for also of who reads subscribed: that it is gone shows that somebody came back. Calls beside each other"
    " would not help at that limit, and Maileon does not say how many it bears."
)


def _come_in(scene: BenchScene) -> None:
    """The first of those who were there before say yes in a form, and are all the hub knows until the sync."""
    yes = [{"email": f"person.{one}@people.example", "maileon_subscribe": "true"} for one in range(LINKED)]
    scene.hubspot.control("POST", "/seed", {"contacts": yes, "portal": PORTAL, "source": "FORM"})
    until(lambda: len(scene.maileon.control("GET", "/accounts/9001/contacts")["contacts"]) == LINKED, PATIENCE_SECONDS)


def _latencies(scene: BenchScene, name: str, seconds: float) -> list[float]:
    """Of every change that was made; raises when one is not delivered in time."""
    sent: dict[int, float] = {}
    last = _seen(scene, 0)[1]
    began = time.time()
    for number_ in range(int(seconds * RATE)):
        due = began + number_ / RATE
        time.sleep(max(0.0, due - time.time()))
        sent[number_] = time.time()
        change = {"email": f"person.{number_ % LINKED}@people.example", "company": f"live-{number_}-of-{name}"}
        scene.hubspot.control("POST", "/seed", {"contacts": [change], "portal": PORTAL, "source": "CRM_UI"})
    arrived: dict[int, float] = {}

    def all_there() -> bool:
        nonlocal last
        calls, last = _seen(scene, last)
        for call in calls:
            for found in MARK.finditer(call["body"] or ""):
                if found[2] == name:
                    arrived.setdefault(int(found[1]), call["time"])
        # A later change of the same contact may have been joined into one that still waited.
        return all(any(n in arrived for n in range(one, len(sent), LINKED)) for one in sent)

    until(all_there, PATIENCE_SECONDS, 1.0)
    return [min(arrived[n] for n in range(one, len(sent), LINKED) if n in arrived) - at for one, at in sent.items()]


def _seen(scene: BenchScene, since: int) -> tuple[list[dict[str, Any]], int]:
    told = scene.maileon.control("GET", f"/requests?since={since}")
    calls: list[dict[str, Any]] = told["requests"] if isinstance(told, dict) else told
    return calls, max((int(one["number"]) for one in calls), default=since)


def _told(waits: list[float]) -> str:
    return f"median {number(percentile(waits, 0.5))} s, longest {number(max(waits))} s, {len(waits)} changes"


def _end(syncing: subprocess.Popen[str]) -> None:
    syncing.terminate()
    syncing.communicate(timeout=30)
