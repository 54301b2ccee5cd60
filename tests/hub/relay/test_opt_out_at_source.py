"""The CRM's own "no mail at all": it counts for whatever would be sent, and unsubscribes where the file says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
REMOVED = "  - {id: removed, from: shop, to: news, events: [deleted], contact: settings.on_removal}\n"
CLOSED = "  - {id: closed, from: shop, to: news, events: [unsubscribed], contact: settings.on_removal}\n"


@pytest.fixture
async def closing(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Any:
    """A yard whose file says what becomes of whoever wants no mail of the shop at all, with Ada subscribed."""
    file = tmp_path / "integration-toys.yaml"
    text = FILE.read_text("utf-8")
    assert REMOVED in text
    file.write_text(text.replace(REMOVED, REMOVED + CLOSED), "utf-8")
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect({"on_removal": request.param})
    world.form(ADA, YES)
    await made.settle(30)
    assert world.confirm()
    await made.settle(30)
    yield made
    await made.stop()


@pytest.mark.behaviour("crm-out-unsubscribes")
@pytest.mark.parametrize("closing", ["unsubscribe"], indirect=True)
async def test_who_closes_the_shops_mail_leaves_the_newsletter_where_that_was_chosen(
    closing: Yard, world: World
) -> None:
    (one,) = world.crm.records
    world.person_edits(one, "no_mail", "yes")
    await closing.settle(600)
    assert (len(world.mail.report), world.news(ADA)) == (1, None)
    world.person_edits(one, "name", "Countess")
    await closing.settle(600)
    assert (len(world.mail.report), len(world.mail.sent)) == (1, 1)


@pytest.mark.parametrize("closing", ["keep"], indirect=True)
async def test_who_closes_the_shops_mail_keeps_the_newsletter_elsewhere(closing: Yard, world: World) -> None:
    (one,) = world.crm.records
    world.person_edits(one, "no_mail", "yes")
    await closing.settle(600)
    there = world.news(ADA)
    assert there is not None
    assert (world.mail.report, len(world.mail.sent)) == ([], 1)


@pytest.mark.parametrize("closing", ["unsubscribe"], indirect=True)
async def test_opened_again_only_a_new_yes_leads_back_and_only_by_a_mail(closing: Yard, world: World) -> None:
    (one,) = world.crm.records
    world.person_edits(one, "no_mail", "yes")
    await closing.settle(600)
    world.clock.advance(86_400.0)
    world.person_edits(one, "no_mail", "")
    await closing.settle(600)
    assert len(world.mail.sent) == 1
    world.person_edits(one, "wants_news", "no")
    world.person_edits(one, "wants_news", "yes")
    await closing.settle(600)
    assert len(world.mails_to(ADA)) == 2
    assert world.confirm()
    await closing.settle(600)
    record = world.shop(ADA)
    assert record is not None
    assert record.value("news_state") == "subscribed"
