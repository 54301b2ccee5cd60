"""The same hub on PostgreSQL: its programs, its commands, and a server that goes away and comes back."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stellwerk_toys.company import Company
from stellwerk_toys.pg_server import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def there(town: Callable[..., Any], pg_server: Server) -> Any:
    """A connected hub whose database is on a server; there was nothing in it."""
    url = pg_server.url(pg_server.new_schema())

    def on_a_server(file: Any) -> None:
        file["hub"]["database"] = url

    return town(on_a_server)


def readiness(there: Any) -> int:
    """The status of /health/ready."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{there.scene.url}/health/ready", timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def statuses(there: Any) -> set[int | None]:
    """What the hub has answered to the CRM's webhooks."""
    told = there.scene.hubspot.control("GET", "/webhooks")["deliveries"]
    return {attempt["status"] for one in told for attempt in one["attempts"]}


def test_who_signs_up_is_asked_once_and_subscribed_though_the_server_crashes_in_between(
    there: Any, pg_server: Server
) -> None:
    who = there.visitor("Ada")
    who.submits_form(ticks=True)
    there.until("the mail", lambda: who.mails("doi"))
    there.quiet()
    pg_server.stop(signal.SIGQUIT)
    there.until("that the hub says so", lambda: "is away" in there.scene.hub_log)
    assert readiness(there) == 503
    meanwhile = there.visitor("Ben")
    meanwhile.submits_form(ticks=True)
    there.until("a webhook that was refused", lambda: 503 in statuses(there))
    pg_server.start()
    who.confirms()
    there.until("status subscribed", lambda: there.status(who) == "subscribed")
    there.until("the mail", lambda: meanwhile.mails("doi"))
    there.quiet()
    assert readiness(there) == 200
    assert [len(one.mails("doi")) for one in (who, meanwhile)] == [1, 1]
    assert "confirmed at mail" in there.scene.explain(who.email)
    assert "Traceback" not in there.scene.hub_log
    assert there.scene.hub_log.count("is away") == 1


@pytest.fixture
def company(there: Any) -> Iterator[Company]:
    """The town's own process has ended; what it did is done by those that the test starts."""
    there.scene.hub.terminate()
    there.scene.hub.wait(20)
    found = Company(there.scene)
    yield found
    found.end()


def test_one_takes_in_and_others_deliver_and_one_that_is_killed_is_followed_at_once(
    there: Any, company: Company
) -> None:
    company.start("web", there.scene.port)
    workers = [company.start("worker"), company.start("worker")]
    people = [there.visitor("Runner") for _ in range(8)]
    for who in people[:4]:
        who.submits_form(ticks=True)
    there.until("a mail", lambda: any(who.mails("doi") for who in people))
    workers[0].kill()
    for who in people[4:]:
        who.submits_form(ticks=True)
    workers[0].wait(10)
    company.start("worker")
    there.until("all mails", lambda: all(who.mails("doi") for who in people), seconds=60)
    people[0].confirms()
    there.until("status subscribed", lambda: there.status(people[0]) == "subscribed")
    there.quiet()
    assert [len(who.mails("doi")) for who in people] == [1] * len(people)
    assert sorted(company.end()) == [-signal.SIGKILL, 0, 0, 0]
    assert "Traceback" not in there.scene.hub_log
    assert " ERROR " not in there.scene.hub_log
