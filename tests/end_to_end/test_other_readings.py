"""What the vendors' references leave open, answered in the other form: everything must come to the same end."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest

from stellwerk_demo.scene import KEY
from stellwerk_otherwise.go_between import between
from stellwerk_otherwise.hubspot import HubspotOtherwise
from stellwerk_otherwise.maileon import MaileonOtherwise

pytestmark = pytest.mark.slow

SERVERS = ExitStack()
MAILEON, HUBSPOT = MaileonOtherwise(), HubspotOtherwise()


def change(file: Any) -> None:
    """Both vendors are reached through a server that gives their answers another form."""
    for system, turn in (("crm", HUBSPOT), ("mail", MAILEON)):
        settings = file["systems"][system]
        settings["api_url"] = SERVERS.enter_context(between(settings["api_url"], turn))
        settings["poll_seconds"] = 1


def before(there: Any) -> None:
    """A custom field of the file stands there already, of another type: Maileon refuses texts for it."""
    at_maileon(there, "POST", "/contacts/fields/custom/Position?type=integer")


def at_maileon(there: Any, method: str, path: str, xml: str = "") -> None:
    key = base64.b64encode(KEY.encode()).decode()
    headers = {"authorization": f"Basic {key}"} | ({"content-type": "application/vnd.maileon.api+xml"} if xml else {})
    request = urllib.request.Request(
        f"{there.scene.maileon.url}/1.0{path}", xml.encode() or None, headers, method=method
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        answer.read()


@pytest.fixture(scope="module")
def there(changed_town: Any) -> Iterator[Any]:
    yield changed_town
    SERVERS.close()


def field_of(there: Any, who: Any, name: str) -> str:
    return str((there.mail.contact(who.email, (name,)) or {}).get(name))


def test_who_signs_up_confirms_changes_leaves_and_comes_back_ends_as_ever(there: Any) -> None:
    who = there.subscriber("Ada")
    number = there.record_id(who)
    there.until("the note", lambda: len(there.crm.notes(who.email)) == 1)
    assert there.record(who)["lifecyclestage"] == "marketingqualifiedlead"
    there.marketer.edits_contact(number, lastname="Lovelace")
    there.until("the name", lambda: field_of(there, who, "LASTNAME") == "Lovelace")
    there.marketer.edits_contact(number, lastname="")
    there.until("no name", lambda: field_of(there, who, "LASTNAME") == "")
    there.marketer.sends_newsletter()
    who.unsubscribes()
    there.until("the opt-out", lambda: there.status(who) == "unsubscribed")
    there.quiet()
    who.submits_form(ticks=True)
    there.until("the way back", lambda: len(who.mails("doi")) == 2)
    who.confirms()
    there.until("subscribed again", lambda: there.status(who) == "subscribed")
    assert (len(who.mails("doi")), len(there.crm.notes(who.email))) == (2, 3)


def test_addresses_merges_and_deletions_end_as_ever(there: Any) -> None:
    ada, eve, finn, gus = (there.subscriber(name) for name in ("Ada", "Eve", "Finn", "Gus"))
    merged = there.marketer.merges(there.record_id(eve), there.record_id(ada))
    there.until("the new external id", lambda: field_id(there, ada) == merged)
    moved = there.visitor("Moved")
    there.marketer.edits_contact(there.record_id(finn), email=moved.email)
    there.until("the new address is asked", lambda: moved.mails("doi"))
    there.until("the old one is nobody's", lambda: field_id(there, finn) == "")
    there.marketer.deletes_for_privacy(there.record_id(gus))
    there.until("gone at Maileon", lambda: there.mail.contact(gus.email, ()) is None)
    there.quiet()
    assert [len(who.mails("doi")) for who in (ada, eve, finn, gus, moved)] == [1] * 5
    assert there.status(ada) == "subscribed"


def test_what_is_refused_over_there_costs_as_little_as_ever(there: Any) -> None:
    """A value that Maileon does not take, and one that HubSpot does not take: the rest is written."""
    who = there.subscriber("Odd")
    there.quiet()
    there.marketer.edits_contact(there.record_id(who), jobtitle="Engineer", lastname="Lovelace")
    there.until("the name", lambda: field_of(there, who, "LASTNAME") == "Lovelace")
    there.until("the repair", lambda: "custom:Position" in refused(there))
    values = "".join(
        f"<field><name>{name}</name><value>{value}</value></field>"
        for name, value in (("ZIP", "8010"), ("LOCALE", "qq"))
    )
    path = f"/contacts/email/{quote(who.email, safe='')}"
    at_maileon(there, "PUT", path, f"<contact><standard_fields>{values}</standard_fields></contact>")
    there.until("the code", lambda: (there.crm.contact(who.email, ["zip"]) or {}).get("zip") == "8010")
    there.until("the repair", lambda: "hs_language" in refused(there))


def refused(there: Any) -> str:
    """What the open repairs say of fields that were left out."""
    return " ".join(text for (text,) in there.database("select text from repair where code = 'field-left-out'"))


def test_settings_saved_again_register_no_webhook_twice(there: Any) -> None:
    before = sorted((hook["event"], hook["url"]) for hook in there.mail.webhooks())
    assert there.marketer.says_saved(there.marketer.changes_settings(doi_mailing="K2"))
    there.quiet()
    assert sorted((hook["event"], hook["url"]) for hook in there.mail.webhooks()) == before


def field_id(there: Any, who: Any) -> str:
    return str((there.mail.contact(who.email, ()) or {}).get("external_id") or "")


def test_every_other_form_was_met(there: Any) -> None:
    """After the histories above; a rule that never came to anything proves nothing."""
    assert MAILEON.turned.keys() >= {
        "200 for 204", "204 for a change", "404 for nobody", "plain text", "no zero", "the id of a start", "permission",
        "no blanks", "a new webhook", "pages", "webhooks", "errors",
    }  # fmt: skip
    assert HUBSPOT.turned.keys() >= {
        "200 for 201",
        "no trace ids",
        "no blanks",
        "oldest first",
        "no rates",
        "short tokens",
    }
