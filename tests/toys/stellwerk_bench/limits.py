"""limits: the same sync under HubSpot's documented limit, and what share of it is used."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from stellwerk_bench import machine
from stellwerk_bench.figures import Line, Series, Verdict, number
from stellwerk_bench.scene import HUBSPOT_LIMIT, BenchScene, over, people

CONTACTS = 100_000
CALLS, SECONDS = 190, 10
LOOK_SECONDS = 1.0


def measured(scale: float) -> Line:
    """Share of the allowed calls that a sync makes, alone on the twin, and how many were refused."""
    count = max(200, int(CONTACTS * scale))
    with BenchScene(limit=HUBSPOT_LIMIT) as scene:
        scene.seed(people(count))
        connection = scene.connect()
        over(scene.sync(connection, "dry-run"))
        last, calls = scene.last_call(), list[dict[str, Any]]()
        used, began = machine.Used(scene.processes()), time.perf_counter()
        syncing = scene.sync(connection, "start")
        while syncing.poll() is None:
            time.sleep(LOOK_SECONDS)
            calls += scene.calls(last)
            last = int(calls[-1]["number"]) if calls else last
        seconds = time.perf_counter() - began
        over(syncing)
        cores = machine.told(used.cores(seconds))
    refused = sum(one["status"] == 429 for one in calls)
    allowed = CALLS / SECONDS * seconds
    kinds = Counter(f"{one['method']} {one['path']}".replace("/crm/objects/2026-09", "") for one in calls)
    each = len(calls) / count * 100
    return Line(
        name="limits",
        title="Initial sync under HubSpot's limits",
        what=f"{count:,} contacts, {CALLS} calls in {SECONDS} seconds as HubSpot documents",
        unit="contacts/s",
        better="higher",
        series=[
            Series(subject="Stellwerk", rounds=[count / seconds], settings=f"twin with --limit {HUBSPOT_LIMIT}"),
            Series(subject="at the limit, with our calls", rounds=[count / (len(calls) / (CALLS / SECONDS))], settings="computed: the calls that it made, at 19 a second", peer=True),
        ],
        verdicts=[
            Verdict(
                aim="at least 95 % of what the limits allow",
                found=f"{len(calls) / allowed:.0%}: {len(calls)} calls in {number(seconds)} s",
                met=len(calls) >= 0.95 * allowed,
                why="The limit is not what holds it up: the cores below are. An account's calls are made one after the other, by"
                " whoever holds its lease: a connector is promised to be used by one task, a contact's changes keep their order,"
                " and what is read is decided on before more is asked for. Whoever answers slowly is asked less often than the"
                " limit allows.",
            ),
            Verdict(aim="not one 429", found=f"{refused}", met=refused == 0),
        ],
        limits=f"cores in use: {cores}; the limit would allow {number(allowed)} calls in that time",
        facts={
            "HubSpot calls for 100 contacts": number(each),
            "of these": ", ".join(f"{number(n / count * 100)} {what}" for what, n in kinds.most_common(4)),
        },
    )  # fmt: skip
