"""The network between hub and vendors: whole requests and answers as bytes, and what a network does to them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Application = Callable[..., Awaitable[None]]
Strike = Callable[[], str | None]
LATENCY_SECONDS = (0.01, 0.09)
LATE_SECONDS = (2.0, 25.0)


class Network(httpx.AsyncBaseTransport):
    """Hands each request to the application behind its host. `faults` says what becomes of the next one: None, or a kind.

    refused: never arrived. lost: never arrived, and nobody answered. unheard, cut: carried out, and the answer did not come
    back. late: carried out after the caller gave up. failed, broken: status 500 before and after. busy: 429. away: 503.
    """

    def __init__(self, hosts: dict[str, Application], dice: random.Random, faults: Strike) -> None:
        self._hosts = hosts
        self._dice = dice
        self._faults = faults
        self.calls = 0
        self.reached: Counter[str] = Counter()
        self.log: list[str] = []
        self._late: set[asyncio.Task[Any]] = set()

    @property
    def under_way(self) -> int:
        """Requests that still come, though their callers gave up."""
        return len(self._late)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.calls += 1
        kind = self._faults()
        if kind is not None:
            self.reached[f"call {kind}"] += 1
        self.log.append(f"{request.method} {request.url.host}{request.url.path} {kind or ''}".rstrip())
        await asyncio.sleep(self._dice.uniform(*LATENCY_SECONDS))
        patience = float(request.extensions.get("timeout", {}).get("read") or 30.0)
        match kind:
            case "refused":
                raise httpx.ConnectError("refused", request=request)
            case "lost":
                await asyncio.sleep(patience)
                raise httpx.ReadTimeout("nobody answered", request=request)
            case "late":
                late = asyncio.create_task(self._later(request, body, patience + self._dice.uniform(*LATE_SECONDS)))
                self._late.add(late)
                late.add_done_callback(self._late.discard)
                await asyncio.sleep(patience)
                raise httpx.ReadTimeout("too slow", request=request)
            case "failed":
                return httpx.Response(500, content=b"{}", request=request)
            case "busy":
                return httpx.Response(429, headers={"retry-after": "7"}, content=b"{}", request=request)
            case "away":
                return httpx.Response(503, content=b"", request=request)
        answer = await self._carry_out(request, body)
        await asyncio.sleep(self._dice.uniform(*LATENCY_SECONDS))
        match kind:
            case "unheard":
                await asyncio.sleep(patience)
                raise httpx.ReadTimeout("unheard", request=request)
            case "cut":
                raise httpx.RemoteProtocolError("the connection was closed", request=request)
            case "broken":
                return httpx.Response(500, content=b"{}", request=request)
        return answer

    async def _later(self, request: httpx.Request, body: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._carry_out(request, body)
        self.reached["call late, and carried out"] += 1

    async def _carry_out(self, request: httpx.Request, body: bytes) -> httpx.Response:
        target, _, query = request.url.raw_path.partition(b"?")
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": target,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "extensions": {},
        }
        started: MutableMapping[str, Any] = {}
        chunks: list[bytes] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                chunks.append(message.get("body", b""))

        await self._hosts[request.url.host](scope, receive, send)
        if started["status"] == 401:
            self.reached["call with a token that had ended"] += 1
        return httpx.Response(started["status"], headers=started["headers"], content=b"".join(chunks), request=request)
