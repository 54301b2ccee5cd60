"""Where peers are installed: once, into folders that `make clean` removes. What cannot be had says why, and the line goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOM = Path(__file__).parents[4] / ".bench-peers"
INSTALL_SECONDS = 1_800
PRIVATE = '{"private": true}'
NODE = "node@24"
"""n8n 2 and Node-RED 5 want a newer Node.js than distributions have; npm brings it as a package."""


class Absent(Exception):
    """A peer that could not be installed or started, and why."""


def python_with(name: str, *packages: str) -> Path:
    """The interpreter of a virtual environment that has `packages`. Raises `Absent`."""
    folder = ROOM / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        ROOM.mkdir(exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        (folder / "ready").touch()
    return python


def node_with(name: str, package_json: str, *packages: str, scripts: bool = True) -> Path:
    """A folder with `packages` of npm; `scripts`: those that they run while they are installed. Raises `Absent`."""
    folder = ROOM / name
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(package_json, "utf-8")
        install = [
            "npm",
            "install",
            "--no-fund",
            "--no-audit",
            "--fetch-retries=6",
            *(() if scripts else ("--ignore-scripts",)),
        ]
        _run([*install, *packages], folder)
        (folder / "ready").touch()
    return folder


def node_environment() -> dict[str, str]:
    """One in which a Node.js comes first that is new enough for all of them. Raises `Absent`."""
    folder = node_with("node", PRIVATE, NODE)
    return {**os.environ, "PATH": f"{folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"}


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"could not be installed: {type(error).__name__}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise Absent(f"could not be installed: {last[0][:200]}")
