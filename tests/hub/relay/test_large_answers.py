"""An answer that does not end is no answer: neither one that is sent without end, nor a small one that unpacks to one."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from stellwerk.errors import AmbiguousError
from stellwerk.sdk import http
from stellwerk.sdk.http import Http

pytestmark = pytest.mark.anyio
MOST = 1_000_000


@pytest.fixture(autouse=True)
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", MOST)


class Endless(httpx.AsyncByteStream):
    """Counts what was taken of it."""

    taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.taken += 1
            yield b"x" * 65_536


async def asked(answer: httpx.Response) -> bytes:
    async with Http(transport=httpx.MockTransport(lambda _: answer)) as client:
        return (await client.request("GET", "https://api.example/contacts")).body


async def test_one_without_end_is_left_after_the_bound() -> None:
    endless = Endless()
    with pytest.raises(AmbiguousError, match="no-answer: larger than any answer"):
        await asked(httpx.Response(200, stream=endless))
    assert endless.taken == MOST // 65_536 + 1


async def test_a_small_one_that_unpacks_to_a_large_one_is_left() -> None:
    packed = gzip.compress(b"x" * (MOST + 1))
    assert len(packed) < 2_000
    headers = {"content-encoding": "gzip"}
    with pytest.raises(AmbiguousError, match="no-answer"):
        await asked(httpx.Response(200, headers=headers, stream=httpx.ByteStream(packed)))


async def test_one_within_the_bound_is_read_whole_and_unpacked() -> None:
    text = b"x" * MOST
    headers = {"content-encoding": "gzip"}
    assert await asked(httpx.Response(200, headers=headers, stream=httpx.ByteStream(gzip.compress(text)))) == text
    assert await asked(httpx.Response(200, stream=httpx.ByteStream(text))) == text
