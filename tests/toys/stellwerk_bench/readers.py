"""Peers that only read: dlt and tap-hubspot, from the same twin as the hub."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

from stellwerk_bench.peers import room
from stellwerk_bench.peers.room import Absent
from stellwerk_demo.scene import STATIC_TOKEN

SCRIPTS = Path(__file__).parent / "peers"
LONGEST_SECONDS = 3_600
PROPERTIES = (
    "email,salutation,firstname,lastname,company,address,zip,city,state,country,date_of_birth,gender,hs_language,phone,"
    "mobilephone,jobtitle"
)
DLT_SETTINGS = (
    "dlt {version}: rest_api source, cursor paginator, pages of 100, merge on id, DuckDB; extract, normalize and load"
)
TAP_SETTINGS = "tap-hubspot {version}: private app token, stream contacts with all its properties, records to a file"


def dlt(url: str) -> tuple[float, str]:
    """Contacts a second, and how it was set up. Raises `Absent`."""
    python = room.python_with("dlt", "dlt[duckdb]")
    with tempfile.TemporaryDirectory(prefix="stellwerk-bench-") as folder:
        told = json.loads(
            _run([str(python), str(SCRIPTS / "dlt_reads.py"), url, STATIC_TOKEN, folder, PROPERTIES], folder)
        )
    return told["contacts"] / told["seconds"], DLT_SETTINGS.format(version=_version(python, "dlt"))


def tap(url: str, contacts: int) -> tuple[float, str]:
    """The same of tap-hubspot, which must have read so many."""
    python = room.python_with("tap-hubspot", "tap-hubspot")
    with tempfile.TemporaryDirectory(prefix="stellwerk-bench-") as folder:
        began = time.perf_counter()
        told = _run([str(python), str(SCRIPTS / "tap_reads.py"), url, STATIC_TOKEN, folder], folder)
        seconds = time.perf_counter() - began
    count = told.count('"type": "RECORD"')
    if count != contacts:
        raise Absent(f"read {count} of {contacts} contacts")
    return count / seconds, TAP_SETTINGS.format(version=_version(python, "tap-hubspot"))


def _run(command: list[str], folder: str) -> str:
    with (Path(folder) / "out").open("w+") as out, (Path(folder) / "err").open("w+") as err:
        done = subprocess.run(command, cwd=folder, stdout=out, stderr=err, timeout=LONGEST_SECONDS, check=False)
        out.seek(0)
        err.seek(0)
        if done.returncode:
            raise Absent(f"ended with {done.returncode}: {(err.read().strip().splitlines() or [''])[-1][:200]}")
        return out.read()


def _version(python: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
