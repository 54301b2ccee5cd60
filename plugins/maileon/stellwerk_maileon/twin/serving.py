"""The two listeners: API and pages on one port, the control API on another, both on loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import uvicorn
from msgspec import Struct, field
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .account import Options
from .app import BASE, Api
from .clock import Clock
from .control import Control
from .exchange import Receive, Scope, Send
from .keys import Key
from .maileon import Maileon
from .outgoing import Outgoing
from .pages import Pages


class DoiMailing(Struct, frozen=True, kw_only=True):
    account: int
    key: str
    name: str
    default: bool = False
    active: bool = True


class Plan(Struct, frozen=True, kw_only=True):
    """What the twin starts with; port 0 takes a free one."""

    port: int = 0
    control_port: int = 0
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    reach: dict[str, str] = {}
    accounts: dict[int, str] = {}
    keys: tuple[Key, ...] = ()
    mailings: tuple[DoiMailing, ...] = ()
    options: Options = field(default_factory=Options)
    zone: str = "Europe/Berlin"
    webhook_retries: int = 0


class Ready(Struct, frozen=True, kw_only=True):
    """The one line the program prints."""

    url: str
    api_url: str
    control_url: str
    control_token: str


class Protocol(HttpToolsProtocol):
    """Hands the transport to the application, which needs it to hang up in the middle of an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"twin.transport": self.transport}  # type: ignore[dict-item]


class Server(uvicorn.Server):
    """Leaves signals to the program, since two servers share one process, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Front:
    """Sends `/1.0` to the API and everything else to the pages."""

    def __init__(self, api: Api, pages: Pages) -> None:
        self.api = api
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        inside = path == f"/{BASE}" or path.startswith(f"/{BASE}/")
        await (self.api if inside else self.pages)(scope, receive, send)


def build(plan: Plan) -> Api:
    """The simulated Maileon of the plan, not yet listening."""
    maileon = Maileon(Clock(plan.zone), Outgoing(plan.reach, plan.webhook_retries), plan.options)
    for number, name in plan.accounts.items():
        maileon.open_account(number, name)
    for key in plan.keys:
        maileon.keys[key.key] = key
    for mailing in plan.mailings:
        account = maileon.accounts[mailing.account]
        maileon.put_doi_mailing(account, mailing.key, mailing.name, mailing.default, mailing.active)
    return Api(maileon)


def bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    """A socket bound there; `OSError` when that cannot be.

    With the protocol named, asyncio switches Nagle's delay off; without, each answer waits 40 ms for an ACK.
    """
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((address, port))
    except OSError:
        found.close()
        raise
    return found


def listen(port: int) -> list[socket.socket]:
    """127.0.0.1 and the same port of ::1, since browsers take either for localhost; a machine may lack the latter.

    A free port is free on both; `OSError` when a port that was asked for is taken on one of them.
    """
    for tries_left in reversed(range(10)):
        first = bound(socket.AF_INET, "127.0.0.1", port)
        try:
            return [first, bound(socket.AF_INET6, "::1", first.getsockname()[1])]
        except OSError as failure:
            if failure.errno != errno.EADDRINUSE:
                return [first]
            first.close()
            if port or not tries_left:
                raise
    raise AssertionError("unreachable")


def server(app: Any) -> Server:
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=0,
        backlog=1024,
    )
    return Server(config)


async def serve(plan: Plan, ready: Callable[[Ready], None], stop: asyncio.Event) -> None:
    """Serve until `stop`; `ready` is called once both ports listen. `OSError` when a port is taken."""
    api = build(plan)
    sockets = listen(plan.port)
    control_sockets = [bound(socket.AF_INET, "127.0.0.1", plan.control_port)]
    port, control_port = sockets[0].getsockname()[1], control_sockets[0].getsockname()[1]
    servers = [server(Front(api, Pages(api))), server(Control(api, plan.control_token))]
    tasks = [
        asyncio.ensure_future(one.serve(own)) for one, own in zip(servers, (sockets, control_sockets), strict=True)
    ]
    for one in servers:
        await one.listening.wait()
    url = f"http://localhost:{port}"
    control_url = f"http://127.0.0.1:{control_port}"
    ready(Ready(url=url, api_url=f"{url}/{BASE}", control_url=control_url, control_token=plan.control_token))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((stopping, *tasks), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for one in servers:
        one.should_exit = True
    await asyncio.gather(*tasks, stopping, return_exceptions=True)
    await api.maileon.outgoing.close()


def announce(ready: Ready) -> None:
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
