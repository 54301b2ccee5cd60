"""What disconnecting would do: told before a person says so."""

from __future__ import annotations

from msgspec import Struct

from stellwerk.registry import has
from stellwerk.relay.hub import Hub
from stellwerk.relay.leaving import ERASED_AFTER_SECONDS
from stellwerk.sdk.connector import Disconnector, OAuth
from stellwerk.store import accounts, api_tokens, connections, leaving, outbox
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.view.moment import moment


class Leaving(Struct, frozen=True, kw_only=True):
    """One account. `shared`: another connection uses it, so that nothing of it is undone.

    Else what goes over there: `webhooks`, and the access that a login gave (`login`), with `undone` where the connector
    can do both by itself.
    """

    system: str
    name: str
    shared: bool
    webhooks: bool
    login: bool
    undone: bool


class Parting(Struct, frozen=True, kw_only=True):
    """`waiting` changes will not be written; `opt_outs` are still on their way; `erased` is when what is kept goes."""

    sides: list[Leaving]
    waiting: int
    opt_outs: int
    tokens: int
    erased: str


async def parting(hub: Hub, connection: Connection) -> Parting:
    """As things stand at this moment."""
    now = hub.now()

    def look(tx: Tx) -> Parting:
        own = connections.own_accounts(tx, connection)
        tokens = api_tokens.of_connection(tx, connection.id)
        return Parting(
            sides=[
                _side(tx, hub, system, connection.accounts[system], shared=connection.accounts[system] not in own)
                for system in hub.systems
                if system in connection.accounts
            ],
            waiting=sum(
                outbox.undone(tx, account, connection.id).get(state, 0)
                for account in connection.accounts.values()
                for state in ("waiting", "parked", "held")
            ),
            opt_outs=leaving.opt_outs_of(tx, connection.id),
            tokens=sum(1 for token in tokens if token.works(now)),
            erased=moment(now + ERASED_AFTER_SECONDS),
        )

    return await hub.store.read(look)


def _side(tx: Tx, hub: Hub, system: str, account: str, *, shared: bool) -> Leaving:
    row = accounts.by_id(tx, hub.vault, account)
    connector = hub.systems[system].connector
    return Leaving(
        system=system,
        name="" if row is None else row.name or row.remote,
        shared=shared,
        webhooks=getattr(connector, "webhook_trust", "") == "path",
        login=has(connector, OAuth) and row is not None and row.oauth is not None,
        undone=has(connector, Disconnector),
    )
