"""Ask again where two connections share a mail account: neither is told of the other's mails, nor speaks for them."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.asking_again import ask_again
from stellwerk.relay.inviting import invite
from stellwerk.sdk import AmbiguousError, Ask, MarkState
from stellwerk.store import connections, consent
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}


async def ledger(yard: Yard) -> list[tuple[str, str]]:
    """Who wrote what of Ada's consent, oldest first."""
    accounts = await yard.look(lambda tx: [row["id"] for row in tx.all("select id from account where system = 'news'")])
    address = yard.hub.vault.address(ADA)
    written = await yard.look(lambda tx: [one for account in accounts for one in consent.written(tx, account, address)])
    return [(writer, fact.kind.value) for writer, fact in written]


async def asked_of(person: Any, yard: Yard) -> tuple[str, list[str]]:
    """What the page of the second connection says of Ada, and its buttons for asking."""
    one = await yard.look(lambda tx: connections.by_id(tx, "second"))
    assert one is not None
    _, link = await invite(yard.hub, one, name="Eva", rights="change", by="jo")
    page = await person.open(link.removeprefix(yard.hub.public_url))
    assert (await person.submit(page)).where == "/overview"
    page = await person.submit(await person.open("/activity?lang=en"), who=ADA)
    text = page.answer.text
    part = text[text.index('id="ask-again"') :].split("</li>")[0]
    forms = [form for form in page.read.forms if form.action == "/activity/contact"]
    return part, [value for form in forms for _, value, _ in form.buttons if value.startswith("ask-again")]


async def second(yard: Yard, world: World) -> World:
    """Another shop with the same newsletter."""
    other = World(f"{world.name} again", beside=world)
    await yard.connect(name="second", shop=other)
    return other


async def test_a_mail_of_another_connection_is_told_without_its_time(person: Any, yard: Yard, world: World) -> None:
    other = await second(yard, world)
    world.form(ADA, YES)
    await yard.settle(30)
    other.form(ADA, YES)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
    said, offered = await asked_of(person, yard)
    assert "another connection of this mail account asked this address lately" in said
    assert "2026" not in said
    assert offered == []


async def test_nobody_says_of_another_connections_mail_that_it_did_not_go_out(
    person: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await second(yard, world)
    apply = ToyMail.apply

    async def unanswered(self: Any, deliveries: Any, /) -> Any:
        if any(isinstance(one.change, Ask) for one in deliveries):
            raise AmbiguousError("no-answer")
        return await apply(self, deliveries)

    async def unreadable(self: Any, delivery: Any, /) -> tuple[MarkState, None]:
        return MarkState.UNREADABLE, None

    with monkeypatch.context() as patch:
        patch.setattr(ToyMail, "apply", unanswered)
        patch.setattr(ToyMail, "find_mark", unreadable)
        world.form(ADA, YES)
        await yard.settle(10)
        other.form(ADA, YES)
        await yard.settle(600)
    before = await ledger(yard)
    assert ("toys", "ask_unknown") in before
    assert (await asked_of(person, yard))[1] == []
    one = await yard.look(lambda tx: connections.by_id(tx, "second"))
    assert one is not None
    told = await ask_again(yard.hub, one, who=ADA, by="Eva", did_not_go_out=True)
    assert told is not None
    assert (told.code, told.seen, told.until) == ("asked-by-another", None, None)
    await yard.settle(60)
    assert await ledger(yard) == before
    assert world.mails_to(ADA) == []


async def test_an_answer_that_another_connection_was_told_stays_there(person: Any, yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    other = await second(yard, world)
    other.form(ADA, YES)
    await yard.settle(30)
    said, offered = await asked_of(person, yard)
    assert "what another connection of this mail account knows of this address" in said
    assert "2026" not in said
    assert offered == []
