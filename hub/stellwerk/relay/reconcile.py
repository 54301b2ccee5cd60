"""Reconciliation: both sides of a connection compared, by command and by schedule. What a page of it does: `comparing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stellwerk.errors import StellwerkError
from stellwerk.registry import has
from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Lister, Reader
from stellwerk.store import comparisons, connections
from stellwerk.store.comparisons import Comparison, What
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.comparing import DriftKind

HOUR_SECONDS = 3600.0
SCHEDULE = "the schedule"
MOST_SHOWN = 1_000


async def reconcile(hub: Hub, *, by: str, connection: str | None = None, mend: bool = True) -> list[dict[str, Any]]:
    """Begin to compare both sides of the connection, or of each that runs or watches; where each stands.

    What is found is listed, and with `mend` looked at again afterwards, where the connection runs. Raises `StellwerkError`
    where there is nothing to compare, or a comparison of it is going on.
    """

    def work(tx: Tx) -> list[int]:
        every = [one for one in connections.every(tx) if is_ready(hub, one)]
        if connection is not None:
            every = [one for one in every if one.id == connection]
            _refuse_where_none(tx, connection, every)
        return [run for one in every if (run := _begin(tx, hub, one, mend=mend, by=by)) is not None]

    begun = await hub.store.write(work)
    hub.wake()
    return await hub.store.read(lambda tx: statuses(tx, begun))


async def compare_when_due(hub: Hub) -> None:
    """Begin what the schedule asks for. Of several processes one does: what began is begun for all."""
    hours = hub.integration.reconcile.every_hours
    if not hours:
        return
    before = hub.now() - hours * HOUR_SECONDS

    def due(tx: Tx) -> list[Connection]:
        running = [one for one in connections.every(tx) if one.state == "runs" and is_ready(hub, one)]
        return [one for one in running if _compared_at(tx, one) <= before]

    if not await hub.store.read(due):
        return

    def begin(tx: Tx) -> None:
        for one in due(tx):
            _begin(tx, hub, one, mend=True, by=SCHEDULE)

    await hub.store.write(begin)
    hub.wake()


def is_ready(hub: Hub, one: Connection) -> bool:
    """Whether it is set up, and does not rest."""
    return one.began is not None and set(one.accounts) == set(hub.systems) and one.state != "rests"


def _compared_at(tx: Tx, one: Connection) -> float:
    """When it was last compared, else when it began."""
    last = comparisons.last(tx, one.id)
    return (one.began or 0.0) if last is None else last.started


def _begin(tx: Tx, hub: Hub, one: Connection, *, mend: bool, by: str) -> int | None:
    plan = hub.book(one).plan
    parts: list[tuple[str, str, What]] = []
    for system, account in one.accounts.items():
        connector = hub.systems[system].connector
        if has(connector, Reader):
            parts.append((account, system, "known"))
            if has(connector, Lister) and system == plan.wish_system:
                parts.append((account, system, "listed"))
    return comparisons.begin(tx, one.id, parts, mend=mend and one.state == "runs", by=by, now=hub.now())


def _refuse_where_none(tx: Tx, name: str, ready: list[Connection]) -> None:
    if not ready:
        known = connections.living(tx, name)
        why = "there is no connection" if known is None else "nothing is compared while it rests or is not set up:"
        raise StellwerkError(f"{why} {name}; `stellwerk connections list` names them")
    run = comparisons.going_on(tx, name)
    if run is not None:
        raise StellwerkError(f"comparison {run.id} of connection {name} is going on, begun by {run.made_by}")


def statuses(tx: Tx, runs: Sequence[int]) -> list[dict[str, Any]]:
    """`status` of each that is kept."""
    return [told for run in runs if (told := status(tx, run)) is not None]


def status(tx: Tx, run: int) -> dict[str, Any] | None:
    """Where a comparison stands, and once all is compared what was found: `drift` by kind and system, `found` one by one."""
    one = comparisons.by_id(tx, run)
    return None if one is None else _told(tx, one)


def _told(tx: Tx, one: Comparison) -> dict[str, Any]:
    rows = comparisons.listed(tx, one.id, MOST_SHOWN)
    by_kind = sorted(comparisons.by_kind(tx, one.id), key=lambda row: (_GRAVITY[row["kind"]], row["system"]))
    return {
        "run": one.id,
        "connection": one.connection,
        "mend": one.mend,
        "state": one.state,
        "by": one.made_by,
        "started": _iso(one.started),
        "ended": None if one.ended is None else _iso(one.ended),
        "contacts": one.contacts,
        "drift": [{**row, "mends": int(row["mends"] or 0)} for row in by_kind],
        "mended": one.mended,
        "waiting": comparisons.waiting(tx, one.id) if one.mended else 0,
        "found": [
            {"system": row["system"], "id": row["remote"], "kind": row["kind"], "mends": bool(row["mends"])}
            for row in rows
        ],
        "code": one.code,
        "text": one.text,
    }


_GRAVITY = {kind.value: number for number, kind in enumerate(DriftKind)}


def _iso(seconds: float) -> str:
    return Hub.moment(seconds).isoformat(timespec="seconds")
