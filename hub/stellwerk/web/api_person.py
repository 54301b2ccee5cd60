"""The JSON API about one person: the history of their consent, and their erasure."""

from __future__ import annotations

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.relay.forgetting import erase_person
from stellwerk.relay.hub import Hub
from stellwerk.store.erasure import Erased, OnItsWay
from stellwerk.view.proof import Exported, export
from stellwerk.web.api_answers import problems
from stellwerk.web.api_key import CHANGES, Caller

Address = Annotated[str, Meta(min_length=3, max_length=320, pattern="@")]


class Whose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person, by their address."""

    address: Address


class Forgotten(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to erase; `again` repeats the address, so that nobody is erased by a slip."""

    address: Address
    again: Address


@post("/consent", name="api-consent", status_code=200, responses=problems(body=True))
async def api_consent(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Whose]) -> Exported:
    """The history of an address's consent with what proves it. By POST, so that no address stands in a URL."""
    return await export(hub, caller.connection, data.address.strip(), caller.name)


@post("/erase", name="api-erase", status_code=200, opt=CHANGES, responses=problems(409, 422, changes=True, body=True))
async def api_erase(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Forgotten]) -> Erased:
    """Forget what this connection keeps of the address; consent history and opt-out stay, without clear text."""
    if hub.vault.address(data.address) != hub.vault.address(data.again):
        raise HTTPException(status_code=422, detail="the two addresses differ")
    try:
        return await erase_person(hub, caller.connection, address=data.address, by=caller.name)
    except OnItsWay as waits:
        raise ClientException(str(waits), status_code=409) from None


about_a_person: tuple[HTTPRouteHandler, ...] = (api_consent, api_erase)
