"""A hub between two toy systems, and a person with a browser."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from stellwerk.app import create_app, create_hub
from stellwerk.config.load import load_bytes
from stellwerk.registry import Registry
from stellwerk.relay.hub import Hub
from stellwerk.sdk import (
    Account,
    Option,
)
from stellwerk_toys.person import Person
from stellwerk_toys.shop_and_post import (
    CLIENT_SECRET,
    FILE,
    FILE_KEY,
    GOOD_KEY,
    OTHER_KEY,
    PUBLIC,
    SECRET_KEY,
    WEAK_KEY,
    World,
    shop_and_post,
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _world() -> World:
    account = Account(id="900", name="Acme Letters", rights=("GET", "POST", "PUT", "DELETE"))
    return World(
        keys={
            GOOD_KEY: account,
            FILE_KEY: msgspec.structs.replace(account, id="800", name="File Letters"),
            OTHER_KEY: msgspec.structs.replace(account, id="901", name="Other Letters"),
            WEAK_KEY: msgspec.structs.replace(account, id="902", name="Weak Letters", missing=("PUT", "DELETE")),
        },
        templates=[Option(value="T1", label="Welcome"), Option(value="T2", label="Old one", active=False)],
        stages=[Option(value="guest", label="Guest"), Option(value="buyer", label="Buyer")],
    )


@pytest.fixture
def world() -> World:
    return _world()


@asynccontextmanager
async def _opened(world: World, text: str, public_url: str, folder: Path) -> AsyncIterator[Hub]:
    environ = {
        "URL": public_url, "KEY": SECRET_KEY, "CLIENT_SECRET": CLIENT_SECRET, "FILE_KEY": FILE_KEY,
        "SHOP_TOKEN": "very-hidden-shop-token",
    }  # fmt: skip
    registry = Registry(connectors=shop_and_post(world))
    loaded = load_bytes(text.encode(), environ, registry)
    assert loaded.errors == ()
    made = await create_hub(loaded, registry, folder=folder)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def open_a_hub() -> Callable[[str, Path], tuple[World, Any]]:
    """For a module that shares one hub among its tests: the remotes, and what opens a hub between them."""

    def make(public_url: str, folder: Path) -> tuple[World, Any]:
        world = _world()
        return world, _opened(world, FILE, public_url, folder)

    return make


@pytest.fixture
def text() -> str:
    """The file; a test module may give another."""
    return FILE


@pytest.fixture
def public_url() -> str:
    return PUBLIC


@pytest.fixture
async def hub(world: World, text: str, public_url: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with _opened(world, text, public_url, tmp_path) as made:
        yield made


@pytest.fixture
async def site(hub: Hub, public_url: str) -> AsyncIterator[AsyncTestClient[Any]]:
    """The running hub, as its first visitor reaches it."""
    async with AsyncTestClient(app=create_app(hub), base_url=public_url, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
async def person(site: AsyncTestClient[Any], world: World) -> Person:
    return Person(site, world)


@pytest.fixture
def somebody(site: AsyncTestClient[Any], world: World, public_url: str) -> Callable[[], Person]:
    """Makes further people, each with cookies of their own, at the same hub."""

    def make() -> Person:
        client = AsyncTestClient(app=site.app, base_url=public_url, raise_server_exceptions=False)
        return Person(client, world)

    return make


@pytest.fixture
def all_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every log line down to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield caplog
