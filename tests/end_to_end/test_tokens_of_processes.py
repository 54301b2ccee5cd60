"""Access tokens of a hub of several processes: whoever freezes or dies in the middle of a refresh loses no token."""

from __future__ import annotations

import signal
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stellwerk_toys.company import Company
from stellwerk_toys.pg_server import Server

pytestmark = pytest.mark.slow
TIMEOUT_SECONDS = 3.0


@pytest.fixture
def there(town: Callable[..., Any], pg_server: Server) -> Any:
    """A hub that has ended, whose tokens are over, and will be others after each refresh."""
    url = pg_server.url(pg_server.new_schema())

    def on_a_server(file: Any) -> None:
        file["hub"]["database"] = url
        file["systems"]["crm"]["timeout_seconds"] = TIMEOUT_SECONDS

    there = town(on_a_server, connected=False)
    there.scene.hubspot.control("POST", "/settings", {"token_seconds": 2, "rotate_refresh_tokens": True})
    there.connect()
    there.quiet()
    there.scene.hub.terminate()
    there.scene.hub.wait(20)
    there.scene.hubspot.control("POST", "/settings", {"token_seconds": 1800})
    return there


@pytest.fixture
def company(there: Any) -> Iterator[Company]:
    found = Company(there.scene)
    yield found
    found.end()


def refreshes(there: Any) -> list[tuple[str, int | None]]:
    """Refresh token and status of every refresh that the twin has seen, oldest first."""
    seen = [one for one in there.requests(there.scene.hubspot) if one["path"].endswith("/token")]
    bodies = [(dict(urllib.parse.parse_qsl(one["body"])), one["status"]) for one in seen]
    return [(body["refresh_token"], status) for body, status in bodies if body["grant_type"] == "refresh_token"]


def a_worker_in_a_refresh(there: Any, company: Company) -> tuple[Any, Any]:
    """A worker whose refresh was made and is not answered; and who signed up just before, while no other process works."""
    match = {"path": "/oauth/.*/token$", "body": "grant_type=refresh_token"}
    there.scene.hubspot.control("POST", "/faults", {"name": "held", "kind": "hold", "match": match, "times": 1})
    company.start("web", there.scene.port)
    who = there.visitor("Wakes")
    who.submits_form(ticks=True)
    worker = company.start("worker")
    there.until("a refresh that was made and is not answered", lambda: there.holds(there.scene.hubspot))
    return worker, who


def test_a_process_that_freezes_in_a_refresh_beyond_its_time_out_brings_the_tokens_when_it_thaws(
    there: Any, company: Company
) -> None:
    worker, who = a_worker_in_a_refresh(there, company)
    before = refreshes(there)[:-1]
    worker.send_signal(signal.SIGSTOP)
    company.start("worker")
    there.scene.hubspot.control("POST", "/holds/release")
    time.sleep(2 * TIMEOUT_SECONDS)
    worker.send_signal(signal.SIGCONT)
    there.until("the mail", lambda: who.mails("doi"))
    after = there.visitor("After")
    after.submits_form(ticks=True)
    there.until("another", lambda: after.mails("doi"))
    assert [status for _, status in refreshes(there)[len(before) :]] == [200]
    assert there.waiting_for_a_person() == 0
    assert [len(one.mails("doi")) for one in (who, after)] == [1, 1]


def test_a_process_that_is_killed_in_a_refresh_is_followed_at_once_with_the_token_that_is_known(
    there: Any, company: Company
) -> None:
    worker, who = a_worker_in_a_refresh(there, company)
    lost = refreshes(there)
    worker.kill()
    worker.wait(10)
    there.scene.hubspot.control("POST", "/holds/release")
    company.start("worker")
    there.until("the mail", lambda: who.mails("doi"), seconds=60)
    assert refreshes(there)[len(lost) :] == [(lost[-1][0], 200)]
    assert there.waiting_for_a_person() == 0
    assert len(who.mails("doi")) == 1
