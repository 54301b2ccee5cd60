"""The control API: for tests and the demo, on a port of its own, never for the hub."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from .app import Receive, Scope, Send, read_body, send_answer
from .call import Answer, answer
from .catalogue import Option
from .deletion import restore
from .errors import Refusal, not_found
from .faults import Fault
from .limits import Limit
from .portal import Portal, Source
from .seeding import Seed, dump, plant
from .twin import Twin
from .webhooks import Disorder

__all__ = ["ControlApp"]

T = TypeVar("T")


class Clock(Struct, forbid_unknown_fields=True):
    offset_seconds: float


class Resend(Struct, forbid_unknown_fields=True):
    numbers: list[int] = []
    all: bool = False
    shuffle: bool = False
    times: int = 1


class Settings(Struct, forbid_unknown_fields=True):
    """Of the whole twin; absent ones stay."""

    rotate_refresh_tokens: bool | None = None
    token_seconds: float | None = None
    limit: str | None = None
    search_lag_seconds: float | None = None
    client_secret: str | None = None
    signature_v3: bool | None = None
    app_events_approved: bool | None = None
    journal_granted: bool | None = None


class PortalSettings(Struct, forbid_unknown_fields=True):
    """Of one account; absent ones stay. `stages` replaces the lifecycle stages, which only its admins can do."""

    default_stage: str | None = None
    keeps_primary_id: bool | None = None
    plan_lacks: list[str] | None = None
    properties_in_use: list[str] | None = None
    required: list[str] | None = None
    required_on_create: list[str] | None = None
    stages: list[Option] | None = None


class ControlApp:
    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._rows: list[tuple[str, re.Pattern[str], Callable[..., Awaitable[Any]]]] = [
            ("GET", re.compile(r"/requests"), self.requests),
            ("POST", re.compile(r"/faults"), self.add_fault),
            ("GET", re.compile(r"/faults"), self.list_faults),
            ("DELETE", re.compile(r"/faults"), self.clear_faults),
            ("DELETE", re.compile(r"/faults/(\d+)"), self.remove_fault),
            ("GET", re.compile(r"/holds"), self.list_holds),
            ("POST", re.compile(r"/holds/release"), self.release),
            ("GET", re.compile(r"/webhooks"), self.list_webhooks),
            ("POST", re.compile(r"/webhooks"), self.set_disorder),
            ("POST", re.compile(r"/webhooks/resend"), self.resend),
            ("GET", re.compile(r"/idle"), self.idle),
            ("POST", re.compile(r"/seed"), self.seed),
            ("POST", re.compile(r"/clock"), self.set_clock),
            ("POST", re.compile(r"/settings"), self.set_settings),
            ("GET", re.compile(r"/portals/(\d+)/contacts"), self.contacts),
            ("POST", re.compile(r"/portals/(\d+)"), self.set_portal),
            ("POST", re.compile(r"/portals/(\d+)/uninstall"), self.uninstall),
            ("POST", re.compile(r"/portals/(\d+)/contacts/(\d+)/restore"), self.restore),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
        found = await self._answer(scope["method"], scope["path"], headers, query, body)
        await send_answer(send, found, self.twin.clock.http_date())

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], query: dict[str, str], body: bytes
    ) -> Answer:
        if not hmac.compare_digest(headers.get("x-control-token", "").encode(), self.twin.control_token.encode()):
            return answer({"message": "X-Control-Token is missing or wrong"}, 401)
        for wanted, pattern, run in self._rows:
            if wanted == method and (found := pattern.fullmatch(path)):
                try:
                    return answer(await run(query, body, *map(int, found.groups())))
                except Refusal as refusal:
                    return answer(refusal.body, refusal.status)
                except (msgspec.ValidationError, msgspec.DecodeError, ValueError, re.error) as problem:
                    return answer({"message": str(problem)}, 400)
        return answer({"message": f"no {method} {path}"}, 404)

    def _portal(self, number: int) -> Portal:
        if number not in self.twin.portals:
            raise not_found(f"no portal {number}")
        return self.twin.portals[number]

    async def requests(self, query: dict[str, str], body: bytes) -> Any:
        return self.twin.record.since(int(query.get("since", "0")))

    async def add_fault(self, query: dict[str, str], body: bytes) -> Any:
        return {"id": self.twin.faults.add(msgspec.json.decode(body, type=Fault))}

    async def list_faults(self, query: dict[str, str], body: bytes) -> Any:
        return [
            {"id": number, "name": one.fault.name, "kind": one.fault.kind, "seen": one.seen, "fired": one.fired}
            for number, one in self.twin.faults.planted.items()
        ]

    async def clear_faults(self, query: dict[str, str], body: bytes) -> Any:
        self.twin.faults.clear()
        return {}

    async def remove_fault(self, query: dict[str, str], body: bytes, number: int) -> Any:
        if not self.twin.faults.remove(number):
            raise not_found(f"no fault {number}")
        return {}

    async def list_holds(self, query: dict[str, str], body: bytes) -> Any:
        return list(self.twin.holds.held.values())

    async def release(self, query: dict[str, str], body: bytes) -> Any:
        return {"released": self.twin.holds.release()}

    async def list_webhooks(self, query: dict[str, str], body: bytes) -> Any:
        hooks = self.twin.webhooks
        since = int(query.get("since", "0"))
        return {"pending": hooks.pending() if hooks else 0, "deliveries": hooks.deliveries[since:] if hooks else []}

    async def set_disorder(self, query: dict[str, str], body: bytes) -> Any:
        disorder = msgspec.json.decode(body, type=Disorder)
        if self.twin.webhooks is not None:
            self.twin.webhooks.disorder = disorder
            self.twin.webhooks.poke()
        return disorder

    async def resend(self, query: dict[str, str], body: bytes) -> Any:
        wanted = msgspec.json.decode(body, type=Resend)
        if self.twin.webhooks is None:
            return {"sent": []}
        numbers = None if wanted.all else wanted.numbers
        return {"sent": await self.twin.webhooks.resend(numbers, shuffle=wanted.shuffle, times=wanted.times)}

    async def idle(self, query: dict[str, str], body: bytes) -> Any:
        hooks = self.twin.webhooks
        return {"pending": hooks.pending() if hooks else 0, "requests": self.twin.record.running}

    async def seed(self, query: dict[str, str], body: bytes) -> Any:
        wanted = msgspec.json.decode(body, type=Seed)
        portal = self._portal(wanted.portal or next(iter(self.twin.portals)))
        return {"ids": [str(number) for number in plant(portal, wanted)]}

    async def set_clock(self, query: dict[str, str], body: bytes) -> Any:
        self.twin.clock.offset_seconds = msgspec.json.decode(body, type=Clock).offset_seconds
        return {"offset_seconds": self.twin.clock.offset_seconds}

    async def set_settings(self, query: dict[str, str], body: bytes) -> Any:
        wanted = msgspec.json.decode(body, type=Settings)
        if wanted.rotate_refresh_tokens is not None:
            self.twin.grants.rotate = wanted.rotate_refresh_tokens
        if wanted.token_seconds is not None:
            self.twin.grants.token_seconds = wanted.token_seconds
        if wanted.limit is not None:
            self.twin.budgets.limit = Limit.parse(wanted.limit)
        if wanted.client_secret is not None and self.twin.app is not None:
            self.twin.app = msgspec.structs.replace(self.twin.app, client_secret=wanted.client_secret)
        if wanted.app_events_approved is not None:
            self.twin.approved = wanted.app_events_approved
        if wanted.journal_granted is not None:
            self.twin.journal.granted = wanted.journal_granted
        if self.twin.webhooks is not None:
            self.twin.webhooks.secret = wanted.client_secret or self.twin.webhooks.secret
            if wanted.signature_v3 is not None:
                self.twin.webhooks.with_v3 = wanted.signature_v3
        if wanted.search_lag_seconds is not None:
            for portal in self.twin.portals.values():
                portal.search_lag_seconds = wanted.search_lag_seconds
        return {}

    async def contacts(self, query: dict[str, str], body: bytes, number: int) -> Any:
        return {"contacts": dump(self._portal(number))}

    async def set_portal(self, query: dict[str, str], body: bytes, number: int) -> Any:
        portal, wanted = self._portal(number), msgspec.json.decode(body, type=PortalSettings)
        if wanted.default_stage is not None:
            portal.default_stage = wanted.default_stage
        if wanted.keeps_primary_id is not None:
            portal.keeps_primary_id = wanted.keeps_primary_id
        if wanted.plan_lacks is not None:
            portal.plan_lacks = set(wanted.plan_lacks)
        if wanted.properties_in_use is not None:
            portal.in_use = set(wanted.properties_in_use)
        if wanted.required is not None:
            portal.required = set(wanted.required)
        if wanted.required_on_create is not None:
            portal.required_on_create = set(wanted.required_on_create)
        if wanted.stages is not None:
            portal.properties["lifecyclestage"].options = wanted.stages
        return {}

    async def uninstall(self, query: dict[str, str], body: bytes, number: int) -> Any:
        self.twin.grants.uninstall(self._portal(number).id)
        return {}

    async def restore(self, query: dict[str, str], body: bytes, number: int, contact: int) -> Any:
        portal = self._portal(number)
        if contact not in portal.contacts:
            raise not_found(f"no contact {contact}")
        restore(portal, portal.contacts[contact], Source("CRM_UI", "userId:1", user_id=1))
        return {}
