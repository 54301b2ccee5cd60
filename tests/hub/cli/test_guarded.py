"""Requests that do not end: the hub lets go of them, and serves everybody else meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from stellwerk.cli import guarded
from stellwerk.cli.guarded import Guarded

pytestmark = pytest.mark.anyio

GOOD = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nok"
UNENDED = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nhost: x\r\n",
    "half a body": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nok",
    "half a chunk": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok",
    "half a second request": GOOD + b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nok",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the body, once it is whole."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(guarded, "REQUEST_SECONDS", 0.4)
    monkeypatch.setattr(guarded, "LONGEST_HEAD", 20_000)
    config = uvicorn.Config(echo, port=0, http=Guarded, lifespan="off", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def told(port: int, sent: bytes) -> bytes:
    """All that is answered until the line is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 10.0)
    finally:
        writer.close()


@pytest.mark.parametrize("sent", UNENDED.values(), ids=UNENDED.keys())
async def test_a_request_that_does_not_come_in_whole_is_cut_off(port: int, sent: bytes) -> None:
    whole = sent.startswith(GOOD)
    answer = await told(port, sent)
    assert answer.count(b"HTTP/1.1 200 OK") == (1 if whole else 0)


@pytest.mark.parametrize("name", ["one header", "many headers", "the address"])
async def test_a_head_without_end_is_refused_before_it_fills_the_memory(port: int, name: str) -> None:
    begins = {
        "one header": b"GET / HTTP/1.1\r\nhost: x\r\nx-y: " + b"z" * 400_000,
        "many headers": b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x-y: z\r\n" * 50_000,
        "the address": b"GET /" + b"a" * 400_000,
    }
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begins[name])
    assert (await asyncio.wait_for(reader.readline(), 10.0)).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_head_below_the_bound_and_a_line_that_waits_for_its_next_request_are_served(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\nx-y: " + b"z" * 15_000 + b"\r\ncontent-length: 2\r\n\r\nok")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10.0)
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert await reader.readexactly(2) == b"ok"
        await asyncio.sleep(0.6)
    writer.close()
