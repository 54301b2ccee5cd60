"""Who does not wait behind whom, in what was taken in and is not decided yet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stellwerk.relay.receive import new_event
from stellwerk.sdk import EventKind, Ref, Signal
from stellwerk.store import connections, inbox
from stellwerk_rules.model import Origin
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


def changed(number: int, kind: EventKind = EventKind.CHANGED) -> Signal:
    return Signal(kind=kind, ref=Ref(by="id", value=str(number)), key=f"found:{number}")


async def account_of(yard: Yard, system: str) -> str:
    return (await yard.look(connections.every))[0].accounts[system]


async def test_events_of_a_form_are_taken_before_those_of_an_import_and_opt_outs_before_all(yard: Yard) -> None:
    def urgency(kind: EventKind, origin: Origin | None) -> int:
        signal = Signal(kind=kind, ref=Ref(by="id", value="1"), origin=origin)
        return new_event(yard.hub, account, signal, 1.0).urgency

    account = await account_of(yard, "shop")
    assert urgency(EventKind.CHANGED, Origin.FORM) < urgency(EventKind.CHANGED, Origin.IMPORT)
    assert urgency(EventKind.UNSUBSCRIBED, Origin.IMPORT) < urgency(EventKind.CHANGED, Origin.FORM)


async def test_an_import_that_a_poll_finds_holds_up_neither_what_is_told_now_nor_who_confirmed(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [*(changed(number) for number in range(40)), changed(77, EventKind.CONFIRMED)]

    async def polled(self: ToyMail, cursor: str | None, /) -> tuple[Sequence[Signal], str, bool]:
        return found, "1", False

    async def nobody(*_: object) -> int:
        return 0

    monkeypatch.setattr(ToyMail, "poll", polled)
    monkeypatch.setattr("stellwerk.relay.drain.read_and_decide", nobody)
    yard.world.clock.now += 600
    await yard.drain("news")
    news = await account_of(yard, "news")
    told = new_event(yard.hub, news, changed(99), yard.hub.now())
    await yard.store.write(lambda tx: inbox.put(tx, [told]))
    first = await yard.look(lambda tx: inbox.take(tx, news, yard.hub.now(), 3))
    assert [row.subject for row in first] == ["id:77", "id:99", "id:0"]


async def test_what_a_sync_looks_at_waits_behind_what_a_poll_found(yard: Yard) -> None:
    def urgency(run: int | None) -> int:
        return new_event(yard.hub, account, changed(1), 1.0, run=run, urgency=2).urgency

    account = await account_of(yard, "shop")
    assert urgency(None) < urgency(7)
