"""A refused key stops its account and is told to a person; the hub looks again now and then, and goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stellwerk.errors import PauseError, ReauthorizeError, RetryableError
from stellwerk.relay import drain
from stellwerk.relay.second_look import LONGEST_SECONDS, REFUSALS, wait
from stellwerk.sdk import Account
from stellwerk.store import accounts, meta, repairs
from stellwerk.store.store import Tx
from stellwerk_toys.story import ADA, QUIET_SECONDS, YES
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import MAIL_KEY, World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
OTHER = "another key"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, world: World) -> list[float]:
    """When the newsletter was asked who it is."""
    found: list[float] = []
    check = ToyMail.check

    async def counted(self: ToyMail) -> Any:
        found.append(world.clock())
        return await check(self)

    monkeypatch.setattr(ToyMail, "check", counted)
    return found


async def open_codes(yard: Yard) -> list[str]:
    return [row["code"] for row in await yard.look(repairs.still_open)]


async def state(yard: Yard) -> tuple[str, str]:
    rows = await yard.look(lambda tx: accounts.every(tx, yard.hub.vault))
    return next((row.state, row.state_code) for row in rows if row.system == "news")


async def meets_a_refusal(yard: Yard, world: World) -> None:
    """A yes comes in, and the newsletter takes the key no more."""
    world.mail.key = OTHER
    world.form(ADA, YES)
    await yard.settle(QUIET_SECONDS)


@pytest.mark.behaviour("trouble-second-look")
async def test_a_key_that_is_taken_again_ends_the_stop_and_its_repair(yard: Yard, world: World) -> None:
    await meets_a_refusal(yard, world)
    assert (await state(yard), await open_codes(yard)) == (("reauthorize", "key-refused"), ["key-refused"])
    world.mail.key = MAIL_KEY
    await yard.settle(300)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert (await state(yard), await open_codes(yard)) == (("ok", ""), [])


async def test_while_it_is_refused_nothing_but_the_question_is_asked_ever_more_rarely(
    yard: Yard, world: World, looks: list[float]
) -> None:
    world.mail.key = OTHER
    began = world.clock()
    for number in range(30):
        world.form(f"p{number}@example.com", YES)
        await yard.settle(600)
    assert world.mail.sent == []
    gaps = [after - before for before, after in zip([began, *looks], looks, strict=False)]
    expected = [wait(times) for times in range(1, len(gaps) + 1)]
    assert all(0 <= gap - least < 30 for gap, least in zip(gaps, expected, strict=True)), gaps
    assert 7 <= len(looks) <= 9
    world.mail.key = MAIL_KEY
    await yard.settle(LONGEST_SECONDS + 300)
    assert len(world.mail.sent) == 30


async def test_an_account_that_is_away_when_looked_at_is_looked_at_later(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meets_a_refusal(yard, world)
    world.mail.key = MAIL_KEY
    for failed in (RetryableError("unreachable"), PauseError("rate-limit", seconds=10)):
        with monkeypatch.context() as trouble:
            trouble.setattr(ToyMail, "check", failing(failed))
            await yard.settle(900)
        assert world.mail.sent == []
        assert await state(yard) == ("reauthorize", "key-refused")
    await yard.settle(LONGEST_SECONDS + 60)
    assert [mail.email for mail in world.mail.sent] == [ADA]


async def test_what_is_refused_for_good_waits_for_a_person_alone(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, looks: list[float]
) -> None:
    refused = ReauthorizeError("access-revoked", for_good=True)
    with monkeypatch.context() as trouble:
        trouble.setattr(ToyMail, "opt_outs", failing(refused))
        trouble.setattr(ToyMail, "read", failing(refused))
        world.form(ADA, YES)
        await yard.settle(600)
    looks.clear()
    await yard.settle(3 * LONGEST_SECONDS)
    assert (looks, world.mail.sent) == ([], [])
    await yard.connect()
    await yard.settle(QUIET_SECONDS)
    assert [mail.email for mail in world.mail.sent] == [ADA]


async def test_a_right_that_is_missing_though_the_key_is_taken_keeps_its_repair(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def refuses(self: ToyMail, *args: Any, **named: Any) -> Any:
        tries.append(world.clock())
        raise ReauthorizeError("right-missing")

    monkeypatch.setattr(ToyMail, "read", refuses)
    world.form(ADA, YES)
    await yard.settle(3 * LONGEST_SECONDS)
    assert await open_codes(yard) == ["right-missing"]
    assert len(tries) <= 7
    rows = await yard.look(lambda tx: tx.all("select id from repair where code = 'right-missing'"))
    assert len(rows) == 1, "it is one repair, and nobody is told of it twice"


async def test_who_is_let_in_and_asked_for_rest_at_once_has_the_repair_ended_by_a_later_turn(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meets_a_refusal(yard, world)
    world.mail.key = MAIL_KEY
    with monkeypatch.context() as trouble:
        for call in ("read", "opt_outs", "apply"):
            trouble.setattr(ToyMail, call, failing(PauseError("rate-limit", seconds=30)))
        for _ in range(30):
            if (await state(yard))[0] != "ok":
                await yard.settle(10)
    assert (await state(yard))[0] == "ok"
    assert await open_codes(yard) == ["key-refused"]
    await yard.settle(300)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert ((await state(yard))[0], await open_codes(yard)) == ("ok", [])


async def test_who_is_let_in_when_the_process_ends_has_the_repair_ended_by_the_next(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meets_a_refusal(yard, world)
    world.mail.key = MAIL_KEY
    with monkeypatch.context() as trouble:
        trouble.setattr(drain, "_turn", ends_here)
        with pytest.raises(EndsHere):
            await yard.settle(300)
    assert ((await state(yard))[0], await open_codes(yard)) == ("ok", ["key-refused"])
    await yard.restart()
    await yard.settle(QUIET_SECONDS)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert (await state(yard), await open_codes(yard)) == (("ok", ""), [])


async def test_of_a_key_refused_for_another_reason_only_the_last_is_told(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meets_a_refusal(yard, world)
    with monkeypatch.context() as trouble:
        trouble.setattr(ToyMail, "check", failing(ReauthorizeError("key-expired")))
        await yard.settle(300)
    assert (await state(yard), await open_codes(yard)) == (("reauthorize", "key-expired"), ["key-expired"])
    world.mail.key = MAIL_KEY
    await yard.settle(LONGEST_SECONDS)
    assert (await state(yard), await open_codes(yard)) == (("ok", ""), [])


async def test_what_an_older_version_wrote_down_of_a_refusal_is_ended_too(yard: Yard, world: World) -> None:
    await meets_a_refusal(yard, world)

    def older(tx: Tx) -> None:
        (news,) = (row.id for row in accounts.every(tx, yard.hub.vault) if row.system == "news")
        times, at, again, _ = str(meta.cursor(tx, news, REFUSALS)).split(" ")
        meta.set_cursor(tx, news, REFUSALS, f"{times} {at} {again}")

    await yard.store.write(older)
    world.mail.key = MAIL_KEY
    await yard.settle(300)
    assert (await state(yard), await open_codes(yard)) == (("ok", ""), [])


async def test_a_key_that_still_lacks_a_right_is_not_let_in_to_be_refused_anew(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = {"PUT"}
    calls: list[float] = []

    async def refuses(self: ToyMail, *args: Any, **named: Any) -> Any:
        calls.append(world.clock())
        raise ReauthorizeError("right-missing")

    async def check(self: ToyMail) -> Account:
        return Account(id="toys", name="Toys", missing=tuple(lacking))

    monkeypatch.setattr(ToyMail, "check", check)
    world.form(ADA, YES)
    with monkeypatch.context() as trouble:
        trouble.setattr(ToyMail, "read", refuses)
        await yard.settle(3 * LONGEST_SECONDS)
    assert len(calls) == 1, "only the question who we are is asked from then on"
    assert (await state(yard), await open_codes(yard)) == (("reauthorize", "right-missing"), ["right-missing"])
    lacking.clear()
    await yard.settle(LONGEST_SECONDS + 60)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert (await state(yard), await open_codes(yard)) == (("ok", ""), [])


async def test_the_log_warns_once_of_a_refusal_and_not_again_at_every_look(
    yard: Yard, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.mail.key = OTHER
    world.form(ADA, YES)
    await yard.settle(3 * LONGEST_SECONDS)
    levels = [one.levelname for one in caplog.records if "key-refused; paused until" in one.getMessage()]
    assert levels[0] == "WARNING"
    assert set(levels[1:]) == {"INFO"}


class EndsHere(BaseException):
    """The process ends in the middle of a turn."""


async def ends_here(*_: Any) -> None:
    raise EndsHere


def failing(failed: Exception) -> Callable[..., Any]:
    async def fails(self: ToyMail, *args: Any, **named: Any) -> Any:
        raise failed

    return fails
