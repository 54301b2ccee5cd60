"""Which connection: the only one, a choice, or a new one. Nobody reaches a connection of another account."""

from __future__ import annotations

import re
import secrets
from typing import Any, Literal

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Template
from msgspec import Struct, structs

from stellwerk.relay.clock_there import ZONE
from stellwerk.relay.hub import Hub
from stellwerk.relay.leaving import ERASED_AFTER_SECONDS
from stellwerk.store import accounts, connections, invitations
from stellwerk.store.accounts import GONE, LEAVING, AccountRow
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.view.moment import moment
from stellwerk.web.forgery import SAFE_METHODS, posted
from stellwerk.web.pages import page
from stellwerk.web.visitor import NotAllowed, NotLoggedIn, NotSetUp, Visitor, keep_visitor

OWN = {"own": True}
"""`opt` of what only people who have logged in may do."""

LOOKS = {"looks": True}
"""`opt` of what changes nothing although it is sent."""

NEW = "new"
FROM_FILE = "file"
FROM_WEB = "web"


class Here(Struct, frozen=True, kw_only=True):
    """What a logged-in visitor looks at: a connection (`stored` or only begun) and its accounts by system.

    `again`: it was disconnected and is being connected once more, with the settings it had. `rights` are less than `own`
    for who was invited.
    """

    visitor: Visitor
    connection: Connection
    stored: bool
    accounts: dict[str, AccountRow]
    again: bool = False
    rights: Literal["own", "change", "view"] = "own"

    @property
    def by(self) -> str:
        """Whose name is written down for what is done here; the connection's where the login brought none."""
        return self.visitor.user or self.connection.id

    @property
    def from_file(self) -> bool:
        return self.connection.origin == FROM_FILE

    def zone(self, hub: Hub) -> str | None:
        """The time zone of the account that people log in with; None where it has told none."""
        row = self.accounts.get(hub.integration.login or "")
        return None if row is None else row.info.get(ZONE)


async def first_connection(hub: Hub, account: str) -> tuple[str, str]:
    """The id of the connection to show after a login, a new one if there is none yet, and the page to begin with."""
    mine = await hub.connections_of(account)
    if not mine:
        ended = await ended_connections(hub, account)
        return next(iter(ended), new_id(account)), "/connections" if ended else "/settings"
    return mine[0].id, "/connections" if len(mine) > 1 else "/overview"


async def provide_here(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], visitor: NamedDependency[Visitor]
) -> Here:
    """The visitor's connection, found through their login or invitation. Raises `NotLoggedIn`, `NotAllowed`."""
    here = await _by_login(hub, visitor) if visitor.invitation is None else await _invited(hub, visitor)
    opt = request.scope["route_handler"].opt
    if opt.get("own") and here.rights != "own":
        raise NotAllowed()
    if here.rights == "view" and request.method not in SAFE_METHODS and not opt.get("looks"):
        raise NotAllowed()
    return here


async def _invited(hub: Hub, visitor: Visitor) -> Here:
    """The connection that somebody was invited to, while the invitation works."""

    def look(tx: Tx) -> Here:
        invitation = invitations.by_id(tx, visitor.invitation or 0)
        connection = None if invitation is None else connections.living(tx, invitation.connection)
        if invitation is None or connection is None or not invitation.works(hub.now()):
            raise NotLoggedIn()
        found = {name: accounts.by_id(tx, hub.vault, one) for name, one in connection.accounts.items()}
        rows = {name: row for name, row in found.items() if row is not None}
        return Here(visitor=visitor, connection=connection, stored=True, accounts=rows, rights=invitation.rights)

    return await hub.store.read(look)


async def _by_login(hub: Hub, visitor: Visitor) -> Here:
    login = hub.integration.login
    account = visitor.account
    if account is None or visitor.connection is None or login is None:
        raise NotLoggedIn()
    stored = await _one_of_login(hub, account, visitor.connection)
    again = None if stored else (await ended_connections(hub, account)).get(visitor.connection)
    connection = stored or Connection(
        id=visitor.connection, origin=FROM_WEB, accounts={login: account}, settings={}, version=0
    )
    if again is not None:
        # It begins anew, and nobody is mailed or granted anything before a person has agreed to it once more.
        connection = structs.replace(again[0], state="runs", accounts={login: account}, began=None, agreed=None)

    def load(tx: Tx) -> dict[str, AccountRow]:
        if stored is None and again is None and connections.by_id(tx, connection.id) is not None:
            # Its id is taken by a connection of somebody else's account.
            return {}
        found = {name: accounts.by_id(tx, hub.vault, one) for name, one in connection.accounts.items()}
        return {name: row for name, row in found.items() if row is not None}

    rows = await hub.store.read(load)
    # Left meanwhile: its tokens are gone or about to go, and only another login brings new ones.
    if login not in rows or rows[login].state in (LEAVING, GONE):
        raise NotLoggedIn()
    return Here(
        visitor=visitor, connection=connection, stored=stored is not None, accounts=rows, again=again is not None
    )


def provide_running(here: NamedDependency[Here]) -> Here:
    """The visitor's connection once it is stored. Raises `NotLoggedIn`, `NotSetUp`."""
    if not here.stored:
        raise NotSetUp()
    return here


async def ended_connections(hub: Hub, account: str) -> dict[str, tuple[Connection, float]]:
    """Those of the account that were disconnected on the page and can be connected again: by id, with when they ended."""
    login = hub.integration.login or ""
    found = await hub.store.read(lambda tx: connections.ended_of(tx, account))
    oldest = hub.now() - ERASED_AFTER_SECONDS
    return {
        name: (one, since)
        for name, (one, since) in found.items()
        if one.origin != FROM_FILE and one.accounts.get(login) == account and since > oldest
    }


def new_id(account: str) -> str:
    """An id for a connection, with the account's in front where it fits into one."""
    remote = re.sub(r"[^a-z0-9_-]", "", account.partition(":")[2].lower())[:40].lstrip("_-")
    return f"{remote or 'c'}-{secrets.token_hex(4)}"


async def _one_of_login(hub: Hub, account: str, one: str) -> Connection | None:
    return next((connection for connection in await hub.connections_of(account) if connection.id == one), None)


@get("/connections", name="connections")
async def choose(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], visitor: NamedDependency[Visitor]
) -> Template:
    """The connections of the account, and a new one."""
    if visitor.account is None:
        raise NotLoggedIn()
    mine = await hub.connections_of(visitor.account)
    ended = await ended_connections(hub, visitor.account)
    every = [*mine, *(one for one, _ in ended.values())]

    def names(tx: Tx) -> dict[str, str]:
        rows = (accounts.by_id(tx, hub.vault, one) for connection in every for one in connection.accounts.values())
        return {row.id: row.name or row.remote for row in rows if row is not None}

    named = await hub.store.read(names)

    def shown(one: Connection) -> dict[str, object]:
        named_accounts = [named[key] for key in one.accounts.values() if key in named]
        return {"id": one.id, "accounts": named_accounts, "brand": one.brand}

    context = {
        "connections": [shown(one) for one in mine],
        "ended": [{**shown(one), "until": moment(since + ERASED_AFTER_SECONDS)} for one, since in ended.values()],
        "new": NEW,
    }
    return page(request, hub, "connections.html", visitor=visitor, context=context)


@post("/connections", name="choose-connection")
async def chosen(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], visitor: NamedDependency[Visitor]
) -> Redirect:
    """Go on with the connection that was chosen."""
    if visitor.account is None:
        raise NotLoggedIn()
    wanted = (await posted(request)).get("connection", "")
    is_new = wanted == NEW
    if is_new:
        connection = new_id(visitor.account)
    else:
        found = await _one_of_login(hub, visitor.account, wanted)
        again = {} if found is not None else await ended_connections(hub, visitor.account)
        if found is None and wanted not in again:
            raise NotFoundException()
        connection = wanted
        is_new = found is None
    keep_visitor(request, structs.replace(visitor, connection=connection, tested={}, flashes=()))
    return Redirect("/settings" if is_new else "/overview", status_code=303)
