"""All contacts, page by page: each once, whatever comes and goes meanwhile (section 5, list)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from stellwerk.sdk import RetryableError
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.paging import PAGE

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio


async def rest(connector: HubspotConnector, cursor: str | None) -> list[list[str]]:
    """Ids by page, from `cursor` to the end."""
    found: list[list[str]] = []
    while True:
        refs, cursor = await connector.page(cursor)
        found.append([ref.value for ref in refs])
        if cursor is None:
            return found


async def test_pages_are_full_but_the_last_and_name_everybody_but_who_is_archived(twin: Any, at_twin: Opener) -> None:
    ids = twin.plant(*({"email": twin.address()} for _ in range(PAGE + 1)))
    gone = ids.pop(0)
    twin.call("DELETE", f"/crm/objects/2026-09/contacts/{gone}")
    async with at_twin() as connector:
        pages = await rest(connector, None)
    named = [one for page in pages for one in page]
    assert [len(page) for page in pages[:-1]] == [PAGE] * (len(pages) - 1)
    assert len(named) == len(set(named))
    assert set(ids) <= set(named)
    assert gone not in named


async def test_whoever_comes_or_goes_between_two_pages_moves_nobody(twin: Any, at_twin: Opener) -> None:
    ids = twin.plant(*({"email": twin.address()} for _ in range(PAGE + 1)))
    async with at_twin() as connector:
        first, cursor = await connector.page(None)
        twin.call("DELETE", f"/crm/objects/2026-09/contacts/{first[0].value}")
        late = twin.new()
        pages = await rest(connector, cursor)
    named = [ref.value for ref in first] + [one for page in pages for one in page]
    assert len(named) == len(set(named))
    assert {*ids, late} <= set(named)


async def test_next_to_nothing_of_each_contact_is_asked_for(twin: Any, at_twin: Opener) -> None:
    twin.new()
    last = max((one["number"] for one in twin.requests()), default=0)
    async with at_twin() as connector:
        await connector.page(None)
    (asked,) = twin.requests(last)
    assert (asked["method"], asked["query"]) == ("GET", f"limit={PAGE}&properties=hs_object_id")


async def test_a_page_without_its_contacts_is_no_last_page(script: Any, scripted: Opener) -> None:
    script.add(200, {"paging": None})
    async with scripted() as connector:
        with pytest.raises(RetryableError):
            await connector.page(None)
