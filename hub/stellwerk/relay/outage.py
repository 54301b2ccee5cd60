"""An account that does not answer is left alone with its queue as it is, and asked now and then whether it is back.

A failure may be one contact's or the whole account's. It is the account's where nothing at all succeeded in a turn and
asking who we are fails too, or where several calls in a row failed. What failed keeps its count meanwhile, so that who
failed least is tried first and a few contacts that always fail never stand before all others. Once the account answers
after an outage worth showing, everything is forgiven: after days nothing is a dead letter for it.
"""

from __future__ import annotations

from msgspec import Struct

from stellwerk.errors import AmbiguousError, RejectedError, RetryableError
from stellwerk.relay.company import OUTAGE
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.store import accounts, inbox, lease, meta, outbox, repairs
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx

NO_ANSWER = "no-answer-at-all"
LONGEST_SECONDS = 900.0
LONGEST_THERE_SECONDS = 60.0
"""Where it answers who we are: perhaps only some contacts fail, and others must not wait for them."""

SHOWN_AFTER = 6
"""Times in a row that it was asked for nothing: about a minute."""

WORK_EVERY = 4
"""Every so many times that an account is looked for, the work itself is tried."""


class Away(Struct, frozen=True):
    """How often in a row the account was asked for nothing (0: it answers), and since when it does not."""

    times: int = 0
    since: float = 0.0


def away(tx: Tx, account: str) -> Away:
    """What is remembered of the account's outage."""
    times, _, since = (meta.cursor(tx, account, "outage") or "0 0").partition(" ")
    return Away(int(times), float(since))


def pause_seconds(times: int, longest: float = LONGEST_SECONDS) -> float:
    """How long to leave it alone once it failed to answer `times` in a row: doubling, `longest` at most."""
    return float(min(2.0 ** min(times, 20), longest))


async def answers(desk: Desk) -> bool:
    """Whether the remote answers the cheapest question there is; to refuse it is an answer.

    Raises what concerns the whole account.
    """
    try:
        await desk.connector.check()
    except RejectedError:
        return True  # else a system without this question would be left alone for ever
    except (RetryableError, AmbiguousError):
        return False
    return True


async def may_try(desk: Desk, before: Away) -> bool:
    """Whether the account's turn may go on: it answers, or it is time to try the work itself.

    That the question fails says nothing of the work: now and then it is tried, and a few failures end the turn.
    """
    return before.times % WORK_EVERY == WORK_EVERY - 1 or await answers(desk)


async def longest_pause(desk: Desk, before: Away) -> float | None:
    """How long to leave the account alone at most after this turn, in seconds; None where it was single contacts that failed.

    Of a turn in which nothing was called only the question tells whether an outage is over.
    """
    pulse = desk.pulse
    if pulse.answered or not (pulse.failed or before.times):
        return None
    there = await answers(desk)
    if pulse.failed >= OUTAGE:
        return LONGEST_THERE_SECONDS if there else LONGEST_SECONDS
    return None if there else LONGEST_SECONDS


async def leave_alone(hub: Hub, desk: Desk, held: Lease, before: Away, longest: float = LONGEST_SECONDS) -> None:
    """Let go of the account for a while, its queue as it is."""
    now = hub.now()
    next_ = Away(before.times + 1, before.since or now)
    until = now + pause_seconds(next_.times, longest)
    if next_.times == 1:
        log.warning("account %s: it does not answer; its queue waits", held.account)

    def work(tx: Tx) -> None:
        lease.fence(tx, held, now)
        lease.keep_calls(tx, held, desk.budget.log())
        meta.set_cursor(tx, held.account, "outage", f"{next_.times} {next_.since}")
        accounts.pause(tx, held.account, until, NO_ANSWER)
        if next_.times >= SHOWN_AFTER:
            text = "it does not answer; what waits for it goes out once it does, opt-outs first, and nothing is lost"
            repairs.open_(tx, held.account, NO_ANSWER, text, now)
        lease.release(tx, held, until)

    await hub.store.write(work)


async def back_again(hub: Hub, held: Lease, before: Away) -> None:
    """It answers: everything goes on, after an outage worth showing at once and as if it had not been tried."""
    log.info("account %s: it answers again", held.account)

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        meta.set_cursor(tx, held.account, "outage", "0 0")
        if before.times >= SHOWN_AFTER:
            inbox.forgive(tx, held.account, now)
            outbox.forgive(tx, held.account, now)
        accounts.pause(tx, held.account, 0.0, "")
        repairs.close(tx, held.account, NO_ANSWER, now)

    await hub.store.write(work)
