"""start: from the command to a hub that says it is ready."""

from __future__ import annotations

import time

from stellwerk_bench import machine
from stellwerk_bench.figures import Line, Series, Verdict, number
from stellwerk_bench.scene import BenchScene

ROUNDS = 7


def measured(scale: float) -> Line:
    """Seconds until `/health/ready` is 200, with a connection in the database; first start of a fresh file apart."""
    seconds: list[float] = []
    cores: list[float] = []
    with BenchScene() as scene:
        scene.connect()
        for _ in range(max(3, int(ROUNDS * min(scale * 4, 1.0)))):
            scene.stop_hub()
            began = time.perf_counter()
            scene.start_hub()
            seconds.append(time.perf_counter() - began)
            cores.append(machine.cpu_seconds(scene.processes()["hub"]))
    series = Series(subject="Stellwerk", rounds=seconds, settings="`stellwerk run`, SQLite, one connection")
    return Line(
        name="start",
        title="Start to ready",
        what="seconds from the command to readiness",
        unit="s",
        better="lower",
        series=[series],
        verdicts=[
            Verdict(
                aim="at most 2 s",
                found=f"{number(series.median)} s",
                met=series.median <= 2,
                why=f"It used {number(sorted(cores)[len(cores) // 2])} s of processor time; the rest it waited for a core.",
            )
        ],
        limits=f"importing Python modules: {number(sorted(cores)[len(cores) // 2])} s of processor time until ready",
    )
