"""The pages over a real hub between two toy systems: what they say of what the rules really decided."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from stellwerk.app import create_app
from stellwerk.relay.hub import Hub
from stellwerk.relay.inviting import invite
from stellwerk.store import connections
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """The yard's again: the other tests of pages have toys of their own."""
    return World(request.node.nodeid)


@pytest.fixture
def hub(yard: Yard) -> Hub:
    return yard.hub


@pytest.fixture
async def site(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """The pages alone: nothing runs by itself, the test moves the hub."""
    transport = httpx.ASGITransport(app=create_app(hub, role="web"), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=hub.public_url) as client:
        yield client


@pytest.fixture
async def guest(person: Any, hub: Hub) -> Any:
    """Somebody who was invited to look after the connection and to change it."""
    one = await hub.store.read(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    _, link = await invite(hub, one, name="Eva", rights="change", by="jo")
    # Some tests let more days pass than an invitation is good for.
    await hub.store.write(lambda tx: tx.run("update invitation set expires = 4e9"))
    page = await person.open(link.removeprefix(hub.public_url))
    assert (await person.submit(page)).where == "/overview"
    return person


@pytest.fixture
def asks(guest: Any) -> Callable[[str, str], Awaitable[Any]]:
    """What the activity page says of a contact, in one language."""

    async def ask(who: str, language: str) -> Any:
        page = await guest.open(f"/activity?lang={language}")
        return await guest.submit(page, who=who)

    return ask
