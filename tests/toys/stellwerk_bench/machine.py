"""The machine that figures were measured on, and what its processes used of it."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def described() -> dict[str, str]:
    """Processor, memory, system and the versions that matter."""
    model = next((one for one in _lines("/proc/cpuinfo") if one.startswith("model name")), "model name: unknown")
    memory = next((one for one in _lines("/proc/meminfo") if one.startswith("MemTotal")), "MemTotal: 0 kB")
    return {
        "processor": f"{model.partition(':')[2].strip()}, {os.cpu_count()} cores",
        "memory": f"{int(memory.split()[1]) / 1_048_576:.0f} GiB",
        "system": platform.platform(terse=True),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "10,000,000 additions in Python": f"{_adding_seconds(10_000_000):.2f} s",
        "one fdatasync": f"{_sync_microseconds():.0f} µs",
    }


def load() -> float:
    """Load average of the last minute."""
    return os.getloadavg()[0]


def cpu_seconds(process: int) -> float:
    """Processor time that a process has used so far, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(process: int) -> float:
    """Resident memory."""
    line = next(one for one in _lines(f"/proc/{process}/status") if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def commit() -> str:
    """The commit that is measured, marked when something that is measured differs from it; docs are what comes out."""
    short, changed = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--", ":/", ":!/docs")
    return f"{short or 'no repository'}{' and changes' if changed else ''}"


def _git(*words: str) -> str:
    told = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return told.stdout.strip()


class Used:
    """Cores that processes used since it was made: `with_names()` after the work."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = dict(processes)
        self._before = {name: cpu_seconds(number) for name, number in processes.items()}

    def cores(self, seconds: float) -> dict[str, float]:
        return {name: (cpu_seconds(number) - self._before[name]) / seconds for name, number in self._processes.items()}


def told(cores: Mapping[str, float]) -> str:
    """For people: how much of a core each used."""
    return ", ".join(f"{name} {share:.2f}" for name, share in cores.items())


def _adding_seconds(times: int) -> float:
    """Processor time of a bare loop: on shared machines it differs threefold from day to day, and from that of other languages."""
    began, total = time.process_time(), 0
    for number in range(times):
        total += number
    return time.process_time() - began


def _sync_microseconds(times: int = 200) -> float:
    with tempfile.NamedTemporaryFile() as file:
        began = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return (time.perf_counter() - began) / times * 1e6


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
