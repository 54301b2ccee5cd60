"""hearing: whether a system's events and its clock can be relied on, and how each field's changes reach us.

Where an operator deploys the webhooks, nobody can ask what is subscribed. So the hub listens: of what it writes to be shown
over there something must come back as an event; and what has come once is known to come.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import structs

from stellwerk.registry import has
from stellwerk.relay.hub import Hub, System, log
from stellwerk.sdk.connector import Announcing, Reporter, Signal, WebhookSource
from stellwerk.store import accounts, meta, repairs
from stellwerk.store.store import Tx
from stellwerk_rules.hearing import Arrival, ClockState, arrival, clock_state, is_silent
from stellwerk_rules.model import SetFields

WATCH = "watch"
HEARD = "heard:"
NOT_HEARD = "app-not-deployed"
NOT_HEARD_TEXT = (
    "what we wrote did not come back as an event within 10 minutes: the app's webhooks are not deployed, do not name these"
    " fields, or do not reach this hub; until then changes are found by asking only"
)
CLOCK_OFF = "clock-off"


def wrote(tx: Tx, system: System, account: str, change: object, now: float) -> None:
    """Wait for this write to come back, unless another one is waited for already."""
    if not isinstance(change, SetFields) or not change.mirror or not change.fields or not _is_deployed_by_hand(system):
        return
    if not meta.cursor(tx, account, WATCH):
        meta.set_cursor(tx, account, WATCH, " ".join([str(now), *sorted(change.fields)]))


def fields_of(signals: Sequence[Signal]) -> frozenset[str]:
    """The fields that the signals of an authentic request tell of."""
    return frozenset(signal.field_name for signal in signals if signal.field_name is not None)


def heard(tx: Tx, account: str, fields: frozenset[str], known: Collection[str], now: float) -> None:
    """Remember of which fields an event has come, `known` apart, and end the waiting for one of them."""
    for name in sorted(fields.difference(known)):
        meta.set_cursor(tx, account, HEARD + name, str(now))
    _, *watched = (meta.cursor(tx, account, WATCH) or "").split() or [""]
    if fields & set(watched):
        meta.set_cursor(tx, account, WATCH, "")
        repairs.close(tx, account, NOT_HEARD, now)


async def listen(hub: Hub) -> None:
    """Tell a person of accounts that stay silent, and of clocks that are apart."""
    now = hub.now()
    clocks = dict(hub.clocks)

    def work(tx: Tx) -> list[str]:
        silent: list[str] = []
        told = {row["subject"] for row in repairs.still_open(tx) if row["code"] == CLOCK_OFF}
        for row in accounts.every(tx, hub.vault):
            written, *_ = (meta.cursor(tx, row.id, WATCH) or "").split() or [""]
            if written and is_silent(float(written), hub.started, now):
                repairs.open_(tx, row.id, NOT_HEARD, NOT_HEARD_TEXT, now)
                silent.append(row.id)
            if row.id in clocks:
                _tell_clock(tx, row.id, clocks[row.id], now, again=row.id in told)
        return silent

    for account in await hub.store.write(work):
        log.info("account %s: nothing that we write comes back as an event", account)


def _tell_clock(tx: Tx, account: str, offset: float, now: float, *, again: bool) -> None:
    if clock_state(offset) is ClockState.GOOD:
        repairs.close(tx, account, CLOCK_OFF, now)
        return
    text = f"its clock is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this host's: set this host's clock (NTP)"
    repairs.open_(tx, account, CLOCK_OFF, text, now)
    if not again:
        log.warning("account %s: %s", account, text)


def wrong_clocks(hub: Hub) -> list[str]:
    """Accounts whose clock is so far from ours that none of their signed requests would be taken."""
    return sorted(one for one, offset in hub.clocks.items() if clock_state(offset) is ClockState.WRONG)


def arrivals(system: System, fields: Sequence[str], heard_of: Sequence[str] = ()) -> list[Arrival]:
    """How changes of each of `fields` reach us; `heard_of` are those of which an event has come."""
    connector: Any = system.connector
    told = connector.announced(fields) if has(connector, Announcing) else frozenset[str]()
    polled = _poll_seconds(system) if has(connector, Reporter) else None
    return [arrival(name, told=told, heard=frozenset(heard_of), poll_seconds=polled) for name in fields]


def _poll_seconds(system: System) -> float | None:
    """As the file says, or by default where its settings were not read (their secrets are elsewhere)."""
    if system.settings is not None:
        return getattr(system.settings, "poll_seconds", None)
    known = {field.name: field.default for field in structs.fields(system.connector.system_type)}
    found = known.get("poll_seconds")
    return found if isinstance(found, int | float) else None


def heard_of(tx: Tx, account: str) -> list[str]:
    """The fields of which an event of this account has come."""
    return sorted(name.removeprefix(HEARD) for name in meta.cursors(tx, account, HEARD))


def _is_deployed_by_hand(system: System) -> bool:
    connector: Any = system.connector
    return has(connector, WebhookSource) and connector.webhook_trust == "signature"
