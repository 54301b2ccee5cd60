"""The two listeners: the vendor on 127.0.0.1 and ::1, the control API on 127.0.0.1 alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .app import VendorApp
from .control import ControlApp
from .twin import Options, Twin, assemble

__all__ = ["Running", "running"]


class _Protocol(HttpToolsProtocol):
    """Lets the application close a connection that it has not answered, as a failing network would."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"twin.transport": {"transport": self.transport}}


class _Server(uvicorn.Server):
    """uvicorn's, ending at once: its own loop looks ten times a second, and its shutdown waits for callers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        self._ended.set()

    async def main_loop(self) -> None:
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the program, not to either of its two servers."""
        yield


class Running(Struct):
    """A twin that answers."""

    twin: Twin
    url: str
    control_url: str
    control_token: str


@asynccontextmanager
async def running(options: Options, *, port: int = 0, control_port: int = 0) -> AsyncIterator[Running]:
    """A twin on real sockets until the block ends; port 0 takes a free one. OSError when a port is taken."""
    sockets, port = _vendor_sockets(port)
    control_socket = _listen(socket.AF_INET, "127.0.0.1", control_port)
    twin = assemble(options)
    twin.url = f"http://localhost:{port}"
    servers = [_server(VendorApp(twin)), _server(ControlApp(twin))]
    tasks = [
        asyncio.create_task(servers[0].serve(sockets=sockets)),
        asyncio.create_task(servers[1].serve(sockets=[control_socket])),
    ]
    if twin.webhooks is not None:
        tasks.append(asyncio.create_task(twin.webhooks.run()))
    try:
        while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn tells by this flag only
            await asyncio.sleep(0.005)
        control_url = f"http://127.0.0.1:{control_socket.getsockname()[1]}"
        yield Running(twin, twin.url, control_url, twin.control_token)
    finally:
        for server in servers:
            server.end()
        for task in tasks[2:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sock in (*sockets, control_socket):
            sock.close()


def _server(app: Any) -> _Server:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=75,
        log_config=None,
    )
    return _Server(config)


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.listen(512)
    sock.setblocking(False)
    return sock


def _vendor_sockets(port: int) -> tuple[list[socket.socket], int]:
    """127.0.0.1 and, where there is one, ::1 on the same port, since browsers take `localhost` for either."""
    sock = _listen(socket.AF_INET, "127.0.0.1", port)
    port = sock.getsockname()[1]
    sockets = [sock]
    with contextlib.suppress(OSError):
        sockets.append(_listen(socket.AF_INET6, "::1", port))
    return sockets, port
