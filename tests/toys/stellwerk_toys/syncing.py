"""What the tests of a sync do over and over: people that were there before, a dry run, a sync, and what was said of whom."""

from __future__ import annotations

from typing import Any

import msgspec

from stellwerk.relay import sync
from stellwerk.relay.backfill import Said
from stellwerk.store import accounts, counts, syncs
from stellwerk.store.store import Tx
from stellwerk.store.syncs import DryRow
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

DAY = 86_400.0
YES = {"wants_news": "yes", "name": "Ada", "language": "de"}
MANY = 12  # the toy shop has five on a page


def people(world: World, count: int = MANY, fields: dict[str, str | None] | None = None) -> list[str]:
    """Contacts that were there before anybody thought of a newsletter; their addresses."""
    world.crm.fields.update(("wants_news", "ask_me", "my_level"))
    emails = [f"old{number}@example.com" for number in range(count)]
    for email in emails:
        world.import_(email, YES if fields is None else fields)
    return emails


async def dry(yard: Yard, **terms: Any) -> dict[str, Any]:
    begun = await sync.dry_run(yard.hub, connection="toys", by="jo", **terms)
    await yard.settle(30)
    return await sync.one_status(yard.hub, begun["run"])


async def synced(yard: Yard, **numbers: Any) -> dict[str, Any]:
    begun = await sync.start(yard.hub, connection="toys", by="jo", **numbers)
    await yard.settle(60)
    return await sync.one_status(yard.hub, begun["run"])


async def said(yard: Yard, run: int) -> dict[str, tuple[str, str, bool]]:
    """By address: what a dry run said, why, and whether it would be new over there."""

    def load(tx: Tx) -> list[tuple[DryRow, Said]]:
        one = syncs.by_id(tx, run)
        assert one is not None
        accounts.by_id(tx, yard.hub.vault, one.account)
        rows = syncs.rows(tx, run, "", 1000)
        return [(row, msgspec.json.decode(yard.hub.vault.open(one.account, row.body), type=Said)) for row in rows]

    return {body.email: (row.what, row.code, body.new) for row, body in await yard.look(load)}


async def six_add_up(yard: Yard) -> bool:
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    return sum(six.values()) == acknowledged and not six["dead"]


def in_news(world: World) -> list[str]:
    return sorted(one.email or "" for one in world.mail.records.values())
