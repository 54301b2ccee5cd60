"""The webhook calls that leave the twin: over https in name, to a loopback target in fact (section 10.2).

The only module that speaks HTTP as a client. An address without a `--reach` target is never called.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct, field

TIMEOUT_SECONDS = 5.0
RETRY_SECONDS = 1.0
AT_ONCE = 32


class Delivery(Struct, kw_only=True):
    """One call as the vendor sees it; `status` is None until answered, and stays so after a failure."""

    number: int
    account: int
    event: str
    url: str
    body: bytes
    headers: dict[str, str]
    status: int | None = None
    error: str | None = None
    attempts: int = 0
    pending: bool = True


class Manners(Struct, kw_only=True, forbid_unknown_fields=True):
    """How badly calls are made: shares between 0 and 1, seconds as a range."""

    duplicates: float = 0.0
    reorder_seconds: tuple[float, float] = (0.0, 0.0)
    lose: float = 0.0
    pause: bool = False


class Outgoing:
    """Sends each call once, in no order; whether the vendor retries is UNKNOWN, `retries` allows it."""

    def __init__(
        self,
        reach: dict[str, str],
        retries: int = 0,
        *,
        rng: random.Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`rng` draws what the manners say, `transport` takes the place of the network."""
        self.reach = reach
        self.retries = retries
        self.rng = rng or random.Random()
        self.transport = transport
        self.manners = Manners()
        self.deliveries: list[Delivery] = []
        self.waiting: list[Delivery] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.client: httpx.AsyncClient | None = None
        self.gate = asyncio.Semaphore(AT_ONCE)

    def put(self, account: int, event: str, url: str, body: bytes) -> None:
        """Take a call to be made; it may be lost or doubled as `manners` say."""
        for _ in range(2 if self.rng.random() < self.manners.duplicates else 1):
            headers = {"host": urlsplit(url).netloc, "user-agent": "Maileon twin"}
            if body:
                headers["content-type"] = "application/json"
            delivery = Delivery(
                number=len(self.deliveries) + 1, account=account, event=event, url=url, body=body, headers=headers
            )
            self.deliveries.append(delivery)
            if self.rng.random() < self.manners.lose:
                delivery.pending, delivery.error = False, "lost"
            elif self.manners.pause:
                self.waiting.append(delivery)
            else:
                self.start(self.deliver(delivery))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def behave(self, manners: Manners) -> None:
        """Change the manners; the end of a pause sends what waited."""
        self.manners = manners
        if not manners.pause:
            waiting, self.waiting = self.waiting, []
            for delivery in waiting:
                self.start(self.deliver(delivery))

    async def deliver(self, delivery: Delivery) -> None:
        low, high = self.manners.reorder_seconds
        if high > 0:
            await asyncio.sleep(self.rng.uniform(low, high))
        for attempt in range(1 + self.retries):
            if attempt:
                await asyncio.sleep(RETRY_SECONDS)
            await self.call(delivery)
            if delivery.status is not None and 200 <= delivery.status < 300:
                break
        delivery.pending = False

    async def call(self, delivery: Delivery) -> int | None:
        """One attempt; the status code, None when there was no answer within the time-out."""
        delivery.attempts += 1
        delivery.status = delivery.error = None
        target = self.target(delivery.url)
        if target is None:
            delivery.error = "no --reach target for this address"
            return None
        async with self.gate:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    answer = await self.open_client().post(target, content=delivery.body, headers=delivery.headers)
                delivery.status = answer.status_code
            except (httpx.HTTPError, TimeoutError) as failure:
                delivery.error = type(failure).__name__
        return delivery.status

    def target(self, url: str) -> str | None:
        parts = urlsplit(url)
        base = self.reach.get(f"{parts.scheme}://{parts.netloc}")
        if base is None:
            return None
        return base + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def open_client(self) -> httpx.AsyncClient:
        if self.client is None:
            limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
            self.client = httpx.AsyncClient(
                timeout=TIMEOUT_SECONDS, trust_env=False, limits=limits, transport=self.transport
            )
        return self.client

    async def resend(self, numbers: Iterable[int] | None, shuffle: bool, times: int) -> list[dict[str, int | None]]:
        """The same bytes again, `times` times, every call answered before this returns; None means all."""
        wanted = None if numbers is None else set(numbers)
        chosen = [d for d in self.deliveries if wanted is None or d.number in wanted] * times
        if shuffle:
            self.rng.shuffle(chosen)
        statuses = await asyncio.gather(*(self.call(delivery) for delivery in chosen))
        return [{"number": d.number, "status": status} for d, status in zip(chosen, statuses, strict=True)]

    @property
    def pending(self) -> int:
        return sum(delivery.pending for delivery in self.deliveries)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.client is not None:
            await self.client.aclose()


class Resend(Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /webhooks/resend`: `numbers`, or `all` of them."""

    numbers: list[int] = field(default_factory=list)
    all: bool = False
    shuffle: bool = False
    times: int = 1
