"""Leaving: a connection is ended, or gets another account. What served it over there is undone, what is kept of it erased.

Suppression and ledger stay: they belong to the address at its mail account, and a reconnection finds them again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from stellwerk.errors import AmbiguousError, DeliveryError, PauseError, RetryableError, StellwerkError
from stellwerk.registry import has
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.provide import hook_urls
from stellwerk.sdk.connector import Disconnector, Hook
from stellwerk.store import accounts, connections, consent, contacts, inbox, leaving, meta, repairs
from stellwerk.store.accounts import GONE, LEAVING, AccountRow
from stellwerk.store.connections import ENDED, Connection
from stellwerk.store.store import Tx

ERASED_AFTER_SECONDS = 30 * 86_400.0
SLICE = 500
RELEASE_AGAIN_SECONDS = 600.0
PATIENCE_SECONDS = 86_400.0
LEFT_BEHIND = "left-behind"
OPT_OUTS_WAIT = "opt-outs-wait"
MOVED = "the connection has another account now"
TRIED = "release tried"
SINCE = "release since"


class OptOutsWait(StellwerkError):
    """Opt-outs are on their way to an account that is to be left."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"{waiting} {'opt-out has' if waiting == 1 else 'opt-outs have'} not reached the other system yet; wait until that is so,"
            " or leave anyway and unsubscribe the people over there by hand"
        )


def disconnect(tx: Tx, connection: Connection, *, who: str, now: float, anyway: bool = False) -> None:
    """End the connection; the housekeeping does the rest. Raises `OptOutsWait`, `Changed`."""
    _leave(tx, connection, "the connection was ended", now, anyway=anyway)
    connections.end(tx, connection, who=who, now=now)
    _unused(tx, connection)


def forget(tx: Tx, connection: Connection, *, with_suppression: bool) -> int:
    """What is kept of an ended connection is erased in the next round. How many suppressed addresses were forgotten."""
    meta.set_cursor(tx, connections.LEFT, connection.id, "0")
    if not with_suppression:
        return 0
    own = [one for one in connection.accounts.values() if not connections.of_account(tx, one)]
    return sum(consent.forget(tx, one) for one in own)


async def move_over(
    hub: Hub, before: Connection, after: Connection, *, carry: bool = True, anyway: bool = False
) -> str:
    """Everything that must be so before `after`, with another account, is saved over `before`: a new pair of accounts.

    The connection rests meanwhile. Links and digests of the old pair are set aside and erased like those of an ended
    connection; who is suppressed at the old mail account is so at the new one. The name they are under. Raises `OptOutsWait`.
    """
    aside = f"{before.id} until {hub.now():.0f}"

    def rest(tx: Tx) -> None:
        _leave(tx, before, MOVED, hub.now(), anyway=anyway)
        tx.run("update connection set state = 'rests' where id = :id", id=before.id)
        meta.set_cursor(tx, connections.LEFT, aside, str(hub.now()))

    await hub.store.write(rest)
    mail = hub.book(before).plan.mail_system
    if carry and mail is not None and before.accounts[mail] != after.accounts[mail]:
        await _carry(hub, before.accounts[mail], after.accounts[mail])
    await in_slices(hub, lambda tx: contacts.set_aside(tx, before.id, aside, SLICE))
    return aside


def moved_over(tx: Tx, before: Connection, aside: str, now: float, *, anyway: bool) -> None:
    """In the transaction that saves the other account: what nobody uses any more is left.

    What was still decided on the old pair since `move_over` goes `aside` as well. Raises `OptOutsWait`.
    """
    _leave(tx, before, MOVED, now, anyway=anyway)
    while contacts.set_aside(tx, before.id, aside, SLICE):
        pass
    _unused(tx, before)


async def _carry(hub: Hub, account: str, to: str) -> None:
    after: str | None = ""
    while after is not None:
        after = await hub.store.write(partial(_carried, account=account, to=to, after=after))


def _carried(tx: Tx, account: str, to: str, after: str) -> str | None:
    return consent.carry_suppression(tx, account, to, after, SLICE)


def _leave(tx: Tx, connection: Connection, text: str, now: float, *, anyway: bool) -> None:
    waiting = leaving.opt_outs_of(tx, connection.id)
    if waiting and not anyway:
        raise OptOutsWait(waiting)
    leaving.leave(tx, connection.id, text, now)


def _unused(tx: Tx, connection: Connection) -> None:
    for account in connection.accounts.values():
        if not connections.of_account(tx, account):
            accounts.set_state(tx, account, LEAVING, ENDED, "no connection uses this account any more")


async def tidy_up(hub: Hub) -> None:
    """One round: undo over there what served nobody else, and erase what was left long enough ago."""

    def to_be_left(tx: Tx) -> list[AccountRow]:
        return [one for one in accounts.every(tx, hub.vault) if one.state == LEAVING]

    for account in await hub.store.read(to_be_left):
        await _release(hub, account)
    old = hub.now() - ERASED_AFTER_SECONDS
    left = await hub.store.read(connections.left)
    for name in [name for name, since in left.items() if since <= old]:
        await in_slices(hub, partial(contacts.erase_some, connection=name, limit=SLICE))
        await hub.store.write(partial(connections.forget, name=name))
    await hub.store.write(_drop_unused)


def _drop_unused(tx: Tx) -> None:
    """Accounts that were released go with the last connection that remembers them."""
    rows = tx.all("select id from account where state = :gone", gone=GONE)
    kept = {
        one
        for row in tx.all("select accounts from connection")
        for one in msgspec.json.decode(row["accounts"]).values()
    }
    for row in rows:
        if row["id"] not in kept:
            accounts.drop(tx, row["id"])


async def _release(hub: Hub, account: AccountRow) -> None:
    """Undo what served us over there, then let go of the credentials. Tried again while the account cannot be reached."""
    now = hub.now()
    tried = await hub.store.read(lambda tx: meta.cursor(tx, account.id, TRIED))
    if tried is not None and now - float(tried) < RELEASE_AGAIN_SECONDS:
        return
    try:
        behind = await _undo(hub, account)
    except (RetryableError, AmbiguousError, PauseError) as failed:
        since = await hub.store.write(lambda tx: _tried(tx, account.id, now))
        if now - since < PATIENCE_SECONDS:
            return
        behind = [failed.code]
    except DeliveryError as failed:
        behind = [failed.code]
    await in_slices(hub, lambda tx: inbox.leave(tx, account.id, hub.now(), SLICE))

    def work(tx: Tx) -> None:
        if connections.of_account(tx, account.id):
            return  # connected again meanwhile
        accounts.release(tx, account.id)
        meta.drop_cursor(tx, account.id, TRIED)
        meta.drop_cursor(tx, account.id, SINCE)
        if behind:
            text = f"what served this hub could not be removed over there ({', '.join(behind)}); remove it by hand"
            repairs.open_(tx, account.id, LEFT_BEHIND, text, hub.now())

    await hub.store.write(work)
    log.info("account %s: left", account.id)


def _tried(tx: Tx, account: str, now: float) -> float:
    since = meta.cursor(tx, account, SINCE)
    meta.set_cursor(tx, account, TRIED, str(now))
    if since is None:
        meta.set_cursor(tx, account, SINCE, str(now))
    return now if since is None else float(since)


async def _undo(hub: Hub, account: AccountRow) -> list[str]:
    """What is left behind over there. Raises `DeliveryError`."""
    if not has(hub.systems[account.system].connector, Disconnector) or (
        account.secrets is None and account.oauth is None
    ):
        return []
    urls = await hook_urls(hub, account.system, account.id)
    async with hub.open(account) as desk:
        found = await desk.connector.disconnect([Hook(topic=topic, url=url) for topic, url in urls.items()])
        return [one.code for one in found]


async def in_slices(hub: Hub, work: Callable[[Tx], int]) -> None:
    """`work` again and again until it did nothing more, each in a transaction of its own: intake goes between."""
    while await hub.store.write(work):
        pass
