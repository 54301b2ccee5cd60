"""What a process has on its own host while its database is on a server: a folder, shared with the others of that host.

A lock that the system lets go when a process ends says more than any clock: whoever gets the seat of a process knows that it
is gone, and need not wait until its leases end.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from stellwerk.errors import StoreError

SEATS = 64
"""Processes that one host may have at once."""


class Place:
    """The state folder, with a seat in it for this process. `close` frees the seat."""

    def __init__(self, folder: Path) -> None:
        """Raises `StoreError` where the folder cannot be used."""
        self.folder = folder
        self._watch: IO[str] | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._name = _name_of(folder)
            number, self._seat = self._take_seat()
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be used ({os.strerror(error.errno or 0)}); the hub's user must own this folder, see hub.state"
            ) from None
        self.seat = f"{self._name}.{number}."
        """Begins the name of every process that ever had this seat; only one has it at a time."""

    @property
    def mark(self) -> Path:
        """The file by which a restored back-up is known."""
        return self.folder / "instance"

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """One process of this host after the other."""
        with (self.folder / "starting").open("a") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield

    def watches(self) -> bool:
        """Whether this process is the one of its host that raises the counter; another one takes over when it ends."""
        if self._watch is None:
            self._watch = _locked(self.folder / "watch")
        return self._watch is not None

    def close(self) -> None:
        self._seat.close()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _take_seat(self) -> tuple[int, IO[str]]:
        for number in range(1, SEATS + 1):
            seat = _locked(self.folder / f"process-{number}")
            if seat is not None:
                return number, seat
        raise StoreError(f"{self.folder} has {SEATS} processes already; give this one a folder of its own: hub.state")


def _locked(path: Path) -> IO[str] | None:
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _name_of(folder: Path) -> str:
    """The folder's own name, made once; whole or not there, whoever is first."""
    path = folder / "name"
    if not path.exists():
        fresh = folder / f"name.{secrets.token_hex(8)}"
        fresh.write_text(secrets.token_hex(8))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()
