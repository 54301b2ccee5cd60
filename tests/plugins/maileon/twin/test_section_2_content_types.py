"""Section 2: content types and encoding."""

from __future__ import annotations

import gzip

XML = "application/vnd.maileon.api+xml"


def test_section_2_xml_answers_carry_the_exact_content_type(maileon) -> None:
    assert maileon.create("ada@example.com").headers["content-type"] == XML


def test_section_2_xml_answers_a_json_request_too(maileon) -> None:
    assert maileon.xml(maileon.create("ada@example.com"), 201).tag == "id"


def test_section_2_another_content_type_is_415(maileon) -> None:
    for kind in ("application/json", "text/xml", "application/x-www-form-urlencoded"):
        assert maileon.call("POST", "/contacts/email/a@b.de", "{}", kind).status_code == 415


def test_section_2_bulk_takes_no_json(maileon) -> None:
    kind = "application/vnd.maileon.api+json"
    assert maileon.call("POST", "/contacts", '{"contacts": []}', kind).status_code == 415


def test_section_2_a_charset_parameter_is_fine(maileon) -> None:
    answer = maileon.call("POST", "/contacts/email/a@b.de", "<contact/>", XML + "; charset=utf-8")
    assert answer.status_code == 201


def test_section_2_path_segments_are_percent_decoded(maileon) -> None:
    maileon.create("a%2Bb%40ex.com")
    assert maileon.dump()["contacts"][0]["email"] == "a+b@ex.com"


def test_section_2_special_characters_survive_both_ways(maileon) -> None:
    maileon.create("ada@example.com", {"standard_fields": {"FIRSTNAME": "Zoë & <b>"}})
    assert maileon.read("ada@example.com", standard_field="FIRSTNAME").findtext(".//value") == "Zoë & <b>"


def test_section_2_cdata_is_read(maileon) -> None:
    field = "<field><name>CITY</name><value><![CDATA[A & B]]></value></field>"
    body = f"<contact><standard_fields>{field}</standard_fields></contact>"
    maileon.call("POST", "/contacts/email/a@b.de", body)
    assert maileon.dump()["contacts"][0]["standard_fields"] == {"CITY": "A & B"}


def test_section_2_several_values_repeat_the_parameter(maileon) -> None:
    maileon.create("ada@example.com")
    found = maileon.read("ada@example.com", standard_field=["FIRSTNAME", "CITY"])
    assert [name.text for name in found.iter("name")] == ["FIRSTNAME", "CITY"]


def test_section_2_brackets_behind_a_parameter_are_refused(maileon) -> None:
    assert maileon.client.get("/contacts", params={"standard_field[]": "CITY"}).status_code == 400


def test_section_2_booleans_are_words(maileon) -> None:
    assert maileon.create("ada@example.com", doi="1").status_code == 400


def test_section_2_a_gzip_body_is_unpacked(maileon) -> None:
    headers = {"Content-Type": XML, "Content-Encoding": "gzip"}
    answer = maileon.client.post("/contacts/email/a@b.de", content=gzip.compress(b"<contact/>"), headers=headers)
    assert answer.status_code == 201


def test_section_2_a_broken_gzip_body_is_400(maileon) -> None:
    headers = {"Content-Type": XML, "Content-Encoding": "gzip"}
    assert maileon.client.post("/contacts/email/a@b.de", content=b"<contact/>", headers=headers).status_code == 400


def test_section_2_expect_100_continue_is_refused(maileon) -> None:
    headers = {"Content-Type": XML, "Expect": "100-continue"}
    assert maileon.client.post("/contacts/email/a@b.de", content=b"<contact/>", headers=headers).status_code == 400
