"""The demo's scene with a hub that ends where it is told to, and people whose every effect can be counted at the twins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from ruamel.yaml import YAML

import stellwerk_crash
from stellwerk_crash.dying import LEASE, LOG, ORDER
from stellwerk_demo.people import Marketer
from stellwerk_demo.scene import TIMEOUT_SECONDS, Cast, Scene

T = TypeVar("T")
LEASE_SECONDS = 2.0 * TIMEOUT_SECONDS + 1.0
FROZEN_SECONDS = LEASE_SECONDS + 1.0
LONGEST_SECONDS = 120.0
PASSED_AFTER_A_FREEZE = 20
BESIDE = "points-beside.log"


class End(Struct, frozen=True, kw_only=True):
    """Where a process of the hub is to end: `kill` or `freeze` at its point of this number, or the first `named` so."""

    how: str
    number: int = 0
    named: str = ""


COUNTS = End(how="count")


class Ended(Struct, frozen=True, kw_only=True):
    """Where it did; `at` is the last point it passed, None when it never came to the one it was to end at."""

    end: End
    at: str | None


class CrashScene(Scene):
    """The hub polls soon, so that what no webhook told is found in time; vendors' limits do not slow it down.

    With a `database` on a server a second process works beside the one that ends, and takes over what that one held.
    """

    def __init__(self, database: str | None = None) -> None:
        super().__init__(Cast())
        self._database = database
        self._beside: subprocess.Popen[str] | None = None
        self.lives = 0
        self.people = 0
        """How many have signed up so far."""

    def _write_config(self) -> None:
        super()._write_config()
        yaml = YAML()
        document = yaml.load(self.config)
        document["systems"]["mail"].update(calls_per_second=100, poll_seconds=5)
        if self._database is not None:
            document["hub"]["database"] = self._database
        document["limits"] = {"doi_mails_per_hour": 100_000, "removals_per_hour": 100_000}
        yaml.dump(document, self.config)

    def __enter__(self) -> CrashScene:
        super().__enter__()
        try:
            self.hubspot.control("POST", "/settings", {"limit": "10000/10"})
            marketer = Marketer(self)
            page = marketer.saves(marketer.tests_key(marketer.logs_in()))
            assert marketer.says_saved(page), page.text
            if self._database is not None:
                log = self.folder / BESIDE
                self._beside = self._started(COUNTS, log, "--role", "worker", "--port", "0")
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        if self._beside is not None:
            self._beside.kill()
            self._beside.wait(10)
        super().close()

    def stop_hub(self) -> None:
        assert self.hub is not None
        self.hub.terminate()
        self.hub.wait(30)

    def lives_until(self, end: End, patience: float = LONGEST_SECONDS) -> Ended:
        """One life of the hub, from its start to the point where it ends. A frozen one goes on and is then killed.

        Where the point has a name, the process beside stands still until it is reached: it might pass it first.
        """
        self.lives += 1
        log = self.folder / f"points-{self.lives}.log"
        beside_waits = self._beside if end.named else None
        if beside_waits is not None:
            beside_waits.send_signal(signal.SIGSTOP)
        self._start(end, log)
        reached = self._ends(patience, stopped=end.how == "freeze")
        if beside_waits is not None:
            beside_waits.send_signal(signal.SIGCONT)
        at = points(log)[-1] if reached else None
        if reached and end.how == "freeze":
            passed, beside = len(points(log)), self.folder / BESIDE
            before = len(points(beside))
            time.sleep(FROZEN_SECONDS)  # what is played is a process that stands still for longer than its lease
            if end.named and self._beside is not None:
                until(lambda: any(" after commit: marks." in one for one in points(beside)[before:]), patience)
            self._signal(signal.SIGCONT)
            until(lambda: len(points(log)) >= passed + PASSED_AFTER_A_FREEZE, patience)
        self._signal(signal.SIGKILL)
        assert self.hub is not None
        self.hub.wait(10)
        return Ended(end=end, at=at)

    def points_of(self, look: Callable[[], bool]) -> Sequence[str]:
        """What a life passes until `look` finds something; it is then ended as usual."""
        self.lives += 1
        log = self.folder / f"points-{self.lives}.log"
        self._start(COUNTS, log)
        found = until(look, LONGEST_SECONDS)
        passed = points(log)
        self.stop_hub()
        assert found, self.hub_log[-3000:]
        return passed

    def _start(self, end: End, log: Path) -> None:
        self.hub = self._started(end, log, "--port", str(self.port))

    def _started(self, end: End, log: Path, *more: str) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(Path(stellwerk_crash.__file__).parents[1]), *_path()])
        environment = {
            **self.environment,
            "PYTHONPATH": path,
            ORDER: f"{end.how}:{end.named or end.number}",
            LOG: str(log),
            LEASE: str(LEASE_SECONDS),
        }
        with (self.folder / "hub.log").open("a") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "stellwerk_crash.dying", "run", "--config", str(self.config), *more],
                env=environment, cwd=self.folder, stdout=output, stderr=output, text=True,
            )  # fmt: skip

    def _ends(self, patience: float, *, stopped: bool) -> bool:
        """Whether the hub ended by itself in time, or with `stopped` stands still."""
        assert self.hub is not None
        process = self.hub.pid
        wanted = {os.CLD_KILLED, os.CLD_DUMPED, os.CLD_EXITED, *((os.CLD_STOPPED,) if stopped else ())}

        def look() -> bool:
            found = os.waitid(os.P_PID, process, os.WEXITED | os.WSTOPPED | os.WNOWAIT | os.WNOHANG)
            return found is not None and found.si_code in wanted

        return until(look, patience)

    def _signal(self, one: signal.Signals) -> None:
        assert self.hub is not None
        if self.hub.poll() is None:
            self.hub.send_signal(one)

    # --- what the vendors show

    def records(self) -> dict[str, dict[str, Any]]:
        """Every contact of the portal by its address, with history and notes."""
        told = self.hubspot.control("GET", f"/portals/{self.cast.portal}/contacts")["contacts"]
        return {one["properties"].get("email") or one["id"]: one for one in told}

    def newsletter(self) -> dict[str, Any]:
        """Everything of the newsletter account: contacts, mails, reports."""
        told: dict[str, Any] = self.maileon.control("GET", "/accounts/9001/contacts")
        return told

    def acknowledged(self) -> int:
        """How many webhook events were answered with a 2xx, as their senders know it."""
        count = 0
        for one in self.hubspot.control("GET", "/webhooks")["deliveries"]:
            if any(200 <= (attempt["status"] or 0) < 300 for attempt in one["attempts"]):
                count += len(json.loads(one["body"]))
        calls = self.maileon.control("GET", "/webhooks")["webhooks"]
        return count + sum(200 <= (one["status"] or 0) < 300 for one in calls)


def until(look: Callable[[], T], seconds: float) -> bool:
    """Whether `look` found something in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if look():
            return True
        time.sleep(0.02)
    return False


def points(log: Path) -> Sequence[str]:
    """The points that a life passed, in order."""
    return log.read_text("utf-8").splitlines() if log.exists() else []


def _path() -> list[str]:
    found = os.environ.get("PYTHONPATH")
    return [found] if found else []
