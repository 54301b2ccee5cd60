"""Section 4: paging."""

from __future__ import annotations

import pytest


@pytest.fixture
def many(maileon):
    maileon.bulk(*(f"<email>c{i:03}@example.com</email>" for i in range(250)))
    return maileon


def emails(many, **params):
    return [c.findtext("email") for c in many.xml(many.get("/contacts", **params))]


def test_section_4_a_page_has_100_by_default(many) -> None:
    assert len(emails(many)) == 100


def test_section_4_pages_start_at_1(many) -> None:
    assert emails(many, page_index=1, page_size=2) == ["c000@example.com", "c001@example.com"]
    assert many.get("/contacts", page_index=0).status_code == 400


@pytest.mark.parametrize("size", ["0", "1001", "ten", "-1"])
def test_section_4_a_page_size_outside_1_to_1000_is_400(many, size) -> None:
    assert many.get("/contacts", page_size=size).status_code == 400


def test_section_4_the_last_page_is_what_is_left(many) -> None:
    assert len(emails(many, page_index=3)) == 50


def test_section_4_a_page_behind_the_last_is_empty(many) -> None:
    assert emails(many, page_index=9) == []


def test_section_4_headers_tell_pages_and_items(many) -> None:
    headers = many.get("/contacts", page_index=2).headers
    assert (headers["x-pages"], headers["x-items"]) == ("3", "250")


def test_section_4_each_relation_has_a_link_header_of_its_own(many) -> None:
    links = many.get("/contacts", page_index=2, standard_field="CITY").headers.get_list("link")
    assert [link.rpartition("rel=")[2] for link in links] == ['"start"', '"prev"', '"next"']
    assert "standard_field=CITY" in links[0]


def test_section_4_the_first_page_has_no_previous_one(many) -> None:
    links = many.get("/contacts", page_size=1000).headers.get_list("link")
    assert [link.rpartition("rel=")[2] for link in links] == ['"start"']
