"""Sections 6.2 and 6.3: update and delete one contact."""

from __future__ import annotations

import json

import pytest

ADA = "ada@example.com"
JSON = "application/vnd.maileon.api+json"


@pytest.fixture
def ada(maileon):
    return maileon.number(maileon.create(ADA, {"external_id": "hs-1", "standard_fields": {"CITY": "Bonn"}}))


def by_id(maileon, body="<contact/>", **params):
    return maileon.call("PUT", "/contacts/contact", body, **params)


def test_section_6_2_an_update_by_email_is_201_as_in_the_documentation(maileon, ada) -> None:
    assert maileon.update(ADA, {"standard_fields": {"CITY": "Mainz"}}).status_code == 201
    assert maileon.dump()["contacts"][0]["standard_fields"] == {"CITY": "Mainz"}


def test_section_6_2_an_update_of_nobody_is_404(maileon) -> None:
    assert maileon.update(ADA, {}).status_code == 404
    assert maileon.call("PUT", "/contacts/externalid/hs-9", "{}", JSON).status_code == 404
    assert by_id(maileon, id=1, ignore_checksum="true").status_code == 404


def test_section_6_2_the_email_of_the_body_is_the_new_address(maileon, ada) -> None:
    maileon.update(ADA, {"email": "new@example.com"})
    assert maileon.get(f"/contacts/email/{ADA}").status_code == 404
    assert maileon.read("new@example.com").findtext("id") == str(ada)


def test_section_6_2_the_external_id_of_the_body_is_written_not_looked_up(maileon, ada) -> None:
    maileon.create("ben@example.com", {"external_id": "hs-2"})
    maileon.update(ADA, {"external_id": "hs-2"})
    assert [contact["external_id"] for contact in maileon.dump()["contacts"]] == ["hs-2", "hs-2"]


def test_section_6_2_an_address_that_is_taken_is_400(maileon, ada) -> None:
    maileon.create("ben@example.com")
    assert maileon.update(ADA, {"email": "ben@example.com"}).status_code == 400


@pytest.mark.parametrize(
    ("held", "wanted", "after"), [(1, 2, 2), (2, 1, 1), (4, 1, 4), (4, 5, 5), (5, 4, 5), (3, 4, 4)]
)
def test_section_6_2_a_permission_is_set_but_never_lowered_from_4_and_5(maileon, held, wanted, after) -> None:
    maileon.create(ADA, permission=held)
    maileon.update(ADA, {}, permission=wanted)
    assert maileon.permission(ADA) == str(after)


def test_section_6_2_the_permission_may_stand_in_the_body(maileon, ada) -> None:
    maileon.update(ADA, {"permission": 3})
    assert maileon.permission(ADA) == "3"


def test_section_6_2_an_update_by_a_shared_external_id_is_409(maileon, ada) -> None:
    maileon.create("ben@example.com", {"external_id": "hs-1"})
    assert maileon.call("PUT", "/contacts/externalid/hs-1", "{}", JSON).status_code == 409


def test_section_6_2_an_update_by_external_id_writes(maileon, ada) -> None:
    body = json.dumps({"standard_fields": {"CITY": "Mainz"}})
    assert maileon.call("PUT", "/contacts/externalid/hs-1", body, JSON, permission=2).status_code == 200
    assert maileon.dump()["contacts"][0]["standard_fields"] == {"CITY": "Mainz"}


def test_section_6_2_an_update_by_external_id_knows_no_sync_mode(maileon, ada) -> None:
    assert maileon.call("PUT", "/contacts/externalid/hs-1", "{}", JSON, sync_mode=1).status_code == 400


def test_section_6_2_by_id_the_checksum_must_fit_or_be_ignored(maileon, ada) -> None:
    checksum = maileon.dump()["contacts"][0]["checksum"]
    assert by_id(maileon, id=ada).status_code == 400
    assert by_id(maileon, id=ada, checksum="wrong").status_code == 400
    assert by_id(maileon, id=ada, checksum=checksum).status_code == 200
    assert by_id(maileon, id=ada, checksum="", ignore_checksum="true").status_code == 200


def test_section_6_2_by_id_only_xml_is_taken(maileon, ada) -> None:
    answer = maileon.call("PUT", "/contacts/contact", "{}", JSON, id=ada, ignore_checksum="true")
    assert answer.status_code == 415


def test_section_6_2_an_id_element_in_the_update_by_id_is_an_error(maileon, ada) -> None:
    answer = by_id(maileon, f"<contact><id>{ada}</id></contact>", id=ada, ignore_checksum="true")
    assert answer.status_code == 400


def test_section_6_2_by_id_the_external_id_is_updated_too(maileon, ada) -> None:
    by_id(maileon, "<contact><external_id>hs-7</external_id></contact>", id=ada, ignore_checksum="true")
    assert maileon.dump()["contacts"][0]["external_id"] == "hs-7"


def test_section_6_2_by_id_the_address_moves_and_the_contact_stays(maileon, ada) -> None:
    by_id(maileon, "<contact><email>new@example.com</email></contact>", id=ada, ignore_checksum="true")
    assert maileon.read("new@example.com").findtext("id") == str(ada)


def test_section_6_2_triggerdoi_with_4_asks_and_leaves_the_permission(maileon, ada) -> None:
    by_id(maileon, id=ada, ignore_checksum="true", triggerdoi="true", permission=4, doimailing="K1")
    assert (maileon.permission(ADA), len(maileon.mails())) == ("1", 1)
    maileon.click(maileon.mails()[0])
    assert maileon.permission(ADA) == "4"


def test_section_6_2_triggerdoi_with_5_ends_in_doi_plus(maileon, ada) -> None:
    by_id(maileon, id=ada, ignore_checksum="true", triggerdoi="true", permission=5, doimailing="K1")
    maileon.click(maileon.mails()[0])
    assert maileon.permission(ADA) == "5"


@pytest.mark.parametrize("permission", [1, 2, 3, 6])
def test_section_6_2_triggerdoi_with_another_permission_sets_it_at_once(maileon, ada, permission) -> None:
    by_id(maileon, id=ada, ignore_checksum="true", triggerdoi="true", permission=permission, doimailing="K1")
    assert (maileon.permission(ADA), maileon.mails()) == (str(permission), [])


def test_section_6_3_a_deletion_is_no_unsubscription(maileon, ada) -> None:
    maileon.hook("unsubscription")
    assert maileon.call("DELETE", f"/contacts/email/{ADA}").status_code == 204
    dump = maileon.dump()
    assert (dump["contacts"], dump["markers"], dump["reports"]["unsubscriptions"]) == ([], [], [])
    assert maileon.received() == []


def test_section_6_3_a_deleted_contact_is_404_everywhere(maileon, ada) -> None:
    maileon.call("DELETE", "/contacts/contact", id=ada)
    assert maileon.get(f"/contacts/email/{ADA}").status_code == 404
    assert maileon.get("/contacts/contact", id=ada, ignore_checksum="true").status_code == 404
    assert maileon.call("DELETE", "/contacts/contact", id=ada).status_code == 404


def test_section_6_3_by_external_id(maileon, ada) -> None:
    assert maileon.call("DELETE", "/contacts/externalid/hs-1").status_code == 204
    assert maileon.call("DELETE", "/contacts/externalid/hs-1").status_code == 404


def test_section_6_3_all_contacts_go_only_with_authorized_yes(maileon, ada) -> None:
    assert maileon.call("DELETE", "/contacts").status_code == 400
    assert len(maileon.dump()["contacts"]) == 1
    assert maileon.call("DELETE", "/contacts", authorized="yes").status_code == 204
    assert maileon.dump()["contacts"] == []


def test_section_6_3_an_anonymous_contact_can_be_deleted_by_id(maileon, ada) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.unsubscribe(ADA)
    assert maileon.call("DELETE", "/contacts/contact", id=ada).status_code == 204
    assert maileon.dump()["contacts"] == []


def test_section_6_2_by_id_the_id_is_needed(maileon, ada) -> None:
    assert by_id(maileon, ignore_checksum="true").status_code == 400
    assert maileon.call("DELETE", "/contacts/contact/unsubscribe").status_code == 400


def test_section_6_2_an_update_by_external_id_takes_email_or_external_id_but_not_both(maileon, ada) -> None:
    both = json.dumps({"email": "new@example.com", "external_id": "hs-1"})
    assert maileon.call("PUT", "/contacts/externalid/hs-1", both, JSON).status_code == 400
    alone = json.dumps({"email": "new@example.com"})
    assert maileon.call("PUT", "/contacts/externalid/hs-1", alone, JSON).status_code == 200
    assert maileon.read("new@example.com").findtext("id") == str(ada)
