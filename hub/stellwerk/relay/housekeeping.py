"""What is done now and then: payloads, traces, dead letters and old secrets go when their days are over; setting up goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from stellwerk.errors import StoreAway, StoreError, StoreFull
from stellwerk.relay import instance
from stellwerk.relay.bug import place
from stellwerk.relay.giving_back import give_back
from stellwerk.relay.hearing import listen
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.late_opt_outs import look_at_opt_outs
from stellwerk.relay.leaving import SLICE, in_slices, tidy_up
from stellwerk.relay.provide import provide_again
from stellwerk.relay.reconcile import compare_when_due
from stellwerk.relay.renewal import end_old_hooks
from stellwerk.relay.unconfirmed import look_at_answers
from stellwerk.relay.unsaved import let_go_of_unsaved
from stellwerk.store import keeping, notifications, repairs, rotation, runs, traces
from stellwerk.store.store import Row, Tx

DAY_SECONDS = 86_400.0
YEAR_SECONDS = 365.25 * DAY_SECONDS
ROUND_SECONDS = 10.0
TIDY_SECONDS = 3600.0


def arrange(hub: Hub) -> None:
    """What the engine has done for all, before it runs."""
    hub.engine.every(ROUND_SECONDS, "looking at opt-outs", partial(look_at_opt_outs, hub))
    hub.engine.every(ROUND_SECONDS, "setting up", partial(set_up, hub))
    hub.engine.every(ROUND_SECONDS, "comparing", partial(compare_when_due, hub))
    hub.engine.every(TIDY_SECONDS, "tidying", partial(tidy, hub))


@contextlib.asynccontextmanager
async def attentive(hub: Hub) -> AsyncIterator[None]:
    """What every process that works does for itself meanwhile: say that it lives, listen to its accounts, and let go of those it does not drain."""
    task = asyncio.create_task(_attend(hub), name="attending")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _attend(hub: Hub) -> None:
    beaten = hub.now()
    while True:
        try:
            if abs(hub.now() - beaten) >= instance.BEAT_SECONDS:
                await instance.beat(hub)
                beaten = hub.now()
            await listen(hub)
            await give_back(hub)
        except (StoreAway, StoreFull):
            pass  # the store has said so
        except StoreError as error:
            log.error("attending: %s", error)
        except Exception as bug:
            log.error("attending: a bug: %s", place(bug))
        await asyncio.sleep(ROUND_SECONDS)


async def set_up(hub: Hub) -> None:
    """One round: let go on what a pause held, create over there what is missing, end what was begun."""
    await instance.end_pause(hub)
    await provide_again(hub)
    await tidy_up(hub)
    await seal_anew(hub)


async def seal_anew(hub: Hub) -> None:
    """After `secret_key` was replaced: what is sealed with the former keys is sealed with those of today."""
    if not await hub.store.read(rotation.is_under_way):
        return
    await in_slices(hub, partial(rotation.go_on, vault=hub.vault))
    await hub.store.write(rotation.end)
    hub.vault.forget_keys_before()
    log.info("everything is encrypted with the new secret_key; secret_key_before is not needed any more")


async def tidy(hub: Hub) -> None:
    """One round: drop what is older than `keep:` allows, and see whether anybody confirms."""
    await end_old_hooks(hub)
    await look_at_answers(hub)
    await let_go_of_unsaved(hub)
    keep = hub.integration.keep
    now = hub.now()
    before = now - keep.trace_days * DAY_SECONDS
    await in_slices(hub, lambda tx: traces.purge(tx, before))
    payloads = now - keep.payload_days * DAY_SECONDS
    dead = now - keep.dead_letter_days * DAY_SECONDS
    await in_slices(hub, lambda tx: traces.outlive(tx, dead, now))
    await in_slices(hub, lambda tx: traces.purge_payloads(tx, payloads, dead))
    await in_slices(hub, lambda tx: runs.purge(tx, payloads, SLICE))
    await in_slices(hub, lambda tx: notifications.purge(tx, payloads, SLICE))
    await in_slices(hub, lambda tx: repairs.purge(tx, before, SLICE))
    await _drop_old(hub, payloads, dead, now)
    await _drop_histories(hub, now - keep.ledger_years * YEAR_SECONDS)


async def _drop_old(hub: Hub, before: float, dead: float, now: float) -> None:
    """Events and changes whose days are over; events first, since they hold on to their changes."""
    last = 0
    while events := await hub.store.read(partial(_old_events, before=before, dead=dead, now=now, after=last)):
        await hub.store.write(partial(keeping.drop_events, rows=events))
        last = events[-1]["id"]
    last = 0
    while changes := await hub.store.read(partial(_old_changes, before=before, dead=dead, after=last)):
        await hub.store.write(partial(keeping.drop_changes, ids=changes))
        last = changes[-1]


def _old_events(tx: Tx, before: float, dead: float, now: float, after: int) -> list[Row]:
    return keeping.old_events(tx, before, dead, now, after, SLICE)


def _old_changes(tx: Tx, before: float, dead: float, after: int) -> list[int]:
    return keeping.old_changes(tx, before, dead, after, SLICE)


async def _drop_histories(hub: Hub, before: float) -> None:
    while rows := await hub.store.read(partial(keeping.old_histories, before=before, limit=SLICE)):
        await hub.store.write(partial(keeping.drop_histories, rows=rows, before=before))
