"""A clock that was put back: what waits for a moment that it had told before would wait for as long as it was wrong."""

from __future__ import annotations

from stellwerk.store import lease, meta
from stellwerk.store.store import Tx

WAITING = (
    ("inbox", "state = 'waiting'"),
    ("outbox", "state = 'waiting'"),
    ("outbox", "state = 'sent'"),
    ("sync_run", "state = 'running'"),
    ("comparison_part", "state <> 'done'"),
)
ASKED = ("polled", "poll-fails")
"""Cursors of an account that end with a time before which it is not asked for changes again."""


def put_back(tx: Tx, now: float) -> None:
    """Whatever is due later is due now, and no lease ends later than one that is taken now."""
    for table, waits in WAITING:
        tx.run(f"update {table} set due = :now where {waits} and due > :now", now=now)
    tx.run("update outbox set sent = :now where state = 'sent' and sent > :now", now=now)
    tx.run("update account set paused_until = :now where paused_until > :now", now=now)
    for name in ASKED:
        for row in tx.all("select account, value from cursor where name = :name", name=name):
            before, space, at = row["value"].rpartition(" ")
            if float(at) > now:
                meta.set_cursor(tx, row["account"], name, f"{before}{space}{now}")
    tx.run("update lease set until = :last where until > :last", last=now + lease.SECONDS)
    lease.wake_all(tx, now)
