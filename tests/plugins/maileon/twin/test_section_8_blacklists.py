"""Section 8: blacklists."""

from __future__ import annotations

import pytest

ADA = "ada@example.com"


def add(maileon, identity, *entries):
    inner = "".join(f"<entry>{entry}</entry>" for entry in entries)
    body = f"<add_entries_action><import_name>x</import_name><entries>{inner}</entries></add_entries_action>"
    return maileon.call("POST", f"/blacklists/{identity}/actions", body)


def test_section_8_blacklists_are_listed_with_the_two_global_ones(maileon) -> None:
    found = maileon.xml(maileon.get("/blacklists"))
    assert [entry.findtext("id") for entry in found] == ["1", "2", str(maileon.id * 10)]


@pytest.mark.parametrize("identity", [1, 2])
def test_section_8_writing_a_global_blacklist_is_403(maileon, identity) -> None:
    assert add(maileon, identity, ADA).status_code == 403


def test_section_8_entries_are_read_back(maileon) -> None:
    own = maileon.id * 10
    assert add(maileon, own, ADA, "*@example.net").status_code == 201
    assert [e.text for e in maileon.xml(maileon.get(f"/blacklists/{own}")).iter("entry")] == [ADA, "*@example.net"]
    assert maileon.get("/blacklists/4").status_code == 404


@pytest.mark.parametrize("pattern", [ADA, "*@example.com", "ada@*", "ADA@example.com"])
def test_section_8_a_matching_contact_is_blocked_and_keeps_existing(maileon, pattern) -> None:
    maileon.create(ADA, permission=4)
    add(maileon, maileon.id * 10, pattern)
    assert maileon.permission(ADA) == "4"
    assert maileon.xml(maileon.get("/contacts/blocked")).findtext("contact/blocking_reason") == "blacklist"


def test_section_8_importing_again_does_not_lift_the_entry(maileon) -> None:
    add(maileon, maileon.id * 10, ADA)
    maileon.bulk(f"<email>{ADA}</email>", permission=4)
    assert maileon.dump()["contacts"][0]["sendout_status"] == "blocked"


def test_section_8_a_blocked_contact_gets_no_newsletter(maileon) -> None:
    maileon.create(ADA, permission=4)
    add(maileon, maileon.id * 10, ADA)
    assert maileon.newsletter() == []


def test_section_8_an_entry_without_at_is_400(maileon) -> None:
    assert add(maileon, maileon.id * 10, "example.com").status_code == 400
