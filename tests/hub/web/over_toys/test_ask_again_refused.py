"""A click that comes to nothing leaves what a person still has to mend: dead letters end where a mail is on its way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk.store import repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, NEW = "ada@example.com", "ada@new.example"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
Asks = Callable[[str, str], Awaitable[Any]]


def offered(page: Any) -> list[str]:
    """The buttons that ask again."""
    forms = [form for form in page.read.forms if form.action == "/activity/contact"]
    return [value for form in forms for _, value, _ in form.buttons if value.startswith("ask-again")]


async def press(guest: Any, page: Any) -> Any:
    form = next(form for form in page.read.forms if form.action == "/activity/contact")
    return await guest.post("/activity/contact", {**form.values, "action": "ask-again"})


async def refused(yard: Yard, world: World) -> str:
    """Ada says yes, and the newsletter refuses to take her: a dead letter, and no mail."""
    world.mail.refused_values.add("Ada")
    one = world.form(ADA, YES)
    await yard.settle(60)
    return one


async def given_up(yard: Yard) -> tuple[int, int]:
    """How many dead letters there are, and repairs that stand."""
    rows = await yard.look(lambda tx: tx.all("select id from outbox where state = 'dead'"))
    return len(rows), len(await yard.look(repairs.still_open))


async def test_a_yes_at_the_former_address_is_not_offered_at_the_new_one(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = await refused(yard, world)
    before = await asks(ADA, "en")
    assert offered(before) == ["ask-again"]
    world.person_edits(one, "email", NEW)
    await yard.settle(600)
    world.mail.refused_values.clear()
    assert await given_up(yard) == (2, 1)
    page = await asks(NEW, "en")
    assert offered(page) == []
    assert (await press(guest, page)).status == 409
    await yard.settle(600)
    assert world.mails_to(ADA) == world.mails_to(NEW) == []
    assert await given_up(yard) == (2, 1)


async def test_a_click_that_the_decision_refuses_leaves_the_dead_letter_and_its_repair(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = await refused(yard, world)
    world.mail.refused_values.clear()
    page = await asks(ADA, "en")
    world.workflow_sets(one, "wants_news", "no")
    world.posts.clear()
    assert (await press(guest, page)).status == 200
    await yard.settle(600)
    assert world.mails_to(ADA) == []
    assert await given_up(yard) == (1, 1)


async def test_until_it_is_decided_nothing_given_up_is_over(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await refused(yard, world)
    world.mail.refused_values.clear()
    assert (await press(guest, await asks(ADA, "en"))).status == 200
    assert await given_up(yard) == (1, 1)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert await given_up(yard) == (0, 0)


async def test_an_id_that_names_two_contacts_asks_neither(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    """Each system counts its contacts by itself: the same number is one person's here and another's there."""
    one = await refused(yard, world)
    world.mail.refused_values.clear()
    world.form("ben@example.com", {**YES, "name": "Ben"})
    await yard.settle(60)
    assert offered(await asks(one, "en")) == ["ask-again"]
    await yard.store.write(
        lambda tx: tx.run("update link set remote = :one where system = 'news' and remote <> :one", one=one)
    )
    page = await asks(one, "en")
    assert offered(page) == []
    assert (await press(guest, page)).status == 409
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    assert offered(await asks(ADA, "en")) == ["ask-again"]
