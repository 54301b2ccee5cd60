"""Who calls the JSON API: a token names its connection and what it may do. Cookies count for nothing here."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.store import accounts, api_tokens, connections
from stellwerk.store.accounts import AccountRow
from stellwerk.store.api_tokens import ApiToken
from stellwerk.store.connections import IN_FILE, Connection
from stellwerk.store.store import Tx
from stellwerk.web.described import as_described
from stellwerk.web.limits import Limits

SCHEME = "bearer "
LONGEST = 200
CHANGES = {"changes": True}
"""`opt` of what a token that may only look cannot do."""


class Caller(Struct, frozen=True, kw_only=True):
    """A program with a token that works, and the connection it may see."""

    token: ApiToken
    connection: Connection
    accounts: dict[str, AccountRow]

    @property
    def name(self) -> str:
        """What the history calls it."""
        return f"API: {self.token.name}"

    @property
    def from_file(self) -> bool:
        return self.connection.origin == IN_FILE


async def provide_caller(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], limits: NamedDependency[Limits]
) -> Caller:
    """The caller, whose body is as described. Raises 401 for a token that does not work, 403 for one that may only look, 400."""
    header = request.headers.get("authorization", "")
    text = header[len(SCHEME) :].strip() if header.lower().startswith(SCHEME) else ""
    caller = await hub.store.read(lambda tx: _caller(tx, hub, text)) if 0 < len(text) <= LONGEST else None
    if caller is None:
        limits.refused(request)
        raise NotAuthorizedException(headers={"www-authenticate": 'Bearer realm="api"'})
    opt = request.scope["route_handler"].opt
    if opt.get("changes") and caller.token.rights != "change":
        raise PermissionDeniedException()
    await hub.store.write(lambda tx: api_tokens.used(tx, caller.token.id, hub.now()))
    await as_described(request)
    return caller


def _caller(tx: Tx, hub: Hub, text: str) -> Caller | None:
    token = api_tokens.by_text(tx, hub.vault, text)
    connection = None if token is None or not token.works(hub.now()) else connections.living(tx, token.connection)
    if token is None or connection is None:
        return None
    found = {name: accounts.by_id(tx, hub.vault, one) for name, one in connection.accounts.items()}
    return Caller(
        token=token, connection=connection, accounts={name: row for name, row in found.items() if row is not None}
    )
