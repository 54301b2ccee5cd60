"""Sections 11.1 and 12: DOI mailings, and the zone of times."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo


def test_section_11_1_doi_mailings_are_listed_with_the_fields_asked_for(maileon) -> None:
    found = maileon.xml(maileon.get("/mailings/filter/types", types="doi", fields=["name", "state"]))
    values = [[(f.findtext("name"), f.findtext("value")) for f in mailing.iter("field")] for mailing in found]
    assert values == [
        [("name", "Double opt-in"), ("state", "released")],
        [("name", "Plus"), ("state", "released")],
        [("name", "Switched off"), ("state", "draft")],
    ]


def test_section_11_1_the_list_is_paged(maileon) -> None:
    answer = maileon.get("/mailings/filter/types", types="doi", page_index=2, page_size=2, order="DESC")
    assert (answer.headers["x-pages"], len(maileon.xml(answer))) == ("2", 1)


def test_section_11_1_newsletters_are_another_type(maileon) -> None:
    maileon.create("ada@example.com", permission=4)
    maileon.newsletter(subject="Spring")
    (mailing,) = maileon.xml(maileon.get("/mailings/filter/types", types="regular"))
    number = mailing.findtext("id")
    assert maileon.xml(maileon.get(f"/mailings/{number}/name")).text == "Spring"
    assert maileon.get(f"/mailings/{number}/settings/doi_key").status_code == 400


def test_section_11_1_key_state_and_name_are_read_one_by_one(maileon) -> None:
    number = maileon.dump()["mailings"][2]["id"]
    paths = ("settings/doi_key", "state", "name")
    answers = [maileon.xml(maileon.get(f"/mailings/{number}/{path}")) for path in paths]
    assert [(a.tag, a.text) for a in answers] == [("doi_key", "OFF"), ("state", "draft"), ("name", "Switched off")]


def test_section_11_1_an_unknown_mailing_or_type_is_an_error(maileon) -> None:
    assert maileon.get("/mailings/1/state").status_code == 404
    assert maileon.get("/mailings/x/state").status_code == 404
    assert maileon.get("/mailings/filter/types", types="trigger").status_code == 400
    assert maileon.get("/mailings/filter/types", types="doi", fields="sender").status_code == 400


def test_section_11_1_another_accounts_mailing_is_404(maileon) -> None:
    first = maileon.dump()["mailings"][0]["id"]
    other = {"id": maileon.id + 500, "name": "Other", "key": f"other-key-{maileon.id}-0000"}
    maileon.control("POST", "/accounts", other)
    answer = maileon.client.get(f"/mailings/{first}/name", headers=maileon.authorization(other["key"]))
    assert answer.status_code == 404


def test_section_12_times_have_no_zone_and_are_those_of_berlin(maileon) -> None:
    maileon.create("ada@example.com")
    text = maileon.read("ada@example.com").findtext("created")
    created = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.0").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert abs((datetime.datetime.now(datetime.UTC) - created).total_seconds()) < 5


def test_section_12_maileons_clock_may_differ_from_ours(maileon) -> None:
    maileon.control("POST", "/clock", {"offset_seconds": -3600})
    maileon.create("ada@example.com")
    text = maileon.read("ada@example.com").findtext("created")
    created = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.0").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert 3595 < (datetime.datetime.now(datetime.UTC) - created).total_seconds() < 3605
