"""A connector's remote in tests: how to reach it, what stands there, and the faults that are played on the way.

Re-exported by `stellwerk.sdk.testing`; nothing but tests imports it.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeAlias

from msgspec import Struct, field

from stellwerk.errors import AmbiguousError, RetryableError
from stellwerk.sdk.connector import Delivery, FieldSpec, Ref, Services, WebhookRequest
from stellwerk.sdk.http import Http, HttpResponse, Params

__all__ = ["FaultyHttp", "Remote"]

When: TypeAlias = Callable[[str, str], bool]


def _always(method: str, url: str) -> bool:
    return True


class Fault(Struct, frozen=True, kw_only=True):
    """What becomes of a call: an answer instead of the remote's, its answer lost, or no way there."""

    kind: Literal["answer", "lost", "unreachable"]
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class FaultyHttp(Http):
    """Passes calls on to `inner`, counts them, and plays faults at the next ones."""

    def __init__(self, inner: Http) -> None:
        self._inner = inner
        self._fault: Fault | None = None
        self._left = 0
        self._when: When = _always
        self.calls = 0

    def answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, times: int = 1_000
    ) -> None:
        """The next `times` calls get this answer; the remote does not see them."""
        self._set(Fault(kind="answer", status=status, body=body, headers=headers or {}), times)

    def lose_answer(self, when: When | None = None, *, times: int = 1_000) -> None:
        """The next `times` calls that `when` picks by method and URL reach the remote, are carried out, and time out."""
        self._set(Fault(kind="lost"), times, when or _always)

    def unreachable(self, *, times: int = 1_000) -> None:
        """The next `times` calls surely do not arrive."""
        self._set(Fault(kind="unreachable"), times)

    def heal(self) -> None:
        """No more faults."""
        self._left = 0

    def _set(self, fault: Fault, times: int, when: When | None = None) -> None:
        self._fault, self._left, self._when = fault, times, when or _always

    def _next(self, method: str, url: str) -> Fault | None:
        if self._left <= 0 or not self._when(method, url):
            return None
        self._left -= 1
        return self._fault

    async def close(self) -> None:
        await self._inner.close()

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
        self.calls += 1
        fault = self._next(method, url)
        if fault is not None and fault.kind == "unreachable":
            raise RetryableError("unreachable", "ConnectError")
        if fault is not None and fault.kind == "answer":
            return HttpResponse(status=fault.status, headers=dict(fault.headers), body=fault.body)
        answer = await self._inner.request(
            method, url, params=params, headers=headers, content=content, timeout_seconds=timeout_seconds
        )
        if fault is not None:
            raise AmbiguousError("no-answer", "ReadTimeout")
        return answer


class Remote(ABC):
    """A connector's remote as the contract sees it: how to reach it, what stands there, and what it would refuse.

    `secrets` are texts that must never show: keys, tokens, the client's secret.
    """

    connector: ClassVar[type[Any]]
    system: Any
    account: Any
    secrets: Sequence[str] = ()
    fields: Mapping[str, FieldSpec] = {}
    faults: FaultyHttp
    spent: int = 0

    # --- to be said for every connector

    @abstractmethod
    def http(self) -> Http:
        """A fresh client that reaches the remote."""

    @abstractmethod
    def known(self) -> tuple[Ref, ...]:
        """Two contacts at least that are there."""

    @abstractmethod
    def unknown(self) -> Ref:
        """A contact that is not there."""

    @abstractmethod
    def count(self) -> int:
        """How many contacts the remote holds now."""

    @abstractmethod
    def effects(self) -> int:
        """How many effects of marked writes the remote holds now: mails sent, notes written."""

    @abstractmethod
    def deliveries(self, tag: str, count: int) -> Sequence[Delivery]:
        """That many good deliveries of one tag, of distinct contacts, with fresh effect keys and marks."""

    @abstractmethod
    def refused(self) -> Delivery:
        """A delivery that the remote refuses for what it says, and always will."""

    def writes(self, method: str, url: str) -> bool:
        """Whether this call writes contacts; by default every method but GET."""
        return method != "GET"

    def webhook(self, body: bytes | None = None) -> WebhookRequest:
        """An authentic webhook received now, with at least one event, or with `body`. For the webhook contracts only."""
        raise NotImplementedError

    # --- to be overridden where it matters

    async def token(self, stale: str | None) -> str:
        """What `Services.token` gives; another one when `stale` was refused."""
        return "renewed" if stale is not None else "token"

    async def spend(self, calls: int) -> None:
        """What `Services.spend` does: counts."""
        self.spent += calls

    def now(self) -> datetime:
        return datetime.now(UTC)

    def rate_limited(self) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of the remote's answer above its rate."""
        return 429, b"{}", {"retry-after": "7"}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        """A connector opened against the remote; `faults` is its way there."""
        async with FaultyHttp(self.http()) as self.faults:
            services = Services(
                http=self.faults,
                now=self.now,
                log=logging.getLogger("stellwerk.contract"),
                token=self.token,
                spend=self.spend,
                fields=self.fields,
            )
            async with self.connector.open(self.system, self.account, services) as connector:
                yield connector
