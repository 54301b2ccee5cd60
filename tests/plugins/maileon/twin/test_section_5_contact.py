"""Section 5: fields, permissions and the contact's body."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GENDER", "x"),
        ("GENDER", "male"),
        ("LOCALE", "german"),
        ("LOCALE", "de-DE"),
        ("LOCALE", "de_de"),
        ("BIRTHDAY", "12.12.1999"),
        ("BIRTHDAY", "1999-02-30"),
        ("NAMEDAY", "1999-1-1"),
        ("FIRSTNAME", "x" * 256),
        ("COUNTRY", "x" * 256),
        ("CHECKSUM", "abc"),
        ("SENDOUT_STATUS", "allowed"),
    ],
)
def test_section_5_1_a_value_the_standard_field_does_not_take_is_400(maileon, name, value) -> None:
    assert maileon.create("ada@example.com", {"standard_fields": {name: value}}).status_code == 400
    assert maileon.dump()["contacts"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GENDER", "d"),
        ("LOCALE", "de"),
        ("LOCALE", "de_DE"),
        ("BIRTHDAY", "1999-12-12"),
        ("NAMEDAY", "1999-12-12 10:00:00"),
        ("FIRSTNAME", "x" * 255),
    ],
)
def test_section_5_1_a_fitting_value_is_kept(maileon, name, value) -> None:
    maileon.create("ada@example.com", {"standard_fields": {name: value}})
    assert maileon.dump()["contacts"][0]["standard_fields"] == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Score", "2147483648"),
        ("Score", "-2147483649"),
        ("Score", "1.5"),
        ("Ratio", "much"),
        ("Ratio", "1e999"),
        ("Since", "yesterday"),
        ("Is Customer", "yes"),
        ("Position", "x" * 256),
    ],
)
def test_section_5_2_a_value_of_the_wrong_type_is_400(maileon, name, value) -> None:
    assert maileon.create("ada@example.com", {"custom_fields": {name: value}}).status_code == 400


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("Score", -2147483648, "-2147483648"),
        ("Ratio", 1.5, "1.5"),
        ("Since", "2026-01-31 10:11:12", "2026-01-31"),
        ("Is Customer", True, "true"),
        ("Is Customer", "0", "false"),
    ],
)
def test_section_5_2_values_are_stored_by_type(maileon, name, value, stored) -> None:
    maileon.create("ada@example.com", {"custom_fields": {name: value}})
    assert maileon.dump()["contacts"][0]["custom_fields"] == {name: stored}


def test_section_5_2_an_undeclared_field_in_a_single_call_is_400(maileon) -> None:
    assert maileon.create("ada@example.com", {"custom_fields": {"Shoe": "42"}}).status_code == 400


def test_section_5_2_custom_fields_are_listed_with_their_types(maileon) -> None:
    fields = maileon.xml(maileon.get("/contacts/fields/custom"))
    assert fields.tag == "custom_fields"
    assert next((f.findtext("name"), f.findtext("type")) for f in fields) == ("Position", "string")


def test_section_5_2_a_name_may_hold_a_blank(maileon) -> None:
    assert maileon.call("POST", "/contacts/fields/custom/Shoe%20size", type="integer").status_code == 201
    assert maileon.dump()["custom_fields"]["Shoe size"] == "integer"


@pytest.mark.parametrize("name", ["ab", "x" * 65, "FIRSTNAME", "created", "external_id", "sendout_status", "Position"])
def test_section_5_2_short_long_reserved_and_taken_names_are_400(maileon, name) -> None:
    assert maileon.call("POST", f"/contacts/fields/custom/{name}", type="string").status_code == 400


def test_section_5_2_an_unknown_type_is_400(maileon) -> None:
    assert maileon.call("POST", "/contacts/fields/custom/Shoe", type="text").status_code == 400
    assert maileon.call("POST", "/contacts/fields/custom/Shoe").status_code == 400


def test_section_5_2_renaming_keeps_the_values(maileon) -> None:
    maileon.create("ada@example.com", {"custom_fields": {"Position": "Engineer"}})
    assert maileon.call("PUT", "/contacts/fields/custom/Position/Job").status_code == 200
    assert maileon.dump()["contacts"][0]["custom_fields"] == {"Job": "Engineer"}


def test_section_5_2_deleting_a_field_takes_the_values_along(maileon) -> None:
    maileon.create("ada@example.com", {"custom_fields": {"Position": "Engineer"}})
    assert maileon.call("DELETE", "/contacts/fields/custom/Position").status_code == 204
    assert maileon.dump()["contacts"][0]["custom_fields"] == {}
    assert maileon.call("DELETE", "/contacts/fields/custom/Position").status_code == 404


@pytest.mark.parametrize("path", ["custom/Position", "standard/CITY"])
def test_section_5_2_values_can_be_emptied_for_every_contact(maileon, path) -> None:
    body = {"custom_fields": {"Position": "Engineer"}, "standard_fields": {"CITY": "Bonn"}}
    for email in ("ada@example.com", "ben@example.com"):
        maileon.create(email, body)
    assert maileon.call("DELETE", f"/contacts/fields/{path}/values").status_code == 204
    kind, name = path.split("/")
    assert all(name not in contact[f"{kind}_fields"] for contact in maileon.dump()["contacts"])


@pytest.mark.parametrize("permission", ["0", "7", "doi", "4.0"])
def test_section_5_4_a_permission_outside_1_to_6_is_400(maileon, permission) -> None:
    assert maileon.create("ada@example.com", permission=permission).status_code == 400


def test_section_5_4_in_contact_bodies_the_permission_is_the_number(maileon) -> None:
    maileon.create("ada@example.com", permission=5)
    assert maileon.permission("ada@example.com") == "5"


def test_section_5_5_nil_empties_a_field_in_xml(maileon) -> None:
    maileon.create("ada@example.com", {"standard_fields": {"CITY": "Bonn"}})
    field = '<field><name>CITY</name><value nil="true"/></field>'
    body = f"<contact><standard_fields>{field}</standard_fields></contact>"
    maileon.call("PUT", "/contacts/email/ada@example.com", body)
    assert maileon.dump()["contacts"][0]["standard_fields"] == {}


def test_section_5_5_an_empty_string_empties_a_custom_field_in_json(maileon) -> None:
    maileon.create("ada@example.com", {"custom_fields": {"Position": "Engineer"}})
    maileon.update("ada@example.com", {"custom_fields": {"Position": ""}})
    assert maileon.dump()["contacts"][0]["custom_fields"] == {}


def test_section_5_5_a_custom_field_must_not_be_null_in_json(maileon) -> None:
    assert maileon.create("ada@example.com", {"custom_fields": {"Position": None}}).status_code == 400


def test_section_5_5_an_empty_preferences_element_is_fine(maileon) -> None:
    answer = maileon.call("POST", "/contacts/email/a@b.de", "<contact><preferences/></contact>")
    assert answer.status_code == 201


def test_section_5_5_a_field_that_is_not_in_the_body_stays(maileon) -> None:
    maileon.create("ada@example.com", {"standard_fields": {"CITY": "Bonn", "ZIP": "53111"}})
    maileon.update("ada@example.com", {"standard_fields": {"CITY": "Mainz"}})
    assert maileon.dump()["contacts"][0]["standard_fields"] == {"CITY": "Mainz", "ZIP": "53111"}
