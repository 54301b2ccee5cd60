"""Both sides compared by a program: begun, followed, and what was found; nobody is mailed by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from stellwerk.relay.hub import Hub
from stellwerk.relay.states import set_state
from stellwerk.store import api_tokens, connections, meta
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
Calls: TypeAlias = Callable[..., Awaitable[Any]]
ADA = "ada@example.com"


@pytest.fixture
async def calls(site: Any, hub: Hub) -> Calls:
    """Calls the API with a token of this connection that may change things."""
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="toys", name="report", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )

    async def call(method: str, path: str, body: Any = None) -> Any:
        return await site.request(method, path, headers={"authorization": f"Bearer {text}"}, json=body)

    return call


async def test_before_the_first_comparison_there_is_none(calls: Calls) -> None:
    answer = await calls("GET", "/api/reconcile")
    assert (answer.status_code, answer.json()) == (200, {"comparison": None})


async def test_an_opt_out_that_no_webhook_told_is_found_and_carried(calls: Calls, yard: Yard, world: World) -> None:
    world.form(ADA, {"wants_news": "yes", "name": "Ada", "language": "en"})
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    mails = len(world.mails_to(ADA))
    world.unsubscribe(ADA)
    world.posts.clear()
    last = str(len(world.mail.journal))
    (one,) = await yard.look(connections.every)
    await yard.store.write(lambda tx: meta.set_cursor(tx, one.accounts["news"], "poll", last))
    begun = await calls("POST", "/api/reconcile", {})
    assert (begun.status_code, begun.json()["comparison"]["state"]) == (202, "compares")
    again = await calls("POST", "/api/reconcile", {})
    assert (again.status_code, "is going on, begun by" in again.json()["detail"]) == (409, True)
    await yard.settle(60)
    told = (await calls("GET", "/api/reconcile")).json()["comparison"]
    assert (told["state"], told["mend"], told["waiting"]) == ("done", True, 0)
    assert [(row["kind"], row["count"], row["mends"]) for row in told["drift"]] == [("opt_out", 1, 1)]
    assert [(one["kind"], one["mends"]) for one in told["found"]] == [("opt_out", True)]
    assert "report" in told["by"]
    assert len(world.mails_to(ADA)) == mails


async def test_without_mend_it_is_listed_only(calls: Calls, yard: Yard) -> None:
    begun = await calls("POST", "/api/reconcile", {"mend": False})
    assert (begun.status_code, begun.json()["comparison"]["mend"]) == (202, False)


async def test_a_connection_that_rests_is_not_compared(calls: Calls, yard: Yard, hub: Hub) -> None:
    await set_state(hub, connection="toys", state="rests", by="jo")
    answer = await calls("POST", "/api/reconcile", {})
    assert (answer.status_code, "nothing is compared while it rests" in answer.json()["detail"]) == (409, True)
