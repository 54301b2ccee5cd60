"""Settings that stand only in the toys' file reach decisions; what customers choose there is what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stellwerk.store import repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
QUIET_SECONDS = 30.0
Connect = Callable[..., Awaitable[Yard]]


@pytest.fixture
async def connected(world: World, tmp_path: Path) -> AsyncIterator[Connect]:
    """A yard whose connection has these settings."""
    yards: list[Yard] = []

    async def make(*, agreed: bool = True, **settings: Any) -> Yard:
        yard = Yard(tmp_path, world)
        await yard.start()
        yards.append(yard)
        await yard.connect(settings, agreed=agreed)
        return yard

    yield make
    for yard in yards:
        await yard.stop()


async def signed_up(yard: Yard, **fields: str) -> str:
    one = yard.world.form(ADA, {**YES, **fields})
    await yard.settle(QUIET_SECONDS)
    return one


async def joined(yard: Yard) -> str:
    one = await signed_up(yard)
    assert yard.world.confirm()
    await yard.settle(QUIET_SECONDS)
    return one


# --- asking or granting -----------------------------------------------------------------------------------------------


@pytest.mark.behaviour("asks-grant")
async def test_without_asking_a_new_address_gets_the_level_that_was_agreed_to(connected: Connect, world: World) -> None:
    await signed_up(await connected(ask_first=False, level="single"))
    there = world.news(ADA)
    assert there is not None
    assert (there.permission, there.fields, world.mail.sent) == ("one", {"FIRST": "Ada"}, [])


@pytest.mark.behaviour("asks-not-agreed")
async def test_nothing_is_granted_that_nobody_agreed_to(connected: Connect, world: World) -> None:
    await signed_up(await connected(agreed=False, ask_first=False, level="single"))
    there = world.news(ADA)
    assert there is None or there.permission == "nothing"


async def test_a_level_that_is_granted_leaves_an_address_alone_that_is_known(connected: Connect, world: World) -> None:
    world.mail.create(ADA, "nothing", None, {})
    await signed_up(await connected(ask_first=False, level="single"))
    there = world.news(ADA)
    assert there is not None
    assert there.permission == "nothing"


@pytest.mark.behaviour("known-marker")
async def test_an_address_with_a_marker_is_not_created(connected: Connect, world: World) -> None:
    world.mail.create(ADA, "full", None, {})
    world.unsubscribe(ADA)
    await signed_up(await connected(ask_first=False, level="single"))
    assert world.news(ADA) is None
    assert world.mail.sent == []


@pytest.mark.behaviour("known-marker")
async def test_an_address_with_a_marker_is_not_asked_without_a_way_back(connected: Connect, world: World) -> None:
    world.mail.create(ADA, "full", None, {})
    world.unsubscribe(ADA)
    await signed_up(await connected())
    assert world.mail.sent == []


@pytest.mark.behaviour("asks-own-more")
async def test_a_contact_may_ask_for_more_than_the_connection_does(connected: Connect, world: World) -> None:
    await signed_up(await connected(ask_first=False, level="single"), ask_me="yes")
    there = world.news(ADA)
    assert there is not None
    assert (there.permission, len(world.mail.sent)) == ("nothing", 1)


@pytest.mark.behaviour("asks-own-less-form")
async def test_a_hidden_form_field_skips_no_question(connected: Connect, world: World) -> None:
    await signed_up(await connected(short_cut=True), ask_me="no", my_level="single")
    there = world.news(ADA)
    assert there is not None
    assert (there.permission, len(world.mail.sent)) == ("nothing", 1)


async def test_silence_counts_as_yes_only_where_somebody_chose_so_and_agreed(connected: Connect, world: World) -> None:
    yard = await connected(silence="yes")
    world.form(ADA, {"name": "Ada"})
    await yard.settle(QUIET_SECONDS)
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("answer-unset")
async def test_silence_counts_as_no_until_somebody_agreed(connected: Connect, world: World) -> None:
    yard = await connected(agreed=False, silence="yes")
    world.form(ADA, {"name": "Ada"})
    await yard.settle(QUIET_SECONDS)
    assert world.mail.sent == []


@pytest.mark.behaviour("asks-mailing")
@pytest.mark.parametrize(
    ("fields", "letter"),
    [({}, "spring"), ({"language": "de"}, "welcome-de"), ({"my_letter": "welcome-en"}, "welcome-en")],
)
async def test_the_letter_is_the_connections_the_languages_or_the_contacts(
    connected: Connect, world: World, fields: dict[str, str], letter: str
) -> None:
    await signed_up(await connected(letter="spring"), **fields)
    assert [mail.letter for mail in world.mail.sent] == [letter]


async def test_a_number_setting_decides_whether_a_forms_no_counts(connected: Connect, world: World) -> None:
    yard = await connected(carefulness=0)
    await joined(yard)
    world.form(ADA, {"wants_news": "no"})
    await yard.settle(QUIET_SECONDS)
    assert world.news(ADA) is None


# --- stages and diary -------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("stage-other")
async def test_a_stage_that_somebody_else_moved_stays(connected: Connect, world: World) -> None:
    yard = await connected()
    one = await signed_up(yard)
    world.person_edits(one, "stage", "regular")
    world.confirm()
    await yard.settle(QUIET_SECONDS)
    assert world.crm.records[one].stages == ["visitor", "regular"]


@pytest.mark.behaviour("stage-required")
async def test_a_shop_that_refuses_to_blank_the_stage_keeps_it_and_a_person_is_told(
    connected: Connect, world: World
) -> None:
    yard = await connected()
    one = await joined(yard)
    world.crm.stage_required = True
    world.unsubscribe(ADA)
    await yard.settle(QUIET_SECONDS)
    assert world.crm.records[one].stages == ["visitor", "guest"]
    assert "stage-clear-refused" in [row["code"] for row in await yard.look(repairs.still_open)]


async def test_a_move_that_is_switched_off_moves_nothing(connected: Connect, world: World) -> None:
    yard = await connected(welcome={"enabled": False, "source": "visitor", "target": "guest"})
    assert world.crm.records[await joined(yard)].stages == ["visitor"]


@pytest.mark.behaviour("timeline")
async def test_the_diary_stays_empty_where_only_properties_are_wanted(connected: Connect, world: World) -> None:
    yard = await connected(diary="properties_only")
    record = world.crm.records[await joined(yard)]
    assert record.notes == []
    assert record.value("news_state") == "subscribed"


@pytest.mark.behaviour("crm-out-back")
async def test_leaving_closes_the_shops_mail_only_where_that_was_chosen(connected: Connect, world: World) -> None:
    yard = await connected(close_shop=True)
    one = await joined(yard)
    world.unsubscribe(ADA)
    await yard.settle(QUIET_SECONDS)
    assert world.crm.records[one].value("no_mail") == "yes"


@pytest.mark.behaviour("crm-out")
async def test_who_closed_the_shops_mail_is_asked_nothing(connected: Connect, world: World) -> None:
    await signed_up(await connected(), no_mail="yes")
    assert world.mail.sent == []


# --- going ------------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("deleted-keep")
@pytest.mark.parametrize(("on_removal", "left", "there"), [("keep", 0, 1), ("unsubscribe", 1, 0), ("delete", 0, 0)])
async def test_a_removed_contact_keeps_leaves_or_loses_its_address(
    connected: Connect, world: World, on_removal: str, left: int, there: int
) -> None:
    yard = await connected(on_removal=on_removal)
    one = await joined(yard)
    world.person_deletes(one)
    await yard.settle(QUIET_SECONDS)
    assert (len(world.mail.report), int(world.news(ADA) is not None)) == (left, there)


@pytest.mark.behaviour("moved-new")
async def test_a_new_address_is_asked_anew_and_the_old_one_keeps_what_it_gave(connected: Connect, world: World) -> None:
    yard = await connected()
    one = await joined(yard)
    world.person_edits(one, "email", "countess@example.com")
    await yard.settle(QUIET_SECONDS)
    old, new = world.news(ADA), world.news("countess@example.com")
    assert old is not None
    assert new is not None
    assert (old.permission, new.permission) == ("full", "nothing")
    assert [mail.email for mail in world.mail.sent] == [ADA, "countess@example.com"]
    world.person_edits(one, "name", "Countess")
    await yard.settle(QUIET_SECONDS)
    assert (old.fields["FIRST"], new.fields["FIRST"]) == ("Ada", "Countess")


async def test_another_case_of_the_same_address_changes_nothing(connected: Connect, world: World) -> None:
    yard = await connected()
    one = await joined(yard)
    world.person_edits(one, "email", "Ada@Example.com")
    await yard.settle(QUIET_SECONDS)
    assert len(world.mail.sent) == 1
    assert len(world.mail.records) == 1
