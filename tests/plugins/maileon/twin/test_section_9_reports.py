"""Section 9: reports."""

from __future__ import annotations

import re

import pytest

ADA, BEN = "ada@example.com", "ben@example.com"


def entries(maileon, report, **params):
    return list(maileon.xml(maileon.get(f"/reports/{report}", **params)))


def event(maileon, kind, email=ADA, **details):
    maileon.control("POST", "/events", {"account": maileon.id, "email": email, "event": kind, **details})


def test_section_9_an_unsubscription_has_contact_time_source_and_message(maileon) -> None:
    number = maileon.number(maileon.create(ADA, {"external_id": "hs-1"}))
    event(maileon, "unsubscription", method="reply", msg_id="m1", mailing_id=7)
    (entry,) = entries(maileon, "unsubscriptions", exclude_anonymous="false")
    contact = entry.find("contact")
    assert [contact.findtext(name) for name in ("id", "external_id", "email")] == [str(number), "hs-1", ADA]
    assert [entry.findtext(name) for name in ("source", "msg_id", "mailing_id")] == ["reply", "m1", "7"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", entry.findtext("timestamp"))


def test_section_9_the_email_is_there_only_until_anonymisation(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.create(ADA, {"external_id": "hs-1"})
    maileon.unsubscribe(ADA)
    contact = entries(maileon, "unsubscriptions", exclude_anonymous="false")[0].find("contact")
    assert contact.get("anonymous") == "true"
    assert (contact.find("email"), contact.findtext("external_id")) == (None, "hs-1")


def test_section_9_by_default_entries_of_anonymised_people_are_missing(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert entries(maileon, "unsubscriptions") == []
    assert len(entries(maileon, "unsubscriptions", exclude_anonymous="false")) == 1


def test_section_9_from_date_is_inclusive_and_to_date_exclusive_in_milliseconds(maileon) -> None:
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    time = int(maileon.dump()["reports"]["unsubscriptions"][0]["time"] * 1000)
    keep = {"exclude_anonymous": "false"}
    assert len(entries(maileon, "unsubscriptions", from_date=time, **keep)) == 1
    assert entries(maileon, "unsubscriptions", from_date=time + 1, **keep) == []
    assert entries(maileon, "unsubscriptions", to_date=time, **keep) == []
    assert len(entries(maileon, "unsubscriptions", to_date=time + 1, **keep)) == 1


def test_section_9_a_date_that_is_no_number_is_400(maileon) -> None:
    assert maileon.get("/reports/unsubscriptions", from_date="2024-01-01").status_code == 400


def test_section_9_ids_emails_and_eids_pick_contacts(maileon) -> None:
    for email, external_id in ((ADA, "hs-1"), (BEN, "hs-2")):
        maileon.create(email, {"external_id": external_id})
        maileon.unsubscribe(email)
    ada, ben = (contact["id"] for contact in maileon.dump()["contacts"])
    keep = {"exclude_anonymous": "false"}
    assert len(entries(maileon, "unsubscriptions", ids=[ada, ben], **keep)) == 2
    assert len(entries(maileon, "unsubscriptions", ids=[ada], **keep)) == 1
    assert len(entries(maileon, "unsubscriptions", emails=["Ada@example.com"], **keep)) == 1
    assert len(entries(maileon, "unsubscriptions", eids=["hs-2"], **keep)) == 1


def test_section_9_the_source_filter_knows_link_reply_and_other(maileon) -> None:
    for i, method in enumerate(("link", "reply", "list-unsubscribe-header")):
        maileon.create(f"c{i}@example.com")
        event(maileon, "unsubscription", f"c{i}@example.com", method=method)
    found = entries(maileon, "unsubscriptions", source=["link", "other"], exclude_anonymous="false")
    assert [entry.findtext("source") for entry in found] == ["link", "list-unsubscribe-header"]
    assert maileon.get("/reports/unsubscriptions", source="complaint").status_code == 400


def test_section_9_reports_are_paged_and_counted(maileon) -> None:
    for i in range(3):
        maileon.create(f"c{i}@example.com")
        maileon.unsubscribe(f"c{i}@example.com")
    answer = maileon.get("/reports/unsubscriptions", page_size=2, page_index=2, exclude_anonymous="false")
    assert (answer.headers["x-pages"], answer.headers["x-items"], len(maileon.xml(answer))) == ("2", "3", 1)
    assert maileon.number(maileon.get("/reports/unsubscriptions/count", exclude_anonymous="false")) == 3


def test_section_9_reasons_are_counted(maileon) -> None:
    for i, reason in enumerate(("no_demand", "other", "no_demand")):
        maileon.create(f"c{i}@example.com")
        maileon.unsubscribe(f"c{i}@example.com", reason=reason)
    found = entries(maileon, "unsubscriptions/reasons", exclude_anonymous="false")
    assert [(e.findtext("reason"), e.findtext("count")) for e in found] == [("no_demand", "2"), ("other", "1")]
    by_name = entries(maileon, "unsubscriptions/reasons", exclude_anonymous="false", order="name", asc="false")
    assert [e.findtext("reason") for e in by_name] == ["other", "no_demand"]


def test_section_9_subscribers_lists_only_confirmed_doi_mails(maileon) -> None:
    maileon.create(BEN, permission=4)
    maileon.create(ADA, doi="true", doimailing="K1")
    assert entries(maileon, "subscribers") == []
    mail = maileon.mails()[0]
    maileon.click(mail)
    (entry,) = entries(maileon, "subscribers")
    assert (entry.findtext("contact/email"), entry.findtext("mailing_id")) == (ADA, str(mail["mailing"]))
    assert entry.findtext("contact/permissionType") == "doi"


def test_section_9_a_bounce_has_type_code_and_source(maileon) -> None:
    maileon.create(ADA, permission=4)
    event(maileon, "bounce", type="transient", status_code="4.2.2", source="reply", msg_id="m1")
    (entry,) = entries(maileon, "bounces", type="transient", source_filter="reply", status_code=["4.2.2"])
    assert [entry.findtext(name) for name in ("type", "status_code", "source", "msg_id")] == [
        "transient",
        "4.2.2",
        "reply",
        "m1",
    ]
    assert entries(maileon, "bounces", type="permanent") == []


def test_section_9_unique_bounces_are_gone(maileon) -> None:
    assert maileon.get("/reports/bounces/unique").status_code == 404


def test_section_9_hard_bounces_in_a_row_block_the_contact(maileon) -> None:
    maileon.create(ADA, permission=4)
    for _ in range(3):
        event(maileon, "bounce")
    (entry,) = entries(maileon, "blocks", reasons="bounce_policy", new_status="blocked")
    assert [entry.findtext(name) for name in ("old_status", "new_status", "reason")] == [
        "allowed",
        "blocked",
        "bounce_policy",
    ]
    assert maileon.read(ADA, standard_field="SENDOUT_STATUS").findtext(".//value") == "blocked"


def test_section_9_a_block_may_end(maileon) -> None:
    maileon.create(ADA, permission=4)
    event(maileon, "block")
    event(maileon, "unblock")
    assert [e.findtext("new_status") for e in entries(maileon, "blocks")] == ["blocked", "allowed"]
    assert len(entries(maileon, "blocks", old_status="blocked")) == 1


@pytest.mark.parametrize("report", ["subscribers", "bounces", "blocks"])
def test_section_9_each_report_has_its_own_name_for_leaving_out_anonymous_people(maileon, report) -> None:
    own = {"subscribers": "contacts"}.get(report, report)
    assert maileon.get(f"/reports/{report}", **{f"exclude_anonymous_{own}": "false"}).status_code == 200
    assert maileon.get(f"/reports/{report}", exclude_anonymous="false").status_code == 400


def test_section_9_a_deleted_contact_leaves_its_entries(maileon) -> None:
    maileon.create(ADA, permission=4)
    event(maileon, "bounce")
    maileon.call("DELETE", f"/contacts/email/{ADA}")
    assert len(entries(maileon, "bounces")) == 1
