"""Who drains an account: a fenced lease with the account's wake-up time and its rate window."""

from __future__ import annotations

import math

from msgspec import Struct

from stellwerk.errors import StoreError
from stellwerk.store.store import Tx

SECONDS = 90.0  # above twice the longest call
PLAYED = -1
"""Epoch of a lease that is held in undone transactions alone."""


class Lease(Struct, frozen=True):
    """`epoch` fences: a holder whose epoch is old has lost the account. `calls` is the sealed-free rate window.

    `until` is when it ends unless it is renewed.
    """

    account: str
    epoch: int
    calls: bytes | None
    until: float = math.inf


class LeaseLost(StoreError):
    """Somebody else drains this account now; stop at once and write nothing."""


def wake(tx: Tx, account: str, at: float) -> None:
    """The account has something to do at `at` (seconds since 1970); an earlier time that stands already stays."""
    tx.run(
        "insert into lease (account, wake) values (:account, :at) on conflict (account)"
        " do update set wake = case when lease.wake is null or lease.wake > excluded.wake then excluded.wake else lease.wake end",
        account=account,
        at=at,
    )


def wake_all(tx: Tx, at: float) -> None:
    """Every account has something to do."""
    tx.run("update lease set wake = case when wake is null or wake > :at then :at else wake end", at=at)


DUE = "until <= :now and (wake <= :now or owner is not null)"
"""Of `lease`. An account whose holder died without letting go is due by that alone."""


def due(tx: Tx, now: float) -> list[str]:
    """Accounts that somebody should drain now, those that wait longest unserved first."""
    return [
        row["account"] for row in tx.all(f"select account from lease where {DUE} order by served, account", now=now)
    ]


def claim(tx: Tx, owner: str, now: float, account: str | None = None) -> Lease | None:
    """The account that waits longest unserved, or the one that is named; None where none is due."""
    row = tx.one(
        f"select account, epoch, calls from lease where {DUE} and account = coalesce(:account, account)"
        " order by served, account limit 1",
        now=now,
        account=account,
    )
    if row is None:
        return None
    tx.run(
        "update lease set owner = :owner, epoch = epoch + 1, until = :until, served = :now, wake = null where account = :account",
        owner=owner,
        until=now + SECONDS,
        now=now,
        account=row["account"],
    )
    return Lease(row["account"], row["epoch"] + 1, row["calls"], now + SECONDS)


def held_by(tx: Tx, owner: str, before: float) -> list[Lease]:
    """What `owner` holds and has neither claimed nor renewed so lately that it would end at `before` or later."""
    rows = tx.all(
        "select account, epoch, calls, until from lease where owner = :owner and until <= :before",
        owner=owner,
        before=before,
    )
    return [Lease(row["account"], row["epoch"], row["calls"], row["until"]) for row in rows]


def fence(tx: Tx, lease: Lease, now: float) -> None:
    """First statement of every transaction of a holder; renews. Raises `LeaseLost`, also after a release."""
    held = tx.run(
        "update lease set until = :until where account = :account and epoch = :epoch and owner is not null",
        until=now + SECONDS,
        account=lease.account,
        epoch=lease.epoch,
    )
    if not held:
        raise LeaseLost(f"lease of {lease.account} lost")


def play(tx: Tx, account: str, now: float) -> None:
    """In a transaction that is undone: the account is held as `PLAYED` says, whoever holds it."""
    wake(tx, account, now)
    tx.run("update lease set owner = 'played', epoch = :epoch where account = :account", account=account, epoch=PLAYED)


def keep_calls(tx: Tx, lease: Lease, calls: bytes) -> None:
    """The rate window, so that the next holder counts on; nothing where the lease is lost."""
    tx.run(
        "update lease set calls = :calls where account = :account and epoch = :epoch",
        calls=calls,
        account=lease.account,
        epoch=lease.epoch,
    )


def release(tx: Tx, lease: Lease, wake_at: float | None) -> None:
    """Let go; wake again at `wake_at`, or earlier if somebody asked meanwhile."""
    tx.run(
        "update lease set owner = null, until = 0, wake = case when wake is null or wake > :at then coalesce(:at, wake)"
        " else wake end where account = :account and epoch = :epoch",
        at=wake_at,
        account=lease.account,
        epoch=lease.epoch,
    )


def next_wake(tx: Tx) -> float | None:
    """When the earliest account wants to be drained; of a held one, when its lease ends unless it is renewed."""
    row = tx.one("select min(case when owner is null then wake else until end) as at from lease")
    return None if row is None else row["at"]


def expire_of(tx: Tx, owner: str, now: float) -> None:
    """Holders whose names begin so are known to be dead; and every account is looked at."""
    tx.run("update lease set owner = null, until = 0 where owner like :names", names=f"{owner}%")
    wake_all(tx, now)


def expire_all(tx: Tx) -> None:
    """Only for a store that one process holds: no holder of an earlier process can be alive."""
    tx.run("update lease set owner = null, until = 0, wake = 0")
