"""Webhook deliveries: batches, signatures, retries, and the disorder that the control API asks for (section 8)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct

from .clock import Clock, iso
from .project import Project
from .signature import headers_for

__all__ = ["Attempt", "Delivery", "Disorder", "Transport", "Webhooks", "spread"]

Transport = httpx.AsyncBaseTransport

MAX_EVENTS = 100
MAX_RETRIES = 10
TIMEOUT_SECONDS = 5.0
GATHER_SECONDS = 0.02
# Ten retries spread over 24 hours, growing; a jitter of a tenth comes on top.
DEFAULT_RETRIES = (60.0, 180.0, 600.0, 1800.0, 3600.0, 7200.0, 10_800.0, 14_400.0, 21_600.0, 25_200.0)


class Disorder(Struct, forbid_unknown_fields=True):
    """What the network does to deliveries: probabilities, a delay drawn per delivery, a standstill."""

    duplicates: float = 0.0
    reorder_seconds: tuple[float, float] | None = None
    lose: float = 0.0
    pause: bool = False


class Attempt(Struct):
    """One try; `status` is None when there was no answer, and `error` says why."""

    time: str
    status: int | None
    error: str | None
    headers: dict[str, str]
    resend: bool = False


class Delivery(Struct):
    """A signed request to the app and what became of it; `state`: waiting, done, failed or lost."""

    number: int
    portal: int
    url: str
    body: str
    state: str = "waiting"
    attempts: list[Attempt] = []


@dataclass
class Webhooks:
    """Everything of one app. `announce` is called by writes; the loop of `run` sends, by `transport` where one is given."""

    clock: Clock
    project: Project
    secret: str
    reach: Mapping[str, str]
    retries: Sequence[float] = DEFAULT_RETRIES
    rng: random.Random = field(default_factory=random.Random)
    with_v3: bool = True
    disorder: Disorder = field(default_factory=Disorder)
    transport: Transport | None = None
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queues: dict[int, list[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots: dict[int, asyncio.Semaphore] = {}
        self._wake = asyncio.Event()
        self._loopback = _client(verify=False, transport=self.transport)
        self._public: httpx.AsyncClient | None = None
        self._resending = 0

    def announce(self, portal: int, event: dict[str, Any]) -> None:
        """Queue one event; it leaves with others of its portal."""
        self._queues.setdefault(portal, []).append(event)
        self._wake.set()

    def pending(self) -> int:
        """Events queued, deliveries without an end, resends under way."""
        waiting = sum(1 for task in self._tasks if not task.done())
        return sum(map(len, self._queues.values())) + waiting + self._resending

    def poke(self) -> None:
        """Look again, after the disorder was changed."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is announced, until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(GATHER_SECONDS)
                if not self.disorder.pause:
                    self._depart()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._loopback.aclose()
            if self._public is not None:
                await self._public.aclose()

    def _depart(self) -> None:
        queues, self._queues = self._queues, {}
        for portal, events in queues.items():
            size = MAX_EVENTS
            if self.disorder.reorder_seconds is not None:
                self.rng.shuffle(events)
                size = max(1, min(MAX_EVENTS, len(events) // 3))
            for start in range(0, len(events), size):
                self._send(portal, events[start : start + size])
                if self.rng.random() < self.disorder.duplicates:
                    self._send(portal, events[start : start + size])

    def _send(self, portal: int, events: list[dict[str, Any]]) -> None:
        delivery = self._new(portal, events)
        if self.rng.random() < self.disorder.lose:
            delivery.state = "lost"
            return
        task = asyncio.create_task(self._deliver(delivery, events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new(self, portal: int, events: list[dict[str, Any]]) -> Delivery:
        body = msgspec.json.encode(events).decode()
        delivery = Delivery(len(self.deliveries) + 1, portal, str(self.project.target_url), body)
        self.deliveries.append(delivery)
        return delivery

    async def _deliver(self, delivery: Delivery, events: list[dict[str, Any]]) -> None:
        """Up to ten retries after the first try; `attemptNumber` rises, `eventId` stays."""
        delay = self.disorder.reorder_seconds
        if delay is not None:
            await asyncio.sleep(self.rng.uniform(*delay))
        for number in range(MAX_RETRIES + 1):
            again = [{**event, "attemptNumber": number} for event in events] if number else events
            delivery.body = msgspec.json.encode(again).decode()
            if await self._attempt(delivery):
                delivery.state = "done"
                return
            if number < MAX_RETRIES:
                await asyncio.sleep(self.retries[number] * self.rng.uniform(0.9, 1.1))
        delivery.state = "failed"

    async def _attempt(self, delivery: Delivery, *, resend: bool = False) -> bool:
        slots = self._slots.setdefault(delivery.portal, asyncio.Semaphore(self.project.max_concurrent_requests))
        async with slots:
            body = delivery.body.encode()
            stamped = headers_for(self.secret, delivery.url, body, self.clock.ms(), with_v3=self.with_v3)
            headers = {
                "content-type": "application/json",
                "user-agent": "HubSpot Connect 2.0 (https://developers.hubspot.com/) - Webhooks",
                "x-hubspot-timeout-millis": "10000",
                **stamped,
            }
            status, error = await self._post(delivery.url, headers, body)
            delivery.attempts.append(Attempt(iso(self.clock.ms()), status, error, headers, resend))
            return status is not None and status < 400

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int | None, str | None]:
        """The TCP connection goes to the reach target; the host named stays that of the URL."""
        parts = urlsplit(url)
        named = f"{parts.scheme}://{parts.netloc}"
        client, called = self._loopback, self.reach.get(named, "") + url.removeprefix(named)
        if named not in self.reach:
            # Made late: reading the certificates of the world takes longer than starting all the rest.
            self._public = self._public or _client(verify=True)
            client, called = self._public, url
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await client.post(called, content=body, headers={**headers, "host": parts.netloc})
        except (httpx.HTTPError, TimeoutError) as problem:
            return None, type(problem).__name__
        return answer.status_code, None

    async def resend(self, numbers: Sequence[int] | None, *, shuffle: bool, times: int) -> list[dict[str, Any]]:
        """Send the bodies of these deliveries (None = all) again, freshly signed; returns when all are answered."""
        chosen = [one for one in self.deliveries if _meant(one, numbers)] * times
        if shuffle:
            self.rng.shuffle(chosen)

        async def one(delivery: Delivery) -> dict[str, Any]:
            await self._attempt(delivery, resend=True)
            return {"number": delivery.number, "status": delivery.attempts[-1].status}

        self._resending += len(chosen)
        try:
            return list(await asyncio.gather(*(one(delivery) for delivery in chosen)))
        finally:
            self._resending -= len(chosen)


def _meant(delivery: Delivery, numbers: Sequence[int] | None) -> bool:
    """All that were sent at least once, or those that are named."""
    return bool(delivery.attempts) if numbers is None else delivery.number in numbers


def spread(first_seconds: float) -> tuple[float, ...]:
    """Ten delays that grow by half each time: about 113 times the first one in all."""
    return tuple(first_seconds * 1.5**number for number in range(MAX_RETRIES))


def _client(*, verify: bool, transport: Transport | None = None) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(
        trust_env=False, timeout=TIMEOUT_SECONDS, limits=limits, verify=verify, transport=transport
    )
