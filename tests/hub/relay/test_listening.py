"""A hub that ends while somebody talks to it on its socket."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any, cast

import pytest

from stellwerk.relay import orders
from stellwerk.relay.orders import listening, socket_of

pytestmark = pytest.mark.anyio
HUB = cast("Any", object())  # nobody's order gets as far as that


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_line_on_which_nobody_says_anything_is_cut_when_the_hub_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "LAST_WORD_SECONDS", 0.1)
    database = tmp_path / "a.db"
    async with listening(HUB, database):
        reader, writer = await asyncio.open_unix_connection(str(socket_of(database)))
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    gc.collect()  # a socket left open is told of here, which is an error in these tests


async def test_whoever_has_just_said_something_is_still_answered(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    async with listening(HUB, database):
        reader, writer = await asyncio.open_unix_connection(str(socket_of(database)))
        writer.write(b"what\n")
    async with asyncio.timeout(5):
        assert b"this is no order" in await reader.read()
    writer.close()
    await writer.wait_closed()
