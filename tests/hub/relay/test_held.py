"""What waits for a person: beyond the brake, or of a wish too old; released it is decided again first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import again, dead, held, states
from stellwerk.store import connections, counts, lease, outbox, repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
ADA, BEN = "ada@example.com", "ben@example.com"
DAY = 86_400.0
LIMITS = "\nlimits: {doi_mails_per_hour: 3, removals_per_hour: 2}\n"


@pytest.fixture
async def braked(world: World, tmp_path: Path) -> Any:
    """A yard whose file allows three mails and two removals an hour."""
    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8") + LIMITS, "utf-8")
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect({"on_removal": "delete"})
    yield made
    await made.stop()


async def import_of(yard: Yard, world: World, people: int) -> list[str]:
    """So many come by an import and say yes themselves, as a person typed it in: each a wish."""
    ids = []
    for number in range(people):
        one = world.import_(f"p{number}@example.com", {"name": "P"})
        world.person_edits(one, "wants_news", "yes")
        ids.append(one)
    await yard.settle(60)
    return ids


async def codes(yard: Yard) -> list[str]:
    return [row["code"] for row in await yard.look(repairs.still_open)]


async def adds_up(yard: Yard) -> None:
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert sum(six.values()) == acknowledged


@pytest.mark.behaviour("brake-asks")
async def test_asks_beyond_the_limit_are_one_repair_and_a_form_goes_on(braked: Yard, world: World) -> None:
    await import_of(braked, world, 7)
    assert len(world.mail.sent) == 3
    assert await codes(braked) == ["too-many-asks"]
    (group,) = await braked.look(held.groups)
    assert (group["code"], group["origin"], group["count"]) == ("too-many-asks", "person", 4)
    world.form(ADA, YES)
    await braked.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert (await braked.look(counts.six))["held"] > 0
    await adds_up(braked)


async def test_the_count_survives_a_restart_and_ends_with_the_hour(braked: Yard, world: World) -> None:
    await import_of(braked, world, 3)
    await braked.restart()
    world.form(ADA, YES)
    late = world.person_creates(BEN, YES)
    await braked.settle(60)
    assert world.mails_to(BEN) == []
    world.clock.advance(3601.0)
    world.person_creates("cleo@example.com", YES)
    await braked.settle(60)
    assert len(world.mails_to("cleo@example.com")) == 1
    assert late in world.crm.records


@pytest.mark.behaviour("brake-released")
async def test_what_is_released_goes_out_and_closes_the_repair(braked: Yard, world: World) -> None:
    await import_of(braked, world, 6)
    assert await held.release(braked.hub, connection="toys", code="too-many-asks", by="jo") == 3
    await braked.settle(60)
    assert len(world.mail.sent) == len({mail.email for mail in world.mail.sent}) == 6
    assert await codes(braked) == []
    assert (await braked.look(outbox.counts)).get("held") is None
    await adds_up(braked)


async def test_an_old_contacts_own_wish_goes_out_when_released(world: World, tmp_path: Path) -> None:
    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8") + LIMITS.replace("mails_per_hour: 3", "mails_per_hour: 1"), "utf-8")
    yard = Yard(tmp_path, world, load_toys(file))
    await yard.start()
    old = [world.person_creates(email, {"name": "P", "stage": "visitor"}) for email in (ADA, BEN)]
    world.clock.advance(3600.0)
    world.posts.clear()
    await yard.connect({})
    await yard.settle(30)
    world.clock.advance(3600.0)
    for one in old:
        world.form(world.crm.records[one].value("email") or "", {"wants_news": "yes"})
    await yard.settle(60)
    assert len(world.mail.sent) == 1
    assert await held.release(yard.hub, connection="toys", code="too-many-asks", by="jo") == 1
    await yard.settle(60)
    assert (len(world.mails_to(ADA)), len(world.mails_to(BEN))) == (1, 1)
    await adds_up(yard)
    await yard.stop()


@pytest.mark.behaviour("brake-released")
async def test_who_said_no_meanwhile_is_not_mailed_when_released(braked: Yard, world: World) -> None:
    people = await import_of(braked, world, 4)
    last = next(one for one in people if not world.mails_to(world.crm.records[one].value("email") or ""))
    world.form(world.crm.records[last].value("email") or "", {"wants_news": "no"})
    await braked.settle(60)
    await held.release(braked.hub, connection="toys", code="too-many-asks", by="jo")
    await braked.settle(60)
    assert len(world.mail.sent) == 3
    row = await braked.look(
        lambda tx: tx.one("select code, text from outbox where code = 'decided-anew' and tag = 'enter'")
    )
    assert row is not None
    assert "wants_news" in row["text"]
    await adds_up(braked)


async def test_what_is_released_of_a_contact_that_was_merged_away_is_held_as_before(braked: Yard, world: World) -> None:
    people = await import_of(braked, world, 4)
    last = next(one for one in people if not world.mails_to(world.crm.records[one].value("email") or ""))
    world.person_merges(next(one for one in people if one != last), last)
    await held.release(braked.hub, connection="toys", code="too-many-asks", by="jo")
    assert await codes(braked) == []
    await braked.settle(3600)
    assert [(group["code"], group["count"]) for group in await braked.look(held.groups)] == [("too-many-asks", 1)]
    assert await codes(braked) == ["too-many-asks"]
    await adds_up(braked)


@pytest.mark.behaviour("brake-discarded")
async def test_what_is_discarded_never_goes_out(braked: Yard, world: World) -> None:
    people = await import_of(braked, world, 5)
    assert await held.discard(braked.hub, connection="toys", code="too-many-asks", by="jo", reason="a test list") == 2
    await braked.settle(60)
    for one in people:
        world.person_edits(one, "name", "Other")
    await braked.settle(3 * DAY)
    assert len(world.mail.sent) == 3
    assert await codes(braked) == []
    with pytest.raises(StellwerkError, match="nothing of connection toys is held"):
        await held.discard(braked.hub, connection="toys", code="too-many-asks", by="jo")
    await adds_up(braked)


@pytest.mark.behaviour("brake-discarded")
async def test_what_was_discarded_stands_before_no_form(braked: Yard, world: World) -> None:
    people = await import_of(braked, world, 5)
    await held.discard(braked.hub, connection="toys", code="too-many-asks", by="jo")
    for one in people:
        world.workflow_sets(one, "name", "Other")
    await braked.take_in()
    await braked.drain("shop")
    world.form(ADA, YES)
    await braked.take_in()
    await braked.drain("shop")
    news = (await braked.look(connections.every))[0].accounts["news"]
    turn = await braked.look(lambda tx: outbox.ready(tx, news, braked.hub.now(), 9))
    unlinked = [row.tag for row in turn if row.urgency == 2]
    assert unlinked == ["set_fields"] * 2
    assert [row.tag for row in turn if row.urgency == 1] == ["set_fields"] * 3 + ["enter"]
    await braked.settle(60)
    assert (len(world.mails_to(ADA)), len(world.mail.sent)) == (1, 4)


@pytest.mark.behaviour("brake-removals")
async def test_removals_beyond_the_limit_wait_and_opt_outs_never(braked: Yard, world: World) -> None:
    people = []
    for number in range(5):
        world.clock.advance(1300.0)
        people.append(world.form(f"p{number}@example.com", YES))
        await braked.settle(30)
        assert world.confirm()
    await braked.settle(30)
    for one in people[:4]:
        world.person_deletes(one)
    world.person_edits(people[4], "wants_news", "no")
    await braked.settle(60)
    left = {record.email for record in world.mail.records.values() if record.email}
    assert len(left) == 2
    assert "p4@example.com" not in left
    assert await codes(braked) == ["too-many-removals"]
    assert await held.release(braked.hub, connection="toys", code="too-many-removals", by="jo") == 2
    await braked.settle(60)
    assert {record.email for record in world.mail.records.values() if record.email} == set()
    await adds_up(braked)


@pytest.mark.behaviour("brake-old-wish")
async def test_a_wish_too_old_when_its_turn_comes_is_held_and_goes_out_when_released(yard: Yard, world: World) -> None:
    world.mail.key = "another key"
    world.form(ADA, YES)
    await yard.settle(60)
    world.clock.advance(8 * DAY)
    world.mail.key = "key-4711-of-the-toy-news"
    await yard.store.write(lambda tx: tx.run("update account set state = 'ok'"))
    await yard.store.write(lambda tx: tx.run("update lease set wake = 0"))
    await yard.settle(60)
    assert world.mail.sent == []
    assert "old-wish" in await codes(yard)
    assert await held.release(yard.hub, connection="toys", code="old-wish", by="jo") == 1
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert "old-wish" not in await codes(yard)


@pytest.mark.behaviour("watches")
async def test_nobody_is_mailed_for_what_was_only_watched(yard: Yard, world: World) -> None:
    await states.set_state(yard.hub, connection="toys", state="watches", by="jo")
    ben = world.form(BEN, YES)
    await yard.settle(60)
    traced = await yard.look(lambda tx: tx.all("select kind from trace where kind = 'watched'"))
    assert traced
    await states.set_state(yard.hub, connection="toys", state="runs", by="jo")
    await yard.settle(DAY)
    assert (world.mail.sent, world.mail.records) == ([], {})
    world.person_edits(ben, "name", "Benjamin")
    await yard.settle(60)
    assert len(world.mails_to(BEN)) == 1


async def test_what_was_watched_longer_than_a_wish_is_valid_waits_for_a_person(yard: Yard, world: World) -> None:
    await states.set_state(yard.hub, connection="toys", state="watches", by="jo")
    ben = world.form(BEN, YES)
    await yard.settle(60)
    world.clock.advance(8 * DAY)
    await states.set_state(yard.hub, connection="toys", state="runs", by="jo")
    world.person_edits(ben, "name", "Benjamin")
    await yard.settle(60)
    assert world.mail.sent == []
    assert await codes(yard) == ["old-wish"]


@pytest.mark.behaviour("rests")
async def test_an_opt_out_counts_while_a_connection_rests(yard: Yard, world: World, joined: Any) -> None:
    await joined()
    await states.set_state(yard.hub, connection="toys", state="rests", by="jo")
    world.unsubscribe(ADA)
    await yard.settle(600)
    assert await yard.look(lambda tx: tx.all("select since from suppression"))
    record = world.shop(ADA)
    assert record is not None
    assert record.value("wants_news") == "yes"


async def test_only_what_exists_can_be_told_a_state(yard: Yard) -> None:
    with pytest.raises(StellwerkError, match="there is no connection nobody"):
        await states.set_state(yard.hub, connection="nobody", state="runs", by="jo")
    with pytest.raises(StellwerkError, match="runs, watches or rests"):
        await states.set_state(yard.hub, connection="toys", state="sleeps", by="jo")
    assert [one.state for one in await yard.look(connections.every)] == ["runs"]


async def test_a_dead_letter_is_replayed_and_decided_again(yard: Yard, world: World, monkeypatch: Any) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(lambda tx: outbox.settle(tx, 1, "dead", code="refused", text="no", answer=None, now=1.0))
    await yard.store.write(lambda tx: repairs.open_(tx, "toys", "refused", "no", 1.0))
    assert [row["code"] for row in await yard.look(dead.listed)] == ["refused"]
    assert await dead.replay(yard.hub, code="refused", by="jo") == {"replayed": 1, "kept": 0}
    assert await codes(yard) == []
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    with pytest.raises(StellwerkError, match="no such dead letter"):
        await dead.replay(yard.hub, code="refused", by="jo")
    await adds_up(yard)


async def fields_refused(yard: Yard, world: World, one: str) -> None:
    """A field write to the newsletter that became a dead letter."""
    world.person_edits(one, "name", "Lady")
    await yard.take_in()
    await yard.drain("shop")
    row = await yard.look(lambda tx: tx.one("select max(id) as id from outbox where state = 'waiting'"))
    assert row is not None
    await yard.store.write(
        lambda tx: outbox.settle(tx, row["id"], "dead", code="refused", text="", answer=None, now=world.clock())
    )
    await yard.settle(60)


async def test_a_dead_field_write_put_back_mails_nobody_again(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.settle(60)
    await fields_refused(yard, world, one)
    world.clock.advance(15 * DAY)
    await yard.settle(60)
    await dead.replay(yard.hub, code="refused", by="jo")
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    await adds_up(yard)


async def test_a_dead_field_write_put_back_takes_nobody_out(yard: Yard, world: World, joined: Any) -> None:
    one = await joined()
    world.form(ADA, {"wants_news": "no"})
    await yard.settle(60)
    assert not world.mail.marked(ADA)
    await fields_refused(yard, world, one)
    await dead.replay(yard.hub, code="refused", by="jo")
    await yard.settle(60)
    assert not world.mail.marked(ADA)
    await adds_up(yard)


async def test_a_dead_letter_that_is_dismissed_is_skipped_for_good(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(lambda tx: outbox.settle(tx, 1, "dead", code="refused", text="no", answer=None, now=1.0))
    shown = await yard.look(lambda tx: dead.show(tx, yard.hub.vault, "refused"))
    assert [(row["what"], row["id"], row["payload"]) for row in shown] == [("delivery", 1, True)]
    assert await dead.dismiss(yard.hub, code="refused", by="jo", reason="a test") == {"dismissed": 1}
    await yard.settle(60)
    assert world.mail.sent == []
    row = await yard.look(lambda tx: tx.one("select state, text from outbox where id = 1"))
    assert row == {"state": "skipped", "text": "dismissed by jo: a test"}
    await adds_up(yard)


async def test_what_was_let_go_is_held_as_before_once_the_event_that_was_to_decide_it_is_given_up(
    braked: Yard, world: World
) -> None:
    await import_of(braked, world, 4)
    before = await braked.look(held.groups)
    await held.release(braked.hub, connection="toys", code="too-many-asks", by="jo")
    await braked.store.write(
        lambda tx: tx.run("update inbox set state = 'dead', code = 'bug', ended = 0 where state = 'waiting'")
    )
    assert (await braked.look(held.groups), await codes(braked)) == ([], [])
    await dead.dismiss(braked.hub, code="bug", by="jo")
    assert (await braked.look(held.groups), await codes(braked)) == (before, ["too-many-asks"])
    await adds_up(braked)


async def test_what_comes_after_a_delivery_that_a_person_ends_waits_for_nothing_more(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(lambda tx: tx.run("update lease set wake = null where account like 'news:%'"))
    (row,) = await yard.look(lambda tx: tx.all("select * from outbox where tag = 'enter'"))
    await yard.store.write(lambda tx: again.end(tx, yard.hub, [row], "cancelled", "by jo"))
    assert row["account"] in await yard.look(lambda tx: lease.due(tx, world.clock()))
