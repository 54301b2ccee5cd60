"""A drain: everything that calls one account, by its holder, for one slice of time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, StellwerkError, StoreError
from stellwerk.relay import instance
from stellwerk.relay.backfill import next_page
from stellwerk.relay.bug import place
from stellwerk.relay.company import OUTAGE
from stellwerk.relay.comparing import next_comparison
from stellwerk.relay.deliver import deliver
from stellwerk.relay.grip import Grip
from stellwerk.relay.hub import LEARNT_ZONE, Desk, Hub, log
from stellwerk.relay.marks import settle_in_flight
from stellwerk.relay.outage import away, back_again, leave_alone, longest_pause, may_try
from stellwerk.relay.picks import check_picks
from stellwerk.relay.poll import poll
from stellwerk.relay.read import read_and_decide
from stellwerk.relay.rests import rest, was_answered
from stellwerk.relay.second_look import LOCKED_OUT, is_accepted, is_due, refused_again, tell_mended
from stellwerk.relay.stages import refresh_stages
from stellwerk.store import accounts, comparisons, counts, hold, inbox, lease, outbox, repairs, syncs
from stellwerk.store.accounts import AccountRow
from stellwerk.store.connections import Connection
from stellwerk.store.lease import Lease, LeaseLost
from stellwerk.store.store import Tx

SLICE_SECONDS = 1.0
SOON_SECONDS = 5.0
AFTER_A_BUG_SECONDS = 30.0
BEAT_SECONDS = lease.SECONDS / 4


async def drain(hub: Hub, held: Lease) -> None:
    """Everything that calls this account, for one slice of time: settle, read, decide, deliver."""
    hub.draining.add((held.account, held.epoch))
    try:
        await _until_it_ends(hub, held)
    except LeaseLost:
        return
    finally:
        hub.draining.discard((held.account, held.epoch))


async def _until_it_ends(hub: Hub, held: Lease) -> None:
    """What ends it is written down. Raises `LeaseLost`, also where another holds the account by then."""
    account: AccountRow | None = None
    try:
        await instance.look(hub)
        account = await hub.account(held.account)
        grip = Grip(held, hub.now)
        async with _keeping(hub, grip):
            await _drain(hub, held, account, grip)
    except LeaseLost:
        raise
    except ReauthorizeError as refused:
        await _needs_person(hub, held, refused, account)
    except PauseError as asked:
        await rest(hub, held, asked)
    except DeliveryError as failed:
        log.warning("account %s: %s", held.account, failed.code)
        await hub.store.write(lambda tx: lease.release(tx, held, hub.now() + SOON_SECONDS))
    except StellwerkError:
        await hub.store.write(lambda tx: lease.release(tx, held, hub.now() + SOON_SECONDS))
        raise
    except Exception as bug:
        log.error("account %s: a bug stopped this turn; it is tried again: %s", held.account, place(bug))
        await hub.store.write(lambda tx: lease.release(tx, held, hub.now() + AFTER_A_BUG_SECONDS))


@contextlib.asynccontextmanager
async def _keeping(hub: Hub, grip: Grip) -> AsyncIterator[None]:
    """Renew the lease while calls take long: another holder would repeat what is still on its way."""
    beat = asyncio.create_task(_beat(hub, grip))
    try:
        yield
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat


async def _beat(hub: Hub, grip: Grip) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with contextlib.suppress(StoreError):
            await grip.renew(hub.store)


async def _drain(hub: Hub, held: Lease, account: AccountRow | None, grip: Grip) -> None:
    if account is None or account.state not in ("ok", LOCKED_OUT):
        await hub.store.write(lambda tx: lease.release(tx, held, None))
        return
    code = account.state_code
    if account.state == LOCKED_OUT and not await hub.store.write(lambda tx: is_due(tx, held, code, hub.now())):
        return
    if account.paused_until > hub.now():
        await hub.store.write(lambda tx: lease.release(tx, held, account.paused_until))
        return
    if strangers := [one for one in await hub.connections_of(account.id) if _is_strange(hub, one)]:
        await _left_to_others(hub, held, strangers)
        return
    async with hub.open(account, held.calls, grip) as desk:
        if account.state == LOCKED_OUT and not await is_accepted(hub, desk, held):
            return
        try:
            await _turn(hub, desk, held)
        except PauseError:
            # A rest may be shorter than the rate's window: what was spent before it still counts.
            await hub.store.write(lambda tx: lease.keep_calls(tx, held, desk.budget.log()))
            if desk.pulse.answered:
                await was_answered(hub, held.account)
            raise
        if desk.pulse.answered:
            await was_answered(hub, held.account)
    await tell_mended(hub, held.account)


def _is_strange(hub: Hub, connection: Connection) -> bool:
    """Whether it stands in another integration.yaml than this process has; one that rests is decided on for nobody."""
    return connection.state != "rests" and not hub.has_rules_of(connection)


async def _left_to_others(hub: Hub, held: Lease, strangers: Sequence[Connection]) -> None:
    """Without its entry nobody here knows who belongs to a connection: everybody would be brought in."""
    for one in strangers:
        if one.id not in hub.strangers:
            hub.strangers.add(one.id)
            log.warning(
                "account %s: connection %s is not in the integration.yaml of this process; a process that has it goes on."
                " Start all of them with the same file",
                held.account,
                one.id,
            )
    await hub.store.write(lambda tx: lease.release(tx, held, hub.now() + SOON_SECONDS))


async def _turn(hub: Hub, desk: Desk, held: Lease) -> None:
    before = await hub.store.read(lambda tx: away(tx, held.account))
    if before.times and not await may_try(desk, before):
        await leave_alone(hub, desk, held, before)
        return
    await refresh_stages(hub, desk)
    next_poll = await poll(hub, desk, held)
    until = hub.now() + SLICE_SECONDS
    while hub.now() < until:
        done = await settle_in_flight(hub, desk, held)
        done += await read_and_decide(hub, desk, held)
        done += await deliver(hub, desk, held)
        if not done:
            done = await next_page(hub, desk, held) or await next_comparison(hub, desk, held)
        if not done or desk.pulse.failed >= OUTAGE > desk.pulse.answered:
            break
        hub.wake()
    longest = await longest_pause(desk, before)
    if longest is not None:
        await leave_alone(hub, desk, held, before, longest)
        return
    if before.times:
        await back_again(hub, held, before)
    await check_picks(hub, desk)
    await _release(hub, desk, held, next_poll)


async def _release(hub: Hub, desk: Desk, held: Lease, next_poll: float | None) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        lease.keep_calls(tx, held, desk.budget.log())
        if desk.zones:
            accounts.set_info(tx, held.account, **{LEARNT_ZONE: desk.zones[-1]})
        times = [
            inbox.next_due(tx, held.account),
            outbox.next_due(tx, held.account, hold=hold.holds(tx, held.account)),
            syncs.next_due(tx, held.account),
            comparisons.next_due(tx, held.account),
            next_poll,
        ]
        lease.release(tx, held, min((time for time in times if time is not None), default=None))

    await hub.store.write(work)


async def _needs_person(hub: Hub, held: Lease, refused: ReauthorizeError, used: AccountRow | None) -> None:
    known = used is not None and (used.state, used.state_code) == (LOCKED_OUT, refused.code)
    tell = log.info if known else log.warning
    tell("account %s: %s; paused until it is mended", held.account, refused.code)

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        now = accounts.by_id(tx, hub.vault, held.account)
        if used is not None and now is not None and now.secrets != used.secrets:
            # Mended while the old credentials were still being refused.
            lease.release(tx, held, hub.now())
            return
        accounts.set_state(tx, held.account, LOCKED_OUT, refused.code, refused.text)
        text = refused.text or refused.code
        contacts = counts.contacts_waiting(tx, held.account)
        if contacts:
            text += (
                f"; changes of {contacts} contacts wait for it"
                if contacts > 1
                else "; a change of 1 contact waits for it"
            )
        repairs.open_(tx, held.account, refused.code, text, hub.now())
        again = refused_again(tx, held.account, refused.code, hub.now(), for_good=refused.for_good)
        lease.release(tx, held, again)

    await hub.store.write(work)
