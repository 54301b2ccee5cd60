"""Calls that fail and processes that end, at any call and any commit: the story ends as it should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from stellwerk.relay.drain import drain
from stellwerk.relay.lanes import Lanes
from stellwerk.store import outbox
from stellwerk_toys.clear_text import assert_no_clear_text
from stellwerk_toys.faults import Fault
from stellwerk_toys.story import ADA, QUIET_SECONDS, YES, story, undisturbed
from stellwerk_toys.world import MAIL_KEY, World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
PATIENT_SECONDS = 1800.0
PARTS = 4  # of the crashes at every commit and call, so that several processes may share them


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LIMITED, Fault.RESTING, Fault.LOST, Fault.BROKEN, Fault.CUT])
async def test_with_a_third_of_all_calls_failing_the_story_ends_as_it_should(
    tmp_path: Path, world: World, fault: Fault, seed: int
) -> None:
    seen = await undisturbed(tmp_path, PATIENT_SECONDS)
    yard = Yard(tmp_path, world)
    await yard.start()
    await yard.connect()
    world.faults.sometimes(1 / 3, fault, seed=seed)
    await story(yard, PATIENT_SECONDS)
    assert world.picture() == seen
    await yard.stop()


@pytest.mark.behaviour("asks-unknown-outcome")
async def test_an_ask_of_unknown_outcome_is_not_repeated_while_it_cannot_be_looked_for(
    yard: Yard, world: World
) -> None:
    world.form(ADA, YES)
    # Two reads at the shop, one of the newsletter, the marker; then the ask.
    world.faults.at_next(Fault.BROKEN, calls_before=4)
    await yard.settle()
    assert await yard.look(outbox.counts) == {"sent": 1}
    world.faults.sometimes(1.0, Fault.REFUSED)
    await yard.settle(120)
    assert await yard.look(outbox.counts) == {"sent": 1}
    world.faults.none_any_more()
    await yard.settle(300)
    assert len(world.mail.sent) == 1
    shown = world.shop(ADA)
    assert shown is not None
    assert shown.value("news_state") == "pending"


@pytest.mark.behaviour("trouble-key")
async def test_a_refused_key_pauses_the_newsletter_alone_and_a_new_one_goes_on(yard: Yard, world: World) -> None:
    world.mail.key = "another key"
    world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)
    assert world.mail.sent == []
    world.mail.key = MAIL_KEY
    await yard.connect()
    await yard.settle(QUIET_SECONDS)
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("trouble-one")
async def test_one_bad_row_holds_up_no_other(yard: Yard, world: World) -> None:
    people = [f"p{number}@example.com" for number in range(4)]
    ids = [world.form(email, {**YES, "name": "Old"}) for email in people]
    await yard.settle(QUIET_SECONDS)
    world.mail.refused_values.add("Bad")
    for number, one in enumerate(ids):
        world.person_edits(one, "name", "Bad" if number == 1 else "New")
    await yard.settle(QUIET_SECONDS)
    names = {email: there.fields["FIRST"] for email in people if (there := world.news(email)) is not None}
    assert names == {people[0]: "New", people[1]: "Old", people[2]: "New", people[3]: "New"}


async def test_nothing_personal_stands_in_the_clear_in_the_database(yard: Yard, world: World) -> None:
    await story(yard)
    assert_no_clear_text(yard.path, ADA, "Ada L.", "Lady Ada", MAIL_KEY, "welcome-de")


async def test_with_several_lanes_and_both_sides_at_once_many_contacts_end_as_they_should(
    yard: Yard, world: World
) -> None:
    """Lanes that run by themselves, while events come in; nobody waits for the other."""
    people = [f"p{number}@example.com" for number in range(40)]

    async def quiet(done: Callable[[], bool]) -> None:
        for _ in range(1000):
            posts, world.posts[:] = list(world.posts), []
            await asyncio.gather(*(yard.post(post) for post in posts))
            world.clock.advance(0.5)
            await asyncio.sleep(0.01)
            if done() and not world.posts:
                return
        raise AssertionError("it does not come to an end")

    async with Lanes(yard.hub, lanes=4).run(partial(drain, yard.hub)):
        ids = [world.form(email, YES) for email in people]
        await quiet(lambda: len(world.mail.sent) == len(people))
        for mail in list(world.mail.sent):
            world.confirm(mail)
            world.form(mail.email, {"name": f"Called {mail.email}"})
        await quiet(lambda: all(world.crm.records[one].value("stage") == "guest" for one in ids))
        for email in people[::2]:
            world.unsubscribe(email)
            world.form(email, {"name": "Too late"})
        await quiet(lambda: all(world.crm.records[one].value("news_state") == "unsubscribed" for one in ids[::2]))
    await yard.settle(QUIET_SECONDS)
    assert len(world.mail.sent) == len(people)
    for email, one in zip(people, ids, strict=True):
        record, there, out = world.crm.records[one], world.news(email), email in people[::2]
        assert record.stages == (["visitor", "guest", None, "visitor"] if out else ["visitor", "guest"])
        assert len(record.notes) == (2 if out else 1)
        assert (there is None) is out
        assert there is None or there.fields["FIRST"] == f"Called {email}"


# --- crashes ----------------------------------------------------------------------------------------------------------


async def _crash(folder: Path, plan: Callable[[Yard], None]) -> tuple[bool, dict[str, object]]:
    """The story with the crash that `plan` prepares: whether it happened, and what is to be seen in the end."""
    yard = Yard(folder, World("crashing"))
    await yard.start()
    await yard.connect()
    plan(yard)
    first = yard.store
    await story(yard)
    await yard.stop()
    return yard.store is not first, yard.world.picture()


@pytest.mark.behaviour("trouble-crash")
@pytest.mark.slow
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, PARTS))])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_around_any_commit_changes_nothing_in_the_end(tmp_path: Path, after: bool, part: int) -> None:
    seen = await undisturbed(tmp_path)
    number, happened = part + 1, True
    while happened:

        def plan(yard: Yard, number: int = number) -> None:
            yard.store.after, yard.store.stop_at = after, yard.store.writes + number

        happened, picture = await _crash(tmp_path / str(number), plan)
        assert picture == seen, f"stopped at write {number}"
        number += PARTS
    assert number > 30


@pytest.mark.behaviour("trouble-crash")
@pytest.mark.slow
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, PARTS))])
@pytest.mark.parametrize("fault", [Fault.STOPPED_BEFORE, Fault.STOPPED_AFTER])
async def test_a_crash_around_any_call_changes_nothing_in_the_end(tmp_path: Path, fault: Fault, part: int) -> None:
    seen = await undisturbed(tmp_path)
    number, happened = part + 1, True
    while happened:

        def plan(yard: Yard, number: int = number) -> None:
            yard.world.faults.at_next(fault, number - 1)

        happened, picture = await _crash(tmp_path / str(number), plan)
        assert picture == seen, f"stopped at call {number}"
        number += PARTS
    assert number > 20
