"""The protocol both adapters fulfil: run a function of a transaction, durably or read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]


class Tx(Protocol):
    """One transaction. SQL is written once, with `:name` parameters; it stands in the module of its table."""

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        """Every row."""
        ...

    def one(self, sql: str, /, **params: Any) -> Row | None:
        """The first row or None."""
        ...

    def run(self, sql: str, /, **params: Any) -> int:
        """Number of rows touched."""
        ...

    def many(self, sql: str, rows: Iterable[Mapping[str, Any]], /) -> int:
        """Run once for each set of parameters; number of rows touched."""
        ...


def counted(tx: Tx, sql: str, /, **params: Any) -> int:
    """The number that `sql` counts as `n`."""
    return int(tx.all(sql, **params)[0]["n"])


class Store(Protocol):
    """A database. Functions handed in are short, do no I/O of their own and may be run again after a conflict.

    Writes happen one after the other, whoever makes them: a function sees what all before it wrote.
    """

    @property
    def alone(self) -> bool:
        """Whether no other process can have this database while it is open."""
        ...

    @property
    def full(self) -> bool:
        """Whether this process lately found no room on the database's disk, or has not written since."""
        ...

    async def write(self, work: Callable[[Tx], T], /) -> T:
        """Run `work` in a transaction; when this returns, its rows are on disk. An exception undoes it alone."""
        ...

    async def read(self, work: Callable[[Tx], T], /) -> T:
        """Run `work` on a consistent snapshot; it must not write."""
        ...

    def now(self) -> float:
        """Seconds since 1970 by the clock that all processes on this database go by."""
        ...

    async def close(self) -> None:
        """Finish what waits and let go of the database."""
        ...
