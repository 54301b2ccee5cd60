"""One contact's whole way between two systems that no line of the hub knows of."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest

from stellwerk.errors import WebhookError
from stellwerk.store import inbox, meta, repairs
from stellwerk_toys.post import Post
from stellwerk_toys.story import ADA, QUIET_SECONDS, YES, joined, story
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


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
