"""Another `secret_key`: everything stored is wrapped and sealed anew, and who opted out stays out."""

from __future__ import annotations

import pytest

from stellwerk.errors import StoreError
from stellwerk.relay.housekeeping import seal_anew
from stellwerk.store import outbox, rotation
from stellwerk.store.vault import Vault
from stellwerk_toys.world import World
from stellwerk_toys.yard import ENVIRON, Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
BEN = "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
OLD = ENVIRON["TOYS_SECRET_KEY"]
NEW = "another secret key of the toys' hub, 32 or more"


async def restarted(yard: Yard, *keys: str) -> None:
    yard.keys = keys
    await yard.restart()


async def test_who_opted_out_stays_out_and_what_waits_goes_on_under_another_key(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    world.unsubscribe(ADA)
    await yard.settle(30)
    world.form(BEN, YES)
    await yard.take_in()
    await yard.drain("shop")
    assert (await yard.look(outbox.counts))["waiting"] == 1
    world.import_("cy@example.com", YES)
    await yard.take_in()
    await restarted(yard, NEW, OLD)
    await seal_anew(yard.hub)
    assert not await yard.look(rotation.is_under_way)
    await restarted(yard, NEW)
    world.import_(ADA, {"town": "Ulm"})
    await yard.settle(30)
    assert [len(world.mails_to(one)) for one in (ADA, BEN, "cy@example.com")] == [1, 1, 1]
    assert world.mail.marked(ADA)


async def test_until_all_is_sealed_anew_the_hub_works_with_both_keys_also_after_a_restart(
    yard: Yard, world: World
) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await restarted(yard, NEW, OLD)
    assert await yard.look(rotation.is_under_way)
    await restarted(yard, NEW, OLD)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
    await restarted(yard, NEW)
    await yard.look(lambda tx: rotation.is_under_way(tx))
    await seal_anew(yard.hub)
    rows = await yard.look(lambda tx: tx.all("select body from trace"))
    assert rows
    accounts = await yard.look(lambda tx: [row["id"] for row in tx.all("select id from account")])
    fresh = Vault(NEW)
    keys = await yard.look(lambda tx: tx.all("select id, data_key from account"))
    for row in keys:
        fresh.use_account_key(row["id"], row["data_key"])

    def opens(body: bytes) -> bool:
        for account in accounts:
            try:
                fresh.open(account, body)
            except StoreError:
                continue
            return True
        return False

    assert all(opens(row["body"]) for row in rows)


async def test_the_former_key_alone_starts_nothing_any_more(yard: Yard) -> None:
    await restarted(yard, NEW, OLD)
    await seal_anew(yard.hub)
    await yard.stop()
    yard.keys = (OLD,)
    with pytest.raises(StoreError, match="another secret_key"):
        await yard.start()
    await yard.store.close()
    yard.keys = (NEW,)
    await yard.start()


async def test_a_third_key_is_refused_and_nothing_is_changed(yard: Yard) -> None:
    await yard.stop()
    yard.keys = ("a third key that never sealed anything here", "and a fourth one that did not either")
    with pytest.raises(StoreError, match="another secret_key"):
        await yard.start()
    await yard.store.close()
    yard.keys = (OLD,)
    await yard.start()


async def test_a_second_replacement_waits_for_the_first(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await restarted(yard, NEW, OLD)
    await yard.stop()
    yard.keys = ("one more secret key of the toys' hub", NEW)
    with pytest.raises(StoreError, match="an earlier replacement"):
        await yard.start()
    await yard.store.close()
    yard.keys = (NEW, OLD)
    await yard.start()
    await seal_anew(yard.hub)
    await restarted(yard, "one more secret key of the toys' hub", NEW)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
