"""An account that asks for a rest gets it: none of its calls is made meanwhile, and afterwards everything goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stellwerk.sdk import Contact, PauseError, Ref
from stellwerk_toys.story import ADA, QUIET_SECONDS, YES
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
REST_SECONDS = 10.0


async def test_who_asks_for_a_rest_is_called_by_nobody_meanwhile(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, calls = ToyCrm.read, list[float]()

    async def counted(
        self: ToyCrm, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        calls.append(world.clock())
        if len(calls) == 1:
            raise PauseError("rate-limit", seconds=REST_SECONDS)
        return await read(self, refs, fields, history)

    monkeypatch.setattr(ToyCrm, "read", counted)
    world.form(ADA, YES)
    for number in range(4):
        await yard.settle(2)
        world.form(f"p{number}@example.com", YES)
    await yard.settle(QUIET_SECONDS)
    assert calls[1] - calls[0] >= REST_SECONDS
    assert len(world.mail.sent) == 5


async def test_a_poll_that_asks_for_a_rest_each_time_keeps_nothing_else_from_being_done(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limited(self: ToyMail, cursor: str | None, /) -> Any:
        raise PauseError("rate-limit", seconds=REST_SECONDS)

    monkeypatch.setattr(ToyMail, "poll", limited)
    await yard.settle(700)
    world.form(ADA, YES)
    await yard.settle(120)
    assert [mail.email for mail in world.mail.sent] == [ADA]
