"""A mail system whose times bear no zone: doubtful by a day, until its connector has learnt the zone from a write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Self

import msgspec
import pytest

from stellwerk.sdk import Ask, Delivery, Receipt, Services
from stellwerk.store import consent
from stellwerk.store.store import Tx
from stellwerk_rules.model import Fact, FactKind
from stellwerk_toys.toymail import ToyMail, ToyMailAccount, ToyMailSystem
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, BEN = "ada@example.com", "ben@example.com"
HOUR, DAY = 3600.0, 86_400.0
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}


class ZonelessMail(ToyMail):
    """The toy newsletter as one that prints no zones; `told` are the zones it was opened with."""

    prints_no_zone: ClassVar[bool] = True
    told: ClassVar[list[str | None]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, system: ToyMailSystem, account: ToyMailAccount, services: Services, /) -> AsyncIterator[Self]:
        cls.told.append(services.zone)
        async with super().open(system, account, services) as connector:
            yield connector

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        receipts = await super().apply(deliveries)
        if any(isinstance(delivery.change, Ask) for delivery in deliveries):
            self._services.zone_seen("+01:00")
        return receipts


@pytest.fixture
def zoneless(yard: Yard) -> Yard:
    ZonelessMail.told.clear()
    news = yard.hub.systems["news"]
    yard.hub.systems = {**yard.hub.systems, "news": msgspec.structs.replace(news, connector=ZonelessMail)}
    return yard


async def opt_outs(yard: Yard, email: str) -> list[Fact]:
    def load(tx: Tx) -> tuple[Fact, ...]:
        return consent.facts(tx, f"news:{yard.world.name}-news", yard.hub.vault.address(email))

    return [fact for fact in await yard.look(load) if fact.kind is FactKind.OPTED_OUT and fact.final]


async def joins_there_and_leaves(yard: Yard, email: str) -> None:
    yard.world.mail.joins_there(email)
    await yard.settle(30)
    yard.world.unsubscribe(email)
    await yard.settle(30)


async def test_the_first_ask_teaches_the_zone_and_the_next_opening_knows_it(zoneless: Yard, world: World) -> None:
    world.form(BEN, YES)
    await zoneless.settle(30)
    assert world.mails_to(BEN)
    await zoneless.restart()
    world.unsubscribe(BEN)
    assert ZonelessMail.told[0] is None
    zoneless.hub.systems = {
        **zoneless.hub.systems,
        "news": msgspec.structs.replace(zoneless.hub.systems["news"], connector=ZonelessMail),
    }
    await zoneless.settle(30)
    assert ZonelessMail.told[-1] == "+01:00"


async def test_an_opt_out_told_before_the_zone_was_learnt_stays_doubtful_and_a_later_one_is_not(
    zoneless: Yard, world: World
) -> None:
    await joins_there_and_leaves(zoneless, ADA)
    world.form(BEN, YES)
    await zoneless.settle(30)
    assert world.confirm()
    await zoneless.settle(30)
    world.unsubscribe(BEN)
    await zoneless.settle(30)
    assert [fact.unzoned for fact in await opt_outs(zoneless, ADA)] == [True]
    assert [fact.unzoned for fact in await opt_outs(zoneless, BEN)] == [False]


@pytest.mark.behaviour("fields-zone")
@pytest.mark.parametrize(("hours", "mails"), [(3, 0), (23, 0), (25, 1)])
async def test_a_yes_leads_back_only_a_day_after_an_opt_out_whose_zone_was_not_known(
    zoneless: Yard, world: World, hours: float, mails: int
) -> None:
    await joins_there_and_leaves(zoneless, ADA)
    await zoneless.settle(hours * HOUR)
    world.form(ADA, YES)
    await zoneless.settle(30)
    assert len(world.mails_to(ADA)) == mails
