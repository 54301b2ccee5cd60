"""The protocol that a hub listens with: nobody holds it up, or fills its memory, by a request that does not end.

uvicorn bounds neither the head of a request nor the time its sender takes. Bodies are bounded where they are read.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 256_000
"""Bytes. A session that holds a tested key stands in several cookies."""
REQUEST_SECONDS = 60.0
"""From a connection or the first byte of a request to the last of its body; a connection that waits for its next is no request."""


class Guarded(HttpToolsProtocol):
    """uvicorn's protocol with both bounds."""

    _head: int | None = None
    """Bytes of the head so far; None where it is over."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as narrow as uvicorn has it
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of this request is too long.")

    def on_message_begin(self) -> None:
        self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._over()
        super().on_message_complete()

    def _begin(self) -> None:
        self._over()
        self._head = self._head or 0  # the first bytes of a connection are counted before its request begins
        self._timer = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
