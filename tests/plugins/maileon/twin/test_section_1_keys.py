"""Section 1: base URL, authentication, API keys."""

from __future__ import annotations

import base64

import pytest


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_section_1_1_ping_answers_each_method(maileon, method) -> None:
    assert maileon.call(method, "/ping").status_code == 200


def test_section_1_1_a_ping_may_carry_a_body_as_the_official_client_sends_it(maileon) -> None:
    assert maileon.call("POST", "/ping", "foobar").status_code == 200


def test_section_1_the_key_is_taken_alone_or_with_a_colon(maileon) -> None:
    alone, colon = maileon.authorization(maileon.key), maileon.authorization(maileon.key, ":")
    assert [maileon.client.get("/ping", headers=h).status_code for h in (alone, colon)] == [200, 200]


def test_section_1_a_missing_key_is_401_with_the_error_body(maileon) -> None:
    answer = maileon.client.shared.get(maileon.ready.api_url + "/ping")
    assert maileon.xml(answer, 401).findtext("message") == "the API key is missing"


@pytest.mark.parametrize("credentials", ["Basic", "Bearer abc", "Basic !!!", "Basic " + "a" * 40])
def test_section_1_wrong_credentials_are_401(maileon, credentials) -> None:
    assert maileon.client.get("/ping", headers={"Authorization": credentials}).status_code == 401


def test_section_1_the_key_is_case_sensitive(maileon) -> None:
    assert maileon.client.get("/ping", headers=maileon.authorization(maileon.key.upper())).status_code == 401


def test_section_1_an_encoded_key_pasted_as_key_is_401(maileon) -> None:
    encoded = base64.b64encode(maileon.key.encode()).decode()
    assert maileon.client.get("/ping", headers=maileon.authorization(encoded)).status_code == 401


@pytest.mark.parametrize("state", ["expired", "deactivated"])
def test_section_1_an_expired_or_deactivated_key_is_401(maileon, state) -> None:
    maileon.control("POST", "/keys", {"account": maileon.id, "key": maileon.key, "state": state})
    assert maileon.get("/ping").status_code == 401


def test_section_1_a_blocked_account_is_401(maileon) -> None:
    maileon.option(blocked=True)
    assert maileon.get("/ping").status_code == 401


def test_section_1_rights_are_kept_per_method(maileon) -> None:
    maileon.control("POST", "/keys", {"account": maileon.id, "key": maileon.key, "rights": ["GET", "POST", "PUT"]})
    codes = [maileon.call(method, "/ping").status_code for method in ("GET", "POST", "PUT", "DELETE")]
    assert codes == [200, 200, 200, 403]


def test_section_1_a_key_without_delete_cannot_unsubscribe(maileon) -> None:
    maileon.create("ada@example.com")
    maileon.control("POST", "/keys", {"account": maileon.id, "key": maileon.key, "rights": ["GET", "POST", "PUT"]})
    assert maileon.unsubscribe("ada@example.com").status_code == 403
    assert maileon.dump()["markers"] == []


def test_section_1_keys_have_12_to_265_characters(maileon) -> None:
    for key in ("short", "x" * 266):
        answer = maileon.controls.post("/keys", json={"account": maileon.id, "key": key})
        assert answer.status_code == 400


def test_section_1_1_account_info_is_xml_by_default(maileon) -> None:
    info = maileon.xml(maileon.get("/account/info"))
    assert (info.findtext("id"), info.findtext("name")) == (str(maileon.id), f"Account {maileon.id}")


def test_section_1_1_account_info_is_json_when_asked(maileon) -> None:
    answer = maileon.client.get("/account/info", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["id"] == maileon.id
    assert answer.json()["created"][-5:] in ("+0100", "+0200")
