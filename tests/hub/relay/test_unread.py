"""A field that a system does not have any more: nothing is carried of it, and a person is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.sdk import Contact
from stellwerk.store import repairs
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
POLL = 700
Joined = Callable[[], Awaitable[str]]


def without(monkeypatch: pytest.MonkeyPatch, connector: type[Any], *names: str) -> None:
    """From now on this system does not have these fields."""
    whole = connector.read

    async def read(
        self: Any, refs: Sequence[Any], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> list[Contact]:
        found = await whole(self, refs, fields, history)
        return [
            replace(one, fields={name: value for name, value in one.fields.items() if name not in names})
            for one in found
        ]

    monkeypatch.setattr(connector, "read", read)


async def gone(yard: Yard) -> dict[str, str]:
    rows = await yard.look(repairs.still_open)
    return {row["subject"]: row["text"] for row in rows if row["code"] == "field-gone"}


@pytest.mark.behaviour("fields-gone")
async def test_a_field_that_is_gone_at_the_shop_empties_nothing_at_the_newsletter_and_the_rest_goes_on(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Ada"
    without(monkeypatch, ToyCrm, "name")
    world.person_edits(one, "town", "Bern")
    await yard.settle(60)
    assert (there.fields["FIRST"], there.fields["TOWN"]) == ("Ada", "Bern")
    told = await gone(yard)
    assert list(told) == ["toys/shop.name"]
    assert told["toys/shop.name"].startswith("shop has no field name any more: 1 contact keeps what was last carried.")


async def test_it_closes_when_the_field_is_back_and_what_changed_meanwhile_is_carried(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    without(monkeypatch, ToyCrm, "name")
    world.person_edits(one, "town", "Bern")
    await yard.settle(60)
    monkeypatch.undo()
    world.person_edits(one, "name", "Augusta")
    await yard.settle(60)
    there = world.news(ADA)
    assert there is not None
    assert (there.fields["FIRST"], await gone(yard)) == ("Augusta", {})


@pytest.mark.behaviour("fields-gone")
async def test_a_field_that_is_gone_at_the_newsletter_empties_nothing_at_the_shop(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    without(monkeypatch, ToyMail, "FIRST")
    world.edit_at_mail(ADA, "TOWN", "Ulm")
    await yard.settle(POLL)
    record = world.crm.records[one]
    assert (record.value("name"), record.value("town")) == ("Ada", "Ulm")
    assert list(await gone(yard)) == ["toys/news.FIRST"]


@pytest.mark.behaviour("enters-answer-unread")
@pytest.mark.parametrize("chosen", [{"silence": "yes"}])
async def test_an_answer_that_cannot_be_read_is_not_guessed_and_counts_once_it_can(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, ToyCrm, "wants_news")
    one = world.form(ADA, {"wants_news": "no", "name": "Ada", "language": "de"})
    await yard.settle(60)
    assert world.mail.sent == []
    monkeypatch.undo()
    world.person_edits(one, "name", "Augusta")
    await yard.settle(60)
    assert world.mail.sent == []
    world.form(ADA, {"wants_news": "yes"})
    await yard.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA]


async def test_an_answer_handled_before_is_no_new_wish_when_it_can_be_read_again(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    world.unsubscribe(ADA)
    await yard.settle(60)
    without(monkeypatch, ToyCrm, "wants_news")
    world.person_edits(one, "town", "Bern")
    await yard.settle(60)
    monkeypatch.undo()
    world.person_edits(one, "town", "Ulm")
    await yard.settle(60)
    assert len(world.mail.sent) == 1
