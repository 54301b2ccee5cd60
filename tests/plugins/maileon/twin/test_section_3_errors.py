"""Section 3: status codes, the error body, and what the reference does not know."""

from __future__ import annotations

import pytest

XML = "application/vnd.maileon.api+xml"


def test_section_3_an_error_has_one_message_and_no_code(maileon) -> None:
    answer = maileon.get("/contacts", page_size=200000)
    assert answer.headers["content-type"] == XML
    error = maileon.xml(answer, 400)
    assert [child.tag for child in error] == ["message"]
    assert error.findtext("message") == "page_size must not exceed 1000 but was 200000"


@pytest.mark.parametrize("path", ["/contacts/synchronize", "/contact", "/contacts/email", "/contacts/", "/ping/x"])
def test_section_3_an_unknown_path_is_404_and_recorded_as_refused(maileon, path) -> None:
    assert maileon.get(path).status_code == 404
    assert maileon.last_request()["refused"] is True


def test_section_3_a_path_outside_1_0_is_recorded_as_refused(maileon) -> None:
    assert maileon.browser.get("/2.0/ping").status_code == 404
    assert maileon.last_request()["refused"] is True


def test_section_3_a_missing_contact_is_404_and_not_refused(maileon) -> None:
    assert maileon.get("/contacts/email/nobody@example.com").status_code == 404
    assert maileon.last_request()["refused"] is False


def test_section_3_a_known_path_with_another_method_is_405(maileon) -> None:
    assert maileon.call("PATCH", "/ping").status_code == 405
    assert maileon.call("PUT", "/contacts/count").status_code == 405


def test_section_3_an_unknown_parameter_is_400_and_refused(maileon) -> None:
    answer = maileon.create("ada@example.com", update="true")
    assert maileon.xml(answer, 400).findtext("message") == "unknown parameter update"
    assert maileon.last_request()["refused"] is True


def test_section_3_a_parameter_given_twice_is_400(maileon) -> None:
    assert maileon.create("ada@example.com", permission=[1, 4]).status_code == 400


def test_section_3_an_unknown_x_header_is_400(maileon) -> None:
    answer = maileon.client.get("/ping", headers={"X-Trace": "1"})
    assert maileon.xml(answer, 400).findtext("message") == "unknown header x-trace"


@pytest.mark.parametrize(
    "body",
    [
        "<contact><phone>1</phone></contact>",
        "<contact kind='x'/>",
        "<contact><email>a@b.de</email><email>a@b.de</email></contact>",
        "<contact><standard_fields><name>CITY</name></standard_fields></contact>",
        "<contact><standard_fields><field><name>PHONE</name><value>1</value></field></standard_fields></contact>",
        "<contact>text</contact>",
        "<person/>",
        "<contact><permission>4</permission></contact>",
        "<contact>",
        "<contact><standard_fields><field><name>CITY</name></field></standard_fields></contact>",
        "<contact><email nil='maybe'/></contact>",
        "<contact><email xml:lang='de'>a@b.de</email></contact>",
        "<contact><email><b>a@b.de</b></email></contact>",
        "<contact><preferences><preference/></preferences></contact>",
        "<contact><custom_fields>"
        + "<field><name>Position</name><value>x</value></field>" * 2
        + "</custom_fields></contact>",
    ],
)
def test_section_3_an_element_the_reference_does_not_know_is_400(maileon, body) -> None:
    assert maileon.call("POST", "/contacts/email/a@b.de", body).status_code == 400
    assert maileon.dump()["contacts"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"phone": "1"},
        {"standard_fields": {"PHONE": "1"}},
        {"standard_fields": {"firstname": "Ada"}},
        {"standard_fields": []},
        {"permission": 4},
        {"custom_fields": {"Position": {}}},
        {"custom_fields": {"Position": None}},
        {"preferences": [{"name": "News"}]},
        {"external_id": 5},
        {"external_id": "x" * 256},
        {"id": "1"},
        ["a@b.de"],
    ],
)
def test_section_3_a_key_the_reference_does_not_know_is_400(maileon, body) -> None:
    assert maileon.create("a@b.de", body).status_code == 400


def test_section_3_malformed_json_is_400(maileon) -> None:
    kind = "application/vnd.maileon.api+json"
    assert maileon.call("POST", "/contacts/email/a@b.de", "{", kind).status_code == 400


def test_section_3_a_body_where_none_belongs_is_400(maileon) -> None:
    assert maileon.call("PUT", "/contacts/email/a@b.de/unsubscription", "<x/>").status_code == 400


def test_section_3_a_path_that_is_not_utf_8_is_400(maileon) -> None:
    assert maileon.get("/contacts/email/%ff@b.de").status_code == 400


def test_section_3_an_unknown_content_encoding_is_415(maileon) -> None:
    headers = {"Content-Type": XML, "Content-Encoding": "br"}
    assert maileon.client.post("/contacts/email/a@b.de", content=b"x", headers=headers).status_code == 415


def test_section_3_a_body_beyond_all_measure_is_413(maileon) -> None:
    headers = {"Content-Type": XML}
    assert maileon.client.post("/contacts", content=b"x" * 32_000_001, headers=headers).status_code == 413
