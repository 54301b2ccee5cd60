"""What counts no more although it still looks good: links that were followed, sessions that were ended.

Kept, among the cursors, until each would have ended by itself.
"""

from __future__ import annotations

from stellwerk.store import meta
from stellwerk.store.store import Tx


def use_up(tx: Tx, kind: str, one: str, *, until: float, now: float) -> bool:
    """False where it was used up before; `until` is when it would have ended by itself."""
    for row in tx.all("select name, value from cursor where account = :kind", kind=kind):
        if float(row["value"]) <= now:
            meta.drop_cursor(tx, kind, row["name"])
    if is_used_up(tx, kind, one):
        return False
    meta.set_cursor(tx, kind, one, str(until))
    return True


def is_used_up(tx: Tx, kind: str, one: str) -> bool:
    return meta.cursor(tx, kind, one) is not None
