"""Sends prepared requests over connections that stay open, and counts what was acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from stellwerk_bench.posted import PATH, Posted


class Answered(Exception):
    """A request that was not acknowledged with a 2xx."""


class Client:
    """Sends prepared bytes over connections that stay open; counts what was acknowledged."""

    def __init__(self, port: int, path: str = PATH) -> None:
        self._port, self._path = port, path
        self.waits: list[float] = []

    def send(self, posted: Sequence[Posted], seconds: float = 3600.0, connections: int = 1) -> float:
        """Requests a second. Stops after `seconds`, or when all are sent. Raises `Answered`."""
        raw = [one.on_the_wire(f"127.0.0.1:{self._port}", self._path) for one in posted]
        return asyncio.run(self._send(raw, seconds, connections))

    async def _send(self, raw: Sequence[bytes], seconds: float, connections: int) -> float:
        todo, began = iter(raw), time.perf_counter()
        self.waits = []
        await asyncio.gather(*(self._one(todo, began + seconds) for _ in range(connections)))
        return len(self.waits) / (time.perf_counter() - began)

    async def _one(self, todo: Iterator[bytes], end: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for raw in todo:
            began = time.perf_counter()
            writer.write(raw)
            status = await self._status(reader)
            if not 200 <= status < 300:
                raise Answered(str(status))
            self.waits.append(time.perf_counter() - began)
            if time.perf_counter() > end:
                break
        writer.close()

    @staticmethod
    async def _status(reader: asyncio.StreamReader) -> int:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(
            (int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length")), None
        )
        if length:
            await reader.readexactly(length)
        elif length is None and "chunked" in head:
            while (size := int((await reader.readline()).strip() or b"0", 16)) > 0:
                await reader.readexactly(size + 2)
            await reader.readline()
        return int(head.split(" ", 2)[1])
