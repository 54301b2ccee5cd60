"""The JSON API about notifications: who is told of repairs, somebody added or removed, and a test message."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.recipients import LONGEST_NAME, LONGEST_TO, NotTaken, add, is_name, remove, try_out
from stellwerk.store.recipients import Kind, Language
from stellwerk.view.recipients import Told, as_told, told
from stellwerk.web.api_answers import RowNumber, problems
from stellwerk.web.api_key import CHANGES, Caller
from stellwerk.web.limits import NOTIFICATION_TESTS, Limits


class Named(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to tell, how, where and in which language."""

    name: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")]
    kind: Kind
    to: Annotated[str, Meta(min_length=3, max_length=LONGEST_TO)]
    language: Language = "en"


@get("/recipients", name="api-recipients", responses=problems())
async def api_recipients(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> list[Told]:
    """Who is told of repairs, and how the last message to each fared."""
    return await told(hub, caller.connection)


@post("/recipients", name="api-add-recipient", opt=CHANGES, responses=problems(422, changes=True, body=True))
async def api_add_recipient(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Named]) -> Told:
    """Tell somebody from now on. The secret that signs a webhook is in this answer and in no other."""
    name = data.name.strip()
    if not is_name(name):
        raise HTTPException(status_code=422, detail="the name cannot be printed")
    try:
        made = await add(
            hub, caller.connection, name=name, kind=data.kind, to=data.to, language=data.language, by=caller.name
        )
    except NotTaken as refused:
        raise HTTPException(status_code=422, detail=refused.code) from None
    return as_told(made, secret=made.reach.secret or None)


@post(
    "/recipients/{recipient:int}/remove",
    name="api-remove-recipient",
    status_code=204,
    opt=CHANGES,
    responses=problems(400, 404, changes=True),
)
async def api_remove_recipient(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], recipient: RowNumber
) -> None:
    """They are told nothing more."""
    if not await remove(hub, caller.connection, recipient, by=caller.name):
        raise NotFoundException()


@post(
    "/recipients/{recipient:int}/test",
    name="api-test-recipient",
    status_code=202,
    opt=CHANGES,
    responses=problems(400, 404, changes=True),
)
async def api_test_recipient(
    hub: NamedDependency[Hub],
    caller: NamedDependency[Caller],
    limits: NamedDependency[Limits],
    recipient: RowNumber,
) -> None:
    """A test message is on its way within ten seconds; ten an hour at most."""
    limits.spend(NOTIFICATION_TESTS, caller.connection.id)
    if not await try_out(hub, caller.connection, recipient):
        raise NotFoundException()


about_notifications: tuple[HTTPRouteHandler, ...] = (
    api_recipients,
    api_add_recipient,
    api_remove_recipient,
    api_test_recipient,
)
