"""Section 6.5: reads."""

from __future__ import annotations

ADA, BEN = "ada@example.com", "ben@example.com"
BODY = {"standard_fields": {"CITY": "Bonn"}, "custom_fields": {"Position": "Engineer"}, "external_id": "hs-1"}


def test_section_6_5_no_field_comes_back_unless_named(maileon) -> None:
    maileon.create(ADA, BODY)
    found = maileon.read(ADA)
    assert (list(found.find("standard_fields")), list(found.find("custom_fields"))) == ([], [])


def test_section_6_5_an_empty_standard_field_is_nil(maileon) -> None:
    maileon.create(ADA, BODY)
    assert maileon.read(ADA, standard_field="TITLE").find(".//value").get("nil") == "true"


def test_section_6_5_an_empty_custom_field_is_left_out(maileon) -> None:
    maileon.create(ADA, BODY)
    found = maileon.read(ADA, custom_field=["Position", "Score"])
    assert [name.text for name in found.iter("name")] == ["Position"]


def test_section_6_5_a_missing_external_id_is_nil(maileon) -> None:
    maileon.create(ADA)
    assert maileon.read(ADA).find("external_id").get("nil") == "true"


def test_section_6_5_a_field_nobody_knows_is_400(maileon) -> None:
    maileon.create(ADA)
    assert maileon.get(f"/contacts/email/{ADA}", standard_field="PHONE").status_code == 400
    assert maileon.get("/contacts", custom_field="Shoe").status_code == 400


def test_section_6_5_the_same_address_may_exist_twice(maileon) -> None:
    for number in ("hs-1", "hs-2"):
        maileon.call("POST", f"/contacts/externalid/{number}", f"<contact><email>{ADA}</email></contact>")
    found = maileon.xml(maileon.get(f"/contacts/emails/{ADA}"))
    assert [contact.findtext("external_id") for contact in found] == ["hs-1", "hs-2"]
    assert maileon.read(ADA).findtext("external_id") == "hs-1"


def test_section_6_5_by_external_id_gives_a_list(maileon) -> None:
    maileon.create(ADA, BODY)
    maileon.create(BEN, {"external_id": "hs-1"})
    found = maileon.xml(maileon.get("/contacts/externalid/hs-1"))
    assert [contact.findtext("email") for contact in found] == [ADA, BEN]
    assert list(maileon.xml(maileon.get("/contacts/externalid/hs-9"))) == []


def test_section_6_5_by_id_wants_the_checksum_or_its_neglect(maileon) -> None:
    number = maileon.number(maileon.create(ADA))
    checksum = maileon.read(ADA, standard_field="CHECKSUM").findtext(".//value")
    assert maileon.get("/contacts/contact", id=number).status_code == 400
    assert maileon.get("/contacts/contact", id=number, checksum=checksum).status_code == 200
    assert maileon.get("/contacts/contact", id=number, ignore_checksum="true").status_code == 200


def test_section_6_5_letter_case_of_the_address_does_not_matter(maileon) -> None:
    maileon.create("Ada@Example.com")
    assert maileon.read(ADA).findtext("email") == "Ada@Example.com"


def test_section_6_5_updated_after_gives_what_changed(maileon) -> None:
    maileon.create(ADA)
    maileon.control("POST", "/clock", {"offset_seconds": 100})
    maileon.create(BEN)
    first = maileon.read(BEN).findtext("updated")
    maileon.control("POST", "/clock", {"offset_seconds": 200})
    maileon.update(BEN, {"standard_fields": {"CITY": "Bonn"}})
    found = maileon.xml(maileon.get("/contacts", updated_after=first.removesuffix(".0")))
    assert [contact.findtext("email") for contact in found] == [BEN]
    assert maileon.number(maileon.get("/contacts/count", updated_after=first.removesuffix(".0"))) == 1
    assert maileon.number(maileon.get("/contacts/count")) == 2


def test_section_6_5_updated_after_has_one_form(maileon) -> None:
    for text in ("2024-01-01", "2024-01-01T00:00:00Z", "1700000000000"):
        assert maileon.get("/contacts", updated_after=text).status_code == 400


def test_section_6_5_deletions_do_not_show_in_a_delta(maileon) -> None:
    maileon.create(ADA)
    maileon.call("DELETE", f"/contacts/email/{ADA}")
    assert list(maileon.xml(maileon.get("/contacts", updated_after="2024-01-01 00:00:00"))) == []


def test_section_6_5_blocked_contacts_come_with_reason_and_time(maileon) -> None:
    seeds = [{"email": ADA, "permission": 4, "blocked": True}, {"email": BEN, "permission": 1, "blocked": True}]
    maileon.control("POST", "/seed", {"account": maileon.id, "contacts": seeds})
    found = maileon.xml(maileon.get("/contacts/blocked"))
    assert [contact.findtext("email") for contact in found] == [ADA]
    assert found.findtext("contact/blocking_reason") == "bounce_policy"
    assert len(found.findtext("contact/blocking_timestamp")) == len("2013-05-15 20:59")
