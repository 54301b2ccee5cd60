"""The JSON API about comparing both sides: beginning it, and what was found."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Struct

from stellwerk.errors import StellwerkError, StoreError
from stellwerk.relay.hub import Hub
from stellwerk.relay.reconcile import reconcile
from stellwerk.view.comparing import LastComparison, last_comparison
from stellwerk.web.api_answers import problems
from stellwerk.web.api_key import CHANGES, Caller


class Reconciling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`mend`: what differs is looked at again afterwards, as its event would have; without it, it is listed only."""

    mend: bool = True


@get("/reconcile", name="api-comparison", responses=problems())
async def api_comparison(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> LastComparison:
    """How far the last comparison of both sides is, and what it found."""
    return await last_comparison(hub, caller.connection)


@post(
    "/reconcile",
    name="api-reconcile",
    status_code=202,
    opt=CHANGES,
    responses=problems(409, changes=True, body=True),
)
async def api_reconcile(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Reconciling]
) -> LastComparison:
    """Begin to compare both sides contact by contact. Nobody is mailed and nothing granted by it."""
    try:
        await reconcile(hub, by=caller.name, connection=caller.connection.id, mend=data.mend)
    except StoreError:
        raise
    except StellwerkError as refused:
        raise ClientException(str(refused), status_code=409) from None
    return await last_comparison(hub, caller.connection)


about_reconciling: tuple[HTTPRouteHandler, ...] = (api_comparison, api_reconcile)
