"""Section 7: unsubscribing, anonymisation, the marker."""

from __future__ import annotations

import pytest

ADA, BEN = "ada@example.com", "ben@example.com"
ASK = {"permission": 1, "doi": "true", "doimailing": "K1"}


def gone(maileon, email=ADA):
    return maileon.get(f"/contacts/email/{email}").status_code == 404


def test_section_7_1_an_unsubscribed_contact_is_anonymised_after_some_seconds(maileon) -> None:
    maileon.create(ADA, permission=4)
    assert maileon.unsubscribe(ADA).status_code == 204
    assert maileon.permission(ADA) == "4"
    maileon.until(lambda: gone(maileon))


def test_section_7_1_afterwards_only_the_maileon_id_finds_the_contact(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    number = maileon.number(maileon.create(ADA, {"external_id": "hs-1", "standard_fields": {"CITY": "Bonn"}}))
    maileon.unsubscribe(ADA)
    assert list(maileon.xml(maileon.get("/contacts/externalid/hs-1"))) == []
    assert list(maileon.xml(maileon.get("/contacts"))) == []
    found = maileon.xml(maileon.get("/contacts/contact", id=number, ignore_checksum="true", standard_field="CITY"))
    assert found.get("anonymous") == "true"
    assert (found.findtext("external_id"), found.find("email")) == ("hs-1", None)
    assert found.find(".//value").get("nil") == "true"


def test_section_7_1_an_anonymous_contact_cannot_be_updated(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    number = maileon.number(maileon.create(ADA))
    maileon.unsubscribe(ADA)
    answer = maileon.call("PUT", "/contacts/contact", "<contact/>", id=number, ignore_checksum="true")
    assert answer.status_code == 404


def test_section_7_1_unsubscribing_sets_the_marker(maileon) -> None:
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert maileon.get(f"/contacts/email/{ADA}/unsubscription").status_code == 200


def test_section_7_1_an_api_unsubscription_calls_the_webhook_too(maileon) -> None:
    maileon.hook("unsubscription", standardFields=["email"], eventFields=["method", "msg_id"])
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert [call["body"] for call in maileon.received()] == [
        b'{"email":"ada@example.com","method":"other","msg_id":null}'
    ]


def test_section_7_1_nobody_to_unsubscribe_is_404(maileon) -> None:
    assert maileon.unsubscribe(ADA).status_code == 404
    assert maileon.call("DELETE", "/contacts/contact/unsubscribe", id=1).status_code == 404
    assert maileon.call("DELETE", "/contacts/externalid/hs-1/unsubscribe").status_code == 404


def test_section_7_1_a_second_call_in_the_meantime_does_nothing_more(maileon) -> None:
    maileon.hook("unsubscription")
    maileon.create(ADA)
    assert [maileon.unsubscribe(ADA).status_code for _ in range(2)] == [204, 204]
    assert len(maileon.received()) == 1
    assert len(maileon.dump()["reports"]["unsubscriptions"]) == 1


def test_section_7_1_by_id(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    number = maileon.number(maileon.create(ADA))
    assert maileon.call("DELETE", "/contacts/contact/unsubscribe", id=number).status_code == 204
    assert gone(maileon)
    assert maileon.call("DELETE", "/contacts/contact/unsubscribe", id=number).status_code == 404


def test_section_7_1_by_external_id_hits_every_contact_with_it(maileon) -> None:
    maileon.create(ADA, {"external_id": "hs-1"})
    maileon.create(BEN, {"external_id": "hs-1"})
    assert maileon.call("DELETE", "/contacts/externalid/hs-1/unsubscribe").status_code == 204
    assert maileon.dump()["markers"] == [ADA, BEN]


@pytest.mark.parametrize("reason", ["bored", "", "no_demand_at_all"])
def test_section_7_1_an_unknown_reason_is_400(maileon, reason) -> None:
    maileon.create(ADA)
    assert maileon.unsubscribe(ADA, reason=reason).status_code == 400


def test_section_7_1_reasons_may_carry_a_text_and_be_repeated(maileon) -> None:
    maileon.create(ADA)
    maileon.unsubscribe(ADA, reason=["no_demand", "other|x y"], nlaccountid=[1, 2])
    assert maileon.dump()["reports"]["unsubscriptions"][0]["reasons"] == ["no_demand", "other|x y"]


def test_section_7_1_reasons_may_be_added_later(maileon) -> None:
    number = maileon.number(maileon.create(ADA))
    params = {"id": number, "ignore_checksum": "true", "reason": "other"}
    path = "/contacts/contact/unsubscribe/reasons"
    assert maileon.call("PUT", path, **params).status_code == 404
    maileon.unsubscribe(ADA)
    assert maileon.call("PUT", path, **params).status_code == 200
    assert maileon.dump()["reports"]["unsubscriptions"][0]["reasons"] == ["other"]


def test_section_7_1_a_mailing_that_was_not_sent_is_400(maileon) -> None:
    maileon.create(ADA, permission=4)
    unsent = maileon.dump()["mailings"][0]["id"]
    assert maileon.unsubscribe(ADA, mailingId=unsent).status_code == 400
    sent = maileon.newsletter()[0]["mailing"]
    assert maileon.unsubscribe(ADA, mailingId=sent).status_code == 204


def test_section_7_1_who_comes_back_is_a_new_contact_with_a_new_id(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    first = maileon.number(maileon.create(ADA))
    maileon.unsubscribe(ADA)
    answer = maileon.create(ADA, **ASK)
    assert answer.status_code == 201
    assert maileon.number(answer) != first
    assert maileon.get(f"/contacts/email/{ADA}/unsubscription").status_code == 200


def test_section_7_1_who_comes_back_within_the_seconds_is_new_all_the_same(maileon) -> None:
    maileon.option(anonymise_seconds=60)
    first = maileon.number(maileon.create(ADA))
    maileon.unsubscribe(ADA)
    second = maileon.number(maileon.create(ADA))
    assert maileon.read(ADA).findtext("id") == str(second) != str(first)


def test_section_7_1_a_doi_link_of_an_unsubscribed_contact_confirms_nothing(maileon) -> None:
    maileon.create(ADA, **ASK)
    maileon.unsubscribe(ADA)
    assert maileon.click(maileon.mails()[0]).status_code == 410
    assert maileon.dump()["reports"]["subscribers"] == []


def test_section_7_1_who_comes_back_can_unsubscribe_again(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.hook("unsubscription", eventFields=["method"])
    for _ in range(2):
        maileon.create(ADA)
        maileon.unsubscribe(ADA)
    assert [call["body"] for call in maileon.received()] == [b'{"method":"other"}'] * 2
    assert len(maileon.dump()["reports"]["unsubscriptions"]) == 2


def test_section_7_2_the_marker_is_404_201_200_and_404_again(maileon) -> None:
    path = f"/contacts/email/{ADA}/unsubscription"
    methods = ("GET", "PUT", "PUT", "GET", "DELETE", "DELETE", "GET")
    assert [maileon.call(m, path).status_code for m in methods] == [404, 201, 200, 200, 200, 404, 404]


def test_section_7_2_a_malformed_address_is_400(maileon) -> None:
    assert maileon.get("/contacts/email/ada/unsubscription").status_code == 400


def test_section_7_2_setting_the_marker_unsubscribes_nobody(maileon) -> None:
    maileon.hook("unsubscription")
    maileon.create(ADA, permission=4)
    maileon.call("PUT", f"/contacts/email/{ADA}/unsubscription")
    assert maileon.permission(ADA) == "4"
    assert maileon.received() == []


def test_section_7_2_removing_the_marker_brings_no_data_back(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    maileon.call("DELETE", f"/contacts/email/{ADA}/unsubscription")
    assert gone(maileon)
    assert len(maileon.dump()["reports"]["unsubscriptions"]) == 1
