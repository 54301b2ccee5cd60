"""What is known of a call's outcome: whoever stood still meanwhile has not waited, and who drips has not answered in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import pytest

from stellwerk.errors import AmbiguousError
from stellwerk.sdk.http import Http

pytestmark = pytest.mark.anyio
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"


@asynccontextmanager
async def answering(*pieces: tuple[float, bytes]) -> AsyncIterator[str]:
    """The address of a server that writes each piece after its seconds."""

    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with closing(writer), suppress(ConnectionError, asyncio.CancelledError):  # the caller may have given up
            await reader.readuntil(b"\r\n\r\n")
            for seconds, piece in pieces:
                await asyncio.sleep(seconds)
                writer.write(piece)
                await writer.drain()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for one in serving:
            assert one is not None
            one.cancel()
            await one


async def test_an_answer_that_came_while_this_process_was_frozen_is_not_thrown_away() -> None:
    async with answering((0.2, HEAD + b"0123456789")) as url, Http(timeout_seconds=0.5) as http:
        asyncio.get_running_loop().call_later(0.1, time.sleep, 3.0)
        answer = await http.request("POST", url, content=b"grant_type=refresh_token")
    assert (answer.status, answer.body) == (200, b"0123456789")


async def test_an_answer_in_pieces_has_the_time_of_one_call() -> None:
    drops = [(0.2, b"x") for _ in range(10)]
    async with answering((0.0, HEAD), *drops) as url, Http(timeout_seconds=0.5) as http:
        with pytest.raises(AmbiguousError, match="ReadTimeout"):
            await http.request("GET", url)
    async with answering((0.0, HEAD), *drops) as url, Http(timeout_seconds=0.5) as http:
        assert (await http.request("GET", url, timeout_seconds=10.0)).body == b"x" * 10


async def test_a_call_that_is_given_up_leaves_nothing_running() -> None:
    async with answering((60.0, HEAD)) as url, Http(timeout_seconds=30.0) as http:
        before = asyncio.all_tasks()
        asked = asyncio.ensure_future(http.request("GET", url))
        await asyncio.sleep(0.2)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        names = [one.get_coro().__qualname__ for one in asyncio.all_tasks() - before]  # type: ignore[union-attr]
        assert not [name for name in names if "request" in name]
