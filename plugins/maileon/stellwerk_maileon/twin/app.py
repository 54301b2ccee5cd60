"""The API as an ASGI application: record, fault, authenticate, route, answer.

Plain ASGI rather than a framework: a strict twin must see the request as it came and may send half an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import traceback
from email.utils import formatdate

from msgspec import Struct

from . import (
    blacklist,
    contacts,
    customfields,
    elements,
    keys,
    mailings,
    marker,
    reading,
    reports,
    synchronize,
    unsubscribe,
    webhooks,
)
from .exchange import Answer, Receive, Request, Scope, Send, encode_headers, read_request, send_answer, understand
from .faults import Fault, Faults
from .maileon import Maileon
from .problem import Problem, Refusal
from .record import Asked, Record
from .routing import Call, Routes, check_shape

BASE = "1.0"
MODULES = (
    keys,
    contacts,
    reading,
    synchronize,
    unsubscribe,
    marker,
    customfields,
    reports,
    webhooks,
    mailings,
    blacklist,
)


class Held(Struct, kw_only=True):
    """An applied call whose answer waits for `POST /holds/release`."""

    entry: Asked
    released: asyncio.Event


class Api:
    def __init__(self, maileon: Maileon) -> None:
        self.maileon = maileon
        self.routes = Routes(route for module in MODULES for route in module.ROUTES)
        self.faults = Faults()
        self.record = Record()
        self.held: dict[int, Held] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        entry = self.record.begin(request, self.maileon.clock.now())
        self.record.open += 1
        try:
            await self.exchange(scope, receive, send, request, entry)
        finally:
            self.record.open -= 1

    async def exchange(self, scope: Scope, receive: Receive, send: Send, request: Request, entry: Asked) -> None:
        """Answer the request, as a hold says, which waits for its moment, else the first fault that is not a latency."""
        fault: Fault | None = None
        for hit in self.faults.choose(request):
            if hit.kind == "latency":
                await asyncio.sleep(random.uniform(*hit.seconds))
            elif fault is None or (hit.kind == "hold" != fault.kind):
                fault = hit
        kind = None if fault is None else fault.kind
        if fault is not None and kind in ("status", "fail_before"):
            await self.fail(scope, receive, send, entry, fault)
            return
        answer = self.answer(request, entry)
        entry.applied = 200 <= answer.status < 300
        if fault is not None and kind == "fail_after":
            await self.fail(scope, receive, send, entry, fault)
        elif kind == "cut":
            await self.cut(scope, receive, send, answer)
        else:
            if kind == "hold" and not await self.hold(receive, entry):
                return
            entry.status = answer.status
            await send_answer(send, answer, self.date())

    def date(self) -> str:
        return formatdate(self.maileon.clock.now(), usegmt=True)

    def answer(self, request: Request, entry: Asked) -> Answer:
        """Carry the call out; every failure becomes the error body of section 3."""
        try:
            return self.carry_out(request)
        except Problem as problem:
            entry.refused = problem.refused
            return elements.error(problem)
        except Exception:
            # A bug of the twin must look like a server error and be seen.
            traceback.print_exc()
            return elements.error(Problem(500, "internal error of the twin"))

    def carry_out(self, request: Request) -> Answer:
        understand(request)
        now = self.maileon.settle()
        account, key = keys.authenticate(self.maileon, request)
        if request.segments[:1] != (BASE,):
            raise Refusal(404, "no such resource")
        route, path = self.routes.find(request.method, request.segments[1:])
        keys.check_right(key, request.method)
        parameters = check_shape(request, route)
        return route.handle(
            Call(maileon=self.maileon, account=account, request=request, path=path, parameters=parameters, now=now)
        )

    async def fail(self, scope: Scope, receive: Receive, send: Send, entry: Asked, fault: Fault) -> None:
        if fault.close:
            await hang_up(scope, receive)
            return
        status = fault.status if fault.kind == "status" else 500
        entry.status = status
        headers = tuple(fault.headers.items())
        if fault.body:
            answer = Answer(status=status, body=fault.body.encode(), content_type="text/plain", headers=headers)
        else:
            problem = Problem(status, "the service is not available")
            answer = elements.answer(
                elements.element("error", elements.text("message", problem.message)), status=status, headers=headers
            )
        await send_answer(send, answer, self.date())

    async def cut(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        """Half of the body under a length of the whole, then the end of the connection."""
        length = max(len(answer.body), 64)
        headers = encode_headers(answer, self.date(), length)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        await hang_up(scope, receive)

    async def hold(self, receive: Receive, entry: Asked) -> bool:
        """True once released; False when the caller went away first."""
        held = Held(entry=entry, released=asyncio.Event())
        self.held[entry.number] = held
        release = asyncio.ensure_future(held.released.wait())
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait((release, gone), return_when=asyncio.FIRST_COMPLETED)
            return held.released.is_set()
        finally:
            self.held.pop(entry.number, None)
            for task in (release, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection under the answer; returns when the server has noticed."""
    scope["extensions"]["twin.transport"].close()
    await disconnected(receive)
