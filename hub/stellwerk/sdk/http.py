"""The one module that knows httpx: an HTTP client that says what is known of a call's outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

import httpx
from msgspec import Struct

from stellwerk.errors import AmbiguousError, RetryableError

# httpx logs each URL at INFO, and a vendor may put addresses into URLs.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

Params = Sequence[tuple[str, str]]
LARGEST_ANSWER = 64_000_000
"""Bytes once unpacked, far above any page or file that a vendor sends: a small answer can unpack to one without end."""

STEP_SECONDS = 1.0


class HttpResponse(Struct, frozen=True, kw_only=True):
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A pool of connections. Redirects are not followed. The time-out is the caller's, in seconds, for a call from its
    beginning to the last byte of its answer."""

    def __init__(self, *, timeout_seconds: float = 30.0, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "stellwerk"},
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=4.0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpResponse:
        """The answer, whatever its status.

        Raises `RetryableError` when the request surely did not arrive, `AmbiguousError` when it may have: a time-out after
        sending, an answer cut off or larger than `LARGEST_ANSWER`, a connection lost. Messages hold no URL.
        """
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        call = self._client.stream(
            method,
            url,
            params=list(params) or None,
            headers=dict(headers or {}),
            content=content,
            timeout=httpx.Timeout(None, connect=seconds, pool=seconds),
        )
        try:
            return await _within(seconds, _answered(call))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise RetryableError("unreachable", type(error).__name__) from None
        except httpx.HTTPError as error:
            raise AmbiguousError("no-answer", type(error).__name__) from None
        except httpx.InvalidURL:
            raise RetryableError("unreachable", "the configured address is not a URL") from None


async def _answered(call: AbstractAsyncContextManager[httpx.Response]) -> HttpResponse:
    async with call as answer:
        body = await _whole(answer)
    return HttpResponse(status=answer.status_code, headers=dict(answer.headers.items()), body=body)


async def _whole(answer: httpx.Response) -> bytes:
    """The body. Raises `AmbiguousError` for one that is larger than anything asked for."""
    parts: list[bytes] = []
    left = LARGEST_ANSWER
    async for part in answer.aiter_bytes():
        left -= len(part)
        if left < 0:
            raise AmbiguousError("no-answer", "larger than any answer")
        parts.append(part)
    return b"".join(parts)


async def _within(seconds: float, call: Coroutine[Any, Any, HttpResponse]) -> HttpResponse:
    """The answer to `call`, waited for while this process runs.

    Who was frozen finds the answer in the socket and every deadline passed. It may hold what nobody can have a second time,
    such as tokens that replaced others, so it counts as come in time: a stand-still is no waiting. httpx would not look.
    """
    loop, asked, left, stood_still = asyncio.get_running_loop(), asyncio.ensure_future(call), seconds, False
    try:
        while left > 0 or stood_still:
            step, began = min(left, STEP_SECONDS) if left > 0 else STEP_SECONDS, loop.time()
            await asyncio.wait({asked}, timeout=step)
            if asked.done():
                return asked.result()
            stood_still = loop.time() - began > step + STEP_SECONDS
            left -= step
        raise AmbiguousError("no-answer", "ReadTimeout")
    finally:
        if not asked.done():
            asked.cancel()
            await asyncio.wait({asked})
