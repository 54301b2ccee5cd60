"""The same hub on PostgreSQL: its programs, its commands, and a server that goes away and comes back."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.pg_server import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def there(town: Callable[..., Any], pg_server: Server) -> Any:
    """A connected hub whose database is on a server."""
    url = PostgresDatabase(pg_server).url

    def on_a_server(file: Any) -> None:
        file["hub"]["database"] = url

    return town(on_a_server)


def test_who_signs_up_is_asked_once_and_subscribed_though_the_server_crashes_in_between(
    there: Any, pg_server: Server
) -> None:
    who = there.visitor("Ada")
    who.submits_form(ticks=True)
    there.until("the mail", lambda: who.mails("doi"))
    there.quiet()
    pg_server.stop(signal.SIGQUIT)
    there.until("that the hub says so", lambda: "is away" in there.scene.hub_log)
    pg_server.start()
    who.confirms()
    there.until("status subscribed", lambda: there.status(who) == "subscribed")
    there.quiet()
    assert len(who.mails("doi")) == 1
    assert "confirmed at mail" in there.scene.explain(who.email)
    assert "Traceback" not in there.scene.hub_log
    assert there.scene.hub_log.count("is away") == 1
