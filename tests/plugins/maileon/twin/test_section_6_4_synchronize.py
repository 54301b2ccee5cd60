"""Section 6.4: the bulk call, its defaults and its report."""

from __future__ import annotations

import pytest

ADA, BEN = "ada@example.com", "ben@example.com"
SAFE = {
    "sync_mode": 1,
    "ignore_invalid_contacts": "true",
    "reimport_unsubscribed_contacts": "false",
    "override_permission": "false",
}


def email(address, city=None, external_id=None, field=None):
    text = f"<email>{address}</email>"
    if external_id:
        text += f"<external_id>{external_id}</external_id>"
    if city:
        text += f"<standard_fields><field><name>CITY</name><value>{city}</value></field></standard_fields>"
    if field:
        name, value = field
        text += f"<custom_fields><field><name>{name}</name><value>{value}</value></field></custom_fields>"
    return text


def counts(maileon, answer):
    report = maileon.xml(answer)
    names = ("contacts", "new", "existing", "unsubscribed", "invalid")
    return tuple(
        int(report.findtext(f"count_{name}" if name == "contacts" else f"count_{name}_contacts")) for name in names
    )


def codes(report):
    return [error.get("code") for error in report.iter("error")]


def cities(maileon):
    return {contact["email"]: contact["standard_fields"].get("CITY") for contact in maileon.dump()["contacts"]}


def test_section_6_4_the_report_counts(maileon) -> None:
    maileon.create(ADA)
    assert counts(maileon, maileon.bulk(email(ADA), email(BEN), **SAFE)) == (2, 1, 1, 0, 0)


def test_section_6_4_by_default_an_existing_contact_is_silently_left(maileon) -> None:
    maileon.create(ADA, {"standard_fields": {"CITY": "Bonn"}})
    maileon.bulk(email(ADA, "Mainz"))
    assert cities(maileon) == {ADA: "Bonn"}


def test_section_6_4_sync_mode_1_updates(maileon) -> None:
    maileon.create(ADA, {"standard_fields": {"CITY": "Bonn"}})
    maileon.bulk(email(ADA, "Mainz"), sync_mode=1)
    assert cities(maileon) == {ADA: "Mainz"}


def test_section_6_4_by_default_one_bad_contact_fails_the_call(maileon) -> None:
    answer = maileon.bulk(email(ADA), email("bad@@example"))
    report = maileon.xml(answer, 400)
    assert (report.findtext("success"), codes(report)) == ("false", ["3"])
    assert maileon.dump()["contacts"] == []


def test_section_6_4_bad_contacts_are_skipped_when_ignored(maileon) -> None:
    assert counts(maileon, maileon.bulk(email(ADA), email("bad@@example"), **SAFE)) == (2, 1, 0, 0, 1)
    assert [contact["email"] for contact in maileon.dump()["contacts"]] == [ADA]


def test_section_6_4_an_invalid_contact_is_named_with_code_and_field(maileon) -> None:
    report = maileon.xml(maileon.bulk(email("bad@@example"), **SAFE))
    contact = report.find("invalid_contacts/contact")
    assert contact.findtext("email") == "bad@@example"
    assert contact.find("error").get("code") == "3"
    assert contact.findtext("error/error_field") == "email"


@pytest.mark.parametrize(("held", "after"), [(1, "2"), (4, "2"), (5, "2")])
def test_section_6_4_by_default_the_permission_of_existing_contacts_is_overridden(maileon, held, after) -> None:
    maileon.create(ADA, permission=held)
    maileon.bulk(email(ADA), permission=2, sync_mode=1)
    assert maileon.permission(ADA) == after


def test_section_6_4_sync_mode_2_leaves_the_permission_too(maileon) -> None:
    maileon.create(ADA, permission=4)
    maileon.bulk(email(ADA), permission=2)
    assert maileon.permission(ADA) == "4"


def test_section_6_4_an_address_that_exists_twice_is_updated_once(maileon) -> None:
    for number in ("hs-1", "hs-2"):
        maileon.call("POST", f"/contacts/externalid/{number}", f"<contact><email>{ADA}</email></contact>")
    assert counts(maileon, maileon.bulk(email(ADA, "Bonn"), **SAFE)) == (1, 0, 1, 0, 0)
    assert [contact["standard_fields"] for contact in maileon.dump()["contacts"]] == [{"CITY": "Bonn"}, {}]


def test_section_6_4_without_a_permission_existing_contacts_keep_theirs(maileon) -> None:
    maileon.create(ADA, permission=4)
    maileon.bulk(email(ADA), email(BEN), sync_mode=1)
    assert (maileon.permission(ADA), maileon.permission(BEN)) == ("4", "1")


def test_section_6_4_without_override_only_new_contacts_get_the_permission(maileon) -> None:
    maileon.create(ADA, permission=1)
    maileon.bulk(email(ADA), email(BEN), permission=2, **SAFE)
    assert (maileon.permission(ADA), maileon.permission(BEN)) == ("1", "2")


def test_section_6_4_by_default_a_marked_address_is_brought_back(maileon) -> None:
    maileon.control("POST", "/seed", {"account": maileon.id, "markers": [ADA]})
    assert counts(maileon, maileon.bulk(email(ADA))) == (1, 1, 0, 0, 0)


def test_section_6_4_a_marked_address_is_skipped_when_not_reimported(maileon) -> None:
    maileon.control("POST", "/seed", {"account": maileon.id, "markers": [ADA]})
    assert counts(maileon, maileon.bulk(email("Ada@example.com"), email(BEN), **SAFE)) == (2, 1, 0, 1, 0)
    assert list(cities(maileon)) == [BEN]


def test_section_6_4_a_living_contact_with_a_marker_is_skipped_too(maileon) -> None:
    seed = {"email": ADA, "permission": 4, "marker": True}
    maileon.control("POST", "/seed", {"account": maileon.id, "contacts": [seed]})
    maileon.bulk(email(ADA, "Mainz"), **SAFE)
    assert cities(maileon) == {ADA: None}
    maileon.bulk(email(ADA, "Mainz"), **{**SAFE, "reimport_unsubscribed_contacts": "true"})
    assert cities(maileon) == {ADA: "Mainz"}


def test_section_6_4_update_only_never_creates(maileon) -> None:
    maileon.create(ADA)
    answer = maileon.bulk(email(ADA, "Mainz"), email(BEN, "Mainz"), update_only="true", **SAFE)
    assert counts(maileon, answer) == (2, 0, 1, 0, 0)
    assert cities(maileon) == {ADA: "Mainz"}


def test_section_6_4_the_same_identifier_twice_counts_once(maileon) -> None:
    answer = maileon.bulk(email(ADA, "Bonn"), email("ADA@example.com", "Mainz"), **SAFE)
    assert counts(maileon, answer) == (2, 1, 0, 0, 0)
    assert cities(maileon) == {ADA: "Bonn"}


def test_section_6_4_a_bulk_call_never_starts_a_doi(maileon) -> None:
    maileon.control("POST", "/mailings", {"account": maileon.id, "key": "K1", "name": "x", "default": True})
    maileon.bulk(email(ADA), permission=1, **SAFE)
    assert maileon.mails() == []
    assert maileon.bulk(email(ADA), doi="true").status_code == 400


def test_section_6_4_no_permission_stands_in_a_contact(maileon) -> None:
    assert maileon.bulk(email(ADA) + "<permission>4</permission>", **SAFE).status_code == 400


def test_section_6_4_external_id_and_maileon_id_exclude_each_other(maileon) -> None:
    assert maileon.bulk(email(ADA), use_external_id="true", prefer_maileon_id="true").status_code == 400


def test_section_6_4_contacts_are_found_by_external_id(maileon) -> None:
    maileon.create(ADA, {"external_id": "hs-1"})
    maileon.bulk(email("new@example.com", "Mainz", "hs-1"), use_external_id="true", **SAFE)
    assert cities(maileon) == {"new@example.com": "Mainz"}


def test_section_6_4_contacts_are_found_by_maileon_id_first(maileon) -> None:
    number = maileon.number(maileon.create(ADA))
    maileon.bulk(f"<id>{number}</id>" + email("new@example.com", "Mainz"), prefer_maileon_id="true", **SAFE)
    maileon.bulk("<id>1</id>" + email("new@example.com", "Bonn"), prefer_maileon_id="true", **SAFE)
    assert cities(maileon) == {"new@example.com": "Bonn"}


@pytest.mark.parametrize(
    ("entry", "params", "code"),
    [
        (email(ADA), {"use_external_id": "true"}, "1"),
        ("<external_id>hs-9</external_id>", {}, "2"),
        ("<external_id>hs-9</external_id>", {"use_external_id": "true"}, "2"),
        (email("a b@example.com"), {}, "3"),
        (email(ADA, external_id="taken"), {}, "4"),
        (email("holder@example.com", external_id="other"), {"use_external_id": "true"}, "5"),
        (email(ADA, field=("Undeclared", "1")), {}, "21"),
        (email(ADA, field=("Is Customer", "yes")), {}, "22"),
        (email(ADA, field=("Ratio", "x")), {}, "23"),
        (email(ADA, field=("Score", "x")), {}, "25"),
        (email(ADA, field=("Position", "x" * 256)), {}, "26"),
        (email(ADA, field=("Since", "x")), {}, "27"),
    ],
)
def test_section_6_4_each_fault_has_its_code(maileon, entry, params, code) -> None:
    maileon.create("holder@example.com", {"external_id": "taken"})
    assert codes(maileon.xml(maileon.bulk(entry, **SAFE, **params))) == [code]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        *((name, "x" * 256, code) for name, code in (
            ("ADDRESS", "6"), ("CITY", "7"), ("FIRSTNAME", "8"), ("FULLNAME", "9"), ("HNR", "10"), ("LASTNAME", "11"),
            ("ORGANIZATION", "12"), ("REGION", "13"), ("STATE", "14"), ("TITLE", "15"), ("ZIP", "16"),
        )),
        ("BIRTHDAY", "x", "17"),
        ("NAMEDAY", "x", "18"),
        ("GENDER", "x", "19"),
        ("LOCALE", "x", "20"),
    ],
)  # fmt: skip
def test_section_6_4_each_standard_field_has_its_code(maileon, field, value, code) -> None:
    fields = f"<standard_fields><field><name>{field}</name><value>{value}</value></field></standard_fields>"
    report = maileon.xml(maileon.bulk(email(ADA) + fields, **SAFE))
    assert codes(report) == [code]
    assert report.findtext(".//error_field") == field


def test_section_6_4_an_external_id_twice_in_the_list_is_code_4(maileon) -> None:
    report = maileon.xml(maileon.bulk(email(ADA, external_id="hs-1"), email(BEN, external_id="hs-1"), **SAFE))
    assert codes(report) == ["4"]


def test_section_6_4_an_anonymised_holder_frees_the_external_id(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    maileon.create(ADA, {"external_id": "hs-1"})
    maileon.unsubscribe(ADA)
    assert counts(maileon, maileon.bulk(email(BEN, external_id="hs-1"), **SAFE))[1] == 1


def test_section_6_4_too_many_contacts_are_413(maileon) -> None:
    maileon.option(bulk_limit=2)
    assert maileon.bulk(*(email(f"c{i}@example.com") for i in range(3)), **SAFE).status_code == 413
    assert maileon.bulk(*(email(f"c{i}@example.com") for i in range(2)), **SAFE).status_code == 200


def test_section_6_4_thousand_contacts_go_in_one_call(maileon) -> None:
    answer = maileon.bulk(*(email(f"c{i}@example.com", "Bonn") for i in range(1000)), **SAFE)
    assert counts(maileon, answer) == (1000, 1000, 0, 0, 0)
