"""An address that gets a second contact in Maileon: linked to neither until one is left, and an opt-out reaches both."""

from __future__ import annotations

import base64
import urllib.request
from typing import Any

import pytest

from stellwerk_demo.scene import KEY

pytestmark = pytest.mark.slow


def change(file: Any) -> None:
    """Maileon is asked for changes every second."""
    file["systems"]["mail"]["poll_seconds"] = 1


def before(there: Any) -> None:
    """Nobody is there yet."""


@pytest.fixture
def there(changed_town: Any) -> Any:
    changed_town.quiet()
    return changed_town


def at_maileon(there: Any, method: str, path: str, xml: str | None = None) -> None:
    headers = {
        "authorization": f"Basic {base64.b64encode(KEY.encode()).decode()}",
        "content-type": "application/vnd.maileon.api+xml",
    }
    url = f"{there.scene.maileon.url}/1.0{path}"
    request = urllib.request.Request(url, None if xml is None else xml.encode(), headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        answer.read()


def named(town: str, *more: str) -> str:
    field = f"<field><name>CITY</name><value>{town}</value></field>"
    return f"<contact>{''.join(more)}<standard_fields>{field}</standard_fields></contact>"


def joins(there: Any, who: Any, external_id: str, town: str) -> None:
    """As only a creation by external id does it."""
    path = f"/contacts/externalid/{external_id}?permission=2"
    at_maileon(there, "POST", path, named(town, f"<email>{who.email}</email>"))


def having(there: Any, who: Any) -> list[Any]:
    found = there.scene.maileon.control("GET", "/accounts/9001/contacts")["contacts"]
    return [one for one in found if one["email"] == who.email]


def names_at_maileon(there: Any, who: Any) -> set[str]:
    return {one["standard_fields"].get("FIRSTNAME", "") for one in having(there, who)}


def town_at_hubspot(there: Any, who: Any) -> str:
    return str((there.crm.contact(who.email, ["city"]) or {}).get("city", ""))


def repairs(there: Any) -> list[str]:
    return [code for (code,) in there.database("select code from repair where closed is null")]


@pytest.mark.behaviour("known-twice-later")
def test_a_second_contact_of_an_address_reaches_nobody_and_nobody_it_until_one_is_left(there: Any) -> None:
    who = there.subscriber("Twin")
    number = there.record_id(who)
    there.quiet()
    joins(there, who, "foreign", "Kiel")
    there.until("the repair", lambda: "stands-twice" in repairs(there))
    there.quiet()
    assert len(having(there, who)) == 2
    there.marketer.edits_contact(number, firstname="Twyla")
    at_maileon(there, "PUT", "/contacts/externalid/foreign", named("Bonn"))
    at_maileon(there, "PUT", f"/contacts/externalid/{number}", named("Jena"))
    there.quiet(60)
    assert (town_at_hubspot(there, who), names_at_maileon(there, who)) == ("", {"Twin", ""})
    assert there.status(who) == "subscribed"
    at_maileon(there, "DELETE", "/contacts/externalid/foreign")
    at_maileon(there, "PUT", f"/contacts/externalid/{number}", named("Weimar"))
    there.until("the town of the one that is left", lambda: town_at_hubspot(there, who) == "Weimar")
    there.until("the end of the repair", lambda: "stands-twice" not in repairs(there))
    there.marketer.edits_contact(number, firstname="Twila")
    there.until("her name", lambda: names_at_maileon(there, who) == {"Twila"})


@pytest.mark.behaviour("known-twice")
def test_an_opt_out_at_hubspot_reaches_both(there: Any) -> None:
    who = there.subscriber("Both")
    number = there.record_id(who)
    joins(there, who, "other", "Kiel")
    there.until("the repair", lambda: "stands-twice" in repairs(there))
    there.quiet()
    there.marketer.edits_contact(number, maileon_subscribe="false")
    there.until("that both are gone", lambda: not having(there, who))
    there.until("her status", lambda: there.status(who) == "unsubscribed")
