"""Rights that a login asked for and did not get: remembered with the account, and a repair until another login brings them."""

from __future__ import annotations

from typing import Any

from stellwerk.registry import has
from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Grant, Scope, Scoped
from stellwerk.store import accounts, repairs
from stellwerk.store.accounts import AccountRow
from stellwerk.store.store import Tx

NOT_GRANTED = "scope-not-granted"


def lacking(hub: Hub, account: AccountRow) -> tuple[Scope, ...]:
    """What the account's last login did not bring; empty also where nobody can tell."""
    return _lacking(hub, account.system, account.info.get("granted") or ())


def note_scopes(tx: Tx, hub: Hub, account: str, system: str, grant: Grant, *, stood: bool, now: float) -> None:
    """After a login. `stood`: the repair was open before it.

    Who took it off the list can do without those rights: the same ones missing again open no other.
    """
    before = accounts.info(tx, account).get("granted")
    accounts.set_info(tx, account, granted=list(grant.scopes))
    missing = [scope.name for scope in _lacking(hub, system, grant.scopes)]
    known = before is not None and [scope.name for scope in _lacking(hub, system, before)] == missing
    if missing and (stood or not known):
        repairs.open_(tx, account, NOT_GRANTED, ", ".join(missing), now)


def _lacking(hub: Hub, system: str, granted: Any) -> tuple[Scope, ...]:
    side = hub.systems[system]
    # A login that told no scopes at all is one of which nothing is known.
    if not granted or not has(side.connector, Scoped):
        return ()
    connector: Any = side.connector
    return tuple(connector.lacking(side.settings, tuple(granted)))
