"""receive: check authenticity on the raw bytes, store every event durably, and only then answer."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.errors import WebhookError
from stellwerk.registry import has
from stellwerk.relay.claims import claim
from stellwerk.relay.hearing import fields_of, heard
from stellwerk.relay.hub import Hub, System
from stellwerk.sdk.connector import Ref, Signal, Unread, WeakSource, WebhookRequest, WebhookSource
from stellwerk.store import accounts, counts, inbox, lease, meta
from stellwerk.store.accounts import GONE, LEAVING, AccountRow
from stellwerk.store.store import Tx
from stellwerk.store.urgency import BACKFILL, LIVE, MANY, OPT_OUT
from stellwerk.store.vault import Vault
from stellwerk_rules.model import EventKind, Origin

LARGEST_BODY = 1_000_000
SIGNED = "signed"
"""Cursor of an account: when a request with its stronger proof was first taken by a process."""
OPT_OUTS = frozenset({EventKind.UNSUBSCRIBED, EventKind.ERASED})


async def receive(hub: Hub, connector: str, request: WebhookRequest) -> int:
    """Store the request's events; the number of new ones. When this returns they are on disk.

    Raises `WebhookError`: 404 no such connector, 413 too large, 401 not authentic. Only a counter remembers those.
    Authentic but not understood becomes a dead letter, an unknown account a counter: a refusal would be repeated for a day.
    """
    try:
        if len(request.body) > LARGEST_BODY:
            raise WebhookError(413, "body too large")
        items, known = await _authentic(hub, connector, request)
    except WebhookError as refused:
        counter = f"webhooks_refused_{refused.status}"
        await hub.store.write(lambda tx: meta.count(tx, counter))
        raise
    return await _store(hub, items, known)


class Known(Struct, frozen=True, kw_only=True):
    """Where the items of a request belong: `accounts` by the name the request uses, `stray` for what names none.

    `weak`: by a proof that counts only until a stronger one has come.
    """

    accounts: dict[str | None, str]
    stray: str | None = None
    weak: bool = False


async def _authentic(hub: Hub, connector: str, request: WebhookRequest) -> tuple[list[Signal | Unread], Known]:
    systems = [system for system in hub.systems.values() if system.connector.name == connector]
    sources = [system for system in systems if has(system.connector, WebhookSource)]
    if not sources:
        raise WebhookError(404, "no such connector")
    if sources[0].connector.webhook_trust == "path":  # type: ignore[attr-defined]
        return await _by_path(hub, sources, request)
    return await _by_signature(hub, sources, request)


async def _by_path(hub: Hub, systems: list[System], request: WebhookRequest) -> tuple[list[Signal | Unread], Known]:
    if len(request.path) < 2:
        raise WebhookError(401, "no secret in the path")
    names = tuple(system.name for system in systems)
    account = await hub.store.read(lambda tx: accounts.by_hook(tx, hub.vault, names, request.path[0]))
    if account is None:
        raise WebhookError(401, "unknown secret in the path")
    inner = msgspec.structs.replace(request, path=request.path[1:])
    system = hub.systems[account.system]
    topic = inner.path[-1]
    if topic in getattr(system.connector, "hook_topics", ()):
        await hub.store.write(lambda tx: meta.set_cursor(tx, account.id, f"hook:{topic}", str(hub.now())))
    items = list(system.connector.receive(inner, system.settings))  # type: ignore[attr-defined]
    return items, Known(accounts={None: account.id})


async def _by_signature(
    hub: Hub, systems: list[System], request: WebhookRequest
) -> tuple[list[Signal | Unread], Known]:
    refused: WebhookError | None = None
    for system in systems:
        try:
            items = list(system.connector.receive(request, system.settings))  # type: ignore[attr-defined]
        except WebhookError as error:
            refused = error
            continue
        rows = await hub.store.read(lambda tx: accounts.every(tx, hub.vault))
        stray = (
            await _stray(hub, system) if any(isinstance(one, Unread) and one.account is None for one in items) else None
        )
        ours: dict[str | None, str] = {
            row.remote: row.id for row in rows if row.system == system.name and row.state not in (LEAVING, GONE)
        }
        return items, Known(accounts=ours, stray=stray)
    found = await _by_weaker_proof(hub, systems, request)
    if found is None:
        raise refused or WebhookError(401, "not authentic")
    return found


async def _by_weaker_proof(
    hub: Hub, systems: list[System], request: WebhookRequest
) -> tuple[list[Signal | Unread], Known] | None:
    """For accounts of which nothing with the stronger proof ever came, where the connector has a weaker one."""

    def never_signed(tx: Tx) -> list[AccountRow]:
        return [row for row in accounts.every(tx, hub.vault) if meta.cursor(tx, row.id, SIGNED) is None]

    weaker = {system.name: system for system in systems if has(system.connector, WeakSource)}
    if not weaker:
        return None
    for row in await hub.store.read(never_signed):
        if row.system not in weaker or row.secrets is None:
            continue
        system = weaker[row.system]
        source: Any = system.connector
        try:
            items = list(source.receive_weak(request, system.settings, hub.account_settings(system, row)))
        except WebhookError:
            continue
        return items, Known(accounts={row.remote: row.id}, weak=True)
    return None


async def _stray(hub: Hub, system: System) -> str:
    """Whose dead letters those are that name no account: the system's own, sealed with a key of their own."""
    owner = f"{system.name}:"
    fresh = hub.vault.new_key(owner)
    hub.vault.use_account_key(owner, await hub.store.write(lambda tx: meta.first_value(tx, f"key:{owner}", fresh)))
    return owner


async def _store(hub: Hub, items: list[Signal | Unread], known: Known) -> int:
    now = hub.now()
    events: list[inbox.NewEvent] = []
    dead: list[tuple[str, bytes, str]] = []
    told: dict[str, list[Signal]] = {}
    strangers = 0
    for item in items:
        account = known.accounts.get(item.account)
        if account is None and isinstance(item, Unread) and item.account is None:
            account = known.stray
        if account is None:
            strangers += 1
        elif isinstance(item, Unread):
            dead.append((account, hub.vault.seal(account, item.raw), item.because))
        else:
            told.setdefault(account, []).append(item)
            events.append(new_event(hub, account, item, now))
    fields = {account: fields_of(signals) for account, signals in told.items()}

    def put(tx: Tx) -> int:
        new = inbox.put(tx, events)
        claim(tx, hub, events)
        for account, body, because in dead:
            inbox.put_dead(tx, account=account, body=body, code=because, now=now)
        for account, names in fields.items():
            lease.wake(tx, account, now)
            heard(tx, account, names, hub.heard.get(account, ()), now)
            if not known.weak and account not in hub.heard:
                meta.set_cursor(tx, account, SIGNED, str(now))
        meta.count(tx, "events_received", len(events) + len(dead))
        meta.count(tx, counts.ACKNOWLEDGED, new + len(dead))
        if new < len(events):
            meta.count(tx, "events_again", len(events) - new)
        if strangers:
            meta.count(tx, "events_of_unknown_accounts", strangers)
        return new

    new = await hub.store.write(put)
    for account, names in fields.items():
        if not known.weak or account in hub.heard:
            hub.heard.setdefault(account, set()).update(names)
    hub.wake()
    return new


def subject_of(vault: Vault, ref: Ref) -> str:
    """What groups the events of one contact: no clear text of a person."""
    return f"{ref.by}:{vault.address(ref.value) if ref.by == 'email' else ref.value}"


def new_event(
    hub: Hub, account: str, signal: Signal, now: float, *, run: int | None = None, urgency: int = LIVE
) -> inbox.NewEvent:
    """A signal as an inbox row: sealed, grouped by contact without clear text. `run` is the sync that looks at it."""
    subject = subject_of(hub.vault, signal.ref)
    if signal.kind in OPT_OUTS:
        urgency = OPT_OUT
    elif run is not None:
        urgency = BACKFILL
    elif signal.origin is Origin.IMPORT:
        urgency = max(urgency, MANY)
    return inbox.NewEvent(
        account=account,
        dedup=signal.key,
        subject=subject,
        kind=signal.kind.value,
        body=hub.vault.seal(account, msgspec.json.encode(signal)),
        occurred=None if signal.occurred_at is None else signal.occurred_at.timestamp(),
        received=now,
        urgency=urgency,
        run=run,
    )
