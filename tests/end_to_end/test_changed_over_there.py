"""What somebody changes at a vendor under a running hub: each a repair with what it concerns, and everything else goes on."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest

from stellwerk_demo.scene import KEY, STATIC_TOKEN

pytestmark = pytest.mark.slow
PROPERTIES = "/crm/properties/2026-09/contacts"
STAGES = ("subscriber", "lead", "marketingqualifiedlead", "customer")


def change(file: Any) -> None:
    """A field more, an enumeration at HubSpot; both are asked for changes every second."""
    file["fields"].append({"crm": "shoe_size", "mail": "custom:Size", "type": "text"})
    file["systems"]["mail"]["poll_seconds"] = 1
    file["systems"]["crm"]["poll_seconds"] = 1


def before(there: Any) -> None:
    at_hubspot(there, "POST", f"{PROPERTIES}/groups", {"name": "shop", "label": "Shop"})
    size = {"name": "shoe_size", "label": "Size", "type": "enumeration", "fieldType": "select", "groupName": "shop"}
    at_hubspot(there, "POST", PROPERTIES, {**size, "options": options("38", "39")})


def options(*values: str) -> list[dict[str, Any]]:
    return [{"label": one, "value": one, "displayOrder": place, "hidden": False} for place, one in enumerate(values)]


def called(url: str, method: str, authorization: str, content: bytes | None, media: str) -> bytes:
    headers = {"authorization": authorization, "content-type": media}
    request = urllib.request.Request(url, content, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return bytes(answer.read())


def at_hubspot(there: Any, method: str, path: str, body: Any = None) -> None:
    content = None if body is None else json.dumps(body).encode()
    called(there.scene.hubspot.url + path, method, f"Bearer {STATIC_TOKEN}", content, "application/json")


def at_maileon(there: Any, method: str, path: str, xml: str | None = None) -> None:
    key = base64.b64encode(KEY.encode()).decode()
    media = "application/vnd.maileon.api+xml"
    content = None if xml is None else xml.encode()
    called(f"{there.scene.maileon.url}/1.0{path}", method, f"Basic {key}", content, media)


def edits_at_maileon(there: Any, who: Any, code: str, size: str | None = None) -> None:
    custom = (
        "" if size is None else f"<custom_fields><field><name>Size</name><value>{size}</value></field></custom_fields>"
    )
    fields = f"<standard_fields><field><name>ZIP</name><value>{code}</value></field></standard_fields>{custom}"
    at_maileon(there, "PUT", f"/contacts/email/{quote(who.email, safe='')}", f"<contact>{fields}</contact>")


def repairs(there: Any) -> dict[str, str]:
    """Code to text of what is open."""
    return dict(there.database("select code, text from repair where closed is null"))


def told(there: Any, code: str) -> str:
    found: str = there.until(f"the repair {code}", lambda: repairs(there).get(code))
    return found


def mended(there: Any, code: str) -> None:
    there.until(f"the end of {code}", lambda: code not in repairs(there))


def goes_on(there: Any) -> None:
    """Somebody new comes in as if nothing were wrong."""
    who = there.visitor("Otto")
    who.submits_form(ticks=True)
    there.until("somebody else's mail", lambda: who.mails("doi"))
    there.until("somebody else's status", lambda: there.status(who) == "pending")


def record(there: Any, who: Any, *names: str) -> dict[str, str]:
    found = there.crm.contact(who.email, names)
    assert found is not None
    return {name: found.get(name, "") for name in names}


def size_at_maileon(there: Any, who: Any, field: str = "Size") -> str:
    return str((there.mail.contact(who.email, (), (field,)) or {}).get(field))


@pytest.fixture
def there(changed_town: Any) -> Any:
    changed_town.quiet()
    return changed_town


@pytest.mark.behaviour("fields-refused")
def test_a_value_that_the_portal_does_not_know_is_left_out_alone(there: Any) -> None:
    who = there.subscriber("Enum")
    there.quiet()
    edits_at_maileon(there, who, "89073", size="77")
    text = told(there, "field-left-out")
    assert "crm does not take shoe_size (invalid-option): 1 contact was written without it. To mend:" in text
    there.until("the rest", lambda: record(there, who, "zip", "shoe_size") == {"zip": "89073", "shoe_size": ""})
    goes_on(there)
    edits_at_maileon(there, who, "3011", size="39")
    there.until("the size", lambda: record(there, who, "zip", "shoe_size") == {"zip": "3011", "shoe_size": "39"})
    mended(there, "field-left-out")


@pytest.mark.behaviour("fields-gone")
def test_a_property_that_was_archived_empties_nothing(there: Any) -> None:
    who = there.subscriber("Archived")
    number = there.record_id(who)
    there.marketer.edits_contact(number, shoe_size="38")
    there.until("the size", lambda: size_at_maileon(there, who) == "38")
    at_hubspot(there, "DELETE", f"{PROPERTIES}/shoe_size")
    there.marketer.edits_contact(number, lastname="Renamed")
    text = told(there, "field-gone")
    assert "crm has no field shoe_size any more" in text
    there.until("the rest", lambda: (there.mail.contact(who.email, ["LASTNAME"]) or {}).get("LASTNAME") == "Renamed")
    goes_on(there)
    assert size_at_maileon(there, who) == "38"
    size = {"name": "shoe_size", "label": "Size", "type": "enumeration", "fieldType": "select", "groupName": "shop"}
    at_hubspot(there, "POST", PROPERTIES, {**size, "options": options("38", "39")})
    there.marketer.edits_contact(number, lastname="Again")
    mended(there, "field-gone")
    there.quiet()
    assert (size_at_maileon(there, who), record(there, who, "shoe_size")) == ("38", {"shoe_size": "38"})


@pytest.mark.behaviour("fields-gone")
def test_a_custom_field_that_was_renamed_empties_nothing(there: Any) -> None:
    who = there.subscriber("Custom")
    there.marketer.edits_contact(there.record_id(who), shoe_size="38")
    there.until("the size", lambda: size_at_maileon(there, who) == "38")
    there.quiet()
    at_maileon(there, "PUT", "/contacts/fields/custom/Size/Shoes")
    edits_at_maileon(there, who, "8010")
    text = told(there, "field-gone")
    assert "mail has no field custom:Size any more" in text
    there.until("the rest", lambda: record(there, who, "zip") == {"zip": "8010"})
    goes_on(there)
    assert record(there, who, "shoe_size") == {"shoe_size": "38"}
    at_maileon(there, "PUT", "/contacts/fields/custom/Shoes/Size")
    edits_at_maileon(there, who, "1010")
    mended(there, "field-gone")


@pytest.mark.behaviour("stage-gone")
def test_a_stage_that_was_deleted_moves_nobody_and_the_rest_of_the_confirmation_happens(there: Any) -> None:
    who = there.visitor("Stage")
    who.submits_form(ticks=True)
    there.until("the mail", lambda: who.mails("doi"))
    there.marketer.edits_contact(there.record_id(who), lifecyclestage="lead")
    there.quiet()
    stages = [one for one in STAGES if one != "marketingqualifiedlead"]
    portal = f"/portals/{there.scene.cast.portal}"
    there.scene.hubspot.control("POST", portal, {"stages": options(*stages)})
    who.confirms()
    text = told(there, "stage-gone")
    assert "on_confirmed: crm has no stage marketingqualifiedlead any more, 1 contact was not moved" in text
    there.until("the status", lambda: there.status(who) == "subscribed")
    there.until("the note", lambda: len(there.crm.notes(who.email)) == 1)
    assert record(there, who, "lifecyclestage") == {"lifecyclestage": "lead"}
    there.scene.hubspot.control("POST", portal, {"stages": options(*STAGES)})
    goes_on(there)


def switched(there: Any, mailing: str, *, on: bool) -> None:
    order = {"account": 9001, "key": mailing, "name": "Double opt-in", "active": on}
    there.scene.maileon.control("POST", "/mailings", order)


@pytest.mark.behaviour("asks-switched-off")
def test_a_mailing_that_was_switched_off_is_said_with_who_was_asked_and_everything_else_goes_on(there: Any) -> None:
    """Maileon sends nothing for it and says nothing (section 6.1): only its list tells."""
    who, own, lost = there.subscriber("Kim"), there.visitor("Own"), there.visitor("Lost")
    there.quiet()
    switched(there, "K1", on=False)
    lost.submits_form(ticks=True)
    there.until("the ask", lambda: there.status(lost) == "pending")
    # What is picked is compared once an hour, and at once when something else is picked.
    for mailing in ("K2", "K1"):
        assert there.marketer.says_saved(there.marketer.changes_settings(doi_mailing=mailing))
        there.until("the pick", lambda wanted=mailing: picked(there) == wanted)
    text = told(there, "pick-inactive")
    assert text.startswith("doi_mailing: K1 is switched off over there; ")
    asked = int(text.removeprefix("doi_mailing: K1 is switched off over there; ").split()[0])
    assert asked == there.database("select count(*) from ledger where kind = 'asked'")[0][0]
    assert lost.mails("doi") == []
    own.submits_form(ticks=True, hidden={"maileon_contact_doi_mailing_key": "K2"})
    there.until("the mail of another mailing", lambda: own.mails("doi"))
    edits_at_maileon(there, who, "4020")
    there.until("the code", lambda: record(there, who, "zip") == {"zip": "4020"})
    there.marketer.sends_newsletter()
    who.unsubscribes()
    there.until("the opt-out", lambda: there.status(who) == "unsubscribed")
    assert "pick-inactive" in repairs(there)
    there.marketer.changes_settings(doi_mailing="K2")
    mended(there, "pick-inactive")
    goes_on(there)
    switched(there, "K1", on=True)
    there.marketer.changes_settings(doi_mailing="K1")
    goes_on(there)


def picked(there: Any) -> str:
    """The mailing that was compared with the list last."""
    (info,) = there.database("select info from account where system = 'mail'")[0]
    return next((value for _, name, value in json.loads(info).get("picks", []) if name == "doi_mailing"), "")


@pytest.mark.behaviour("trouble-scope")
def test_a_scope_that_was_lost_pauses_what_needs_it_and_opt_outs_still_count(there: Any) -> None:
    who = there.subscriber("Scope")
    there.quiet()
    refusal = {"status": "error", "category": "MISSING_SCOPES", "errors": [
        {"message": "no", "context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}
    ]}  # fmt: skip
    fault = {"name": "scope", "kind": "status", "status": 403, "body": json.dumps(refusal), "headers": {}}
    for method, path in (("POST", "/contacts/batch/update$"), ("PATCH", "/contacts/[0-9]+$"), ("POST", "/notes$")):
        there.scene.hubspot.control("POST", "/faults", {**fault, "match": {"method": method, "path": path}})
    there.marketer.sends_newsletter()
    who.unsubscribes()
    text = told(there, "missing-scopes")
    assert "crm.objects.contacts.write" in text
    assert "wait" in text
    there.until("the opt-out", lambda: there.database("select fact from ledger where kind = 'opted_out'"))
    there.scene.hubspot.control("DELETE", "/faults")
    there.marketer.logs_in()
    there.until("the status", lambda: there.status(who) == "unsubscribed")
    mended(there, "missing-scopes")
