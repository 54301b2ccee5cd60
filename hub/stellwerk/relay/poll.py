"""poll: ask a system that sends no event for everything what changed; a page and its cursor commit together.

A poll that fails holds up nothing else of its account: it is tried again after a growing while. A connector that asks several
places may go on without one of them; which of these fail again and again is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RetryableError
from stellwerk.relay.claims import claim
from stellwerk.relay.hearing import fields_of, heard
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.receive import new_event
from stellwerk.relay.retry import LONGEST_SECONDS, retry
from stellwerk.sdk.connector import Reporter, Signal, Unread
from stellwerk.store import counts, hold, inbox, lease, meta, repairs
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk.store.urgency import LIVE, MANY
from stellwerk_rules.model import EventKind

PAGES_A_TURN = 5
POLL_FAILS = "poll-fails"
PART_FAILS = "poll-part-fails"
MANY_FAILURES = 5  # in a row: then a person is told


async def poll(hub: Hub, desk: Desk, held: Lease) -> float | None:
    """Poll when it is due; the time of the next poll, None for a connector that does not report.

    Raises `ReauthorizeError` and `PauseError`, which concern the whole account.
    """
    connector = desk.connector
    if not isinstance(connector, Reporter):
        return None
    account = desk.account.id
    last = await hub.store.read(lambda tx: meta.cursor(tx, account, "polled"))
    failures, again = await hub.store.read(lambda tx: _failed(tx, account))
    next_poll = max((0.0 if last is None else float(last)) + connector.poll_seconds, again)
    if next_poll > hub.now() and not await hub.store.read(lambda tx: _is_paused(tx, account)):
        return next_poll
    try:
        more = await _ask(hub, desk, connector, held)
    except ReauthorizeError:
        raise
    except PauseError as asked:
        # Else the next turn would begin with what ended this one, and whatever else waits would wait for good.
        await _put_off(hub, held, failures + 1, asked)
        raise
    except DeliveryError as failed:
        desk.pulse.fails(failed)
        return await _put_off(hub, held, failures + 1, failed)
    desk.pulse.answered += 1
    if failures:
        await _well_again(hub, held)
    return hub.now() + (0.0 if more else connector.poll_seconds)


def _is_paused(tx: Tx, account: str) -> bool:
    """Whether what mails waits for the reports of the time that the hub was away."""
    stands = hold.standing(tx)
    return stands is not None and stands.because == hold.PAUSED and hold.holds(tx, account)


async def _ask(hub: Hub, desk: Desk, connector: Reporter, held: Lease) -> bool:
    """A few pages; whether more wait."""
    account = held.account
    for _ in range(PAGES_A_TURN):
        cursor = await hub.store.read(lambda tx: meta.cursor(tx, account, "poll"))
        desk.parts.clear()
        signals, after, more = await connector.poll(cursor)
        await _keep(hub, held, signals, after, desk.parts, more=more)
        if not more:
            break
    return more


async def _keep(
    hub: Hub, held: Lease, told: Sequence[Signal | Unread], after: str, parts: Mapping[str, str | None], *, more: bool
) -> None:
    account, now = held.account, hub.now()
    signals = [one for one in told if isinstance(one, Signal)]
    dead = [(hub.vault.seal(account, one.raw), one.because) for one in told if isinstance(one, Unread)]
    # Changes of a whole import may be among them, or what a sync of ours wrote: nobody who fills in a form waits behind that.
    events = [
        new_event(hub, account, one, now, urgency=MANY if one.kind is EventKind.CHANGED else LIVE) for one in signals
    ]

    def work(tx: Tx) -> None:
        lease.fence(tx, held, now)
        meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, events))
        claim(tx, hub, events)
        heard(tx, account, fields_of(signals), hub.heard.get(account, ()), now)
        meta.set_cursor(tx, account, "poll", after)
        for body, because in dead:
            inbox.put_dead(tx, account=account, body=body, code=because, now=now)
            meta.count(tx, counts.ACKNOWLEDGED)
        if not more:
            meta.set_cursor(tx, account, "polled", str(now))
        _tell_parts(tx, account, parts, now)

    await hub.store.write(work)


def _tell_parts(tx: Tx, account: str, parts: Mapping[str, str | None], now: float) -> None:
    """Count how often each part failed in a row; tell a person of those that go on failing."""
    stood = meta.cursor(tx, account, PART_FAILS)
    before: dict[str, int] = {} if stood is None else json.loads(stood)
    if not before and not any(parts.values()):
        return
    after = {**before, **{part: 0 if code is None else before.get(part, 0) + 1 for part, code in parts.items()}}
    after = {part: failures for part, failures in after.items() if failures}
    meta.set_cursor(tx, account, PART_FAILS, json.dumps(after))
    failing = sorted(part for part, failures in after.items() if failures >= MANY_FAILURES)
    if not failing:
        repairs.close(tx, account, PART_FAILS, now)
    elif any(parts.get(part) for part in failing):
        codes = ", ".join(f"{part} ({parts[part]})" if parts.get(part) else part for part in failing)
        repairs.open_(tx, account, PART_FAILS, f"asking for these fails, everything else is asked: {codes}", now)


def _failed(tx: Tx, account: str) -> tuple[int, float]:
    """Polls that failed in a row, and when the next one is due because of it."""
    failures, _, again = (meta.cursor(tx, account, POLL_FAILS) or "0 0").partition(" ")
    return int(failures), float(again)


async def _put_off(hub: Hub, held: Lease, failures: int, failed: DeliveryError) -> float:
    asked = failed.retry_after if isinstance(failed, RetryableError) else getattr(failed, "seconds", None)
    again = hub.now() + (retry(failures, asked, 0.5).seconds or LONGEST_SECONDS)
    if failures == 1:
        log.warning("account %s: it cannot be asked for changes: %s", held.account, failed.code)

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        meta.set_cursor(tx, held.account, POLL_FAILS, f"{failures} {again}")
        if failures >= MANY_FAILURES:
            text = f"asking for changes fails ({failed.code}); what no webhook tells is missing until it works again"
            repairs.open_(tx, held.account, POLL_FAILS, text, hub.now())

    await hub.store.write(work)
    return again


async def _well_again(hub: Hub, held: Lease) -> None:
    log.info("account %s: it can be asked for changes again", held.account)

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        meta.set_cursor(tx, held.account, POLL_FAILS, "0 0")
        repairs.close(tx, held.account, POLL_FAILS, hub.now())

    await hub.store.write(work)
