"""What a system did in the place of what was wanted: shown with its contacts, until it does what is wanted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from stellwerk.sdk import AddEntry, Delivery, Receipt
from stellwerk.store import repairs
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
CODE = "written-otherwise"


@pytest.fixture
def otherwise(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the shop writes diary entries in another way; as long as the list is not empty."""
    whole = ToyCrm.apply
    told = [True]

    async def apply(self: ToyCrm, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        receipts = await whole(self, deliveries)
        return [
            replace(receipt, instead=CODE, text="entries are written in pencil")
            if told and isinstance(one.change, AddEntry)
            else receipt
            for one, receipt in zip(deliveries, receipts, strict=True)
        ]

    monkeypatch.setattr(ToyCrm, "apply", apply)
    return told


async def shown(yard: Yard) -> list[str]:
    return [row["text"] for row in await yard.look(repairs.still_open) if row["code"] == CODE]


async def confirms(yard: Yard, email: str) -> None:
    yard.world.form(email, {"wants_news": "yes", "stage": "visitor", "language": "de"})
    await yard.settle(30)
    assert yard.world.confirm()
    await yard.settle(30)


async def test_it_is_one_repair_that_counts_the_contacts_and_ends_by_itself(
    yard: Yard, world: World, otherwise: list[bool]
) -> None:
    await confirms(yard, "ada@example.com")
    assert await shown(yard) == ["entries are written in pencil (1 contact so far)"]
    await confirms(yard, "eve@example.com")
    world.unsubscribe("ada@example.com")
    await yard.settle(30)
    assert await shown(yard) == ["entries are written in pencil (2 contacts so far)"]
    otherwise.clear()
    await confirms(yard, "bob@example.com")
    assert await shown(yard) == []
    otherwise.append(True)
    await confirms(yard, "joe@example.com")
    assert await shown(yard) == ["entries are written in pencil (1 contact so far)"]


async def test_other_writes_say_nothing_of_it(yard: Yard, world: World, otherwise: list[bool]) -> None:
    await confirms(yard, "ada@example.com")
    record = world.shop("ada@example.com")
    assert record is not None
    assert record.value("news_state") == "subscribed"
    assert len(await shown(yard)) == 1
