"""Processes of one hub on one host: what each is for is the test's to say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any


class Company:
    """Processes of one hub besides the scene's own."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._running: list[subprocess.Popen[str]] = []

    def start(self, role: str, port: int = 0) -> subprocess.Popen[str]:
        """A process that has said where it listens."""
        command = [sys.executable, "-m", "stellwerk", "run", "--config", str(self._scene.config)]
        with (self._scene.folder / "hub.log").open("a") as log:
            process = subprocess.Popen(
                [*command, "--role", role, "--port", str(port)],
                env=self._scene.environment,
                cwd=self._scene.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Stellwerk listens on "), self._scene.hub_log[-3000:]
        return process

    def end(self) -> list[int]:
        """Ask all to end; their exit codes."""
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        codes = [process.wait(30) for process in self._running]
        for process in self._running:
            assert process.stdout is not None
            process.stdout.close()
        self._running.clear()
        return codes
