"""Law 8 as SQL: every acknowledged event is exactly one of six, and the six add up to the number acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.store import meta
from stellwerk.store.store import Row, Tx, counted

SIX = ("waiting", "held", "delivered", "skipped", "dead", "erased")
"""What can have become of an acknowledged event."""

ACKNOWLEDGED = "events_acknowledged"
RETIRED = "events_retired_"
"""Begins the counters of events whose rows are no longer kept, by what had become of them."""

# A decided event is what the least finished of its changes is: one that waits makes it wait. One whose changes are no
# longer kept was delivered. A state that is none of these is counted nowhere, and the sum says so.
_RANK = (
    "case state when 'waiting' then 0 when 'sent' then 0 when 'parked' then 0 when 'held' then 1 when 'dead' then 2"
    " when 'done' then 3 when 'not_needed' then 3 when 'opted_out' then 3 when 'erased' then 4 when 'skipped' then 5 else -1 end"
)
_NAMES = ("waiting", "held", "dead", "delivered", "erased", "skipped")
_OF_RANK = " ".join(f"when {rank} then '{name}'" for rank, name in enumerate(_NAMES))
_FATES = (
    "select i.id, coalesce(i.together, i.id) as head, case when i.state <> 'decided' then i.state when f.least is null then 'delivered'"
    f" else case f.least {_OF_RANK} end end as fate"
    " from inbox as i left join"
    f" (select e.event, min({_RANK}) as least from effect as e join outbox as o on o.id = e.delivery group by e.event) as f"
    " on i.state = 'decided' and f.event = coalesce(i.together, i.id)"
)


def six(tx: Tx) -> dict[str, int]:
    """How many of the acknowledged events are what, by the names of `SIX`."""
    counted = dict.fromkeys(SIX, 0)
    kept = meta.counters(tx)
    for name in SIX:
        counted[name] += kept.get(RETIRED + name, 0)
    for row in tx.all(f"select fate, count(*) as n from ({_FATES}) as f group by fate"):
        if row["fate"] in counted:
            counted[row["fate"]] += row["n"]
    return counted


def acknowledged(tx: Tx) -> int:
    """How many events were ever taken in, redeliveries apart."""
    return meta.counters(tx).get(ACKNOWLEDGED, 0)


def is_anything_planned(tx: Tx) -> bool:
    """Whether a change is kept that was ever to be made from this database."""
    return tx.one("select id from outbox limit 1") is not None


def fates(tx: Tx) -> list[Row]:
    """`{id, head, fate}` of every event that is kept; `head` is the first of those that were read together."""
    return tx.all(_FATES)


def fates_of(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """The same of these events, in order of their numbers."""
    if not ids:
        return []
    several = ", ".join(str(int(one)) for one in ids)
    return tx.all(f"select * from ({_FATES} where i.id in ({several})) as f order by id")


def link(tx: Tx, event: str, delivery: int) -> None:
    """`event` (an inbox row's id) leads to this delivery; what has no event in the inbox leads nowhere."""
    if event.isdecimal():
        tx.run(
            "insert into effect (event, delivery) values (:event, :delivery) on conflict do nothing",
            event=int(event),
            delivery=delivery,
        )


def contacts_waiting(tx: Tx, account: str) -> int:
    """Contacts of which something is still to be written at this account."""
    return counted(
        tx,
        "select count(distinct contact) as n from outbox where account = :account and state in ('waiting', 'sent')",
        account=account,
    )
