"""Pages that a person uses; not of the reference, so named after what they do."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_pages_are_headed_and_need_no_script(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    for path in (
        "/",
        "/contacts/4711",
        f"/contacts/4711/record/0-1/{number}",
        "/contacts/4711/archived",
        "/forms/4711/newsletter",
    ):
        page = await world.browser.get(path)
        assert page.status_code == 200
        assert "HubSpot twin" in page.text
        assert "<script" not in page.text
        assert "style=" not in page.text
    assert (await world.browser.get("/twin.css")).headers["content-type"].startswith("text/css")


async def test_pages_front_lists_portals_forms_and_the_auth_tab(world: Any) -> None:
    page = await world.browser.get("/")
    for text in ("Acme GmbH", "Beta AG", "/forms/4712/newsletter", world.client_id, world.secret, world.app_id):
        assert text in page.text


async def test_pages_a_person_creates_and_edits_a_contact(world: Any) -> None:
    page = await world.browser.post(
        "/contacts/4711", data={"email": "ada@example.com", "firstname": "Ada", "lastname": ""}
    )
    number = re.search(r"/record/0-1/(\d+)", str(page.url))
    assert number
    await world.browser.post(f"/contacts/4711/record/0-1/{number[1]}", data={"firstname": "Augusta", "company": "Acme"})
    found = await world.read(number[1], "firstname", "company", "hs_object_source")
    assert (found["firstname"], found["company"], found["hs_object_source"]) == ("Augusta", "Acme", "CRM_UI")


async def test_pages_the_whole_edit_form_saved_unchanged_changes_nothing(world: Any) -> None:
    number = await world.create(email="ada@example.com", firstname="Ada")
    page = await world.browser.get(f"/contacts/4711/record/0-1/{number}")
    assert f'value="{"ada@example.com"}"' in page.text
    before = (await world.read(number))["lastmodifieddate"]
    await world.browser.post(
        f"/contacts/4711/record/0-1/{number}",
        data={"email": "ada@example.com", "firstname": "Ada", "lastname": "", "lifecyclestage": "lead"},
    )
    assert (await world.read(number))["lastmodifieddate"] == before


async def test_pages_a_refused_value_shows_a_message(world: Any) -> None:
    page = await world.browser.post("/contacts/4711", data={"email": "nope"})
    assert page.status_code == 400
    assert 'role="alert"' in page.text


async def test_pages_the_timeline_shows_notes_and_property_history(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    note = {"properties": {"hs_timestamp": "2026-11-24T10:00:00Z", "hs_note_body": "Unsubscribed"}, "associations": [
        {"to": {"id": number}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]}  # fmt: skip
    await world.api.post(world.notes, json=note)
    page = (await world.browser.get(f"/contacts/4711/record/0-1/{number}")).text
    assert "Unsubscribed" in page
    assert "lifecyclestage = lead" in page


async def test_pages_a_person_deletes_merges_erases_and_opts_out(world: Any) -> None:
    ada, eve = await world.create(email="ada@example.com"), await world.create(email="eve@example.com")
    base = "/contacts/4711/record/0-1"
    await world.browser.post(f"{base}/{ada}/optout")
    assert (await world.read(ada, "hs_email_optout"))["hs_email_optout"] == "true"
    page = await world.browser.post(f"{base}/{ada}/merge", data={"other": eve})
    survivor = str(page.url).rpartition("/")[2]
    assert survivor not in (ada, eve)
    await world.browser.post(f"{base}/{survivor}/delete")
    assert (await world.api.get(f"{world.contacts}/{survivor}")).status_code == 404
    gus = await world.create(email="gus@example.com")
    await world.browser.post(f"{base}/{gus}/gdpr-delete")
    await world.settled()
    assert [one["objectId"] for one in world.inbox.of_type("contact.privacyDeletion")] == [int(gus)]


async def test_pages_are_not_in_the_log_of_vendor_calls(world: Any) -> None:
    before = len(await world.requests())
    await world.browser.get("/contacts/4711")
    assert len(await world.requests()) == before


async def test_pages_the_form_for_a_new_contact_asks_for_the_accounts_own_properties_too(world: Any) -> None:
    await world.define("skips_doi", "bool", "booleancheckbox", label="Skips the double opt-in")
    page = await world.browser.get("/contacts/4711")
    assert 'name="skips_doi"' in page.text
    assert 'name="hs_object_id"' not in page.text
    page = await world.browser.post("/contacts/4711", data={"email": "ada@example.com", "skips_doi": "true"})
    number = str(page.url).rpartition("/")[2]
    assert (await world.read(number, "skips_doi"))["skips_doi"] == "true"
