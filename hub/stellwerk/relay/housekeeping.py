"""What is done now and then: payloads, traces, dead letters and old secrets go when their days are over; setting up goes on."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from stellwerk.errors import StoreAway, StoreError
from stellwerk.relay import instance
from stellwerk.relay.bug import place
from stellwerk.relay.duties import has_duty
from stellwerk.relay.hearing import listen
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.late_opt_outs import look_at_opt_outs
from stellwerk.relay.leaving import SLICE, in_slices, tidy_up
from stellwerk.relay.provide import provide_again
from stellwerk.relay.renewal import end_old_hooks
from stellwerk.relay.unconfirmed import look_at_answers
from stellwerk.relay.unsaved import let_go_of_unsaved
from stellwerk.store import keeping, rotation, syncs, traces
from stellwerk.store.store import Row, Tx

DAY_SECONDS = 86_400.0
YEAR_SECONDS = 365.25 * DAY_SECONDS
ROUND_SECONDS = 10.0
TIDY_SECONDS = 3600.0
DUTY_SECONDS = 300.0


class Housekeeping:
    """One task; it tidies in slices, so that intake never waits. Of several processes, one does what is done for all."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        tidied = 0.0
        beaten = self._hub.now()
        while True:
            try:
                if self._hub.now() - beaten >= instance.BEAT_SECONDS:
                    await instance.beat(self._hub)
                    beaten = self._hub.now()
                await listen(self._hub)
                if not await has_duty(self._hub, "housekeeping", DUTY_SECONDS):
                    await asyncio.sleep(ROUND_SECONDS)
                    continue
                await look_at_opt_outs(self._hub)
                await instance.end_pause(self._hub)
                await provide_again(self._hub)
                await tidy_up(self._hub)
                await seal_anew(self._hub)
                if self._hub.now() - tidied >= TIDY_SECONDS:
                    await tidy(self._hub)
                    tidied = self._hub.now()
            except StoreAway:
                pass  # the store has said so
            except StoreError as error:
                log.error("housekeeping: %s", error)
            except Exception as bug:
                log.error("housekeeping: a bug: %s", place(bug))
            await asyncio.sleep(ROUND_SECONDS)


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
    await in_slices(hub, lambda tx: syncs.purge(tx, payloads, SLICE))
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
