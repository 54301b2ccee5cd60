"""One contact's whole way between two systems that no line of the hub knows of."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from stellwerk.errors import WebhookError
from stellwerk.relay.drain import drain
from stellwerk.relay.lanes import Lanes
from stellwerk.store import inbox, meta, outbox, repairs
from stellwerk_toys.clear_text import assert_no_clear_text
from stellwerk_toys.faults import Fault, Stopped
from stellwerk_toys.post import Post
from stellwerk_toys.world import MAIL_KEY, World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
QUIET_SECONDS = 30.0
PATIENT_SECONDS = 1800.0
MOST_ROUNDS = 40
PARTS = 4  # of the crashes at every commit and call, so that several processes may share them
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


async def calm(yard: Yard, seconds: float = QUIET_SECONDS) -> None:
    """Let everything happen, for `seconds` and until nothing is on its way; when the process is stopped, start another one."""
    for _ in range(MOST_ROUNDS):
        try:
            await yard.settle(seconds)
        except Stopped:
            await yard.restart()
            continue
        counts = await yard.look(outbox.counts)
        if not counts.keys() & {"waiting", "sent"}:
            return
    raise AssertionError("it does not come to an end")


async def joined(yard: Yard, seconds: float = QUIET_SECONDS) -> str:
    """Ada signs up and confirms; her id at the shop."""
    one = yard.world.form(ADA, YES)
    await calm(yard, seconds)
    assert yard.world.confirm()
    await calm(yard, seconds)
    return one


async def story(yard: Yard, seconds: float = QUIET_SECONDS) -> None:
    """Sign up, confirm, change, leave, change, come back, leave again."""
    world = yard.world
    one = await joined(yard, seconds)
    world.person_edits(one, "name", "Ada L.")
    await calm(yard, seconds)
    world.unsubscribe(ADA, letter="7", how="link")
    await calm(yard, seconds)
    world.person_edits(one, "name", "Lady Ada")
    await calm(yard, seconds)
    world.clock.advance(3 * 3600)
    world.form(ADA, {"wants_news": "yes"})
    await calm(yard, seconds)
    world.confirm()
    await calm(yard, seconds)
    world.unsubscribe(ADA, letter="7", how="link")
    await calm(yard, seconds)


# --- coming in --------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("asks-doi")
async def test_a_forms_yes_gets_one_mail_in_its_language_and_no_permission_yet(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)
    (mail,) = world.mail.sent
    assert (mail.email, mail.letter, mail.plus) == (ADA, "welcome-de", False)
    there = world.news(ADA)
    assert there is not None
    assert (there.permission, there.extern, there.fields) == ("nothing", one, {"FIRST": "Ada", "LANG": "DE"})


async def test_the_shop_shows_that_a_contact_was_asked(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)
    assert world.crm.records[one].value("news_state") == "pending"
    assert world.crm.records[one].value("stage") == "visitor"


async def test_silence_and_a_forms_no_bring_nobody_in(yard: Yard, world: World) -> None:
    world.form("ben@example.com", {"wants_news": "no", "name": "Ben"})
    world.form("cem@example.com", {"name": "Cem"})
    await yard.settle(QUIET_SECONDS)
    assert (world.mail.sent, world.mail.records) == ([], {})


@pytest.mark.behaviour("enters-older-yes-import")
async def test_an_imports_yes_is_no_wish_of_somebody_known_before(tmp_path: Path, world: World) -> None:
    world.crm.fields.add("wants_news")
    one = world.import_(ADA, {"name": "Ada"})
    world.clock.advance(100)
    yard = Yard(tmp_path, world)
    await yard.start()
    await yard.connect()
    world.import_(ADA, {"wants_news": "yes"})
    await yard.settle(QUIET_SECONDS)
    assert world.mail.sent == []
    world.person_edits(one, "wants_news", "no")
    await yard.settle(QUIET_SECONDS)
    world.form(ADA, {"wants_news": "yes"})
    await yard.settle(QUIET_SECONDS)
    assert len(world.mail.sent) == 1
    await yard.stop()


@pytest.mark.behaviour("asks-plus")
async def test_tracking_is_asked_for_only_where_somebody_said_so(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    world.form("ben@example.com", {**YES, "track_me": "yes"})
    await yard.settle(QUIET_SECONDS)
    assert {mail.email: mail.plus for mail in world.mail.sent} == {ADA: False, "ben@example.com": True}


@pytest.mark.behaviour("known-single")
async def test_somebody_known_over_there_is_linked_and_keeps_what_stands(yard: Yard, world: World) -> None:
    world.mail.create(ADA, "full", None, {"FIRST": "Augusta"})
    one = world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)
    there = world.news(ADA)
    assert there is not None
    assert (world.mail.sent, there.permission, there.extern) == ([], "full", one)
    assert there.fields["FIRST"] == "Augusta"


# --- confirming, changing ---------------------------------------------------------------------------------------------


@pytest.mark.behaviour("confirmed")
async def test_a_confirmation_moves_the_stage_and_shows_in_the_diary_once(yard: Yard, world: World) -> None:
    record = world.crm.records[await joined(yard)]
    assert record.stages == ["visitor", "guest"]
    assert [note.text for note in record.notes] == ["Said yes"]
    assert (record.value("news_state"), record.value("news_level")) == ("subscribed", "double")


@pytest.mark.behaviour("fields-there")
async def test_a_change_is_carried_over_and_does_not_come_back(yard: Yard, world: World) -> None:
    one = await joined(yard)
    record, there = world.crm.records[one], world.news(ADA)
    assert there is not None
    before = len(record.history["name"])
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(2 * 600)
    assert there.fields["FIRST"] == "Ada L."
    assert len(record.history["name"]) == before + 1
    changed_at = there.updated
    await yard.settle(3 * 600)
    assert there.updated == changed_at


@pytest.mark.behaviour("fields-back")
async def test_a_change_at_the_newsletter_is_carried_to_the_shop(yard: Yard, world: World) -> None:
    one = await joined(yard)
    world.clock.advance(60)
    world.edit_at_mail(ADA, "FIRST", "Augusta")
    await yard.settle(2 * 600)
    assert world.crm.records[one].value("name") == "Augusta"


@pytest.mark.behaviour("fields-unnamed")
async def test_a_field_that_no_row_names_does_not_travel(yard: Yard, world: World) -> None:
    world.crm.fields.add("secret_wish")
    world.form(ADA, {**YES, "secret_wish": "a pony"})
    await yard.settle(QUIET_SECONDS)
    there = world.news(ADA)
    assert there is not None
    assert "a pony" not in there.fields.values()


@pytest.mark.behaviour("stage-silent")
async def test_a_stage_that_is_refused_in_silence_is_not_believed(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(one: str, _: str) -> datetime:
        return world.crm.records[one].updated

    monkeypatch.setattr(world.crm, "set_stage", deaf)
    record = world.crm.records[await joined(yard)]
    assert record.stages == ["visitor"]
    (repair,) = await yard.look(repairs.still_open)
    assert repair["code"] == "stage-not-taken"
    assert repair["text"].endswith("the stage was to become guest and reads visitor")


# --- leaving, coming back ---------------------------------------------------------------------------------------------


@pytest.mark.behaviour("answer-our-no", "unsubscribed")
async def test_leaving_moves_the_stage_back_through_a_reset_and_sets_the_answer_to_no(yard: Yard, world: World) -> None:
    record = world.crm.records[await joined(yard)]
    world.unsubscribe(ADA, letter="7", how="link")
    await yard.settle(QUIET_SECONDS)
    assert record.stages == ["visitor", "guest", None, "visitor"]
    assert sorted(note.text for note in record.notes) == ["Left\nletter: 7\nhow: link", "Said yes"]
    assert (record.value("wants_news"), record.value("news_state")) == ("no", "unsubscribed")
    assert record.value("left_on") is not None


@pytest.mark.behaviour("out-change")
async def test_nothing_reaches_somebody_who_left(yard: Yard, world: World) -> None:
    one = await joined(yard)
    world.unsubscribe(ADA)
    await yard.settle(QUIET_SECONDS)
    before = world.picture()["news"]
    world.person_edits(one, "name", "Lady Ada")
    world.import_(ADA, {"wants_news": "yes", "town": "London"})
    world.workflow_sets(one, "wants_news", "no")
    await yard.settle(QUIET_SECONDS)
    assert world.picture()["news"] == before
    assert len(world.mail.sent) == 1


async def test_an_opt_out_before_the_confirmation_stays_one(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)
    world.unsubscribe(ADA)
    await yard.settle(QUIET_SECONDS)
    assert world.confirm() is False
    world.form(ADA, {"name": "Ada again"})
    await yard.settle(QUIET_SECONDS)
    assert len(world.mail.sent) == 1
    assert world.news(ADA) is None


@pytest.mark.behaviour("answer-no-person")
async def test_a_persons_no_unsubscribes_and_a_forms_no_does_not(yard: Yard, world: World) -> None:
    one = await joined(yard)
    world.form(ADA, {"wants_news": "no"})
    await yard.settle(QUIET_SECONDS)
    assert world.news(ADA) is not None
    world.person_edits(one, "wants_news", "yes")
    await yard.settle(QUIET_SECONDS)
    world.person_edits(one, "wants_news", "no")
    await yard.settle(QUIET_SECONDS)
    assert world.news(ADA) is None
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("out-yes-younger")
async def test_a_new_yes_after_leaving_gets_one_mail_and_a_second_goodbye_counts_again(
    yard: Yard, world: World
) -> None:
    one = await joined(yard)
    record = world.crm.records[one]
    world.unsubscribe(ADA, letter="7", how="link")
    await yard.settle(QUIET_SECONDS)
    first_goodbye = next(post for post in reversed(yard.delivered) if post.what == "goodbye")
    world.form(ADA, {"wants_news": "yes"})
    await yard.settle(QUIET_SECONDS)
    assert len(world.mails_to(ADA)) == 2
    assert world.confirm()
    await yard.settle(QUIET_SECONDS)
    assert record.value("stage") == "guest"
    world.unsubscribe(ADA, letter="7", how="link")
    assert world.posts[-1].body == first_goodbye.body
    await yard.settle(QUIET_SECONDS)
    assert record.stages == ["visitor", "guest", None, "visitor", "guest", None, "visitor"]
    assert [note.text.split("\n")[0] for note in record.notes] == ["Said yes", "Left", "Said yes", "Left"]
    assert record.value("wants_news") == "no"
    assert len(world.mail.sent) == 2


def a_false_goodbye(world: World) -> Post:
    """Somebody who knows the hook's address says that Ada left. She did not."""
    path = tuple(world.mail.hooks["goodbye"].split("/webhooks/toymail/")[1].split("/"))
    return Post(connector="toymail", path=path, body=b'{"who": "ada@example.com", "letter": "7"}')


@pytest.mark.behaviour("unsubscribed-claimed")
async def test_a_goodbye_that_nothing_proves_holds_back_what_we_would_send_and_changes_nothing_else(
    yard: Yard, world: World
) -> None:
    one = await joined(yard)
    before = world.picture()["shop"]
    await yard.post(a_false_goodbye(world))
    await yard.settle(60)
    assert world.picture()["shop"] == before
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(600)
    there = world.news(ADA)
    assert there is not None
    assert (there.fields["FIRST"], len(world.mail.sent)) == ("Ada", 1)


@pytest.mark.behaviour("unsubscribed-denied")
async def test_a_goodbye_that_nothing_proves_within_an_hour_is_withdrawn(yard: Yard, world: World) -> None:
    one = await joined(yard)
    record = world.crm.records[one]
    await yard.post(a_false_goodbye(world))
    await yard.settle(2 * 3600)
    assert (record.stages, record.value("wants_news")) == (["visitor", "guest"], "yes")
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(QUIET_SECONDS)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Ada L."


@pytest.mark.behaviour("unsubscribed-denied")
async def test_what_was_held_back_by_a_goodbye_that_was_none_is_delivered_afterwards(yard: Yard, world: World) -> None:
    one = await joined(yard)
    await yard.post(a_false_goodbye(world))
    await yard.settle(60)
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(3 * 3600)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Ada L."


# --- twice is once, nothing is lost -----------------------------------------------------------------------------------


@pytest.mark.behaviour("unsubscribed-again")
async def test_everything_delivered_again_twice_and_shuffled_changes_nothing(yard: Yard, world: World) -> None:
    await story(yard)
    before = world.picture()
    again = list(yard.delivered) * 2
    random.Random(7).shuffle(again)
    for post in again:
        # The shop refuses what is older than five minutes; the vendor would sign a redelivery anew.
        if post.connector == "toymail":
            await yard.post(post)
    await yard.settle(2 * 3600)
    assert world.picture() == before


async def test_the_same_signed_events_again_change_nothing(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle()
    again = [post for post in yard.delivered if post.connector == "toycrm"]
    before = world.picture()
    for post in again * 2:
        await yard.post(post)
    await yard.settle(QUIET_SECONDS)
    assert world.picture() == before
    counters = await yard.look(meta.counters)
    assert counters["events_again"] >= 2 * len(again)


async def test_every_acknowledged_event_has_one_end(yard: Yard, world: World) -> None:
    await story(yard)
    await yard.settle(2 * 3600)
    counts = await yard.look(inbox.counts)
    counters = await yard.look(meta.counters)
    assert counts.get("waiting", 0) == 0
    assert sum(counts.values()) == counters["events_acknowledged"]
    assert counters["events_acknowledged"] >= counters["events_received"] - counters.get("events_again", 0)


async def test_a_forged_or_late_webhook_leaves_a_counter_only(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    post = world.posts[0]
    await yard.settle(QUIET_SECONDS)
    before = (await yard.look(inbox.counts), world.picture())
    world.clock.advance(301)
    with pytest.raises(WebhookError):
        await yard.post(post)
    assert (await yard.look(inbox.counts), world.picture()) == before
    assert (await yard.look(meta.counters))["webhooks_refused_401"] == 1


async def test_what_is_authentic_but_not_understood_becomes_a_dead_letter(yard: Yard, world: World) -> None:
    world.crm.post([{"no": 1, "what": "sung", "contact": "c1"}])
    await yard.settle(QUIET_SECONDS)
    assert await yard.look(inbox.counts) == {"dead": 1}


@pytest.mark.behaviour("confirmed-lost")
async def test_lost_webhooks_of_the_newsletter_are_healed_from_its_journal(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)
    world.mail.hooks.clear()
    world.confirm()
    await yard.settle(2 * 600)
    assert world.crm.records[one].value("stage") == "guest"
    world.unsubscribe(ADA)
    await yard.settle(2 * 600)
    assert world.crm.records[one].stages == ["visitor", "guest", None, "visitor"]


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LIMITED, Fault.LOST, Fault.BROKEN, Fault.CUT])
async def test_with_a_third_of_all_calls_failing_the_story_ends_as_it_should(
    tmp_path: Path, world: World, fault: Fault, seed: int
) -> None:
    undisturbed = await _undisturbed(tmp_path, PATIENT_SECONDS)
    yard = Yard(tmp_path, world)
    await yard.start()
    await yard.connect()
    world.faults.sometimes(1 / 3, fault, seed=seed)
    await story(yard, PATIENT_SECONDS)
    assert world.picture() == undisturbed
    await yard.stop()


async def _undisturbed(folder: Path, seconds: float = QUIET_SECONDS) -> dict[str, object]:
    quiet = World("undisturbed")
    (folder / "quiet").mkdir()
    yard = Yard(folder / "quiet", quiet)
    await yard.start()
    await yard.connect()
    await story(yard, seconds)
    await yard.stop()
    return quiet.picture()


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
    undisturbed = await _undisturbed(tmp_path)
    number, happened = part + 1, True
    while happened:

        def plan(yard: Yard, number: int = number) -> None:
            yard.store.after, yard.store.stop_at = after, yard.store.writes + number

        happened, picture = await _crash(tmp_path / str(number), plan)
        assert picture == undisturbed, f"stopped at write {number}"
        number += PARTS
    assert number > 30


@pytest.mark.behaviour("trouble-crash")
@pytest.mark.slow
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, PARTS))])
@pytest.mark.parametrize("fault", [Fault.STOPPED_BEFORE, Fault.STOPPED_AFTER])
async def test_a_crash_around_any_call_changes_nothing_in_the_end(tmp_path: Path, fault: Fault, part: int) -> None:
    undisturbed = await _undisturbed(tmp_path)
    number, happened = part + 1, True
    while happened:

        def plan(yard: Yard, number: int = number) -> None:
            yard.world.faults.at_next(fault, number - 1)

        happened, picture = await _crash(tmp_path / str(number), plan)
        assert picture == undisturbed, f"stopped at call {number}"
        number += PARTS
    assert number > 20
