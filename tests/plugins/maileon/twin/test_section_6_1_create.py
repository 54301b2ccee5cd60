"""Section 6.1: create one contact, in every state its address may be in."""

from __future__ import annotations

import json

import pytest

ADA = "ada@example.com"
JSON = "application/vnd.maileon.api+json"
ASK = {"permission": 1, "doi": "true", "doimailing": "K1"}


def by_external_id(maileon, external_id, body, **params):
    return maileon.call("POST", f"/contacts/externalid/{external_id}", json.dumps(body), JSON, **params)


def test_section_6_1_a_new_contact_is_201_with_its_id(maileon) -> None:
    answer = maileon.create(ADA)
    assert answer.status_code == 201
    assert maileon.number(answer) == maileon.dump()["contacts"][0]["id"]


def test_section_6_1_an_existing_contact_is_200_with_the_same_id(maileon) -> None:
    first, second = maileon.create(ADA), maileon.create(ADA)
    assert second.status_code == 200
    assert maileon.number(first) == maileon.number(second)


def test_section_6_1_the_old_alias_creates_too(maileon) -> None:
    assert maileon.call("POST", f"/contacts/{ADA}", "{}", JSON).status_code == 201


def test_section_6_1_the_permission_defaults_to_none(maileon) -> None:
    maileon.create(ADA)
    assert maileon.permission(ADA) == "1"


def test_section_6_1_the_body_is_mandatory(maileon) -> None:
    assert maileon.call("POST", f"/contacts/email/{ADA}").status_code == 400


def test_section_6_1_an_email_together_with_an_external_id_is_400(maileon) -> None:
    assert maileon.create(ADA, {"email": ADA, "external_id": "hs-1"}).status_code == 400
    assert maileon.create(ADA, {"external_id": "hs-1"}).status_code == 201


def test_section_6_1_an_email_in_the_body_must_be_that_of_the_path(maileon) -> None:
    assert maileon.create(ADA, {"email": "ben@example.com"}).status_code == 400
    assert maileon.create(ADA, {"email": ADA}).status_code == 201


@pytest.mark.parametrize("email", ["ada", "ada@@example.com", "ada@example", "a%20b@example.com"])
def test_section_6_1_a_malformed_address_is_400(maileon, email) -> None:
    assert maileon.create(email).status_code == 400


def test_section_6_1_an_existing_contact_is_left_alone_by_default(maileon) -> None:
    maileon.create(ADA, {"standard_fields": {"CITY": "Bonn"}})
    maileon.create(ADA, {"standard_fields": {"CITY": "Mainz"}})
    assert maileon.dump()["contacts"][0]["standard_fields"] == {"CITY": "Bonn"}


def test_section_6_1_sync_mode_1_updates_an_existing_contact(maileon) -> None:
    maileon.create(ADA, {"standard_fields": {"CITY": "Bonn"}})
    maileon.create(ADA, {"standard_fields": {"CITY": "Mainz"}, "external_id": "hs-1"}, sync_mode=1)
    contact = maileon.dump()["contacts"][0]
    assert (contact["standard_fields"], contact["external_id"]) == ({"CITY": "Mainz"}, "hs-1")


@pytest.mark.parametrize(("held", "wanted"), [(4, 1), (4, 6), (5, 1), (5, 4)])
def test_section_6_1_a_lower_permission_is_ignored_at_4_and_5(maileon, held, wanted) -> None:
    maileon.create(ADA, permission=held)
    maileon.create(ADA, permission=wanted, sync_mode=1)
    assert maileon.permission(ADA) == str(held)


def test_section_6_1_the_permission_of_an_existing_contact_stays_unless_the_account_raises_it(maileon) -> None:
    maileon.create(ADA, permission=2)
    maileon.create(ADA, permission=3)
    assert maileon.permission(ADA) == "2"
    maileon.option(create_raises_permission=True)
    maileon.create(ADA, permission=3)
    assert maileon.permission(ADA) == "3"


def test_section_6_1_a_doi_sends_one_mail_and_grants_nothing(maileon) -> None:
    maileon.create(ADA, **ASK)
    assert [(mail["to"], mail["mailing_key"], mail["mailing_name"]) for mail in maileon.mails()] == [
        (ADA, "K1", "Double opt-in")
    ]
    assert maileon.permission(ADA) == "1"


def test_section_6_1_the_first_click_confirms(maileon) -> None:
    maileon.create(ADA, **ASK)
    maileon.click(maileon.mails()[0])
    assert maileon.permission(ADA) == "4"


def test_section_6_1_doiplus_ends_in_doi_plus(maileon) -> None:
    maileon.create(ADA, **{**ASK, "doiplus": "true", "doimailing": "K2"})
    maileon.click(maileon.mails()[0])
    assert maileon.permission(ADA) == "5"


def test_section_6_1_doiplus_and_doimailing_without_doi_do_nothing(maileon) -> None:
    maileon.create(ADA, doiplus="true", doimailing="K1")
    assert maileon.mails() == []


def test_section_6_1_a_doi_without_key_and_default_is_accepted_and_sends_nothing(maileon) -> None:
    assert maileon.create(ADA, doi="true").status_code == 201
    assert maileon.mails() == []


def test_section_6_1_a_doi_without_key_uses_the_default_mailing(maileon) -> None:
    maileon.control("POST", "/mailings", {"account": maileon.id, "key": "K2", "name": "Plus", "default": True})
    maileon.create(ADA, doi="true")
    assert [mail["mailing_key"] for mail in maileon.mails()] == ["K2"]


@pytest.mark.parametrize("key", ["NOPE", "OFF", "k1"])
def test_section_6_1_an_unknown_or_inactive_key_is_accepted_and_sends_nothing(maileon, key) -> None:
    assert maileon.create(ADA, doi="true", doimailing=key).status_code == 201
    assert maileon.mails() == []


def test_section_6_1_every_repeated_ask_sends_another_mail(maileon) -> None:
    maileon.create(ADA, **ASK)
    maileon.create(ADA, **ASK)
    assert len(maileon.mails()) == 2


@pytest.mark.parametrize("permission", [1, 2, 3, 6])
def test_section_6_1_an_existing_contact_without_doi_is_mailed(maileon, permission) -> None:
    maileon.create(ADA, permission=permission)
    assert maileon.create(ADA, **ASK).status_code == 200
    assert len(maileon.mails()) == 1


@pytest.mark.parametrize("permission", [4, 5])
def test_section_6_1_a_contact_with_4_or_5_gets_no_new_doi_mail(maileon, permission) -> None:
    maileon.create(ADA, permission=permission)
    maileon.create(ADA, **ASK)
    assert maileon.mails() == []


def test_section_6_1_the_account_may_send_doi_mails_despite_the_permission(maileon) -> None:
    maileon.option(doi_mail_despite_permission=True)
    maileon.create(ADA, permission=4)
    maileon.create(ADA, **ASK)
    assert len(maileon.mails()) == 1


def test_section_6_1_danger_a_marked_address_is_created_and_mailed_again(maileon) -> None:
    maileon.call("PUT", f"/contacts/email/{ADA}/unsubscription")
    assert maileon.create(ADA, **ASK).status_code == 201
    assert [mail["to"] for mail in maileon.mails()] == [ADA]


def test_section_6_1_danger_a_marked_address_gets_a_permission_without_a_word(maileon) -> None:
    maileon.call("PUT", f"/contacts/email/{ADA}/unsubscription")
    maileon.create(ADA, permission=4)
    assert maileon.permission(ADA) == "4"
    assert maileon.get(f"/contacts/email/{ADA}/unsubscription").status_code == 200


def test_section_6_1_a_blacklisted_address_is_created_but_blocked(maileon) -> None:
    body = "<add_entries_action><import_name>x</import_name><entries><entry>*@example.com</entry></entries></add_entries_action>"
    maileon.call("POST", f"/blacklists/{maileon.id * 10}/actions", body)
    assert maileon.create(ADA, permission=4).status_code == 201
    assert maileon.read(ADA, standard_field="SENDOUT_STATUS").findtext(".//value") == "blocked"


def test_section_6_1_src_is_read_as_custom_source(maileon) -> None:
    maileon.create(ADA, src="web form", subscription_page="/news")
    assert maileon.read(ADA, standard_field="CUSTOM_SOURCE").findtext(".//value") == "web form"
    assert maileon.dump()["contacts"][0]["subscription_page"] == "/news"


def test_section_6_1_a_doi_that_is_too_old_confirms_nothing(maileon) -> None:
    maileon.option(doi_days=7)
    maileon.create(ADA, **ASK)
    maileon.control("POST", "/clock", {"offset_seconds": 8 * 86_400})
    assert maileon.click(maileon.mails()[0]).status_code == 410
    assert maileon.permission(ADA) == "1"


def test_section_6_1_by_external_id_takes_the_email_from_the_body(maileon) -> None:
    assert by_external_id(maileon, "hs-1", {"email": ADA}, permission=2).status_code == 201
    assert by_external_id(maileon, "hs-1", {"email": ADA}).status_code == 200
    contact = maileon.dump()["contacts"][0]
    assert (contact["email"], contact["external_id"], contact["permission"]) == (ADA, "hs-1", 2)


def test_section_6_1_by_external_id_without_email_is_400(maileon) -> None:
    assert by_external_id(maileon, "hs-1", {}).status_code == 400


def test_section_6_1_an_external_id_shared_by_several_contacts_is_409(maileon) -> None:
    maileon.create(ADA, {"external_id": "hs-1"})
    maileon.create("ben@example.com", {"external_id": "hs-1"})
    assert by_external_id(maileon, "hs-1", {"email": ADA}).status_code == 409
