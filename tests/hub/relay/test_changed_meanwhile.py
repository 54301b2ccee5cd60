"""What holds when something goes out, not what held when it was decided: settings, the file, the contact's own word."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay import holding, operate
from stellwerk.store import connections, counts
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
ASKS: dict[str, Any] = {"ask_first": True}
GRANTS: dict[str, Any] = {"ask_first": False, "level": "single"}


async def stop(yard: Yard, settings: dict[str, Any]) -> None:
    """With these settings saved, what mails or grants waits."""
    await yard.connect(settings)
    await holding.hold(yard.hub, by="jo")


async def go_on(yard: Yard) -> None:
    await holding.go_on(yard.hub, by="jo")
    await yard.settle(60)
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert sum(six.values()) == acknowledged
    assert six["waiting"] == six["held"] == 0


@pytest.mark.behaviour("changed-meanwhile")
async def test_who_waits_while_the_question_is_switched_on_is_asked_and_not_granted(yard: Yard, world: World) -> None:
    await stop(yard, GRANTS)
    world.form(ADA, YES)
    await yard.settle(60)
    await yard.connect(ASKS)
    await go_on(yard)
    assert len(world.mails_to(ADA)) == 1
    there = world.news(ADA)
    assert there is not None
    assert there.permission == "nothing"


@pytest.mark.behaviour("changed-meanwhile")
async def test_who_waits_while_tracking_is_switched_off_is_not_asked_for_it(yard: Yard, world: World) -> None:
    await stop(yard, {**ASKS, "ask_tracking": True})
    world.form(ADA, YES)
    await yard.settle(60)
    await yard.connect(ASKS)
    await go_on(yard)
    assert [mail.plus for mail in world.mails_to(ADA)] == [False]


@pytest.mark.behaviour("changed-meanwhile")
async def test_who_said_nothing_and_waits_while_silence_becomes_a_no_is_not_mailed(yard: Yard, world: World) -> None:
    await stop(yard, {**ASKS, "silence": "yes"})
    one = world.import_(ADA, {"name": "Ada"})
    await yard.settle(60)
    await yard.connect({**ASKS, "silence": "no"})
    await go_on(yard)
    assert world.mails_to(ADA) == []
    assert world.news(ADA) is None
    await yard.connect({**ASKS, "silence": "yes"})
    world.person_edits(one, "town", "Ulm")
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("changed-meanwhile")
@pytest.mark.parametrize(
    ("settings", "before", "field", "value", "mails"),
    [
        (GRANTS, {}, "ask_me", "yes", [False]),
        (ASKS, {"track_me": "yes"}, "track_me", "no", [False]),
        (ASKS, {}, "wants_news", None, []),
    ],
    ids=["asks to be asked", "takes tracking back", "empties the yes"],
)
async def test_what_the_contact_says_of_itself_meanwhile_counts(
    yard: Yard,
    world: World,
    settings: dict[str, Any],
    before: dict[str, str],
    field: str,
    value: str | None,
    mails: list[bool],
) -> None:
    await stop(yard, settings)
    one = world.form(ADA, {**YES, **before})
    await yard.settle(60)
    world.person_edits(one, field, value)
    await yard.settle(60)
    await go_on(yard)
    assert [mail.plus for mail in world.mails_to(ADA)] == mails
    assert world.news(ADA) is None or mails


@pytest.mark.behaviour("changed-meanwhile")
@pytest.mark.parametrize("what", ["settings", "answer"])
async def test_nobody_is_asked_by_what_held_when_they_were_looked_up_just_before(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from stellwerk.relay import deliver

    await yard.connect({**ASKS, "ask_tracking": True})
    one = world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    looked_up = deliver.look_up

    async def then_changed(*given: Any) -> Any:
        jobs = await looked_up(*given)
        monkeypatch.setattr(deliver, "look_up", looked_up)
        if what == "settings":
            stored = await yard.look(lambda tx: connections.by_id(tx, "toys"))
            assert stored is not None
            await yard.store.write(lambda tx: tx.run("update connection set settings = '{}' where id = 'toys'"))
        else:
            world.form(ADA, {"wants_news": "no"})
            await yard.take_in()
            await yard.drain("shop")
        return jobs

    monkeypatch.setattr(deliver, "look_up", then_changed)
    await yard.settle(60)
    assert one
    assert [mail.plus for mail in world.mails_to(ADA)] == ([False] if what == "settings" else [])


@pytest.mark.behaviour("changed-meanwhile")
async def test_a_permission_does_not_go_along_once_the_setting_says_so_no_more(yard: Yard, world: World) -> None:
    await yard.connect({**ASKS, "on_move": "keep_permission"})
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    await holding.hold(yard.hub, by="jo")
    world.person_edits(one, "email", "new@example.com")
    await yard.settle(60)
    await yard.connect(ASKS)
    await go_on(yard)
    there = world.news(ADA)
    assert there is not None
    assert there.permission == "full"
    assert len(world.mails_to("new@example.com")) == 1


async def test_what_is_decided_anew_while_the_connection_watches_waits_until_it_runs(yard: Yard, world: World) -> None:
    await stop(yard, GRANTS)
    world.form(ADA, YES)
    await yard.settle(60)
    await yard.connect(ASKS)
    await holding.go_on(yard.hub, by="jo")
    await yard.drain("news")
    watching = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert watching is not None
    watching = await operate.change_state(yard.hub, watching, "watches", who="jo")
    await yard.settle(60)
    assert world.news(ADA) is None
    await operate.change_state(yard.hub, watching, "runs", who="jo")
    await yard.settle(7200)
    assert [mail.plus for mail in world.mails_to(ADA)] == [False]
