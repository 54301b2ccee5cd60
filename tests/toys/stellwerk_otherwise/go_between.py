"""A server between the hub and a twin that turns answers into another form, for what the vendors' references leave open."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

__all__ = ["Exchange", "between"]

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass
class Exchange:
    """One call and its answer; what is changed of the answer is what the hub gets. `path` is without its query."""

    method: str
    path: str
    sent: bytes
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Turn = Callable[[Exchange], None]


@contextmanager
def between(url: str, turn: Turn, port: int = 0) -> Iterator[str]:
    """The address of a server that passes everything on to `url` and lets `turn` change each answer on its way back."""
    target = urlsplit(url)

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            line = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
            try:
                line.request(self.command, self.path, sent or None, headers)
                answer = line.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                # The twin hung up: so do we.
                self.close_connection = True
                return
            finally:
                line.close()
            got = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            got["date"] = answer.getheader("date", "")
            one = Exchange(self.command, self.path.partition("?")[0], sent, answer.status, body, got)
            turn(one)
            self.send_response_only(one.status)
            for name, value in one.headers.items():
                self.send_header(name, value)
            if one.status != 204:
                self.send_header("content-length", str(len(one.body)))
            self.end_headers()
            self.wfile.write(one.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

        def log_message(self, *said: object) -> None:
            """Nothing: the hub's log tells what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Passing)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{target.path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
