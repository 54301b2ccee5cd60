"""Whose additional address it is (sections 5 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from stellwerk.sdk import Finder, RejectedError, RetryableError
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio


async def test_an_additional_address_leads_to_the_contact_that_has_it(twin: Any, at_twin: Opener) -> None:
    primary, loser = twin.new(), twin.new()
    second = twin.contact(loser)["properties"]["email"]
    survivor = twin.merge(primary, loser)
    async with at_twin() as connector:
        assert isinstance(connector, Finder)
        assert await connector.find(second.upper()) == survivor


async def test_nobody_is_found_by_an_address_that_nobody_has_as_another(twin: Any, at_twin: Opener) -> None:
    own = twin.contact(twin.new())["properties"]["email"]
    async with at_twin() as connector:
        assert await connector.find(own) is None
        assert await connector.find(twin.address()) is None


async def test_a_contact_without_the_address_is_not_taken_for_its_holder(script: Any, scripted: Opener) -> None:
    script.add(200, {"total": 1, "results": [{"id": "7", "properties": {"hs_additional_emails": "eve@example.com"}}]})
    async with scripted() as connector:
        assert await connector.find("ada@example.com") is None
    (body,) = script.bodies()
    assert body["filterGroups"] == [
        {"filters": [{"propertyName": "hs_additional_emails", "operator": "EQ", "value": "ada@example.com"}]}
    ]


@pytest.mark.parametrize(("status", "error"), [(429, RetryableError), (503, RetryableError), (400, RejectedError)])
async def test_a_search_that_is_refused_is_a_named_error_without_the_address(
    script: Any, scripted: Opener, status: int, error: type[Exception]
) -> None:
    script.add(status, {"message": "ada@example.com is wrong"})
    async with scripted() as connector:
        with pytest.raises(error) as raised:
            await connector.find("ada@example.com")
    assert "ada@example.com" not in repr(raised.value.__dict__)
