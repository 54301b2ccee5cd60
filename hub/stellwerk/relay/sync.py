"""A sync as a person orders it: a dry run first, then started with the numbers it counted, stopped, resumed, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from stellwerk.errors import StellwerkError
from stellwerk.registry import has
from stellwerk.relay import again
from stellwerk.relay.backfill import SYNC_FAILED
from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Lister, Reader
from stellwerk.store import connections, lease, repairs, syncs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.store.syncs import Run
from stellwerk_rules.model import Permission
from stellwerk_rules.outlook import What
from stellwerk_rules.permission import grantable

DRY_RUN_VALID_SECONDS = 86_400.0
CANCELLED = "sync-cancelled"
SLICE = 200


class SyncRefused(StellwerkError):
    """Why a sync is not begun or changed: a stable `code`, and the `values` that a sentence in any language needs."""

    def __init__(self, code: str, why: str, values: Mapping[str, object]) -> None:
        super().__init__(why)
        self.code = code
        self.values = values


async def dry_run(hub: Hub, *, connection: str, by: str, ask: bool = False, permission: str = "none") -> dict[str, Any]:
    """Begin to look at every contact, and say of each what a sync on these terms would do. Its status.

    Raises `StellwerkError` where there is nothing to sync, or a sync is going on.
    """

    def work(tx: Tx) -> Run:
        one = _ready(tx, hub, connection)
        wanted = _permission(one, permission, ask=ask)
        return _begin(tx, hub, one, kind="dry", ask=ask, permission=wanted, confirmed=0, by=by)

    run = await hub.store.write(work)
    hub.wake()
    return await one_status(hub, run.id)


async def start(
    hub: Hub, *, connection: str, by: str, ask: int | None = None, grant: int | None = None
) -> dict[str, Any]:
    """Carry out what the last dry run said. `ask` and `grant` are how many are to be mailed, or granted its permission:
    they must equal what it counted. The sync's status.

    Raises `StellwerkError` without a dry run that still holds, for another number, and where a sync is going on.
    """

    def work(tx: Tx) -> Run:
        one = _ready(tx, hub, connection)
        if one.state != "runs":
            _refuse("not-running", f"connection {one.id} {one.state}: a sync would write nothing; let it run first")
        dry = _holding(tx, hub, one)
        for said, what, option in ((ask, What.MAILED, "--ask"), (grant, What.GRANTED, "--grant")):
            counted = dry.counts.get(what.value, 0)
            if (said or 0) != counted:
                _refuse(
                    "other-number",
                    f"the dry run counted {counted} contacts that would be {what.value}, and {option} says"
                    f" {'nothing' if said is None else said}; if so many are meant: {option} {counted}",
                    counted=counted,
                )
        confirmed = (ask or 0) + (grant or 0)
        return _begin(tx, hub, one, kind="sync", ask=dry.ask, permission=dry.permission, confirmed=confirmed, by=by)

    run = await hub.store.write(work)
    hub.wake()
    return await one_status(hub, run.id)


async def stop(hub: Hub, *, connection: str, by: str) -> dict[str, Any]:
    """No page more, and nothing more of it goes out, until it is resumed. Raises `StellwerkError` where none runs."""
    return await _go(hub, connection, "stopped", f"stopped by {by}")


async def resume(hub: Hub, *, connection: str, by: str) -> dict[str, Any]:
    """Go on where it was stopped; one that runs goes on. Raises `StellwerkError` where none is going on."""
    return await _go(hub, connection, "running", "")


async def cancel(hub: Hub, *, connection: str, by: str) -> dict[str, Any]:
    """End it for good: whom it has not brought in yet stays out. Raises `StellwerkError` where none is going on."""
    text = f"the sync was cancelled by {by}"

    def end(tx: Tx) -> Run:
        run = _going_on(tx, connection)
        syncs.go(tx, run, "cancelled", hub.now(), code=CANCELLED, text=text)
        syncs.drop_events(tx, run.id, CANCELLED, hub.now())
        return run

    run = await hub.store.write(end)

    def drop(tx: Tx) -> int:
        rows = syncs.entries_to_drop(tx, run.id, SLICE)
        again.end(tx, hub, rows, CANCELLED, text)
        return len(rows)

    while await hub.store.write(drop):
        pass
    hub.wake()
    return await one_status(hub, run.id)


async def status(hub: Hub, *, by: str, connection: str | None = None, run: int | None = None) -> list[dict[str, Any]]:
    """Where each connection's syncs and dry runs stand, the youngest of each kind; or that `run` alone."""
    return await hub.store.read(lambda tx: statuses(tx, connection=connection, run=run))


async def one_status(hub: Hub, run: int) -> dict[str, Any]:
    (found,) = await hub.store.read(lambda tx: statuses(tx, run=run))
    return found


def statuses(tx: Tx, *, connection: str | None = None, run: int | None = None) -> list[dict[str, Any]]:
    """What `status` tells."""
    if run is not None:
        one = syncs.by_id(tx, run)
        return [] if one is None else [_told(tx, one)]
    names = syncs.connections_with_any(tx) if connection is None else [connection]
    found = [syncs.last(tx, name, kind) for name in names for kind in ("dry", "sync")]
    return [_told(tx, one) for one in found if one is not None]


def _told(tx: Tx, run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "connection": run.connection,
        "kind": "dry run" if run.kind == "dry" else "sync",
        "state": run.state,
        "ask": run.ask,
        "permission": run.permission.value,
        "confirmed": run.confirmed,
        "by": run.made_by,
        "started": _iso(run.started),
        "ended": None if run.ended is None else _iso(run.ended),
        "contacts": run.contacts,
        "total": run.total,
        "listed": run.listed,
        "counts": {what.value: run.counts.get(what.value, 0) for what in What},
        # Whoever looks on asks again and again: they are added up once, at the end.
        "reasons": [] if run.going_on else [dict(row) for row in syncs.reasons(tx, run.id)],
        "events_waiting": syncs.waiting_events(tx, run.id),
        "deliveries": syncs.deliveries(tx, run.id),
        "code": run.code,
        "text": run.text,
    }


def _iso(seconds: float) -> str:
    return Hub.moment(seconds).isoformat(timespec="seconds")


def _ready(tx: Tx, hub: Hub, name: str) -> Connection:
    """The connection, where a sync of it can begin."""
    one = connections.living(tx, name)
    if one is None:
        _refuse("no-connection", f"there is no connection {name}; `stellwerk connections list` names them")
    if one.began is None or set(one.accounts) != set(hub.systems):
        _refuse("not-set-up", f"connection {name} is not set up yet")
    source = hub.book(one).plan.wish_system
    if source is None:
        _refuse(
            "nothing-to-sync",
            "no rule of the file says how contacts are asked or granted something, so there is nothing to sync",
        )
    connector = hub.systems[source].connector
    if not (has(connector, Lister) and has(connector, Reader)):
        _refuse("cannot-be-listed", f"the contacts of {source} cannot be listed by its connector")
    open_ = syncs.going_on(tx, name)
    if open_ is not None:
        kind = "dry run" if open_.kind == "dry" else "sync"
        _refuse(
            "going-on", f"a {kind} of connection {name} is {open_.state} already; see `stellwerk sync status {name}`"
        )
    return one


def _permission(one: Connection, text: str, *, ask: bool) -> Permission:
    known = {permission.value: permission for permission in Permission}
    if text not in known:
        _refuse("no-permission", f"{text!r} is no permission; it is one of: {', '.join(known)}")
    wanted = known[text]
    if ask and wanted is not Permission.NONE:
        _refuse("ask-or-grant", "who is asked is granted nothing: either ask, or grant a permission")
    if grantable(wanted, one.agreed) is not wanted:
        _refuse(
            "not-agreed",
            f"nobody agreed that connection {one.id} may grant {text}; that is said on its settings, or with `agreed:`",
        )
    return wanted


def _holding(tx: Tx, hub: Hub, one: Connection) -> Run:
    """The last dry run, if what it said is still to be believed."""
    dry = syncs.last(tx, one.id, "dry")
    how = f"do a dry run first: stellwerk sync dry-run {one.id}"
    if dry is None:
        _refuse("no-dry-run", how)
    if dry.state != "done":
        _refuse("no-dry-run", f"the last dry run is {dry.state} and counted nothing; {how}")
    later = syncs.last(tx, one.id)
    if later is not None and later.id != dry.id:
        _refuse("dry-run-used", f"there was a sync since the last dry run; {how}")
    if (dry.version, dry.plan) != (one.version, hub.book(one).plan.hash):
        _refuse("dry-run-outdated", f"settings or rules were changed since the last dry run; {how}")
    if hub.now() - (dry.ended or 0.0) > DRY_RUN_VALID_SECONDS:
        _refuse("dry-run-old", f"the last dry run is older than a day; {how}")
    return dry


def _begin(
    tx: Tx,
    hub: Hub,
    one: Connection,
    *,
    kind: syncs.Kind,
    ask: bool,
    permission: Permission,
    confirmed: int,
    by: str,
) -> Run:
    plan, now = hub.book(one).plan, hub.now()
    account = one.accounts[plan.wish_system or ""]
    new = Run(
        connection=one.id,
        account=account,
        kind=kind,
        ask=ask,
        permission=permission,
        confirmed=confirmed,
        made_by=by,
        started=now,
        version=one.version,
        plan=plan.hash,
        due=now,
    )
    run = syncs.add(tx, new)
    repairs.close(tx, one.id, SYNC_FAILED, now)
    lease.wake(tx, account, now)
    return run


async def _go(hub: Hub, connection: str, state: syncs.State, text: str) -> dict[str, Any]:
    def work(tx: Tx) -> Run:
        run = _going_on(tx, connection)
        syncs.go(tx, run, state, hub.now(), text=text)
        one = connections.by_id(tx, connection)
        for account in () if one is None else one.accounts.values():
            lease.wake(tx, account, hub.now())
        return run

    run = await hub.store.write(work)
    hub.wake()
    return await one_status(hub, run.id)


def _going_on(tx: Tx, connection: str) -> Run:
    run = syncs.going_on(tx, connection)
    if run is None:
        _refuse("none-going-on", f"no sync of connection {connection} is going on")
    return run


def _refuse(code: str, why: str, **values: object) -> NoReturn:
    raise SyncRefused(code, why, values)
