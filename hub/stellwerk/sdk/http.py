"""The one module that knows httpx: an HTTP client that says what is known of a call's outcome."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx
from msgspec import Struct

from stellwerk.errors import AmbiguousError, RetryableError

# httpx logs each URL at INFO, and a vendor may put addresses into URLs.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

Params = Sequence[tuple[str, str]]
LARGEST_ANSWER = 64_000_000
"""Bytes once unpacked, far above any page or file that a vendor sends: a small answer can unpack to one without end."""


class HttpResponse(Struct, frozen=True, kw_only=True):
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A pool of connections. Redirects are not followed; the time-out is the caller's, in seconds."""

    def __init__(self, *, timeout_seconds: float = 30.0, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
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
        try:
            async with self._client.stream(
                method,
                url,
                params=list(params) or None,
                headers=dict(headers or {}),
                content=content,
                timeout=httpx.USE_CLIENT_DEFAULT if timeout_seconds is None else timeout_seconds,
            ) as answer:
                body = await _whole(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise RetryableError("unreachable", type(error).__name__) from None
        except httpx.HTTPError as error:
            raise AmbiguousError("no-answer", type(error).__name__) from None
        except httpx.InvalidURL:
            raise RetryableError("unreachable", "the configured address is not a URL") from None
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
