"""Contacts, values and times between Maileon's spelling and ours (reference, sections 5 and 12)."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk.sdk import FieldSpec, Permission, Presence, Secret
from stellwerk_maileon import clock, customfields, elements, wire
from stellwerk_maileon.problem import WireError
from stellwerk_maileon.settings import MaileonAccount, MaileonSystem

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SPECS = {
    "custom:Vip": FieldSpec(name="custom:Vip", kind="yes_no"),
    "custom:Score": FieldSpec(name="custom:Score", kind="number"),
}

CONTACT = """<?xml version="1.0" encoding="UTF-8"?>
<contacts><contact>
  <id>77</id><email>ada@example.com</email><external_id nil="true"/><permission>5</permission>
  <created>2016-06-13 09:14:41.0</created><updated>2016-12-13 09:14:41.0</updated>
  <standard_fields>
    <field><name>FIRSTNAME</name><value><![CDATA[Ada & Co]]></value></field>
    <field><name>BIRTHDAY</name><value>1990-01-02 00:00:00</value></field>
    <field><name>TITLE</name><value nil="true"/></field>
    <field><name>SENDOUT_STATUS</name><value>blocked</value></field>
    <field><value>a field without a name</value></field>
  </standard_fields>
  <custom_fields>
    <field><name>Vip</name><value>true</value></field>
    <field><name>Score</name><value>3.50</value></field>
    <field><name>Stellwerk Ask</name><value>wish-7</value></field>
  </custom_fields>
</contact></contacts>"""


def test_a_read_contact_is_told_in_our_words() -> None:
    (stored,) = wire.read_contacts(CONTACT.encode())
    fields = ("FIRSTNAME", "BIRTHDAY", "TITLE", "LASTNAME", "custom:Vip", "custom:Score", "custom:Position")
    found = wire.to_contact(stored, fields, SPECS, zone=BERLIN, read_at=NOW, opted_out=False)
    assert found.fields == {
        "FIRSTNAME": "Ada & Co",
        "BIRTHDAY": "1990-01-02",
        "TITLE": None,
        "LASTNAME": None,
        "custom:Vip": "yes",
        "custom:Score": "3.5",
        "custom:Position": None,
    }
    assert (found.id, found.email, found.peer_id, found.mark) == ("77", "ada@example.com", None, "wish-7")
    assert (found.permission, found.blocked, found.presence) == (Permission.DOUBLE_PLUS, True, Presence.PRESENT)
    assert found.created_at == datetime(2016, 6, 13, 7, 14, 41, tzinfo=UTC)
    assert found.updated_at == datetime(2016, 12, 13, 8, 14, 41, tzinfo=UTC)


def test_an_anonymised_contact_has_an_id_and_no_address() -> None:
    body = b'<contact anonymous="true"><id>77</id><external_id>p1</external_id></contact>'
    (stored,) = wire.read_contacts(body)
    found = wire.to_contact(stored, (), {}, zone=BERLIN, read_at=NOW, opted_out=True)
    assert (found.presence, found.id, found.email, found.peer_id) == (Presence.ANONYMOUS, "77", None, "p1")


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_is_understood_by_number_and_by_name(permission: Permission) -> None:
    for spelling in wire.PERMISSIONS[permission]:
        assert wire.read_permission(f" {spelling.upper()} ") is permission


def test_an_unknown_permission_is_other_and_none_given_is_unknown() -> None:
    assert wire.read_permission("9") is Permission.OTHER
    assert wire.read_permission(None) is None


@pytest.mark.parametrize("bad", [b"<contacts>", b"<html/>", b"\xff\xfe<", b"<contacts><contact/></contacts>"])
def test_what_is_no_contact_is_an_error_and_never_an_empty_list(bad: bytes) -> None:
    with pytest.raises(WireError):
        wire.read_contacts(bad)


def test_a_document_type_is_refused_before_its_entities_can_do_anything() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><contacts>&b;</contacts>'
    with pytest.raises(WireError, match="document type"):
        elements.parse(bomb, "contacts")


def test_a_body_that_declares_another_encoding_is_read_as_utf_8() -> None:
    root = elements.parse('<?xml version="1.0" encoding="ISO-8859-1"?><id>ü</id>'.encode(), "id")
    assert elements.content(root) == "ü"


values = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@given(first=values, position=values, peer=st.text(string.printable, min_size=1, max_size=20))
def test_what_is_written_reads_back_whatever_markup_it_holds(first: str, position: str, peer: str) -> None:
    written = wire.contact_element(
        {"FIRSTNAME": first, "custom:A & <B>": position}, {}, email="ada@example.com", external_id=peer, mark="w"
    )
    (stored,) = wire.read_contacts(wire.contacts_document([written]))

    def carried(text: str) -> str | None:
        kept = elements.UNWRITABLE.sub("", text)
        return kept.replace("\r\n", "\n").replace("\r", "\n") or None  # XML's own rule for line ends

    assert stored.standard == {"FIRSTNAME": carried(first)}
    assert stored.custom == {"A & <B>": carried(position), "Stellwerk Ask": "w"}
    assert stored.external_id == carried(peer)


def test_an_empty_value_is_written_as_nil() -> None:
    written = wire.contact_element({"FIRSTNAME": None, "LASTNAME": ""}, {}, email="ada@example.com")
    assert elements.render(written).count(b'<value nil="true" />') == 2


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        ("yes_no", "yes", "true"),
        ("yes_no", "no", "false"),
        ("text", "yes", "yes"),
        ("date", "1990-01-02", "1990-01-02"),
    ],
)
def test_values_keep_their_meaning_on_the_way_there_and_back(kind: str, ours: str, theirs: str) -> None:
    assert wire.write_value(ours, kind) == theirs
    assert wire.read_value(theirs, kind) == ours


@pytest.mark.parametrize(
    ("kind", "theirs", "ours"),
    [
        ("yes_no", "1", "yes"),
        ("yes_no", "0", "no"),
        ("yes_no", "perhaps", "perhaps"),
        ("date", "1990-01-02T00:00:00", "1990-01-02"),
        ("date", "soon", "soon"),
        ("number", "3.0", "3"),
        ("number", "1e3", "1e3"),
        ("integer", "30", "30"),
        ("text", "", None),
        ("text", None, None),
    ],
)
def test_maileons_spellings_become_one(kind: str, theirs: str | None, ours: str | None) -> None:
    assert wire.read_value(theirs, kind) == ours


def test_only_standard_fields_that_are_not_read_only_and_custom_fields_are_written() -> None:
    assert wire.is_writable("FIRSTNAME")
    assert wire.is_writable("custom:Position")
    assert not any(wire.is_writable(name) for name in ("SENDOUT_STATUS", "firstname", "custom:", "CHECKSUM"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-06-13 09:14:41.0", datetime(2016, 6, 13, 7, 14, 41, tzinfo=UTC)),
        ("2016-06-13 09:14", datetime(2016, 6, 13, 7, 14, tzinfo=UTC)),
        ("2016-06-13", datetime(2016, 6, 12, 22, tzinfo=UTC)),
        ("2020-07-06T09:41:00+0200", datetime(2020, 7, 6, 7, 41, tzinfo=UTC)),
        ("2020-07-06T09:41:00-01:30", datetime(2020, 7, 6, 11, 11, tzinfo=UTC)),
        ("2020-07-06T09:41:00Z", datetime(2020, 7, 6, 9, 41, tzinfo=UTC)),
        ("1594028460000", datetime(2020, 7, 6, 9, 41, tzinfo=UTC)),
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2016-13-13 09:14:41", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_without_a_zone_are_of_the_configured_one(text: str | None, expected: datetime | None) -> None:
    assert clock.read_time(text, BERLIN) == expected


def test_the_offset_of_a_time_names_a_zone() -> None:
    assert clock.read_zone("2020-07-06T09:41:00+0200") == "+02:00"
    assert clock.read_zone("2020-07-06T09:41:00Z") == "+00:00"
    assert clock.read_zone("2020-07-06 09:41:00") is None
    assert clock.read_zone(None) is None


def test_custom_field_names_follow_maileons_rules() -> None:
    assert customfields.is_possible("Is Customer")
    assert not any(customfields.is_possible(name) for name in ("ab", "x" * 65, "FirstName", "external_id", "Updated"))


def test_an_unknown_zone_is_refused_with_its_name() -> None:
    with pytest.raises(msgspec.ValidationError, match="Mars/Olympus"):
        msgspec.convert({"zone": "Mars/Olympus"}, MaileonSystem)


def test_settings_have_the_documented_defaults_and_hide_the_key() -> None:
    system = MaileonSystem()
    assert (system.api_url, system.timeout_seconds, system.zone) == ("https://api.maileon.com/1.0", 30, "Europe/Berlin")
    assert "0815" not in repr(MaileonAccount(api_key=Secret("key-0815")))
