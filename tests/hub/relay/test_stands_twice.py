"""An address with two contacts at the mail system: linked to none, said to a person, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest

from stellwerk.sdk import Contact, Presence, Ref
from stellwerk.store import outbox, repairs
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, BEN = "ada@example.com", "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada"}


class Doubling(ToyMail):
    """The toy newsletter, where the addresses of `doubled` read twice."""

    doubled: ClassVar[set[str]] = set()

    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        now = self._services.now()
        return [
            Contact(email=ref.value, presence=Presence.TWICE, read_at=now) if ref.value in self.doubled else contact
            for ref, contact in zip(refs, await super().read(refs, fields, history), strict=True)
        ]


@pytest.fixture
def doubling(yard: Yard) -> Yard:
    Doubling.doubled = {ADA}
    news = yard.hub.systems["news"]
    yard.hub.systems = {**yard.hub.systems, "news": msgspec.structs.replace(news, connector=Doubling)}
    return yard


@pytest.mark.behaviour("known-twice")
async def test_an_address_that_stands_twice_is_held_and_said_and_the_others_go_on(doubling: Yard, world: World) -> None:
    world.form(ADA, YES)
    world.form(BEN, YES)
    await doubling.settle(60)
    assert (world.mails_to(ADA), len(world.mails_to(BEN))) == ([], 1)
    assert [row["code"] for row in await doubling.look(repairs.still_open)] == ["stands-twice"]
    assert (await doubling.look(outbox.counts))["held"] == 1


async def test_what_was_held_shows_so_at_the_source(doubling: Yard, world: World) -> None:
    world.form(ADA, YES)
    await doubling.settle(60)
    record = world.shop(ADA)
    assert record is not None
    assert record.value("news_state") == "held"
