"""Opt-outs before everything: within a turn, too, nobody else is called for before they are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from stellwerk.sdk import Contact, Delivery, PauseError, Receipt, Ref, RetryableError
from stellwerk_rules.model import Ask
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Joined = Callable[[], Awaitable[str]]


async def says_no_while_others_join(yard: Yard, world: World, one: str) -> None:
    for number in range(3):
        world.form(f"p{number}@example.com", YES)
    world.person_edits(one, "wants_news", "no")
    await yard.take_in()
    await yard.drain("shop")


@pytest.mark.behaviour("out-first")
async def test_an_opt_out_is_written_before_anybody_else_is_so_much_as_looked_up(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    await says_no_while_others_join(yard, world, one)
    called: list[tuple[str, int]] = []
    read, apply = ToyMail.read, ToyMail.apply

    async def reads(
        self: ToyMail, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        called.append(("read", len(refs)))
        return await read(self, refs, fields, history)

    async def applies(self: ToyMail, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        called.append((deliveries[0].change.__struct_config__.tag, len(deliveries)))  # type: ignore[arg-type]
        return await apply(self, deliveries)

    monkeypatch.setattr(ToyMail, "read", reads)
    monkeypatch.setattr(ToyMail, "apply", applies)
    await yard.drain("news")
    assert called[:3] == [("read", 1), ("unsubscribe", 1), ("read", 3)]


@pytest.mark.parametrize("trouble", [PauseError("rate-limit", seconds=600.0), RetryableError("unreachable")])
@pytest.mark.parametrize("call", ["read", "apply"])
async def test_what_the_others_of_its_turn_meet_keeps_no_opt_out_waiting(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch, trouble: Exception, call: str
) -> None:
    one = await joined()
    await says_no_while_others_join(yard, world, one)
    right: Any = getattr(ToyMail, call)

    async def troubled(self: ToyMail, several: Sequence[Any], *more: Any) -> Any:
        others = [one for one in several if isinstance(one, Ref) and one.value.startswith("p")]
        if others or any(isinstance(one, Delivery) and isinstance(one.change, Ask) for one in several):
            raise trouble
        return await right(self, several, *more)

    monkeypatch.setattr(ToyMail, call, troubled)
    await yard.drain("news")
    assert world.mail.marked(ADA)
