"""The control API: what tests and the demo may do that no person and no vendor can. Its own port, its own token."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

import msgspec

from . import bounces, dump, orders, profile, unsubscribe
from .account import Account, Contact, Options
from .app import Api
from .exchange import Answer, Receive, Request, Scope, Send, read_request, send_answer, understand
from .faults import Fault
from .fields import TYPES, is_address
from .keys import Key
from .outgoing import Manners, Resend
from .problem import Problem

Handle = Callable[[Request, str], Any]


class Control:
    """`paths` maps method and first path segments to what answers; the last segment of some is a number."""

    def __init__(self, api: Api, token: str) -> None:
        self.api = api
        self.maileon = api.maileon
        self.token = token
        self.paths: dict[tuple[str, str], Handle] = {
            ("GET", "requests"): self.requests,
            ("GET", "faults"): lambda request, rest: {"faults": self.api.faults.listed()},
            ("POST", "faults"): lambda request, rest: {"id": self.api.faults.add(orders.read(request.body, Fault))},
            ("DELETE", "faults"): self.remove_faults,
            ("GET", "holds"): self.holds,
            ("POST", "holds/release"): self.release,
            ("GET", "webhooks"): self.deliveries,
            ("POST", "webhooks"): self.behave,
            ("GET", "idle"): self.idle,
            ("POST", "seed"): self.seed,
            ("POST", "clock"): self.clock,
            ("POST", "keys"): self.put_key,
            ("POST", "mailings"): self.put_mailing,
            ("POST", "accounts"): self.open_account,
            ("GET", "accounts"): self.account,
            ("POST", "options"): self.options,
            ("POST", "events"): self.event,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        try:
            status, document = await self.answer(request)
        except (msgspec.DecodeError, ValueError) as failure:
            status, document = 400, {"error": str(failure)}
        except Problem as problem:
            status, document = problem.status, {"error": problem.message}
        answer = Answer(status=status, body=msgspec.json.encode(document), content_type="application/json")
        await send_answer(send, answer, formatdate(usegmt=True))

    async def answer(self, request: Request) -> tuple[int, Any]:
        understand(request)
        if not secrets.compare_digest(request.headers.get("x-control-token", "").encode(), self.token.encode()):
            raise Problem(401, "the control token is missing or wrong")
        segments = request.segments
        if (request.method, segments) == ("POST", ("webhooks", "resend")):
            return 200, {"sent": await self.resend(orders.read(request.body, Resend))}
        whole = self.paths.get((request.method, "/".join(segments)))
        handle = whole or self.paths.get((request.method, segments[0]))
        if handle is None:
            raise Problem(404, "no such control call")
        self.maileon.settle()
        found = handle(request, "" if whole else "/".join(segments[1:]))
        return 200, await found if isinstance(found, Awaitable) else found

    def one_account(self, number: int) -> Account:
        if number not in self.maileon.accounts:
            raise Problem(404, f"no account {number}")
        return self.maileon.accounts[number]

    def requests(self, request: Request, rest: str) -> Any:
        since = int(dict(request.pairs).get("since", "0"))
        return {"requests": msgspec.to_builtins(self.api.record.since(since))}

    def remove_faults(self, request: Request, rest: str) -> Any:
        if rest and not self.api.faults.remove(int(rest)):
            raise Problem(404, f"no fault {rest}")
        if not rest:
            self.api.faults.active.clear()
        return {}

    def holds(self, request: Request, rest: str) -> Any:
        entries = [held.entry for held in self.api.held.values()]
        return {"holds": [{"number": e.number, "method": e.method, "path": e.path, "query": e.query} for e in entries]}

    def release(self, request: Request, rest: str) -> Any:
        wanted = orders.read(request.body, orders.Release).numbers
        released = [number for number in self.api.held if wanted is None or number in wanted]
        for number in released:
            self.api.held[number].released.set()
        return {"released": released}

    def deliveries(self, request: Request, rest: str) -> Any:
        since = int(dict(request.pairs).get("since", "0"))
        return {
            "manners": msgspec.to_builtins(self.maileon.outgoing.manners),
            "webhooks": [
                {**msgspec.structs.asdict(delivery), "body": delivery.body.decode()}
                for delivery in self.maileon.outgoing.deliveries[since:]
            ],
        }

    async def behave(self, request: Request, rest: str) -> Any:
        """Change only what is named."""
        named = msgspec.json.decode(request.body, type=dict[str, Any])
        current = msgspec.to_builtins(self.maileon.outgoing.manners)
        manners = msgspec.convert({**current, **named}, type=Manners)
        self.maileon.outgoing.behave(manners)
        return msgspec.to_builtins(manners)

    async def resend(self, order: Resend) -> list[dict[str, int | None]]:
        return await self.maileon.outgoing.resend(None if order.all else order.numbers, order.shuffle, order.times)

    def idle(self, request: Request, rest: str) -> Any:
        pending = self.maileon.outgoing.pending
        anonymising = sum(len(account.anonymising) for account in self.maileon.accounts.values())
        open_calls = self.api.record.open
        return {
            "idle": not (pending or anonymising or open_calls),
            "webhooks_pending": pending,
            "anonymising": anonymising,
            "requests_open": open_calls,
            "held": len(self.api.held),
        }

    def clock(self, request: Request, rest: str) -> Any:
        self.maileon.clock.offset_seconds = orders.read(request.body, orders.ClockOrder).offset_seconds
        return {"now": self.maileon.settle()}

    def put_key(self, request: Request, rest: str) -> Any:
        order = orders.read(request.body, orders.KeyOrder)
        self.one_account(order.account)
        key = Key(account=order.account, key=order.key, state=order.state, rights=order.rights)
        self.maileon.keys[key.key] = key
        return {}

    def put_mailing(self, request: Request, rest: str) -> Any:
        order = orders.read(request.body, orders.MailingOrder)
        account = self.one_account(order.account)
        return {"id": self.maileon.put_doi_mailing(account, order.key, order.name, order.default, order.active).id}

    def open_account(self, request: Request, rest: str) -> Any:
        order: orders.NewAccount = orders.read(request.body, orders.NewAccount)
        if order.id in self.maileon.accounts:
            raise Problem(409, f"account {order.id} exists")
        if any(kind not in TYPES for kind in order.custom_fields.values()):
            raise Problem(400, f"types are {', '.join(TYPES)}")
        options = self.merged_options(self.maileon.options, order.options)
        key = None if order.key is None else Key(account=order.id, key=order.key)
        account = self.maileon.open_account(order.id, order.name)
        account.options = options
        account.custom_fields.update(order.custom_fields)
        if key is not None:
            self.maileon.keys[key.key] = key
        for mailing in order.mailings:
            self.maileon.put_doi_mailing(account, mailing.key, mailing.name, mailing.default, mailing.active)
        return {"id": account.id}

    def merged_options(self, current: Options, named: dict[str, Any]) -> Options:
        return msgspec.convert({**msgspec.structs.asdict(current), **named}, type=Options)

    def options(self, request: Request, rest: str) -> Any:
        """`POST /options/{account}` changes only the options named."""
        account = self.one_account(int(rest))
        named = msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
        account.options = self.merged_options(account.options, named)
        return msgspec.to_builtins(account.options)

    def account(self, request: Request, rest: str) -> Any:
        if not rest:
            return {"accounts": [{"id": a.id, "name": a.name} for a in self.maileon.accounts.values()]}
        number, _, last = rest.partition("/")
        if last != "contacts":
            raise Problem(404, "no such control call")
        return dump.account(self.maileon, self.one_account(int(number)))

    def seed(self, request: Request, rest: str) -> Any:
        """Put contacts in as they would be after years of use: no mail, no webhook, no report entry."""
        order: orders.Seed = orders.read(request.body, orders.Seed)
        account = self.one_account(order.account)
        now = self.maileon.clock.now()
        numbers = []
        for seed in order.contacts:
            if not is_address(seed.email) or not 1 <= seed.permission <= 6:
                raise Problem(400, f"email or permission of {seed.email} are not valid")
            contact = self.maileon.new_contact(account, seed.email, seed.permission, now)
            account.rename(contact, seed.external_id)
            for name, value in (*seed.standard_fields.items(), *seed.custom_fields.items()):
                profile.set_field(account, contact, name, value, now)
            if seed.marker:
                account.markers[seed.email.lower()] = now
            if seed.blocked:
                contact.blocked_reason, contact.blocked = "bounce_policy", now
            numbers.append(contact.id)
        account.markers.update({email.lower(): now for email in order.markers})
        return {"ids": numbers}

    def living(self, account: Account, email: str) -> Contact:
        found = account.living(email)
        if not found:
            raise Problem(404, f"no living contact {email}")
        return found[0]

    async def event(self, request: Request, rest: str) -> Any:
        order: orders.EventOrder = orders.read(request.body, orders.EventOrder)
        account = self.one_account(order.account)
        contact = self.living(account, order.email)
        now = self.maileon.clock.now()
        match order.event:
            case "unsubscription":
                unsubscribe.opt_out(
                    self.maileon, account, contact, order.method, msg_id=order.msg_id, mailing=order.mailing_id
                )
            case "bounce":
                bounces.bounce(
                    self.maileon,
                    account,
                    contact,
                    kind=order.type,
                    status_code=order.status_code,
                    source=order.source,
                    msg_id=order.msg_id,
                    mailing=order.mailing_id,
                )
            case "block":
                bounces.block(account, contact, "bounce_policy", now)
            case "unblock":
                bounces.unblock(account, contact, now)
            case "contact_field_change":
                if order.property is None:
                    raise Problem(400, "property is missing")
                profile.change_by_link(self.maileon, account, contact, order.property, order.value)
        return {"contact": contact.id}
