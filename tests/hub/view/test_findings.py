"""Ten questions that a marketer asks: why did nothing happen? Each is answered with the first thing in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from stellwerk.relay import connect
from stellwerk.store import connections, outbox
from stellwerk.store.connections import Connection
from stellwerk.view.activity import activity
from stellwerk.view.finding import Explained, explained
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}


async def the_connection(yard: Yard) -> Connection:
    found = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert found is not None
    return found


async def asked(yard: Yard, who: str = ADA) -> Explained:
    return await explained(yard.hub, await the_connection(yard), who)


def codes(told: Explained) -> list[tuple[str, str]]:
    return [(one.code, one.about) for one in told.findings]


async def test_a_box_left_unticked_is_named_with_the_value_seen(yard: Yard, world: World) -> None:
    world.form(ADA, {"wants_news": "no"})
    await yard.settle(30)
    told = await asked(yard)
    assert codes(told) == [("skipped-last", "said-no")]
    assert "wants_news" in told.findings[0].detail
    reason = told.findings[0].reason
    assert reason is not None
    assert (reason.rule, bool(reason.line)) == ("join", True)


async def test_no_answer_is_named(yard: Yard, world: World) -> None:
    world.form(ADA, {"name": "Ada"})
    await yard.settle(30)
    assert codes(await asked(yard)) == [("skipped-last", "no-answer")]


async def test_an_opt_out_is_named_with_its_time(
    yard: Yard, world: World, joined: Callable[[], Awaitable[str]]
) -> None:
    await joined()
    world.unsubscribe(ADA)
    await yard.settle(30)
    (suppressed, *_) = (await asked(yard)).findings
    assert (suppressed.code, suppressed.system, bool(suppressed.at)) == ("suppressed", "news", True)


async def test_a_contact_older_than_the_connection_is_named(tmp_path: Path, world: World) -> None:
    world.crm.fields.add("wants_news")
    one = world.import_(ADA, {"name": "Ada"})
    world.clock.advance(100)
    yard = Yard(tmp_path, world)
    await yard.start()
    await yard.connect()
    assert codes(await asked(yard)) == [("never-heard", "")]
    world.person_edits(one, "name", "Lady Ada")
    await yard.settle(30)
    assert codes(await asked(yard)) == [("skipped-last", "older")]
    await yard.stop()


async def test_a_contact_without_an_address_is_found_by_its_number(yard: Yard, world: World) -> None:
    one = world.person_creates(None, {"wants_news": "yes"})
    await yard.settle(30)
    assert codes(await asked(yard, one)) == [("skipped-last", "no-address")]


async def test_what_is_held_is_named(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")

    def hold(tx: Any) -> None:
        tx.run("update outbox set state = 'held', code = 'old-wish', text = 'too old'")

    await yard.store.write(hold)
    assert codes(await asked(yard))[0] == ("held", "old-wish")


async def test_an_account_that_waits_for_a_person_is_named(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()

    def refuse(tx: Any) -> None:
        tx.run("update account set state = 'reauthorize', state_code = 'key-refused' where system = 'news'")

    await yard.store.write(refuse)
    told = await asked(yard)
    assert (told.findings[0].code, told.findings[0].system, told.findings[0].about) == (
        "side-stopped",
        "news",
        "key-refused",
    )


async def test_a_connection_that_rests_is_named(yard: Yard, world: World) -> None:
    await connect.save(yard.hub, structs.replace(await the_connection(yard), state="rests"), who="jo")
    world.form(ADA, YES)
    await yard.settle(30)
    assert codes(await asked(yard))[0] == ("rests", "")


async def test_a_stage_that_is_not_the_source_is_named_with_the_stage_seen(yard: Yard, world: World) -> None:
    world.form(ADA, {**YES, "stage": "regular"})
    await yard.settle(30)
    world.confirm()
    await yard.settle(30)
    told = await asked(yard)
    reasons = [reason for step in told.activity.steps for reason in step.reasons]
    (differs,) = [reason for reason in reasons if reason.code == "stage-differs"]
    assert "regular" in differs.text


async def test_an_own_value_without_effect_is_named(yard: Yard, world: World) -> None:
    world.form(ADA, {**YES, "ask_me": "no"})
    await yard.settle(30)
    told = await asked(yard)
    reasons = [reason.code for step in told.activity.steps for reason in step.reasons]
    assert "override-may-not-skip" in reasons


async def test_our_own_write_that_comes_back_is_named_as_an_echo(
    yard: Yard, world: World, joined: Callable[[], Awaitable[str]]
) -> None:
    await joined()
    world.edit_at_mail(ADA, "FIRST", "Augusta")
    await yard.settle(3600)
    told = await asked(yard)
    assert "echo" in [reason.code for step in told.activity.steps for reason in step.reasons]


async def test_somebody_nobody_ever_told_of_is_said_to_be_unheard(yard: Yard) -> None:
    told = await asked(yard, "nobody@example.com")
    assert codes(told) == [("never-heard", "")]
    assert not told.activity


async def test_what_was_given_up_is_named_with_the_remotes_reason(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    rows = await yard.look(lambda tx: tx.all("select id from outbox"))

    def die(tx: Any) -> None:
        outbox.settle(tx, rows[0]["id"], "dead", code="invalid-address", text="no such host", answer=None, now=1.0)

    await yard.store.write(die)
    first = (await asked(yard)).findings[0]
    assert (first.code, first.about, first.detail) == ("given-up", "invalid-address", "no such host")


async def test_a_connection_is_told_nothing_of_another_with_the_same_accounts(
    yard: Yard, world: World, joined: Callable[[], Awaitable[str]]
) -> None:
    one = await joined()
    mine = await the_connection(yard)
    stranger = structs.replace(mine, id="stranger", accounts={"shop": "shop:other", "news": mine.accounts["news"]})
    for who in (ADA, one):
        told = await yard.look(lambda tx, who=who: activity(tx, yard.hub.vault, who, stranger))  # type: ignore[misc]
        assert (told.contacts, told.steps, told.events, told.waiting, told.consent) == ([], [], [], [], [])


async def test_a_hold_of_the_whole_hub_is_named(yard: Yard, world: World) -> None:
    from stellwerk.relay import holding

    await holding.hold(yard.hub, by="jo")
    world.form(ADA, YES)
    await yard.settle(30)
    assert "on-hold" in [code for code, _ in codes(await asked(yard))]
    assert world.mail.sent == []
