"""The JSON API about dead letters and held changes: listed, previewed, replayed, released, ended."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.letters import Find, dismiss, only, release, replay
from stellwerk.view.letters import Letters, group_finder, letters
from stellwerk.view.replaying import Preview, replaying
from stellwerk.web.api_answers import problems
from stellwerk.web.api_key import CHANGES, Caller
from stellwerk.web.limits import PREVIEWS, Limits


class Done(Struct, frozen=True, kw_only=True):
    """How many it was done to."""

    count: int


class One(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One letter, as a preview names it: `what` and `number`."""

    what: Annotated[str, Meta(pattern="^(event|delivery)$")]
    number: Annotated[int, Meta(ge=1, le=2**62)]


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group of dead or held letters, by the `key` it is listed with; with `only`, the one of them."""

    group: Annotated[str, Meta(min_length=1, max_length=400)]
    only: One | None = None


class Dismissal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group, and why it is ended without being written."""

    group: Annotated[str, Meta(min_length=1, max_length=400)]
    why: Annotated[str, Meta(min_length=1, max_length=300)]


def _finder(caller: Caller, data: Group) -> Find:
    find = group_finder(caller.connection, data.group)
    return find if data.only is None else only(find, data.only.what, data.only.number)


@get("/letters", name="api-letters", responses=problems())
async def api_letters(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Letters:
    """Dead letters and held changes, by cause."""
    return await letters(hub, caller.connection)


@post("/letters/preview", name="api-preview", status_code=200, responses=problems(body=True))
async def api_preview(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], limits: NamedDependency[Limits], data: JSONBody[Group]
) -> Preview:
    """What replaying, or releasing, would come to under today's rules. Nothing is changed; ten times a minute at most."""
    limits.spend(PREVIEWS, caller.connection.id)
    return await replaying(hub, caller.connection, _finder(caller, data))


@post("/letters/replay", name="api-replay", status_code=200, opt=CHANGES, responses=problems(changes=True, body=True))
async def api_replay(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Group]) -> Done:
    """Put the dead letters of one group back, or one of them; each is decided again."""
    return Done(count=await replay(hub, caller.connection, _finder(caller, data)))


@post("/letters/release", name="api-release", status_code=200, opt=CHANGES, responses=problems(changes=True, body=True))
async def api_release(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Group]) -> Done:
    """Let go what is held of one group, or one of it; each is decided again first."""
    return Done(count=await release(hub, caller.connection, _finder(caller, data)))


@post("/letters/dismiss", name="api-dismiss", status_code=200, opt=CHANGES, responses=problems(changes=True, body=True))
async def api_dismiss(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Dismissal]) -> Done:
    """End the letters of one group without writing them."""
    find = group_finder(caller.connection, data.group)
    return Done(count=await dismiss(hub, caller.connection, find, who=caller.name, why=data.why))


about_letters: tuple[HTTPRouteHandler, ...] = (api_letters, api_preview, api_replay, api_release, api_dismiss)
