"""Ask again: only where the rules still allow a mail for the contact's last explicit yes; else the page says what forbids it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from stellwerk.relay import held
from stellwerk.relay.operate import change_state
from stellwerk.sdk import AmbiguousError, Ask, MarkState
from stellwerk.store import api_tokens, connections, consent, counts, repairs
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
DAY = 86_400.0
Asks = Callable[[str, str], Awaitable[Any]]


def about(page: Any) -> str:
    """What the section about the contact says."""
    text = page.answer.text
    part = text[text.index('aria-labelledby="actions"') :].split("</section>")[0]
    return " ".join(type(page.read)("<section " + part).text.split())


def offered(page: Any) -> list[str]:
    """The buttons that ask again."""
    forms = [form for form in page.read.forms if form.action == "/activity/contact"]
    return [value for form in forms for _, value, _ in form.buttons if value.startswith("ask-again")]


async def press(guest: Any, page: Any, value: str = "ask-again") -> Any:
    """The button, or what would be sent by somebody who makes it up."""
    form = next(form for form in page.read.forms if form.action == "/activity/contact")
    return await guest.post("/activity/contact", {**form.values, "action": value})


async def refused(yard: Yard, world: World) -> str:
    """Ada says yes, and the newsletter refuses to take her: a dead letter, and no mail."""
    world.mail.refused_values.add("Ada")
    one = world.form(ADA, YES)
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    world.mail.refused_values.clear()
    return one


def in_doubt(patch: pytest.MonkeyPatch, *, sent: bool) -> None:
    """Nobody can tell whether an ask went out, nor look it up; it did where `sent`."""
    apply = ToyMail.apply

    async def unanswered(self: Any, deliveries: Sequence[Any], /) -> Any:
        if sent or not any(isinstance(one.change, Ask) for one in deliveries):
            receipts = await apply(self, deliveries)
            if not any(isinstance(one.change, Ask) for one in deliveries):
                return receipts
        raise AmbiguousError("no-answer")

    async def unreadable(self: Any, delivery: Any, /) -> tuple[MarkState, None]:
        return MarkState.UNREADABLE, None

    patch.setattr(ToyMail, "apply", unanswered)
    patch.setattr(ToyMail, "find_mark", unreadable)


async def unknown(yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, *, sent: bool = False) -> None:
    """Ada says yes; whether the mail went out is not known, and cannot be looked up."""
    with monkeypatch.context() as patch:
        in_doubt(patch, sent=sent)
        world.form(ADA, YES)
        await yard.settle(600)


async def token(yard: Yard, rights: Any) -> str:
    """A program's, for the connection."""
    hub = yard.hub
    return await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="toys", name="r", rights=rights, made_by="jo", now=hub.now(), expires=9e12
        )
    )


async def adds_up(yard: Yard) -> None:
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert sum(six.values()) == acknowledged


async def kinds(yard: Yard) -> list[str]:
    account = (
        "news:"
        + (await yard.look(lambda tx: tx.all("select id from account where system = 'news'")))[0]["id"].partition(":")[
            2
        ]
    )
    address = yard.hub.vault.address(ADA)
    return [fact.kind.value for fact in await yard.look(lambda tx: consent.facts(tx, account, address))]


@pytest.mark.behaviour("asks-again-clicked")
async def test_a_yes_that_was_refused_for_a_cause_now_mended_is_asked_once(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    await refused(yard, world)
    page = await asks(ADA, "en")
    assert offered(page) == ["ask-again"]
    assert "no confirmation mail has gone out for it. One may be asked for until" in about(page)
    done = await press(guest, page)
    assert "The yes is read again and decided once more" in done.text
    assert offered(done) == []
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert world.confirm()
    await yard.settle(60)
    after = await asks(ADA, "en")
    assert "this address confirmed on" in about(after)
    assert "Toycrm: read, and this followed: Bring in" in about(after), about(after)
    await adds_up(yard)


async def test_the_dead_letter_and_its_repair_are_over_then(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await refused(yard, world)
    assert await yard.look(repairs.still_open)
    await press(guest, await asks(ADA, "en"))
    await yard.settle(60)
    assert await yard.look(repairs.still_open) == []
    assert await yard.look(lambda tx: tx.all("select id from outbox where state = 'dead'")) == []


async def test_pressed_any_number_of_times_one_mail_goes_out(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await refused(yard, world)
    page = await asks(ADA, "en")
    for _ in range(3):
        await press(guest, page)
    await yard.settle(60)
    for _ in range(3):
        assert (await press(guest, page)).status == 409
        await yard.settle(3 * DAY)
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("asks-again-refused")
async def test_after_a_mail_the_page_says_when_it_went_out_and_when_a_new_yes_counts(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    page = await asks(ADA, "en")
    (mail,) = world.mails_to(ADA)
    assert offered(page) == []
    assert "a confirmation mail went out on 24 Nov 2026" in about(page)
    assert "a new one needs a new yes by the contact, at the earliest on 25 Nov 2026" in about(page)
    german = about(await asks(ADA, "de"))
    assert "Am 24. Nov. 2026" in german
    assert "eine neue braucht ein neues Ja des Kontakts, frühestens am 25. Nov. 2026" in german
    assert (await press(guest, page)).status == 409
    await yard.settle(30)
    assert world.mails_to(ADA) == [mail]


async def test_a_yes_that_came_too_soon_after_the_last_mail_is_asked_once_its_day_is_over(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = world.form(ADA, YES)
    await yard.settle(3600)
    for value in ("", "yes"):
        world.person_edits(one, "wants_news", value)
        await yard.settle(600)
    page = await asks(ADA, "en")
    assert offered(page) == []
    assert "the last confirmation mail went out on" in about(page)
    world.clock.now += DAY
    page = await asks(ADA, "en")
    assert offered(page) == ["ask-again"], about(page)
    await press(guest, page)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 2


async def test_what_was_held_and_discarded_may_be_asked_for_while_the_wish_is_valid(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    await refused(yard, world)
    await yard.store.write(lambda tx: tx.run("update outbox set state = 'held', code = 'old-wish' where tag = 'enter'"))
    page = await asks(ADA, "en")
    assert offered(page) == []
    assert "it is held before it enters" in about(page)
    await held.discard(yard.hub, connection="toys", code="old-wish", by="jo")
    page = await asks(ADA, "en")
    assert offered(page) == ["ask-again"]
    world.clock.now += 8 * DAY
    late = await asks(ADA, "en")
    assert offered(late) == []
    assert "which is more than 7 days ago" in about(late)
    assert (await press(guest, page)).status == 409


@pytest.mark.behaviour("asks-again-refused")
async def test_an_unknown_outcome_waits_for_a_persons_word_that_it_did_not_go_out(
    asks: Asks, guest: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unknown(yard, world, monkeypatch)
    page = await asks(ADA, "en")
    assert offered(page) == ["ask-again-not-sent"]
    assert "Look at the mail system first" in about(page)
    assert (await press(guest, page)).status == 409
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    assert (await press(guest, page, "ask-again-not-sent")).status == 200
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert (await kinds(yard))[-3:] == ["ask_unknown", "ask_failed", "asked"]
    history = await guest.open("/history")
    reference = yard.hub.vault.address(ADA)[:16]
    assert f"Said that a confirmation mail did not go out ({reference})." in history.text
    assert f"Wanted a contact asked once more ({reference})." in history.text
    assert ADA not in history.answer.text


async def test_a_person_who_is_mistaken_mails_nobody_twice_where_the_mark_tells_better(
    asks: Asks, guest: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unknown(yard, world, monkeypatch, sent=True)
    assert len(world.mails_to(ADA)) == 1
    await press(guest, await asks(ADA, "en"), "ask-again-not-sent")
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert "a confirmation mail went out on" in about(await asks(ADA, "en"))


async def test_what_stays_unknown_a_second_time_is_unknown_again(
    asks: Asks, guest: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unknown(yard, world, monkeypatch)
    await press(guest, await asks(ADA, "en"), "ask-again-not-sent")
    with monkeypatch.context() as patch:
        in_doubt(patch, sent=False)
        await yard.settle(600)
    assert world.mails_to(ADA) == []
    page = await asks(ADA, "en")
    assert offered(page) == ["ask-again-not-sent"], about(page)
    assert (await press(guest, page)).status == 409
    await yard.settle(60)
    assert world.mails_to(ADA) == []


async def test_a_persons_word_that_would_bring_no_mail_is_not_asked_for_nor_written(
    asks: Asks, guest: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome is unknown still, and the yes is too old by now."""
    await unknown(yard, world, monkeypatch)
    known = await kinds(yard)
    world.clock.now += 8 * DAY
    page = await asks(ADA, "en")
    assert offered(page) == []
    assert "which is more than 7 days ago" in about(page)
    assert (await press(guest, page, "ask-again-not-sent")).status == 409
    assert await kinds(yard) == known
    assert "did not go out" not in (await guest.open("/history")).text


async def test_whoever_opted_out_since_is_not_asked(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    world.unsubscribe(ADA)
    await yard.settle(30)
    page = await asks(ADA, "en")
    assert offered(page) == []
    assert "Cannot be asked again:" in about(page)
    assert (await press(guest, page)).status == 409


async def test_a_yes_that_was_taken_back_before_it_is_read_again_is_no_yes(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = await refused(yard, world)
    page = await asks(ADA, "en")
    world.workflow_sets(one, "wants_news", "no")
    world.posts.clear()
    await press(guest, page)
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    assert "no explicit yes" in about(await asks(ADA, "en"))


async def test_a_yes_of_a_workflow_is_none(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    world.mail.refused_values.add("Ada")
    one = world.import_(ADA, {"name": "Ada"})
    await yard.settle(30)
    world.workflow_sets(one, "wants_news", "yes")
    await yard.settle(60)
    world.mail.refused_values.clear()
    page = await asks(ADA, "en")
    assert offered(page) == []
    assert "no explicit yes by this contact" in about(page)


async def test_a_connection_that_rests_asks_nobody(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await refused(yard, world)
    one = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    await change_state(yard.hub, one, "rests", who="jo")
    assert "the connection does not run" in about(await asks(ADA, "en"))


@pytest.mark.parametrize("chosen", [{"ask_first": False}])
async def test_settings_without_a_double_opt_in_ask_nobody(asks: Asks, yard: Yard, world: World) -> None:
    await refused(yard, world)
    assert "is switched off in the settings" in about(await asks(ADA, "en"))


async def test_a_program_is_told_what_forbids_it_and_needs_the_right_to_change(
    guest: Any, yard: Yard, world: World
) -> None:
    one = await refused(yard, world)
    looks, changes = [{"authorization": f"Bearer {await token(yard, rights)}"} for rights in ("view", "change")]
    told = (await guest.client.post("/api/activity", headers=looks, json={"who": one})).json()["ask_again"]
    assert told["code"] == "allowed"
    assert (await guest.client.post("/api/contact/ask-again", headers=looks, json={"who": one})).status_code == 403
    nobody = await guest.client.post("/api/contact/ask-again", headers=changes, json={"who": "x@example.com"})
    assert nobody.status_code == 404
    assert (await guest.client.post("/api/contact/ask-again", headers=changes, json={"who": one})).status_code == 202
    await yard.settle(60)
    again = await guest.client.post("/api/contact/ask-again", headers=changes, json={"who": one})
    assert (again.status_code, again.json()["detail"]) == (409, "already-asked")
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("asks-again-refused")
async def test_a_program_does_not_say_that_a_mail_did_not_go_out(
    guest: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unknown(yard, world, monkeypatch)
    sent = {"authorization": f"Bearer {await token(yard, 'change')}"}
    said = {"who": ADA, "did_not_go_out": True}
    assert (await guest.client.post("/api/contact/ask-again", headers=sent, json=said)).status_code == 400
    again = await guest.client.post("/api/contact/ask-again", headers=sent, json={"who": ADA})
    assert (again.status_code, again.json()["detail"]) == (409, "ask-unknown")
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    assert "ask_failed" not in await kinds(yard)


async def test_another_connection_at_the_same_shop_is_not_asked_for(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    """Its event is read for both; only the one whose person pressed asks."""
    news = World(f"{world.name} again", beside=world)
    await yard.connect(name="second", news=news)
    news.mail.refused_values.add("Ada")
    await refused(yard, world)
    news.mail.refused_values.clear()
    await press(guest, await asks(ADA, "en"))
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert news.mails_to(ADA) == []
