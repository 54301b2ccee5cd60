"""Change API Key to another account: what that means is told, a person says yes, and a new pair begins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.relay.leaving import tidy_up
from stellwerk.sdk import Option
from stellwerk.store import consent, outbox
from stellwerk.store.outbox import NewDelivery
from stellwerk_rules.model import Fact, FactKind

pytestmark = pytest.mark.anyio

GOOD, OTHER = "very-hidden-good-key", "very-hidden-other-key"


@pytest.fixture
async def asked(person: Any) -> Any:
    """The settings of a connection that runs, with the key of another account tested."""
    await person.sets_up()
    page = await person.submit(await person.open("/settings"), action="change-key")
    return await person.submit(page, action="test-key", account__post__api_key=OTHER, setting__sender="Typed")


async def the_connection(hub: Any) -> Any:
    (one,) = await hub.connections_of("shop:7")
    return one


async def suppress(hub: Any) -> str:
    one = await the_connection(hub)
    address = str(hub.vault.address("ada@example.com"))
    fact = Fact(kind=FactKind.OPTED_OUT, key="k", at=datetime(2026, 1, 1, tzinfo=UTC), event="e", final=True)
    await hub.store.write(lambda tx: consent.add(tx, "post:900", address, one.id, [fact], hub.now()))
    return address


async def suppressed(hub: Any, account: str, address: str) -> bool:
    return await hub.store.read(lambda tx: consent.suppressed_since(tx, account, address)) is not None


async def test_another_accounts_key_is_told_to_be_one_with_what_that_means(asked: Any) -> None:
    assert "Toypost accepts it. Account: Other Letters." in asked.text
    assert "This is another account: Other Letters" in asked.text
    assert "no longer works with Acme Letters. It begins anew" in asked.text
    assert "an initial sync brings them in" in asked.text
    assert asked.form.values["setting.sender"] == "Typed"


async def test_without_the_tick_it_stays_with_its_account(person: Any, hub: Any, asked: Any) -> None:
    refused = await person.submit(asked, action="save")
    assert refused.status == 422
    assert "Please read what that means and tick it; nothing was saved." in refused.text
    assert refused.form.values["setting.sender"] == "Typed"
    assert (await the_connection(hub)).accounts == {"shop": "shop:7", "post": "post:900"}
    assert await hub.account("post:901") is None


async def test_a_tick_beside_another_accounts_name_moves_it_nowhere(person: Any, hub: Any, asked: Any) -> None:
    refused = await person.submit(asked, action="save", move="yes", moving_to="post:902")
    assert refused.status == 422
    assert (await the_connection(hub)).accounts["post"] == "post:900"


@pytest.mark.behaviour("pair-new")
async def test_with_the_tick_it_begins_anew_and_who_opted_out_stays_so(
    person: Any, hub: Any, asked: Any, world: Any
) -> None:
    before = await the_connection(hub)
    address = await suppress(hub)
    done = await person.submit(asked, action="save", move="yes")
    assert done.status == 303, done.text
    after = await the_connection(hub)
    assert (after.id, after.accounts["post"], after.settings["sender"]) == (before.id, "post:901", "Typed")
    assert after.began > before.began
    assert await suppressed(hub, "post:901", address)
    page = await person.open("/settings")
    assert "Contacts that existed before come in only with an initial sync." in page.text
    assert "Toypost account: Other Letters" in page.text
    assert "jo@shop7.example Moved to another account." in (await person.open("/history")).text
    await tidy_up(hub)
    assert world.undone == [("toypost", 3)]


async def test_of_an_account_that_was_only_for_trying_nothing_is_carried_over(
    person: Any, hub: Any, asked: Any
) -> None:
    address = await suppress(hub)
    assert (await person.submit(asked, action="save", move="yes", carry="no")).status == 303
    assert not await suppressed(hub, "post:901", address)
    assert await suppressed(hub, "post:900", address)


async def test_a_person_who_changes_their_mind_stays_with_the_account(person: Any, hub: Any, asked: Any) -> None:
    page = await person.submit(asked, action="keep-key")
    assert "This is another account" not in page.text
    assert page.form.values["setting.sender"] == "Typed"
    assert (await person.submit(page, action="save")).status == 303
    assert (await the_connection(hub)).accounts["post"] == "post:900"


async def test_opt_outs_on_their_way_keep_it_until_a_person_takes_care_of_them(
    person: Any, hub: Any, asked: Any
) -> None:
    one = await the_connection(hub)
    new = NewDelivery(
        account="shop:7", connection=one.id, contact=1, tag="set_fields", once="o", urgency=0, due=4e9, body=b"",
        event="1", created=hub.now(),
    )  # fmt: skip
    await hub.store.write(lambda tx: outbox.put(tx, new))
    refused = await person.submit(asked, action="save", move="yes")
    assert refused.status == 422
    assert "Opt-outs are still on their way to the account of before" in refused.text
    assert await hub.account("post:901") is None
    assert (await person.submit(refused, action="save", move="yes", anyway="yes")).status == 303
    assert (await the_connection(hub)).accounts["post"] == "post:901"


async def test_what_mails_is_agreed_to_anew(person: Any, hub: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key=GOOD)
    page = await person.submit(page, action="save", setting__ask="yes", setting__template="T1")
    assert (await person.submit(page, action="save", agree="yes")).status == 303
    assert (await the_connection(hub)).agreed is not None
    page = await person.submit(await person.open("/settings"), action="change-key")
    page = await person.submit(page, action="test-key", account__post__api_key=OTHER)
    refused = await person.submit(page, action="save", move="yes")
    assert refused.status == 422
    assert "Please read the sentence under “Consent” and tick it" in refused.text
    assert (await person.submit(refused, action="save", move="yes", agree="yes")).status == 303


async def test_lists_are_those_of_the_account_it_moves_to(person: Any, hub: Any, world: Any) -> None:
    connector = hub.systems["post"].connector

    async def options(self: Any, name: str, /) -> list[Option]:
        return [Option(value=self.account.api_key.reveal()[12:15], label="of this key")]

    connector.options = options
    await person.sets_up()
    page = await person.submit(await person.open("/settings"), action="change-key")
    assert "goo" in page.answer.text
    page = await person.submit(page, action="test-key", account__post__api_key=OTHER)
    assert 'value="oth"' in page.answer.text
    assert 'value="goo"' not in page.answer.text
