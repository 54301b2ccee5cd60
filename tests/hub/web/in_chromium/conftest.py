"""The hub on a loopback port, and a browser to open it with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from stellwerk.app import create_app
from stellwerk.relay.hub import Hub

LogIn: TypeAlias = Callable[[Page], Awaitable[None]]


class Telling(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


@pytest.fixture
def door() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def public_url(door: socket.socket) -> str:
    return f"http://localhost:{door.getsockname()[1]}"


@pytest.fixture
async def served(hub: Hub, door: socket.socket, public_url: str) -> AsyncIterator[str]:
    """The hub on a loopback port."""
    server = Telling(uvicorn.Config(create_app(hub), log_config=None, access_log=False, lifespan="on"))
    running = asyncio.create_task(server.serve([door]))
    await server.ready.wait()
    yield public_url
    server.should_exit = True
    await running


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says."""
    return []


@pytest.fixture
def log_in(served: str, world: Any) -> LogIn:
    """Opens the login in a page and comes back from the other system, which answers at once."""

    async def through(opened: Page) -> None:
        async def grant(route: Any) -> None:
            asked = dict(part.split("=", 1) for part in route.request.url.partition("?")[2].split("&"))
            world.codes["granted"] = ("7", asked["code_challenge"])
            location = f"{served}/oauth/shop/callback?code=granted&state={asked['state']}"
            await route.fulfill(status=303, headers={"location": location})

        await opened.route("https://shop.test/**", grant)
        await opened.goto(served + "/")
        await opened.get_by_role("link", name="Login with ToyShop").click()
        await opened.wait_for_url("**/settings")

    return through
