"""Contacts that were at both vendors before anybody connected them: an opt-out in Maileon finds them in HubSpot."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest

from stellwerk_demo.scene import KEY, STATIC_TOKEN

pytestmark = pytest.mark.slow
CONTACTS = "/crm/objects/2026-09/contacts"
OLGA, ODA, OTTO = "olga.old@visitors.example", "oda.old@visitors.example", "otto.old@visitors.example"
"""Olga is at both; Oda's address is an additional one of Olga's record; Otto is in Maileon alone."""


def change(file: Any) -> None:
    """Found by asking too."""
    file["systems"]["mail"]["poll_seconds"] = 1


def called(url: str, method: str, authorization: str, content: bytes | None, media: str) -> Any:
    headers = {"authorization": authorization, "content-type": media}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, content, headers, method=method), timeout=20) as answer:
        body = answer.read()
    return json.loads(body) if media == "application/json" and body else None


def at_hubspot(there: Any, method: str, path: str, body: Any) -> Any:
    url = there.scene.hubspot.url + path
    return called(url, method, f"Bearer {STATIC_TOKEN}", json.dumps(body).encode(), "application/json")


def at_maileon(there: Any, method: str, path: str, xml: str | None = None) -> None:
    key, media = base64.b64encode(KEY.encode()).decode(), "application/vnd.maileon.api+xml"
    content = None if xml is None else xml.encode()
    called(f"{there.scene.maileon.url}/1.0{path}", method, f"Basic {key}", content, media)


def before(there: Any) -> None:
    """Nobody has logged in yet, so that no event tells the hub of these."""
    olga, oda = (
        at_hubspot(there, "POST", CONTACTS, {"properties": {"email": one, "lastname": "Old"}})["id"]
        for one in (OLGA, ODA)
    )
    at_hubspot(there, "POST", f"{CONTACTS}/merge", {"primaryObjectId": olga, "objectIdToMerge": oda})
    for one in (OLGA, ODA, OTTO):
        at_maileon(there, "POST", f"/contacts/email/{quote(one, safe='')}?permission=2", "<contact/>")


def leaves(there: Any, address: str) -> None:
    at_maileon(there, "DELETE", f"/contacts/email/{quote(address, safe='')}/unsubscribe")


def outs(there: Any) -> int:
    rows = there.database("select count(distinct address) from ledger where kind = 'opted_out'")
    return int(rows[0][0])


@pytest.fixture
def there(changed_town: Any) -> Any:
    changed_town.quiet()
    return changed_town


@pytest.mark.behaviour("unsubscribed-unknown")
def test_an_additional_address_and_a_first_one_are_told_apart_and_a_stranger_is_only_suppressed(there: Any) -> None:
    leaves(there, ODA)
    there.until("a note for the additional address", lambda: len(there.crm.notes(OLGA)) == 1)
    there.quiet()
    found = there.crm.contact(OLGA, ["maileon_subscribe", "maileon_status"])
    assert (found["maileon_subscribe"], found["maileon_status"]) == ("", "")
    leaves(there, OTTO)
    there.until("the stranger's opt-out", lambda: outs(there) == 2)
    leaves(there, OLGA)
    there.until("a note for the first address", lambda: len(there.crm.notes(OLGA)) == 2)
    there.until("her answer", lambda: there.crm.contact(OLGA, ["maileon_subscribe"])["maileon_subscribe"] == "false")
    there.quiet()
    assert outs(there) == 3
    assert there.crm.contact(OTTO, ["email"]) is None
