"""`stellwerk sync` over both twins: hundreds of older contacts come in, whatever is killed, and nobody is mailed twice."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PAGE = 100
MANY = 210
ADDRESSES = [f"+old.{number}@archive.example" for number in range(MANY)]
OPTED_OUT, THERE = ADDRESSES[7], ADDRESSES[150]


def faster(file: Any) -> None:
    """More calls a second than our cautious default, which would take minutes for so many."""
    file["systems"]["mail"]["calls_per_second"] = 100


class Started:
    """A command beside the hub, or without one; what it printed once it is over."""

    def __init__(self, there: Any, *words: str) -> None:
        command = [sys.executable, "-m", "stellwerk", "sync", *words, "--config", str(there.scene.config)]
        self.process = subprocess.Popen(
            command, env=there.scene.environment, cwd=there.scene.folder, stdout=subprocess.PIPE, text=True
        )

    def over(self, seconds: float = 180) -> tuple[int, str]:
        told, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, told


def contacts(there: Any) -> dict[str, Any]:
    """The living contacts at Maileon by address."""
    told = there.scene.maileon.control("GET", "/accounts/9001/contacts")["contacts"]
    return {one["email"]: one for one in told if one["email"]}


def mails(there: Any) -> Counter[str]:
    """How many confirmation mails were sent to whom."""
    told = there.scene.maileon.control("GET", "/accounts/9001/contacts")["mails"]
    return Counter(mail["to"] for mail in told if mail["kind"] == "doi")


def killed(there: Any, so_far: Callable[[], int], count: int) -> None:
    """kill -9 once so many are through, and start again."""
    there.until(f"{count} of them", lambda: so_far() >= count)
    there.scene.kill_hub()
    there.scene.start_hub()


def pages_asked_for(there: Any, since: int) -> list[str]:
    return [
        one["query"]
        for one in there.requests(there.scene.hubspot, since)
        if one["method"] == "GET" and one["path"].endswith("/contacts") and one["status"] == 200
    ]


def test_older_contacts_are_listed_brought_in_over_a_kill_and_then_asked_over_another(town: Callable[..., Any]) -> None:
    there = town(faster, connected=False)
    rows = [{"email": address, "firstname": f"Old{number}"} for number, address in enumerate(ADDRESSES)]
    there.scene.hubspot.control("POST", "/seed", {"contacts": rows, "portal": 4711})
    known = [
        {"email": THERE, "permission": 2},
    ]
    there.scene.maileon.control("POST", "/seed", {"account": 9001, "contacts": known, "markers": [OPTED_OUT]})
    there.connect()
    there.quiet()
    assert set(contacts(there)) == {THERE}
    ((name,),) = there.database("select id from connection")

    # A dry run writes nothing and lists everybody.
    before = there.last_request(there.scene.maileon)
    done, told = Started(there, "dry-run", name, "--json").over()
    dry = json.loads(told)
    assert (done, dry["state"], dry["contacts"], dry["total"]) == (0, "done", MANY, MANY)
    assert dry["counts"]["created"] == MANY
    assert [one for one in there.requests(there.scene.maileon, before) if one["method"] != "GET"] == []
    path = there.scene.folder / dry["file"]
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert {row["address"] for row in listed} == {f"'{address}" for address in ADDRESSES}
    assert {row["unless"] for row in listed} == {
        "new, unless Maileon holds an opt-out of this address or has it already"
    }

    # The sync itself, with a kill in the middle: every page once, nobody twice, no mail.
    since = there.last_request(there.scene.hubspot)
    started = Started(there, "start", name, "--json")
    killed(there, lambda: len(contacts(there)), 60)
    done, told = started.over()
    assert (done, json.loads(told)["state"]) == (0, "done")
    there.quiet()
    found = contacts(there)
    assert set(found) == set(ADDRESSES) - {OPTED_OUT}
    assert Counter(one["permission"] for one in found.values()) == {1: MANY - 2, 2: 1}
    assert len({one["external_id"] for one in found.values()}) == MANY - 1
    assert mails(there) == Counter()
    asked = pages_asked_for(there, since)
    assert len(asked) == len(set(asked)) == -(-MANY // PAGE)

    # Then with mails: only with the right number, and each mail once over another kill.
    done, told = Started(there, "dry-run", name, "--ask", "--json").over()
    number = json.loads(told)["counts"]["mailed"]
    assert number == MANY - 1
    done, told = Started(there, "start", name, "--ask", str(number - 1)).over()
    assert (done, told, mails(there)) == (1, "", Counter())
    started = Started(there, "start", name, "--ask", str(number), "--json")
    killed(there, lambda: mails(there).total(), 40)
    done, told = started.over()
    assert (done, json.loads(told)["state"]) == (0, "done")
    there.quiet()
    assert mails(there) == Counter(set(ADDRESSES) - {OPTED_OUT, THERE})
    assert sum(there.database("select count(*) from inbox where state = 'dead'")[0]) == 0
    assert "Traceback" not in there.scene.hub_log


def test_without_a_hub_the_command_does_it_and_a_killed_command_is_resumed(town: Callable[..., Any]) -> None:
    there = town(faster, connected=False)
    rows = [{"email": address} for address in ADDRESSES[:40]]
    there.scene.hubspot.control("POST", "/seed", {"contacts": rows, "portal": 4711})
    there.connect()
    there.quiet()
    ((name,),) = there.database("select id from connection")
    there.scene.hub.terminate()
    there.scene.hub.wait(20)
    assert Started(there, "dry-run", name).over()[0] == 0
    started = Started(there, "start", name)
    there.until("the first", lambda: len(contacts(there)) >= 10)
    started.process.kill()
    started.process.communicate(timeout=20)
    done, told = Started(there, "resume", name, "--json").over()
    assert (done, json.loads(told)["state"]) == (0, "done")
    assert set(contacts(there)) == set(ADDRESSES[:40])
    assert mails(there) == Counter()
