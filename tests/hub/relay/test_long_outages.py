"""Outages that outlast the retries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from stellwerk.relay.housekeeping import tidy
from stellwerk.relay.outage import pause_seconds
from stellwerk.relay.retry import LONGEST_ASKED_SECONDS, MAX_ATTEMPTS, retry
from stellwerk.sdk import (
    Account,
    AmbiguousError,
    Delivery,
    DeliveryError,
    ReauthorizeError,
    Receipt,
    RejectedError,
    RetryableError,
    SetFields,
)
from stellwerk.store import accounts, inbox, outbox, repairs
from stellwerk_toys.faults import Fault
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
DAY = 86_400.0
Joined = Callable[[], Awaitable[str]]


def unreachable(*_: object, **__: object) -> None:
    raise RetryableError("unreachable")


def no_answer(*_: object, **__: object) -> None:
    raise AmbiguousError("no-answer")


@pytest.mark.behaviour("stage-interrupted")
async def test_a_stage_that_was_cleared_is_set_after_an_outage_of_a_day(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = world.crm.records[await joined()]
    world.unsubscribe(ADA)
    with monkeypatch.context() as outage:
        outage.setattr(world.crm, "set_stage", unreachable)
        await yard.settle(DAY)
        assert record.stages == ["visitor", "guest", None]
    await yard.settle(7200)
    assert record.stages == ["visitor", "guest", None, "visitor"]
    assert "stage-interrupted" not in [row["code"] for row in await yard.look(repairs.still_open)]


@pytest.mark.parametrize("calls_before", range(6))
async def test_a_read_that_fails_on_the_way_of_a_stage_move_ends_in_the_stage(
    yard: Yard, world: World, joined: Joined, calls_before: int
) -> None:
    record = world.crm.records[await joined()]
    world.unsubscribe(ADA)
    await yard.take_in()
    await yard.drain("news")
    world.faults.at_next(Fault.REFUSED, calls_before)
    await yard.settle(600)
    assert record.stages == ["visitor", "guest", None, "visitor"]
    assert record.value("wants_news") == "no"


async def test_an_ask_that_is_never_answered_and_never_done_is_given_up(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.mail, "start_doi", no_answer)
    world.form(ADA, YES)
    await yard.settle(DAY)
    dead = await yard.look(lambda tx: tx.all("select code, attempts from outbox where state = 'dead'"))
    assert [(row["code"], row["attempts"]) for row in dead] == [("no-answer", MAX_ATTEMPTS)]


async def test_what_waits_longer_than_dead_letters_are_kept_becomes_one_without_its_payload(
    yard: Yard, world: World
) -> None:
    world.mail.key = "another key"
    world.form(ADA, YES)
    await yard.settle(60)
    world.form("ben@example.com", YES)
    await yard.take_in()
    world.clock.advance((yard.hub.integration.keep.dead_letter_days + 1) * DAY)
    await tidy(yard.hub)
    assert "waiting" not in {**await yard.look(outbox.counts), **await yard.look(inbox.counts)}
    rows = await yard.look(lambda tx: tx.all("select body from outbox union all select body from inbox"))
    assert [row["body"] for row in rows if row["body"] is not None] == []


def test_a_remote_cannot_ask_to_be_left_alone_for_ever() -> None:
    assert retry(1, 1e12, 0.0).seconds == LONGEST_ASKED_SECONDS
    assert retry(1, 120.0, 0.0).seconds == 120.0


@pytest.mark.behaviour("unsubscribed-outage", "trouble-outage")
async def test_an_outage_of_a_day_costs_nothing_but_time(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    calls = 0

    def down(*_: object, **__: object) -> None:
        nonlocal calls
        calls += 1
        raise RetryableError("unreachable")

    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", down)
        people = [f"p{number}@example.com" for number in range(30)]
        for email in people:
            world.form(email, YES)
        world.person_edits(one, "wants_news", "no")
        await yard.settle(DAY)
        assert "no-answer-at-all" in [row["code"] for row in await yard.look(repairs.still_open)]
        assert "dead" not in {**await yard.look(outbox.counts), **await yard.look(inbox.counts)}
        assert calls < 2 * (DAY / 900.0 + 100)
    sent_before = len(world.mail.sent)
    await yard.settle(1800)
    assert world.news(ADA) is None
    assert len(world.mail.sent) == sent_before + len(people)
    assert "dead" not in {**await yard.look(outbox.counts), **await yard.look(inbox.counts)}
    assert "no-answer-at-all" not in [row["code"] for row in await yard.look(repairs.still_open)]


async def test_one_kind_of_call_that_fails_for_a_day_gives_nothing_up(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    with monkeypatch.context() as outage:
        outage.setattr(ToyMail, "apply", refuses_fields(ToyMail.apply))
        world.person_edits(one, "name", "Countess")
        await yard.settle(DAY)
        assert "dead" not in await yard.look(outbox.counts)
    await yard.settle(7200)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Countess"


def refuses_fields(right: Any) -> Any:
    async def applies(self: ToyMail, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        if any(isinstance(one.change, SetFields) for one in deliveries):
            raise RetryableError("unavailable")
        answer: Sequence[Receipt] = await right(self, deliveries)
        return answer

    return applies


def asked_who_it_is(answer: DeliveryError) -> Callable[[ToyMail], Awaitable[Account]]:
    async def check(self: ToyMail) -> Account:
        raise answer

    return check


async def test_an_account_that_refuses_to_say_who_it_is_has_answered(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", unreachable)
        world.form(ADA, YES)
        await yard.settle(7200)
        assert "no-answer-at-all" in [row["code"] for row in await yard.look(repairs.still_open)]
    monkeypatch.setattr(ToyMail, "check", asked_who_it_is(RejectedError("not-found")))
    await yard.settle(1800)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert "no-answer-at-all" not in [row["code"] for row in await yard.look(repairs.still_open)]


@pytest.mark.parametrize("silence", [RetryableError("unreachable"), AmbiguousError("no-answer")], ids=lambda e: e.code)
async def test_an_account_that_says_nothing_is_still_away(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, silence: DeliveryError
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", unreachable)
        world.form(ADA, YES)
        await yard.settle(7200)
    monkeypatch.setattr(ToyMail, "check", asked_who_it_is(silence))
    await yard.settle(1800)
    assert world.mail.sent == []
    assert "no-answer-at-all" in [row["code"] for row in await yard.look(repairs.still_open)]


async def test_an_account_whose_question_alone_fails_is_tried_now_and_then_and_goes_on(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", unreachable)
        world.form(ADA, YES)
        await yard.settle(7200)
    monkeypatch.setattr(ToyMail, "check", asked_who_it_is(RetryableError("unreachable")))
    await yard.settle(4 * 900 + 60)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert "no-answer-at-all" not in [row["code"] for row in await yard.look(repairs.still_open)]


async def test_an_account_that_is_back_and_refuses_the_key_waits_for_a_person(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", unreachable)
        world.form(ADA, YES)
        await yard.settle(7200)
    monkeypatch.setattr(ToyMail, "check", asked_who_it_is(ReauthorizeError("key-refused")))
    await yard.settle(1800)
    states = await yard.look(lambda tx: {one.system: one.state_code for one in accounts.every(tx, yard.hub.vault)})
    assert states["news"] == "key-refused"


@pytest.mark.parametrize(("times", "seconds"), [(1, 2.0), (5, 32.0), (10, 900.0), (5000, 900.0)])
def test_an_account_that_is_away_is_asked_again_ever_more_rarely(times: int, seconds: float) -> None:
    assert pause_seconds(times) == seconds


@pytest.mark.behaviour("trouble-outage")
@pytest.mark.parametrize("days", [1, 3])
async def test_an_ask_that_was_lost_as_an_outage_began_goes_out_once_it_is_over(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    with monkeypatch.context() as lost:
        lost.setattr(world.mail, "start_doi", no_answer)
        world.form(ADA, YES)
        await yard.settle()
    assert [row["state"] for row in await yard.look(lambda tx: tx.all("select state from outbox"))] == ["sent"]
    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", no_answer)
        for _ in range(days):
            await yard.settle(DAY)
    await yard.settle(1800)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert "dead" not in await yard.look(outbox.counts)


async def test_a_no_of_somebody_whose_ask_is_in_flight_goes_out_as_soon_as_an_outage_is_over(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.faults.at_next(Fault.CUT, calls_before=2)
    await yard.drain("news")
    assert len(world.mails_to(ADA)) == 1
    assert world.confirm()
    world.posts.clear()
    with monkeypatch.context() as outage:
        outage.setattr(world.faults, "around", no_answer)
        world.person_edits(one, "wants_news", "no")
        await yard.settle(DAY)
    await yard.settle(960)
    assert world.news(ADA) is None
