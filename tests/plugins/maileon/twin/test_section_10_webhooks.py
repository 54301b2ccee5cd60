"""Section 10: webhooks, registered and called."""

from __future__ import annotations

import json

import pytest

ADA = "ada@example.com"
BODY = {
    "url": "https://hub.test/x",
    "event": "doi",
    "urlParams": [
        {"name": "src", "standard_contact_field": None, "custom_contact_field": None, "custom_value": "maileon"}
    ],
    "standardFields": ["email", "external_id"],
    "customFields": [],
    "eventFields": ["msg_id", "timestamp"],
}


def post(maileon, body, path="/webhooks"):
    return maileon.call("POST", path, json.dumps(body), "application/json")


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/"])
def test_section_10_1_a_json_request_is_answered_with_an_xml_id(maileon, path) -> None:
    answer = post(maileon, BODY, path)
    assert maileon.xml(answer, 201).tag == "id"


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/"])
def test_section_10_1_the_list_is_json_with_id_and_account(maileon, path) -> None:
    number = maileon.number(post(maileon, BODY))
    assert maileon.get(path).json() == [{**BODY, "id": number, "newsletterAccountId": maileon.id}]


def test_section_10_1_one_webhook_is_read_changed_and_deleted(maileon) -> None:
    number = maileon.number(post(maileon, BODY))
    kept = maileon.get(f"/webhooks/{number}").json()
    changed = json.dumps({**kept, "event": "bounce"})
    assert maileon.call("PUT", f"/webhooks/{number}", changed, "application/json").status_code == 200
    assert maileon.get(f"/webhooks/{number}").json()["event"] == "bounce"
    assert maileon.call("DELETE", f"/webhooks/{number}").status_code == 204
    assert maileon.get(f"/webhooks/{number}").status_code == 404


def test_section_10_1_only_url_and_event_are_needed(maileon) -> None:
    assert post(maileon, {"url": "https://hub.test/x", "event": "doi"}).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://hub.test/x"},
        {"url": "http://localhost/x"},
        {"url": "https:///x"},
        {"url": "https://["},
        {"url": "https://hub.test/a b"},
        {"event": "open"},
        {"event": None},
        {"standardFields": ["EMAIL"]},
        {"standardFields": ["checksum"]},
        {"eventFields": ["reason"]},
        {"urlParams": [{"name": "a", "value": "b"}]},
        {"name": "x"},
        {"id": 5},
    ],
)
def test_section_10_1_what_the_reference_does_not_know_is_400(maileon, change) -> None:
    assert post(maileon, {**BODY, **change}).status_code == 400


def test_section_10_1_another_content_type_is_415(maileon) -> None:
    answer = maileon.call("POST", "/webhooks", json.dumps(BODY), "application/vnd.maileon.api+json")
    assert answer.status_code == 415


def test_section_10_1_several_webhooks_for_one_event_are_all_called(maileon) -> None:
    maileon.hook("unsubscription", "/a")
    maileon.hook("unsubscription", "/b")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert sorted(call["path"][-2:] for call in maileon.received()) == ["/a", "/b"]


def test_section_10_1_the_doi_webhook_comes_with_the_first_click_only(maileon) -> None:
    maileon.hook("doi", standardFields=["email", "external_id", "id"], eventFields=["msg_id", "method"])
    number = maileon.number(maileon.create(ADA, {"external_id": "hs-1"}, doi="true", doimailing="K1"))
    mail = maileon.mails()[0]
    for _ in range(3):
        assert maileon.click(mail).status_code == 200
    (call,) = maileon.received()
    assert json.loads(call["body"]) == {
        "email": ADA,
        "external_id": "hs-1",
        "id": number,
        "msg_id": mail["msg_id"],
        "method": None,
    }


@pytest.mark.parametrize(("despite", "calls"), [(False, 1), (True, 2)])
def test_section_10_1_a_further_doi_mail_counts_only_where_the_account_sends_those(maileon, despite, calls) -> None:
    maileon.option(doi_mail_despite_permission=despite)
    maileon.hook("doi")
    for _ in range(2):
        maileon.create(ADA, doi="true", doimailing="K1")
    for mail in maileon.mails():
        maileon.click(mail)
    assert len(maileon.received()) == calls


def test_section_10_1_changes_through_the_api_call_no_webhook(maileon) -> None:
    maileon.hook("contact_field_change")
    maileon.create(ADA)
    maileon.update(ADA, {"standard_fields": {"CITY": "Bonn"}})
    assert maileon.received() == []


def test_section_10_1_changes_through_the_pages_call_no_webhook_and_move_updated(maileon) -> None:
    maileon.hook("contact_field_change")
    number = maileon.number(maileon.create(ADA))
    before = maileon.dump()["contacts"][0]["updated"]
    maileon.browser.post(f"/contacts/{number}", data={"standard.CITY": "Bonn", "permission": "2"})
    contact = maileon.dump()["contacts"][0]
    assert (contact["standard_fields"], contact["permission"]) == ({"CITY": "Bonn"}, 2)
    assert contact["updated"] > before
    assert maileon.received() == []


def test_section_10_1_a_profile_change_link_calls_the_webhook_per_field(maileon) -> None:
    fields = ["property", "old_value", "new_value"]
    maileon.hook("contact_field_change", standardFields=["email"], eventFields=fields)
    maileon.create(ADA, {"standard_fields": {"CITY": "Bonn"}}, permission=4)
    token = maileon.newsletter()[0]["token"]
    maileon.browser.post(f"/profile/{token}", data={"CITY": "Mainz", "FIRSTNAME": ""})
    assert [json.loads(call["body"]) for call in maileon.received()] == [
        {"email": ADA, "property": "CITY", "old_value": "Bonn", "new_value": "Mainz"}
    ]


def test_section_10_1_each_registered_bounce_calls_the_webhook(maileon) -> None:
    maileon.hook("bounce", standardFields=["email"])
    maileon.create(ADA, permission=4)
    for _ in range(2):
        maileon.control("POST", "/events", {"account": maileon.id, "email": ADA, "event": "bounce"})
    assert len(maileon.received()) == 2


def test_section_10_1_custom_contact_fields_come_empty(maileon) -> None:
    maileon.hook("unsubscription", customFields=["Position"])
    maileon.create(ADA, {"custom_fields": {"Position": "Engineer"}})
    maileon.unsubscribe(ADA)
    assert maileon.received()[0]["body"] == b'{"Position":null}'


def test_section_10_2_webhooks_must_be_enabled_for_the_account(maileon) -> None:
    maileon.option(webhooks_enabled=False)
    maileon.hook("unsubscription")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert maileon.received() == []


def test_section_10_2_only_configured_fields_are_in_the_json_body(maileon) -> None:
    maileon.hook("unsubscription", standardFields=["email"], eventFields=["method"])
    maileon.create(ADA, {"external_id": "hs-1"})
    maileon.unsubscribe(ADA)
    (call,) = maileon.received()
    assert json.loads(call["body"]) == {"email": ADA, "method": "other"}
    assert call["headers"]["content-type"] == "application/json"


def test_section_10_2_without_body_fields_the_body_is_empty_and_has_no_content_type(maileon) -> None:
    maileon.hook("unsubscription")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    (call,) = maileon.received()
    assert (call["body"], call["headers"].get("content-type")) == (b"", None)


def test_section_10_2_values_go_into_the_url_and_a_plus_arrives_as_a_blank(maileon) -> None:
    parameters = [
        {"name": "src", "custom_value": "maileon"},
        {"name": "mail", "standard_contact_field": "email"},
        {"name": "eid", "standard_contact_field": "external_id"},
    ]
    maileon.hook("unsubscription", "?token=1", urlParams=parameters)
    maileon.create("a%2Bb@example.com")
    maileon.unsubscribe("a%2Bb@example.com")
    (call,) = maileon.received()
    assert call["query"] == "token=1&src=maileon&mail=a+b@example.com&eid="


def test_section_10_2_the_host_header_is_that_of_the_registered_address(maileon) -> None:
    maileon.hook("unsubscription")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert maileon.received()[0]["headers"]["host"] == "hub.test"


def deliveries(maileon):
    maileon.quiet()
    found = maileon.control("GET", "/webhooks")["webhooks"]
    return [delivery for delivery in found if delivery["account"] == maileon.id]


def test_section_10_2_a_refused_call_is_not_repeated(maileon) -> None:
    maileon.hook("unsubscription", "/refuse")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert len(maileon.received()) == 1
    assert [(d["status"], d["attempts"]) for d in deliveries(maileon)] == [(500, 1)]


def test_section_10_2_a_call_times_out_after_five_seconds_and_is_lost(maileon) -> None:
    maileon.hook("unsubscription", "/slow")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert [(d["status"], d["error"], d["attempts"]) for d in deliveries(maileon)] == [(None, "TimeoutError", 1)]


def test_section_10_2_an_address_without_a_reach_target_is_never_called(maileon) -> None:
    post(maileon, {"url": "https://elsewhere.test/x", "event": "unsubscription"})
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    (delivery,) = deliveries(maileon)
    assert (delivery["status"], delivery["url"]) == (None, "https://elsewhere.test/x")
    assert delivery["error"] == "no --reach target for this address"


def test_section_10_2_the_unsubscribe_link_gives_method_link_and_the_message(maileon) -> None:
    maileon.hook("unsubscription", standardFields=["email"], eventFields=["method", "msg_id"])
    maileon.create(ADA, permission=4)
    mail = maileon.newsletter()[0]
    maileon.browser.get(f"/unsubscribe/{mail['token']}")
    assert maileon.received() == []
    maileon.browser.post(f"/unsubscribe/{mail['token']}", data={"confirm": "yes"})
    (call,) = maileon.received()
    assert json.loads(call["body"]) == {"email": ADA, "method": "link", "msg_id": mail["msg_id"]}


def test_section_10_2_who_comes_back_and_leaves_by_the_old_link_gives_a_byte_identical_call(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.hook("unsubscription", standardFields=["email", "external_id"], eventFields=["method", "msg_id"])
    maileon.create(ADA, {"external_id": "hs-1"}, permission=4)
    token = maileon.newsletter()[0]["token"]
    maileon.browser.post(f"/unsubscribe/{token}", data={})
    maileon.create(ADA, {"external_id": "hs-1"}, permission=4)
    maileon.browser.post(f"/unsubscribe/{token}", data={})
    bodies = [call["body"] for call in maileon.received()]
    assert (len(bodies), len(set(bodies))) == (2, 1)
    assert len(maileon.dump()["reports"]["unsubscriptions"]) == 2


def test_section_10_2_a_one_click_post_gives_method_list_unsubscribe_header(maileon) -> None:
    maileon.hook("unsubscription", eventFields=["method"])
    maileon.create(ADA, permission=4)
    token = maileon.newsletter()[0]["token"]
    maileon.browser.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
    assert maileon.received()[0]["body"] == b'{"method":"list-unsubscribe-header"}'


def test_section_10_2_webhooks_may_come_twice(maileon) -> None:
    maileon.control("POST", "/webhooks", {"duplicates": 1})
    maileon.hook("unsubscription")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert len(maileon.received()) == 2


def test_section_10_2_webhooks_may_be_lost(maileon) -> None:
    maileon.control("POST", "/webhooks", {"lose": 1})
    maileon.hook("unsubscription")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert maileon.received() == []
    assert [d["error"] for d in deliveries(maileon)] == ["lost"]


def test_section_10_2_webhooks_may_come_in_another_order(maileon) -> None:
    maileon.control("POST", "/webhooks", {"reorder_seconds": [0.0, 0.3]})
    maileon.hook("bounce", eventFields=["msg_id"])
    maileon.create(ADA, permission=4)
    for i in range(20):
        order = {"account": maileon.id, "email": ADA, "event": "bounce", "msg_id": f"{i:02}"}
        maileon.control("POST", "/events", order)
    bodies = [call["body"] for call in maileon.received()]
    assert len(bodies) == 20
    assert bodies != sorted(bodies)


def test_section_10_2_paused_webhooks_wait_and_then_come(maileon) -> None:
    maileon.control("POST", "/webhooks", {"pause": True})
    maileon.hook("unsubscription")
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert maileon.control("GET", "/idle")["idle"] is False
    maileon.control("POST", "/webhooks", {"pause": False})
    assert len(maileon.received()) == 1


def test_section_10_2_a_call_can_be_sent_again_byte_for_byte(maileon) -> None:
    maileon.hook("unsubscription", standardFields=["email"], eventFields=["timestamp"])
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    (delivery,) = deliveries(maileon)
    order = {"numbers": [delivery["number"]], "shuffle": True, "times": 2}
    assert [sent["status"] for sent in maileon.control("POST", "/webhooks/resend", order)["sent"]] == [204, 204]
    bodies = {call["body"] for call in maileon.received()}
    assert (len(maileon.received()), bodies) == (3, {delivery["body"].encode()})
