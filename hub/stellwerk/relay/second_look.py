"""A refused key is tried again now and then: it may have been refused by mistake, or been mended over there.

A person is told at once. Nothing but the question who we are is asked meanwhile, and only once it is answered does work go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stellwerk.errors import DeliveryError, ReauthorizeError
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.store import accounts, lease, meta, repairs
from stellwerk.store.accounts import AccountRow
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx

LOCKED_OUT = "reauthorize"
"""State of an account that a person is to mend."""

WAITS: Sequence[float] = (60.0, 300.0, 900.0)
LONGEST_SECONDS = 3600.0
FORGOTTEN_SECONDS = 2 * LONGEST_SECONDS
"""A refusal so long after the last one begins anew."""

REFUSALS = "refusals"


class Refusal(Struct, frozen=True):
    """How often in a row the account was refused, when it last was, and when to look again (None: never by ourselves)."""

    times: int
    at: float
    again: float | None


def wait(times: int) -> float:
    """Seconds until the next look after so many refusals in a row."""
    return WAITS[times - 1] if times <= len(WAITS) else LONGEST_SECONDS


def refusal(tx: Tx, account: str) -> Refusal | None:
    """What is remembered of the account's refusals; None where nothing was written down yet."""
    stored = meta.cursor(tx, account, REFUSALS)
    if stored is None:
        return None
    times, at, again = stored.split()
    return Refusal(int(times), float(at), None if again == "-" else float(again))


def refused_again(tx: Tx, account: str, now: float, *, for_good: bool = False) -> float | None:
    """Count one more refusal; when to look again."""
    before = refusal(tx, account)
    times = 1 if before is None or now - before.at > FORGOTTEN_SECONDS else before.times + 1
    again = None if for_good else now + wait(times)
    meta.set_cursor(tx, account, REFUSALS, f"{times} {now} {'-' if again is None else again}")
    return again


def is_due(tx: Tx, held: Lease, now: float) -> bool:
    """Whether to look now; otherwise the account is let go until then."""
    before = refusal(tx, held.account)
    again = refused_again(tx, held.account, now) if before is None else before.again
    if again is not None and again <= now:
        return True
    lease.release(tx, held, again)
    return False


def refusals_over(tx: Tx, account: str) -> None:
    """A person has mended it: what is refused from now on is counted anew."""
    meta.drop_cursor(tx, account, REFUSALS)


async def is_accepted(hub: Hub, desk: Desk, held: Lease) -> bool:
    """Whether the account lets us in again; otherwise it is let go until the next look. Raises `ReauthorizeError`."""
    try:
        await desk.connector.check()
    except ReauthorizeError:
        raise
    except DeliveryError as failed:
        await hub.store.write(lambda tx: _put_off(tx, held, hub.now()))
        log.info("account %s: it was refused, and cannot be asked now: %s", held.account, failed.code)
        return False
    await hub.store.write(lambda tx: _let_in(tx, hub, held, desk.account))
    return True


def _put_off(tx: Tx, held: Lease, now: float) -> None:
    lease.fence(tx, held, now)
    lease.release(tx, held, refused_again(tx, held.account, now))


def _let_in(tx: Tx, hub: Hub, held: Lease, used: AccountRow) -> None:
    lease.fence(tx, held, hub.now())
    now = accounts.by_id(tx, hub.vault, held.account)
    if now is not None and now.state == LOCKED_OUT:
        accounts.set_state(tx, held.account, "ok", "", "")


async def tell_mended(hub: Hub, account: AccountRow) -> None:
    """After a turn that nothing was refused in: what told of the refusal is over."""
    log.warning("account %s: it is let in again and goes on", account.id)
    await hub.store.write(lambda tx: repairs.close(tx, account.id, account.state_code, hub.now()))
