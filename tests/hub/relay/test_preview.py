"""A preview of a replay says what the replay then does, and leaves no trace."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import dead
from stellwerk.relay.preview import preview
from stellwerk.store import inbox, outbox
from stellwerk_toys.faults import Fault
from stellwerk_toys.post import Post
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
ADA, BEN = "ada@example.com", "ben@example.com"


async def dead_event(yard: Yard, world: World, email: str = ADA) -> str:
    """A sign-up whose events were given up before they could be decided."""
    one = world.form(email, YES)
    await yard.take_in()

    def give_up(tx: Any) -> None:
        rows = tx.all("select id from inbox where state = 'waiting'")
        inbox.end(tx, [row["id"] for row in rows], "dead", "refused", yard.hub.now())

    await yard.store.write(give_up)
    return one


async def dead_delivery(yard: Yard) -> None:
    """What waits to go out is given up."""
    rows = await yard.look(lambda tx: tx.all("select id from outbox where state = 'waiting'"))
    assert rows
    for row in rows:
        await yard.store.write(
            lambda tx, one=row["id"]: outbox.settle(  # type: ignore[misc]
                tx, one, "dead", code="refused", text="no", answer=None, now=yard.hub.now()
            )
        )


def everything(path: Path) -> list[str]:
    """All rows of the database, as text."""
    with sqlite3.connect(path) as connection:
        return sorted(connection.iterdump())


def changes(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (change["change"], outcome["outcome"])
        for one in told["replays"]
        for outcome in one["outcomes"]
        for change in outcome["changes"]
    ]


async def test_an_event_that_was_given_up_shows_the_ask_it_would_lead_to_and_its_rule(yard: Yard, world: World) -> None:
    await dead_event(yard, world)
    told = await preview(yard.hub, code="refused", by="jo")
    assert changes(told) == [("enter", "decided")]
    (one,) = told["replays"]
    (outcome,) = one["outcomes"]
    assert outcome["connection"] == "toys"
    assert outcome["changes"][0]["because"]["rule"] == "join"
    assert (told["kept"], told["more"]) == (0, 0)
    await dead.replay(yard.hub, code="refused", by="jo")
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1


async def test_nothing_is_changed_here_or_there(yard: Yard, world: World) -> None:
    await dead_event(yard, world)
    await dead_event(yard, world, BEN)
    before, picture = everything(yard.path), world.picture()
    await preview(yard.hub, code="refused", by="jo")
    assert everything(yard.path) == before
    assert world.picture() == picture
    await yard.settle(60)
    assert world.mail.sent == []


async def test_what_is_true_today_counts(yard: Yard, world: World) -> None:
    one = await dead_event(yard, world)
    world.person_edits(one, "wants_news", "no")
    world.posts.clear()
    told = await preview(yard.hub, code="refused", by="jo")
    assert "enter" not in dict(changes(told))


async def test_the_rules_of_today_count(yard: Yard, world: World) -> None:
    await dead_event(yard, world)
    await yard.stop()
    file = yard.path.with_name("integration-toys.yaml")
    text = FILE.read_text("utf-8")
    file.write_text(
        text.replace("id: join\n", "id: signing-up\n").replace("rule: join\n", "rule: signing-up\n"), "utf-8"
    )
    today = Yard(yard.path.parent, world, load_toys(file))
    await today.start()
    told = await preview(today.hub, code="refused", by="jo")
    assert told["replays"][0]["outcomes"][0]["changes"][0]["because"]["rule"] == "signing-up"
    await today.stop()
    await yard.start()


async def test_an_entry_that_was_given_up_is_decided_again(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    await dead_delivery(yard)
    told = await preview(yard.hub, code="refused", by="jo")
    assert changes(told) == [("enter", "decided")]
    assert [one["what"] for one in told["replays"][0]["letters"]] == ["delivery"]


async def test_a_change_that_only_goes_out_again_is_asked_of_the_laws(yard: Yard, world: World, joined: Any) -> None:
    await joined()
    world.unsubscribe(ADA)
    await yard.take_in()
    await yard.drain("news")
    await dead_delivery(yard)
    told = await preview(yard.hub, code="refused", by="jo")
    outcomes = dict(changes(told))
    assert outcomes["set_fields"] == "goes out again"
    assert outcomes["add_entry"] == "goes out again"


async def test_a_contact_that_is_gone_over_there_is_said_to_be_skipped(yard: Yard, world: World, joined: Any) -> None:
    one = await joined()
    world.unsubscribe(ADA)
    await yard.take_in()
    await yard.drain("news")
    await dead_delivery(yard)
    world.person_deletes(one)
    world.posts.clear()
    told = await preview(yard.hub, code="refused", by="jo")
    reasons = {
        reason["code"] for one in told["replays"] for outcome in one["outcomes"] for reason in outcome["reasons"]
    }
    assert changes(told) == []
    assert "not-there" in reasons


async def test_a_lease_that_a_lane_holds_is_not_disturbed(yard: Yard, world: World) -> None:
    await dead_event(yard, world)

    def held(tx: Any) -> list[Any]:
        return list(tx.all("select * from lease order by account"))

    await yard.store.write(lambda tx: tx.run("update lease set owner = 'a lane', until = 1e12, epoch = 7"))
    before = await yard.look(held)
    assert changes(await preview(yard.hub, code="refused", by="jo")) == [("enter", "decided")]
    assert await yard.look(held) == before


async def test_who_cannot_be_read_now_is_said_with_the_reason(yard: Yard, world: World) -> None:
    await dead_event(yard, world)
    world.faults.at_next(Fault.UNKNOWN_KEY)
    told = await preview(yard.hub, code="refused", by="jo")
    (outcome,) = told["replays"][0]["outcomes"]
    assert outcome["outcome"] == "cannot be told"
    assert [reason["code"] for reason in outcome["reasons"]] == ["key-refused"]


async def test_no_value_of_a_field_is_told(yard: Yard, world: World) -> None:
    await dead_event(yard, world)
    told = str(await preview(yard.hub, code="refused", by="jo"))
    assert ADA not in told
    assert "Ada" not in told


async def test_a_letter_that_was_never_understood_is_counted_and_not_played(yard: Yard, world: World) -> None:
    path = tuple(world.mail.hooks["yes"].split("/webhooks/toymail/", 1)[1].split("/"))
    await yard.post(Post(connector="toymail", path=path, body=b"{}", what="odd"))
    (row,) = await yard.look(lambda tx: tx.all("select code from inbox where state = 'dead'"))
    assert await preview(yard.hub, code=row["code"], by="jo") == {"replays": [], "kept": 1, "more": 0}


async def test_a_code_that_no_letter_has_is_refused(yard: Yard) -> None:
    with pytest.raises(StellwerkError, match="no such dead letter"):
        await preview(yard.hub, code="nope", by="jo")


async def test_only_the_oldest_are_looked_at_and_the_others_are_counted(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stellwerk.relay.preview.MOST", 3)
    for number in range(4):
        world.person_creates(f"p{number}@example.com", YES)
    await yard.take_in()
    rows = await yard.look(lambda tx: tx.all("select id from inbox where state = 'waiting' order by id"))
    await yard.store.write(lambda tx: inbox.end(tx, [row["id"] for row in rows], "dead", "refused", yard.hub.now()))
    told = await preview(yard.hub, code="refused", by="jo")
    assert sorted(letter["number"] for one in told["replays"] for letter in one["letters"]) == [1, 2, 3]
    assert told["more"] == len(rows) - 3
