"""A hub that no webhook reaches hears of everything by HubSpot's journal, also of what no search shows."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from stellwerk_demo.scene import STATIC_TOKEN

pytestmark = pytest.mark.slow


def by_journal(file: Any) -> None:
    file["systems"]["crm"]["events"] = "journal"
    file["systems"]["crm"]["poll_seconds"] = 1


def archives(there: Any, number: str) -> None:
    """Somebody deletes the record in the portal."""
    request = urllib.request.Request(
        f"{there.scene.hubspot.url}/crm/objects/2026-09/contacts/{number}",
        headers={"authorization": f"Bearer {STATIC_TOKEN}"},
        method="DELETE",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 204


def test_a_hub_that_no_webhook_reaches_is_told_by_the_journal(town: Callable[..., Any]) -> None:
    there = town(by_journal, connected=False)
    there.scene.hubspot.control("POST", "/webhooks", {"lose": 1.0})
    there.connect()
    nora = there.subscriber("Nora")
    number = there.record_id(nora)
    archives(there, number)
    deleted = "select count(*) from inbox where kind = 'deleted' and subject = ?"
    there.until("the deletion", lambda: there.database(deleted, f"id:{number}")[0][0])
    there.until("it was decided", lambda: not there.metrics().get('stellwerk_inbox_events{state="waiting"}'))
    # What the hub writes comes back by the journal: nobody is told that the app is not deployed.
    watched = "select name from cursor where name like 'heard:%'"
    there.until("what we wrote comes back", lambda: there.database(watched))
    assert there.metrics().get("stellwerk_webhooks_refused_401_total", 0) == 0
    arrived = "select count(*) from cursor where name = 'signed' and account like 'crm:%'"
    assert there.database(arrived)[0][0] == 0, "no webhook arrived"
    asked = [one["path"] for one in there.requests(there.scene.hubspot)]
    assert sum(path.endswith("/subscriptions/2026-03") for path in asked) >= 2
    assert "Traceback" not in there.scene.hub_log


def test_where_the_portal_grants_no_journal_search_does_its_work_and_a_repair_names_it(
    town: Callable[..., Any],
) -> None:
    there = town(by_journal, connected=False)
    there.scene.hubspot.control("POST", "/webhooks", {"lose": 1.0})
    there.scene.hubspot.control("POST", "/settings", {"journal_granted": False})
    there.connect()
    there.subscriber("Nora")
    failing = "select text from repair where code = 'poll-part-fails' and closed is null"
    (told,) = there.until("the repair", lambda: there.database(failing))
    assert "journal (bad-scopes)" in told[0]
    there.scene.hubspot.control("POST", "/settings", {"journal_granted": True})
    there.until("it closes by itself", lambda: not there.database(failing))
    assert json.loads(there.database("select value from cursor where name = 'poll' and account like 'crm:%'")[0][0])
