"""A refused key is tried again now and then: it may have been refused by mistake, or been mended over there.

A person is told at once. Nothing but the question who we are is asked meanwhile, and only once it is answered does work go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from stellwerk.errors import DeliveryError, ReauthorizeError
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.store import accounts, lease, meta, repairs
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx

LOCKED_OUT = "reauthorize"
"""State of an account that a person is to mend."""

WAITS: Sequence[float] = (60.0, 300.0, 900.0)
LONGEST_SECONDS = 3600.0
FORGOTTEN_SECONDS = 2 * LONGEST_SECONDS
"""A refusal so long after the last one begins anew."""

REFUSALS = "refusals"
RIGHT_MISSING = "right-missing"


class Refusal(Struct, frozen=True):
    """How often in a row the account was refused, when it last was, and when to look again (None: never by ourselves).

    `told` is the code of the repair that tells of it; empty once that is closed.
    """

    times: int
    at: float
    again: float | None
    told: str = ""


def wait(times: int) -> float:
    """Seconds until the next look after so many refusals in a row."""
    return WAITS[times - 1] if times <= len(WAITS) else LONGEST_SECONDS


def refusal(tx: Tx, account: str) -> Refusal | None:
    """What is remembered of the account's refusals; None where nothing was written down yet."""
    stored = meta.cursor(tx, account, REFUSALS)
    if stored is None:
        return None
    times, at, again, *told = stored.split(" ", 3)
    return Refusal(int(times), float(at), None if again == "-" else float(again), "".join(told))


def _keep(tx: Tx, account: str, one: Refusal) -> None:
    again = "-" if one.again is None else one.again
    meta.set_cursor(tx, account, REFUSALS, f"{one.times} {one.at} {again} {one.told}")


def refused_again(tx: Tx, account: str, code: str, now: float, *, for_good: bool = False) -> float | None:
    """Count one more refusal; when to look again. What told of another one is over."""
    before = refusal(tx, account)
    if before is not None and before.told not in ("", code):
        repairs.close(tx, account, before.told, now)
    times = 1 if before is None or now - before.at > FORGOTTEN_SECONDS else before.times + 1
    again = None if for_good else now + wait(times)
    _keep(tx, account, Refusal(times, now, again, code))
    return again


def is_due(tx: Tx, held: Lease, code: str, now: float) -> bool:
    """Whether to look now; otherwise the account is let go until then."""
    before = refusal(tx, held.account)
    if before is not None and not before.told:
        _keep(tx, held.account, replace(before, told=code))  # an older version did not write it down
    again = refused_again(tx, held.account, code, now) if before is None else before.again
    if again is not None and again <= now:
        return True
    lease.release(tx, held, again)
    return False


def refusals_over(tx: Tx, account: str) -> None:
    """A person has mended it: what is refused from now on is counted anew."""
    meta.drop_cursor(tx, account, REFUSALS)


async def is_accepted(hub: Hub, desk: Desk, held: Lease) -> bool:
    """Whether the account lets us in again; otherwise it is let go until the next look. Raises `ReauthorizeError`."""
    code = desk.account.state_code
    try:
        found = await desk.connector.check()
    except ReauthorizeError:
        raise
    except DeliveryError as failed:
        await hub.store.write(lambda tx: _put_off(tx, held, code, hub.now()))
        log.info("account %s: it was refused, and cannot be asked now: %s", held.account, failed.code)
        return False
    if code == RIGHT_MISSING and found.missing:
        raise ReauthorizeError(RIGHT_MISSING, f"it still lacks the right for {', '.join(found.missing)}")
    await hub.store.write(lambda tx: _let_in(tx, hub, held))
    return True


def _put_off(tx: Tx, held: Lease, code: str, now: float) -> None:
    lease.fence(tx, held, now)
    lease.release(tx, held, refused_again(tx, held.account, code, now))


def _let_in(tx: Tx, hub: Hub, held: Lease) -> None:
    lease.fence(tx, held, hub.now())
    now = accounts.by_id(tx, hub.vault, held.account)
    if now is not None and now.state == LOCKED_OUT:
        accounts.set_state(tx, held.account, "ok", "", "")


async def tell_mended(hub: Hub, account: str) -> None:
    """After a turn that nothing was refused in: what told of a refusal is over, whichever turn let us in."""
    before = await hub.store.read(lambda tx: refusal(tx, account))
    if before is None or not before.told:
        return
    if await hub.store.write(lambda tx: _close(tx, hub, account)):
        log.warning("account %s: it is let in again and goes on", account)


def _close(tx: Tx, hub: Hub, account: str) -> bool:
    now, before = accounts.by_id(tx, hub.vault, account), refusal(tx, account)
    if now is None or now.state == LOCKED_OUT or before is None:
        return False  # another holder was refused meanwhile, or a person mended it
    repairs.close(tx, account, before.told, hub.now())
    _keep(tx, account, replace(before, told=""))
    return True
