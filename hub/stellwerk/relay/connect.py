"""Bringing accounts and connections in: a login, a tested key, what must exist over there, connections of the file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

import msgspec

from stellwerk.config.spec import Agreed
from stellwerk.errors import DeliveryError
from stellwerk.relay.budget import Budget
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.leaving import OPT_OUTS_WAIT, OptOutsWait, move_over, moved_over
from stellwerk.relay.provide import provide, show
from stellwerk.relay.scopes import NOT_GRANTED, note_scopes
from stellwerk.relay.second_look import refusals_over
from stellwerk.relay.unsaved import logged_in
from stellwerk.sdk.connector import Account, Difference, Grant
from stellwerk.store import accounts, connections, lease, repairs, syncs
from stellwerk.store.connections import IN_FILE, Changed, Connection
from stellwerk.store.store import Tx
from stellwerk_rules.model import Agreement

LEFT_THE_FILE = "left-the-file"


async def keep_login(hub: Hub, system: str, grant: Grant) -> str:
    """Store the tokens of a login; the account's id. Work that waited for it goes on."""

    def work(tx: Tx) -> str:
        now = hub.now()
        one = accounts.add(tx, hub.vault, system=system, remote=grant.account, name=grant.account_name, now=now)
        accounts.set_oauth(tx, one, hub.tokens.sealed(one, grant), expected_version=None)
        stood = one in repairs.subjects(tx, NOT_GRANTED)
        settings = _login_settings(hub, system, grant.account)
        if settings is not None:
            accounts.set_secrets(tx, one, hub.seal_settings(one, settings))
        _mended(tx, one, now)
        note_scopes(tx, hub, one, system, grant, stood=stood, now=now)
        logged_in(tx, one, now)
        return one

    one = await hub.store.write(work)
    hub.wake()
    return one


async def check_settings(hub: Hub, system: str, settings: Any) -> Account:
    """Ask the remote with these account settings who we are. Raises `DeliveryError` with a named reason."""
    side = hub.systems[system]
    services = hub.services(side, Budget(*side.connector.rate, hub.now), {}, None)
    async with side.connector.open(side.settings, settings, services) as connector:
        return await connector.check()


async def keep_settings(hub: Hub, system: str, settings: Any, account: Account) -> str:
    """Store tested account settings; the account's id. Work that waited for them goes on."""

    def work(tx: Tx) -> str:
        now = hub.now()
        one = accounts.add(tx, hub.vault, system=system, remote=account.id, name=account.name, now=now)
        accounts.set_secrets(tx, one, hub.seal_settings(one, settings))
        accounts.set_info(tx, one, missing=list(account.missing))
        _mended(tx, one, now)
        return one

    one = await hub.store.write(work)
    hub.wake()
    return one


def _mended(tx: Tx, account: str, now: float) -> None:
    for row in repairs.still_open(tx):
        if row["subject"] == account:
            repairs.close(tx, account, row["code"], now)
    refusals_over(tx, account)
    lease.wake(tx, account, now)


def _login_settings(hub: Hub, system: str, remote: str) -> Any:
    """Account settings for an account that is reached by its login alone; None when the connector needs more."""
    try:
        return msgspec.convert({"account": remote}, hub.systems[system].connector.account_type)
    except msgspec.ValidationError:
        return None


async def save(
    hub: Hub, connection: Connection, *, who: str, note: str = "", carry: bool = True, anyway: bool = False
) -> Connection:
    """Store a connection; it begins with the first save that has an account on every side.

    Another account than before makes a new pair, which begins anew: links and digests are set aside, suppressed addresses
    carried over unless `carry` is False. Raises `Changed`, and `OptOutsWait` unless `anyway`.
    """
    before = await hub.store.read(lambda tx: connections.by_id(tx, connection.id))
    moves = before is not None and any(
        before.accounts.get(system, account) != account for system, account in connection.accounts.items()
    )
    aside = ""
    if before is not None and moves:
        if before.version != connection.version:
            raise Changed(f"connection {connection.id} was changed meanwhile")
        aside = await move_over(hub, before, connection, carry=carry, anyway=anyway)
        connection = msgspec.structs.replace(connection, began=None)
    complete = set(connection.accounts) == set(hub.systems)
    if complete and connection.began is None:
        connection = msgspec.structs.replace(connection, began=hub.now())

    def work(tx: Tx) -> Connection:
        saved = connections.save(tx, connection, who=who, now=hub.now(), note=note)
        if before is not None and moves:
            moved_over(tx, before, aside, hub.now(), anyway=anyway)
        if saved.state == "runs":
            syncs.go_on(tx, saved.id, hub.now())
        for account in saved.accounts.values():
            lease.wake(tx, account, hub.now())
        return saved

    saved = await hub.store.write(work)
    hub.wake()
    return saved


async def bring_in_file(hub: Hub) -> None:
    """The connections of the file: accounts checked and stored, connections saved where they differ, things provided.

    An account that cannot be reached now is a repair, not a reason not to start: the others run.
    """
    for spec in hub.integration.connections:
        try:
            await _bring_in(hub, spec)
        except DeliveryError as failed:
            log.warning("connection %s: %s", spec.id, failed.code)
            await show(hub, spec.id, [Difference(code=failed.code, subject=spec.id, text=failed.text or failed.code)])
        except OptOutsWait as waiting:
            log.warning("connection %s: %s", spec.id, OPT_OUTS_WAIT)
            await show(hub, spec.id, [Difference(code=OPT_OUTS_WAIT, subject=spec.id, text=str(waiting))])
    await _rest_what_left_the_file(hub)


async def _rest_what_left_the_file(hub: Hub) -> None:
    """A connection whose entry is gone has no rules of its own any more: it rests until a person says what it is to be."""
    ids = {spec.id for spec in hub.integration.connections}
    text = "its entry in integration.yaml is gone; put it back, or end it with: stellwerk connections forget"

    def work(tx: Tx) -> None:
        for one in connections.every(tx):
            if one.origin == IN_FILE and one.id not in ids and one.state != "rests":
                resting = msgspec.structs.replace(one, state="rests")
                connections.save(tx, resting, who="integration.yaml", now=hub.now(), note=LEFT_THE_FILE)
                repairs.open_(tx, one.id, LEFT_THE_FILE, text, hub.now())

    await hub.store.write(work)


async def _bring_in(hub: Hub, spec: Any) -> None:
    ids: dict[str, str] = {}
    for system, settings in spec.accounts.items():
        ids[system] = await keep_settings(hub, system, settings, await check_settings(hub, system, settings))
    stored = await hub.store.read(lambda tx: connections.by_id(tx, spec.id))
    fresh = Connection(
        id=spec.id,
        origin=IN_FILE,
        state=spec.state,
        brand=spec.brand or "",
        accounts=ids,
        settings=_plain(spec.settings),
        version=1 if stored is None else stored.version,
        began=None if stored is None else stored.began,
        agreed=None if spec.agreed is None else _agreement(spec.agreed),
        # The file says nothing of it: who stopped it on the page is not overruled by a new start.
        on_hold=None if stored is None else stored.on_hold,
    )
    if stored != fresh:
        fresh = await save(hub, fresh, who="integration.yaml")
    await provide(hub, fresh)


def _agreement(agreed: Agreed) -> Agreement:
    return Agreement(
        by=agreed.by,
        at=datetime.combine(agreed.at, time.min, tzinfo=UTC),
        words="integration.yaml",
        confirmation_given=agreed.confirmation_given,
    )


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    return plain
