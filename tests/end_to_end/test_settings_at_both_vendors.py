"""Settings of *When things change*, and the grant without a double opt-in, each against both vendors' twins."""

from __future__ import annotations

import base64
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest

from stellwerk_demo.scene import KEY, STATIC_TOKEN

pytestmark = pytest.mark.slow

CONTACTS = "/crm/objects/2026-09/contacts"
AS_EVER = {
    "double_opt_in": "yes", "ask_again": "no", "on_moved": "ask_again", "on_moved_old": "keep", "on_deleted": "keep",
    "on_opt_out": "keep", "only_in_mail": "ignore", "opt_out_in_crm": "no",
}  # fmt: skip


def change(file: Any) -> None:
    """What no webhook tells is asked for every second."""
    for system in ("crm", "mail"):
        file["systems"][system]["poll_seconds"] = 1


def before(there: Any) -> None:
    """Nothing."""


@pytest.fixture
def there(changed_town: Any) -> Any:
    changed_town.quiet()
    return changed_town


def choose(there: Any, **values: str) -> None:
    """These settings, and all the others as ever."""
    page = there.marketer.changes_settings(**{**AS_EVER, **values})
    assert there.marketer.says_saved(page), page.text


def called(url: str, method: str, authorization: str, media: str = "", content: str | None = None) -> None:
    headers = {"authorization": authorization} | ({"content-type": media} if media else {})
    request = urllib.request.Request(url, None if content is None else content.encode(), headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        answer.read()


def at_hubspot(there: Any, method: str, path: str) -> None:
    called(there.scene.hubspot.url + path, method, f"Bearer {STATIC_TOKEN}")


def at_maileon(there: Any, method: str, path: str, xml: str) -> None:
    key = base64.b64encode(KEY.encode()).decode()
    called(f"{there.scene.maileon.url}/1.0{path}", method, f"Basic {key}", "application/vnd.maileon.api+xml", xml)


def at_mail(there: Any, who: Any) -> dict[str, str]:
    found: dict[str, str] = there.mail.contact(who.email, ("FIRSTNAME",)) or {}
    return found


def seeded(there: Any, who: Any, permission: int) -> None:
    """Somebody whom only Maileon knows."""
    fields = f"<standard_fields><field><name>FIRSTNAME</name><value>{who.first}</value></field></standard_fields>"
    path = f"/contacts/email/{quote(who.email, safe='')}?permission={permission}&sync_mode=1"
    at_maileon(there, "POST", path, f"<contact>{fields}</contact>")


@pytest.mark.behaviour("moved-keeps")
def test_a_new_address_keeps_the_permission_of_the_same_contact(there: Any) -> None:
    choose(there, on_moved="keep_permission")
    who, new = there.subscriber("Moves"), there.visitor("Moved")
    number = at_mail(there, who)["id"]
    there.marketer.edits_contact(there.record_id(who), email=new.email)
    there.until("the new address", lambda: at_mail(there, new).get("permission") == "double")
    there.quiet()
    assert at_mail(there, new)["id"] == number
    assert (there.mail.contact(who.email), new.mails("doi"), there.status(new)) == (None, [], "subscribed")


@pytest.mark.behaviour("moved-old-out")
@pytest.mark.parametrize(("choice", "marked"), [("unsubscribe", True), ("delete", False)])
def test_the_old_address_is_taken_out(there: Any, choice: str, marked: bool) -> None:
    choose(there, on_moved_old=choice)
    who, new = there.subscriber("Old"), there.visitor("New")
    there.marketer.edits_contact(there.record_id(who), email=new.email)
    there.until("the new address is asked", lambda: new.mails("doi"))
    there.until("the old one is out", lambda: there.mail.contact(who.email) is None)
    there.quiet()
    assert (there.mail.marker(who.email), there.mail.marker(new.email), there.status(new)) == (marked, False, "pending")


@pytest.mark.behaviour("deleted-unsubscribe", "deleted-delete")
@pytest.mark.parametrize(("choice", "marked"), [("unsubscribe", True), ("delete", False)])
def test_a_deleted_contact_is_taken_out(there: Any, choice: str, marked: bool) -> None:
    choose(there, on_deleted=choice)
    who = there.subscriber("Bin")
    at_hubspot(there, "DELETE", f"{CONTACTS}/{there.record_id(who)}")
    there.until("out", lambda: there.mail.contact(who.email) is None)
    there.quiet()
    assert there.mail.marker(who.email) is marked


@pytest.mark.behaviour("crm-out-unsubscribes")
def test_hubspots_own_opt_out_unsubscribes(there: Any) -> None:
    choose(there, on_opt_out="unsubscribe")
    who = there.subscriber("Enough")
    path = f"/communication-preferences/2026-09/statuses/{quote(who.email, safe='')}/unsubscribe-all?channel=EMAIL"
    at_hubspot(there, "POST", path)
    there.until("out", lambda: there.mail.marker(who.email))
    there.until("the status", lambda: there.status(who) == "unsubscribed")


@pytest.mark.behaviour("crm-out-back")
def test_leaving_maileon_opts_out_at_hubspot_too(there: Any) -> None:
    choose(there, opt_out_in_crm="yes")
    who = there.subscriber("Both")
    there.marketer.sends_newsletter()
    who.unsubscribes()
    there.until(
        "HubSpot's own opt-out",
        lambda: (there.crm.contact(who.email, ["hs_email_optout"]) or {}).get("hs_email_optout") == "true",
    )
    there.until("the status", lambda: there.status(who) == "unsubscribed")


@pytest.mark.behaviour("enters-only-in-mail-create")
def test_who_is_only_in_maileon_is_created_and_linked(there: Any) -> None:
    choose(there, only_in_mail="create")
    who = there.visitor("Only")
    seeded(there, who, 4)
    there.until("the record", lambda: there.record(who))
    there.until("the status", lambda: there.status(who) == "subscribed")
    there.quiet()
    found = there.crm.contact(who.email, ["firstname"])
    assert (found["firstname"], at_mail(there, who)["external_id"]) == ("Only", found["id"])
    assert (at_mail(there, who)["permission"], who.mails("doi")) == ("double", [])


@pytest.mark.behaviour("known-single")
@pytest.mark.parametrize(("choice", "mails"), [("no", 0), ("yes", 1)])
def test_who_had_a_single_opt_in_keeps_it_and_is_asked_again_where_wanted(there: Any, choice: str, mails: int) -> None:
    choose(there, ask_again=choice)
    who = there.visitor("Single")
    seeded(there, who, 2)
    who.submits_form(ticks=True)
    there.until("linked", lambda: at_mail(there, who).get("external_id"))
    there.until("shown", lambda: there.status(who) in ("subscribed", "pending"))
    there.quiet()
    assert (len(who.mails("doi")), at_mail(there, who)["permission"]) == (mails, "single")


@pytest.mark.behaviour("asks-grant")
def test_without_a_double_opt_in_an_unknown_address_gets_what_was_agreed_to_and_a_known_one_keeps_its_own(
    there: Any,
) -> None:
    choose(there, double_opt_in="no", permission="single")
    new, known = there.visitor("New"), there.visitor("Known")
    seeded(there, known, 1)
    for who in (new, known):
        who.submits_form(ticks=True)
    there.until("the new one", lambda: at_mail(there, new).get("permission") == "single")
    there.until("the known one", lambda: at_mail(there, known).get("external_id"))
    there.until("shown", lambda: there.status(new) == "subscribed")
    there.quiet()
    assert at_mail(there, known)["permission"] == "none"
    assert (new.mails("doi"), known.mails("doi")) == ([], [])
