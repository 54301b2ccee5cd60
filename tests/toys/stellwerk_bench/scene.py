"""A hub and both twins as processes, seeded with many contacts before a marketer connects them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from ruamel.yaml import YAML

from stellwerk_demo.people import Marketer
from stellwerk_demo.scene import Cast, Scene

PORTAL = 4711
SEEDED_AT_ONCE = 2_000
WITHOUT_LIMITS = "1000000/1"
HUBSPOT_LIMIT = "190/10"
LONGEST_SECONDS = 3_600.0


class BenchScene(Scene):
    """The sample's file but for limits of our own; `limit` is the HubSpot twin's, `database` a server's address."""

    def __init__(self, *, limit: str = WITHOUT_LIMITS, database: str | None = None) -> None:
        super().__init__(Cast())
        self._limit = limit
        self._database = database
        self.ids: list[str] = []
        """Of the contacts that were seeded, in order."""

    def _write_config(self) -> None:
        super()._write_config()
        yaml = YAML()
        document = yaml.load(self.config)
        for system in document["systems"].values():
            system["timeout_seconds"] = 30
        document["systems"]["mail"].update(calls_per_second=100)
        if self._database is not None:
            document["hub"]["database"] = self._database
        document["limits"].update(doi_mails_per_hour=1_000_000, removals_per_hour=1_000_000)
        yaml.dump(document, self.config)

    def seed(self, contacts: Iterator[dict[str, str]]) -> None:
        """Contacts of the cast's portal, who are there before anybody connects it."""
        several: list[dict[str, str]] = []
        for one in contacts:
            several.append(one)
            if len(several) == SEEDED_AT_ONCE:
                self._plant(several)
                several = []
        if several:
            self._plant(several)

    def _plant(self, contacts: list[dict[str, str]]) -> None:
        order = {"contacts": contacts, "portal": self.cast.portal, "source": "CRM_UI"}
        self.ids += self.hubspot.control("POST", "/seed", order)["ids"]

    def connect(self) -> str:
        """The marketer connects both accounts; the connection's name. The twin's limit counts from here on."""
        self.hubspot.control("POST", "/settings", {"limit": self._limit})
        marketer = Marketer(self)
        page = marketer.saves(marketer.tests_key(marketer.logs_in()))
        assert marketer.says_saved(page), page.text
        told: list[dict[str, Any]] = json.loads(self.command("connections", "list", "--json"))
        return str(told[0]["id"])

    def stop_hub(self) -> None:
        """As an operator does."""
        assert self.hub is not None
        self.hub.terminate()
        self.hub.wait(60)

    def processes(self) -> dict[str, int]:
        """Process numbers by what they are."""
        assert self.hub is not None
        return {"hub": self.hub.pid, "HubSpot twin": self.hubspot.process.pid, "Maileon twin": self.maileon.process.pid}

    def sync(self, name: str, what: str) -> subprocess.Popen[str]:
        """`stellwerk sync dry-run` or `start`, under way."""
        command = [sys.executable, "-m", "stellwerk", "sync", what, name, "--json", "--config", str(self.config)]
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Of the hub's database file, read beside it."""
        path = self.folder / "demo.db"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def calls(self, since: int) -> list[dict[str, Any]]:
        """Calls that the HubSpot twin has seen after that number; it keeps the last ten thousand."""
        told = self.hubspot.control("GET", f"/requests?since={since}")
        return list(told["requests"] if isinstance(told, dict) else told)

    def last_call(self) -> int:
        return max((int(one["number"]) for one in self.calls(0)), default=0)


def over(process: subprocess.Popen[str], seconds: float = LONGEST_SECONDS) -> dict[str, Any]:
    """What a sync said in the end. Raises `AssertionError` when it did not end well."""
    told, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, told[-3000:]
    found: dict[str, Any] = json.loads(told[told.index("{") :])
    return found


def people(count: int, start: int = 0) -> Iterator[dict[str, str]]:
    """Contacts with all fifteen fields that the sample carries over."""
    for number in range(start, start + count):
        yield {
            "email": f"person.{number}@people.example",
            "salutation": "Ms",
            "firstname": f"First{number}",
            "lastname": f"Last{number}",
            "company": f"Company {number % 997}",
            "address": f"Street {number % 211}",
            "zip": f"{10_000 + number % 80_000}",
            "city": f"City {number % 499}",
            "state": "Hessen",
            "country": "Germany",
            "date_of_birth": f"19{50 + number % 50}-0{1 + number % 9}-1{number % 9}",
            "gender": ("female", "male", "diverse")[number % 3],
            "hs_language": "de",
            "phone": f"+49 30 {number:08d}",
            "mobilephone": f"+49 170 {number:08d}",
            "jobtitle": "Engineer",
        }


def until(look: Callable[[], Any], seconds: float, pause: float = 0.1) -> Any:
    """What `look` found; raises when it found nothing in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"nothing was found within {seconds:.0f} s")
