"""Between which two arrows a process ended, told from what it left behind."""

from __future__ import annotations

from stellwerk.store.store import Tx
from stellwerk_laws.watched import WatchedWorld
from stellwerk_toys.yard import Yard

RECEIVE_DECIDE = "crash: receive, decide"
DECIDE_DELIVER = "crash: decide, deliver"
CALL_RECEIPT = "crash: call, receipt"
CLEAR_SET = "crash: clear, set"
ASK_RECEIPT = "crash: ask, receipt"


async def crashed_where(yard: Yard, world: WatchedWorld) -> set[str]:
    """The arrows whose two ends were on different sides of the crash."""
    found: set[str] = set()

    def look(tx: Tx) -> None:
        if tx.one("select id from inbox where state = 'waiting' and attempts = 0"):
            found.add(RECEIVE_DECIDE)
        if tx.one("select id from outbox where state = 'waiting' and sent is null"):
            found.add(DECIDE_DELIVER)
        flying = tx.all("select tag, sent, progress from outbox where state = 'sent'")
        if not flying:
            return
        last = world.touches[-1] if world.touches else None
        if last is None or last.call != world.faults.calls:
            return  # sent was noted, and the call was not made or did nothing
        found.add(CALL_RECEIPT)
        if last.what == "clear":
            found.add(CLEAR_SET)
        if last.what == "doi":
            found.add(ASK_RECEIPT)

    await yard.look(look)
    return found


async def suppressed_with_the_ledger(yard: Yard) -> None:
    """At no crash does the ledger know of an opt-out that the suppression list does not."""

    def look(tx: Tx) -> None:
        last: dict[str, str] = {}
        for row in tx.all("select address, kind from ledger where kind in ('opted_out', 'confirmed') order by id"):
            last[row["address"]] = row["kind"]
        out = {row["address"] for row in tx.all("select address from suppression")}
        denied = {row["address"] for row in tx.all("select address from ledger where kind = 'opt_out_denied'")}
        bare = [one for one, kind in last.items() if kind == "opted_out" and one not in out | denied]
        assert not bare, "an opt-out stands in the ledger and not on the suppression list"

    await yard.look(look)
