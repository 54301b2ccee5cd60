"""What happens to a request: logged, faulted, checked against the reference, carried out, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from .call import Answer, Call, Route, answer
from .clock import iso
from .errors import Refusal, dead_token, missing_scopes, unknown_key
from .faults import Fault, Held
from .pages import PAGES, refusal_page
from .record import Seen
from .router import Router
from .routes import ROUTES
from .twin import Twin

__all__ = ["VendorApp", "read_body", "send_answer"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FAILED = {"status": "error", "message": "internal error", "category": "INTERNAL_ERROR"}


async def read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def send_answer(send: Send, found: Answer, date: str, *, cut: bool = False) -> None:
    """Answer in full, or with `cut` announce the whole length and send half."""
    headers = [(name.encode(), value.encode()) for name, value in (*found.headers, ("date", date))]
    if found.status != 204:
        headers.append((b"content-length", str(len(found.body)).encode()))
    await send({"type": "http.response.start", "status": found.status, "headers": headers})
    body = found.body[: len(found.body) // 2] if cut else found.body
    await send({"type": "http.response.body", "body": body, "more_body": cut})


class VendorApp:
    """The ASGI application of api.hubapi.com and app.hubspot.com in one."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._api = Router(ROUTES)
        self._pages = Router(PAGES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        body = await read_body(receive)
        raw_path = scope["raw_path"].decode("ascii").partition("?")[0]
        query = scope["query_string"].decode("ascii", errors="replace")
        call = Call(self.twin, scope["method"], raw_path, query, headers, body)
        page = self._page(call)
        if page is not None:
            await send_answer(send, page, self.twin.clock.http_date())
            return
        seen = self.twin.record.open(iso(self.twin.clock.ms()), call.method, raw_path, query, headers, body)
        self.twin.record.running += 1
        try:
            await self._serve(call, seen, scope, receive, send)
        finally:
            self.twin.record.running -= 1

    def _page(self, call: Call) -> Answer | None:
        try:
            route, call.params = self._pages.find(call.method, call.path)
        except Refusal:
            return None
        try:
            return route.run(call)
        except Refusal as refusal:
            return refusal_page(refusal)

    async def _serve(self, call: Call, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        latencies, fault = self.twin.faults.due(call.method, call.path, seen.body)
        for latency in latencies:
            await asyncio.sleep(self.twin.rng.uniform(*latency.seconds))
        seen.fault = fault.name if fault else None
        kind = fault.kind if fault else None
        if fault is not None and kind in ("fail_before", "status"):
            found = _planted_answer(fault)
        else:
            found = self._carry_out(call, seen)
        if kind == "hold":
            held = Held(seen.number, call.method, call.path, seen.body)
            if not await _held(self.twin.holds.wait(held), receive):
                return
        if fault is not None and kind == "fail_after" and not fault.close:
            found = answer(FAILED, 500)
        date = self.twin.clock.http_date()
        if fault is not None and fault.close and kind in ("fail_before", "fail_after"):
            await _drop(scope, receive)
            return
        seen.status = found.status
        await send_answer(send, found, date, cut=kind == "cut")
        if kind == "cut":
            await _drop(scope, receive)

    def _carry_out(self, call: Call, seen: Seen) -> Answer:
        rate: dict[str, str] = {}
        try:
            found = self._checked(call, rate)
            seen.applied = True
        except Refusal as refusal:
            seen.refused = refusal.unknown
            found = answer(refusal.body, refusal.status, refusal.headers)
        seen.portal = call.grant.portal_id if call.grant else None
        return Answer(found.status, found.body, (*found.headers, *rate.items()))

    def _checked(self, call: Call, rate: dict[str, str]) -> Answer:
        route, call.params = self._api.find(call.method, call.path)
        for name, _ in call.headers:
            if name.startswith("x-"):
                raise unknown_key(f"Unknown header {name}")
        if not route.open:
            self._authorise(call, route, rate)
        for name, value in parse_qsl(call.query_text, keep_blank_values=True):
            if name not in route.query:
                raise unknown_key(f"Unknown query parameter {name}")
            call.query.setdefault(name, []).append(value)
        return route.run(call)

    def _authorise(self, call: Call, route: Route, rate: dict[str, str]) -> None:
        """Sets the grant and the rate headers; raises 401, 403 or 429."""
        kind, _, token = (call.header("authorization") or "").partition(" ")
        grant, expired = self.twin.grants.bearer(token) if kind.lower() == "bearer" else (None, False)
        if grant is None or grant.portal_id not in self.twin.portals:
            raise dead_token(expired=expired)
        call.grant = grant
        if route.scopes and not set(route.scopes) & set(grant.scopes):
            raise missing_scopes(route.scopes[:1])
        if route.budget == "search":
            self.twin.budgets.spend_search(grant.portal_id)
        elif route.budget is not None:
            rate.update(self.twin.budgets.spend(grant.app_id, grant.portal_id, oauth=not grant.static))


def _planted_answer(fault: Fault) -> Answer:
    if fault.kind == "fail_before":
        return answer(FAILED, 500)
    body = fault.body if fault.body is not None else '{"status":"error","message":"planted by the control API"}'
    headers = {"content-type": "application/json;charset=utf-8", **{k.lower(): v for k, v in fault.headers.items()}}
    return Answer(fault.status, body.encode(), tuple(headers.items()))


async def _held(waiting: Awaitable[None], receive: Receive) -> bool:
    """True when released, False when the caller went away first."""
    released = asyncio.ensure_future(waiting)
    gone = asyncio.ensure_future(receive())
    await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
    done = released.done()
    for task in (released, gone):
        task.cancel()
    await asyncio.gather(released, gone, return_exceptions=True)
    return done


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the TCP connection after what was written, and wait until it is closed."""
    scope["extensions"]["twin.transport"]["transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass
