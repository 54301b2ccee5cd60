"""A connection that stands in the file, with a static token and a key: no browser is opened at any time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stellwerk_demo.scene import KEY, STATIC_TOKEN

pytestmark = pytest.mark.slow

ENVIRONMENT = {"HUBSPOT_TOKEN": STATIC_TOKEN, "MAILEON_API_KEY": KEY}
MOVED = {"enabled": True, "source": "lead", "target": "marketingqualifiedlead"}


def acme(file: Any) -> None:
    """One connection, as an operator writes it."""
    file["connections"] = [
        {
            "id": "acme",
            "crm": {"account": "4711", "access_token": "env:HUBSPOT_TOKEN"},
            "mail": {"api_key": "env:MAILEON_API_KEY"},
            "settings": {"double_opt_in": True, "doi_mailing": "K1", "timeline": "note", "on_confirmed": MOVED},
            "agreed": {"by": "Jo Doe", "at": date(2026, 11, 23)},
        }
    ]


def static(folder: Path) -> None:
    """Deploy the project as an app of auth type static, whose token is then the app's own and brings its webhooks."""
    path = folder / "src" / "app" / "app-hsmeta.json"
    app = json.loads(path.read_text())
    scopes = app["config"]["auth"]["requiredScopes"]
    app["config"]["auth"] = {"type": "static", "requiredScopes": scopes}
    path.write_text(json.dumps(app))


def opened(town: Callable[..., Any], **more: Any) -> Any:
    return town(acme, connected=False, project=static, environment={**ENVIRONMENT, **more})


def test_running_is_all_it_takes_until_the_mail_and_the_way_back(town: Callable[..., Any]) -> None:
    there = opened(town)
    assert there.until("the property group", lambda: there.crm.property_group("maileon"))["label"] == "Maileon"
    there.until("the box", lambda: there.crm.property("maileon_subscribe"))
    assert sorted(hook["event"] for hook in there.mail.webhooks()) == ["doi", "unsubscription"]
    who = there.visitor("Quiet")
    who.submits_form(ticks=True)
    there.until("the mail", lambda: who.mails("doi"))
    there.until("status pending", lambda: there.status(who) == "pending")
    there.quiet()
    mails = who.mails("doi")
    assert len(mails) == 1
    assert "(key K1)" in mails[0].text
    who.confirms()
    there.until("status subscribed", lambda: there.status(who) == "subscribed")
    assert there.database("select id, origin, state from connection") == [("acme", "file", "runs")]
    assert "Traceback" not in there.scene.hub_log


def test_a_restart_brings_nothing_in_twice(town: Callable[..., Any]) -> None:
    there = opened(town)
    there.scene.kill_hub()
    there.scene.start_hub()
    assert sorted(hook["event"] for hook in there.mail.webhooks()) == ["doi", "unsubscription"]
    assert there.database("select count(*) from connection") == [(1,)]
    assert there.database("select count(*) from account") == [(2,)]
    ((began,),) = there.database("select began from connection")
    there.scene.kill_hub()
    there.scene.start_hub()
    assert there.database("select began from connection") == [(began,)]


def test_neither_token_nor_key_stands_in_the_clear(town: Callable[..., Any]) -> None:
    there = opened(town)
    everything = b"".join(path.read_bytes() for path in there.scene.folder.glob("demo.db*") if path.is_file())
    for secret in (STATIC_TOKEN, KEY):
        assert secret.encode() not in everything
        assert secret not in there.scene.hub_log


def test_a_token_of_nobody_is_a_repair_and_the_hub_runs(town: Callable[..., Any]) -> None:
    there = opened(town, HUBSPOT_TOKEN="pat-na1-of-nobody-whatsoever")
    rows = there.database("select subject, code from repair where closed is null")
    assert rows == [("acme", "unauthorized")]
    assert there.metrics()["stellwerk_open_repairs"] == 1
    assert "pat-na1-of-nobody" not in there.scene.hub_log
    assert "Traceback" not in there.scene.hub_log


def test_a_token_of_another_account_is_a_repair(town: Callable[..., Any]) -> None:
    def beta(file: Any) -> None:
        acme(file)
        file["connections"][0]["crm"]["account"] = "4799"

    there = town(beta, connected=False, project=static, environment=ENVIRONMENT)
    assert there.database("select subject, code from repair where closed is null") == [("acme", "other-account")]
    assert there.database("select count(*) from connection") == [(0,)]
