"""Initial sync and resync: a dry run, then page by page behind everything live, with the numbers a person confirmed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import sync
from stellwerk.relay.backfill import Said
from stellwerk.relay.forgetting import forget_connection
from stellwerk.relay.holding import go_on, hold
from stellwerk.relay.housekeeping import tidy
from stellwerk.relay.states import set_state
from stellwerk.store import accounts, counts, repairs, runs, syncs
from stellwerk.store.store import Tx
from stellwerk.store.syncs import DryRow
from stellwerk_toys.faults import Fault, Stopped
from stellwerk_toys.mail import NOTHING, ONE
from stellwerk_toys.post import Post
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
DAY = 86_400.0
YES = {"wants_news": "yes", "name": "Ada", "language": "de"}
MANY = 12  # the toy shop has five on a page


def people(world: World, count: int = MANY, fields: dict[str, str | None] | None = None) -> list[str]:
    """Contacts that were there before anybody thought of a newsletter; their addresses."""
    world.crm.fields.update(("wants_news", "ask_me", "my_level"))
    emails = [f"old{number}@example.com" for number in range(count)]
    for email in emails:
        world.import_(email, YES if fields is None else fields)
    return emails


@pytest.fixture
def old(world: World) -> list[str]:
    """They are imported before the connection begins."""
    return people(world)


@pytest.fixture
async def yard(world: World, tmp_path: Any, chosen: dict[str, Any], old: list[str]) -> Any:
    """The hub of conftest, but the contacts are older than the connection by two days."""
    world.clock.now += 2 * DAY
    made = Yard(tmp_path, world)
    await made.start()
    world.posts.clear()
    await made.connect(chosen)
    await made.settle(60)
    yield made
    await made.stop()


async def dry(yard: Yard, **terms: Any) -> dict[str, Any]:
    begun = await sync.dry_run(yard.hub, connection="toys", by="jo", **terms)
    await yard.settle(30)
    return await sync.one_status(yard.hub, begun["run"])


async def synced(yard: Yard, **numbers: Any) -> dict[str, Any]:
    begun = await sync.start(yard.hub, connection="toys", by="jo", **numbers)
    await yard.settle(60)
    return await sync.one_status(yard.hub, begun["run"])


async def said(yard: Yard, run: int) -> dict[str, tuple[str, str, bool]]:
    """By address: what a dry run said, why, and whether it would be new over there."""

    def load(tx: Tx) -> list[tuple[DryRow, Said]]:
        one = syncs.by_id(tx, run)
        assert one is not None
        accounts.by_id(tx, yard.hub.vault, one.account)
        rows = syncs.rows(tx, run, "", 1000)
        return [(row, msgspec.json.decode(yard.hub.vault.open(one.account, row.body), type=Said)) for row in rows]

    return {body.email: (row.what, row.code, body.new) for row, body in await yard.look(load)}


async def six_add_up(yard: Yard) -> bool:
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    return sum(six.values()) == acknowledged and not six["dead"]


def in_news(world: World) -> list[str]:
    return sorted(one.email or "" for one in world.mail.records.values())


# --- dry run


@pytest.mark.behaviour("sync-dry-run")
async def test_a_dry_run_says_of_everybody_what_would_happen_and_writes_nothing(
    yard: Yard, world: World, old: list[str]
) -> None:
    before = world.picture()
    done = await dry(yard)
    assert (done["state"], done["contacts"], done["counts"]["created"]) == ("done", MANY, MANY)
    assert await said(yard, done["run"]) == dict.fromkeys(old, ("created", "sync", True))
    assert world.picture() == before
    assert await yard.look(lambda tx: tx.all("select id from outbox")) == []
    assert await yard.look(lambda tx: tx.all("select id from contact")) == []


@pytest.mark.behaviour("sync-dry-run")
async def test_a_dry_run_counts_who_would_be_mailed_and_who_is_skipped_and_why(
    yard: Yard, world: World, old: list[str]
) -> None:
    world.form(old[0], {"wants_news": "no"})
    world.person_edits("c2", "wants_news", "no")
    world.person_creates(None, {"name": "Nobody", "wants_news": "yes"})
    world.posts.clear()
    world.clock.now += 2 * DAY
    done = await dry(yard, ask=True)
    reasons = {(row["what"], row["code"]): row["count"] for row in done["reasons"]}
    assert reasons == {
        ("mailed", "sync"): MANY - 2,
        ("skipped", "said-no"): 1,
        ("skipped", "no-address"): 1,
        ("changed", "changed"): 1,
    }
    assert (done["counts"]["mailed"], done["counts"]["skipped"]) == (MANY - 2, 2)


async def test_what_a_dry_run_says_is_sealed_and_goes_after_its_days_or_with_the_address(
    yard: Yard, world: World, old: list[str]
) -> None:
    done = await dry(yard)
    rows = await yard.look(lambda tx: tx.all("select * from sync_row"))
    assert all(old[0].encode() not in row["body"] and old[0] not in str(row) for row in rows)
    address = yard.hub.vault.address(old[0])
    assert await yard.store.write(lambda tx: runs.forget_address(tx, address)) == 1
    world.clock.now += 15 * DAY
    await tidy(yard.hub)
    assert await said(yard, done["run"]) == {}
    assert (await sync.one_status(yard.hub, done["run"]))["counts"]["created"] == MANY


@pytest.mark.parametrize("turn", range(1, 6))
async def test_a_dry_run_goes_on_at_its_page_after_a_crash(yard: Yard, turn: int) -> None:
    begun = await sync.dry_run(yard.hub, connection="toys", by="jo")
    yard.store.stop_at = yard.store.writes + turn
    with pytest.raises(Stopped):
        await yard.settle(30)
    await yard.restart()
    await yard.settle(30)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["contacts"], done["counts"]["created"]) == ("done", MANY, MANY)


# --- sync


@pytest.mark.behaviour("sync-brings-in")
async def test_everybody_older_than_the_connection_is_brought_in_without_a_mail(
    yard: Yard, world: World, old: list[str]
) -> None:
    assert in_news(world) == []
    await dry(yard)
    done = await synced(yard)
    assert (done["state"], done["contacts"], done["counts"]["created"]) == ("done", MANY, MANY)
    assert in_news(world) == sorted(old)
    assert {one.permission for one in world.mail.records.values()} == {NOTHING}
    assert {one.extern for one in world.mail.records.values()} == set(world.crm.records)
    assert world.mail.sent == []
    assert await six_add_up(yard)


async def test_a_field_that_changes_after_the_sync_is_carried_over(yard: Yard, world: World, old: list[str]) -> None:
    await dry(yard)
    await synced(yard)
    record = world.shop(old[3])
    assert record is not None
    world.person_edits(record.id, "name", "Augusta")
    await yard.settle(30)
    found = world.news(old[3])
    assert found is not None
    assert found.fields["FIRST"] == "Augusta"


@pytest.mark.behaviour("sync-out")
async def test_an_address_that_opted_out_is_left_alone(yard: Yard, world: World, old: list[str]) -> None:
    world.mail.markers[old[0]] = world.clock.moment()
    await dry(yard)
    await synced(yard)
    assert in_news(world) == sorted(old[1:])


@pytest.mark.behaviour("sync-out")
async def test_an_address_whose_opt_out_is_only_claimed_stays_out_and_holds_up_nothing(
    yard: Yard, world: World, old: list[str]
) -> None:
    path = tuple(world.mail.hooks["goodbye"].split("/webhooks/toymail/")[1].split("/"))
    await yard.post(Post(connector="toymail", path=path, body=msgspec.json.encode({"who": old[0]})))
    await dry(yard)
    done = await synced(yard)
    assert (done["state"], done["counts"]["skipped"], done["counts"]["created"]) == ("done", 1, MANY - 1)
    assert in_news(world) == sorted(old[1:])


@pytest.mark.behaviour("sync-known")
async def test_who_is_there_already_keeps_what_it_allowed_and_is_linked(
    yard: Yard, world: World, old: list[str]
) -> None:
    world.mail.create(old[0], ONE, None, {"FIRST": "There"})
    await dry(yard)
    await synced(yard)
    found = world.news(old[0])
    assert found is not None
    record = world.shop(old[0])
    assert record is not None
    assert (found.permission, found.fields["FIRST"], found.extern) == (ONE, "There", record.id)


@pytest.mark.behaviour("sync-again")
async def test_a_second_sync_changes_nothing(yard: Yard, world: World) -> None:
    await dry(yard)
    await synced(yard)
    before = world.picture()
    again = await dry(yard)
    assert (again["counts"]["skipped"], again["counts"]["created"]) == (MANY, 0)
    done = await synced(yard)
    assert (done["state"], done["counts"]["skipped"], done["deliveries"]) == ("done", MANY, {})
    assert world.picture() == before


async def test_a_resync_heals_a_field_whose_event_was_lost(yard: Yard, world: World, old: list[str]) -> None:
    await dry(yard)
    await synced(yard)
    record = world.shop(old[3])
    assert record is not None
    world.person_edits(record.id, "name", "Augusta")
    world.posts.clear()
    assert (await dry(yard))["counts"]["changed"] == 1
    await synced(yard)
    found = world.news(old[3])
    assert found is not None
    assert found.fields["FIRST"] == "Augusta"


# --- mails and permissions


@pytest.mark.behaviour("sync-asks")
async def test_with_the_number_that_the_dry_run_counted_each_is_asked_once(
    yard: Yard, world: World, old: list[str]
) -> None:
    assert (await dry(yard, ask=True))["counts"]["mailed"] == MANY
    done = await synced(yard, ask=MANY)
    assert (done["state"], done["confirmed"]) == ("done", MANY)
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)
    await dry(yard, ask=True)
    await synced(yard)
    assert len(world.mail.sent) == MANY


@pytest.mark.parametrize("number", [None, 0, MANY - 1, MANY + 1])
async def test_another_number_is_refused_and_nobody_is_mailed(yard: Yard, world: World, number: int | None) -> None:
    await dry(yard, ask=True)
    with pytest.raises(StellwerkError, match=f"--ask {MANY}"):
        await sync.start(yard.hub, connection="toys", by="jo", ask=number)
    await yard.settle(60)
    assert world.mail.sent == []


@pytest.mark.behaviour("sync-asks")
async def test_no_more_are_mailed_than_were_confirmed_though_more_have_come(yard: Yard, world: World) -> None:
    await dry(yard, ask=True)
    world.person_edits("c1", "wants_news", "yes")
    for number in range(3):
        world.import_(f"late{number}@example.com", YES)
    world.posts.clear()
    for number in range(3):
        record = world.shop(f"late{number}@example.com")
        assert record is not None
        record.created = world.crm.records["c1"].created
        record.history["wants_news"][0] = world.crm.records["c1"].history["wants_news"][0]
    done = await synced(yard, ask=MANY)
    reasons = await yard.look(lambda tx: tx.all("select code from inbox where run is not null and state = 'skipped'"))
    assert (len(world.mail.sent), done["counts"]["mailed"]) == (MANY, MANY)
    assert [row["code"] for row in reasons] == ["more-than-confirmed"] * 3


async def test_a_permission_of_its_own_is_granted_with_the_number_confirmed(yard: Yard, world: World) -> None:
    assert (await dry(yard, permission="single"))["counts"]["granted"] == MANY
    with pytest.raises(StellwerkError, match=f"--grant {MANY}"):
        await sync.start(yard.hub, connection="toys", by="jo")
    await synced(yard, grant=MANY)
    assert {one.permission for one in world.mail.records.values()} == {ONE}
    assert world.mail.sent == []


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"permission": "double"}, "nobody agreed"),
        ({"permission": "everything"}, "no permission"),
        ({"permission": "single", "ask": True}, "either ask, or grant"),
        ({"connection": "nobody"}, "no connection nobody"),
    ],
)
async def test_terms_that_cannot_be_are_refused(yard: Yard, terms: dict[str, Any], why: str) -> None:
    with pytest.raises(StellwerkError, match=why):
        await sync.dry_run(yard.hub, **{"connection": "toys", "by": "jo", **terms})


async def test_a_sync_needs_a_dry_run_that_still_holds(yard: Yard, world: World) -> None:
    async def refused(why: str) -> None:
        with pytest.raises(StellwerkError, match=why):
            await sync.start(yard.hub, connection="toys", by="jo")

    await refused("do a dry run first")
    await dry(yard)
    world.clock.now += DAY + 1
    await refused("older than a day")
    await dry(yard)
    await yard.connect({"letter": "spring"})
    await refused("were changed since")
    await dry(yard)
    await synced(yard)
    await refused("there was a sync since")


async def test_only_one_goes_on_at_a_time(yard: Yard) -> None:
    await sync.dry_run(yard.hub, connection="toys", by="jo")
    with pytest.raises(StellwerkError, match="dry run of connection toys is running"):
        await sync.dry_run(yard.hub, connection="toys", by="jo")


async def test_a_connection_that_watches_can_be_foreseen_and_not_synced(yard: Yard) -> None:
    await set_state(yard.hub, connection="toys", state="watches", by="jo")
    assert (await dry(yard))["counts"]["created"] == MANY
    with pytest.raises(StellwerkError, match="watches"):
        await sync.start(yard.hub, connection="toys", by="jo")


# --- crash, stop, resume, cancel


@pytest.mark.behaviour("sync-killed")
@pytest.mark.parametrize("turn", range(1, 40, 4))
@pytest.mark.parametrize("after", [False, True])
async def test_a_sync_goes_on_where_it_was_killed_and_mails_nobody_twice(
    yard: Yard, world: World, old: list[str], turn: int, after: bool
) -> None:
    await dry(yard, ask=True)
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    yard.store.stop_at, yard.store.after = yard.store.writes + turn, after
    with pytest.raises(Stopped):
        await yard.settle(60)
    await yard.restart()
    await yard.settle(60)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["contacts"], done["counts"]["mailed"]) == ("done", MANY, MANY)
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)
    assert await six_add_up(yard)


@pytest.mark.behaviour("sync-killed")
async def test_a_stopped_sync_sends_nothing_more_and_goes_on_when_it_is_resumed(
    yard: Yard, world: World, old: list[str]
) -> None:
    await dry(yard, ask=True)
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.drain("shop")
    stopped = await sync.stop(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (stopped["state"], world.mail.sent) == ("stopped", [])
    assert stopped["deliveries"]["waiting"] > 0
    await sync.resume(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "done"
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)


async def test_what_happens_live_goes_on_while_a_sync_is_stopped(yard: Yard, world: World, old: list[str]) -> None:
    await dry(yard)
    await sync.start(yard.hub, connection="toys", by="jo")
    await yard.drain("shop")
    await sync.stop(yard.hub, connection="toys", by="jo")
    world.clock.now += 60
    for said in ("no", "yes"):
        world.form(old[0], {"wants_news": said})
        await yard.settle(60)
    assert [mail.email for mail in world.mail.sent] == [old[0]]


async def test_a_cancelled_sync_leaves_out_whom_it_has_not_brought_in_and_a_later_one_makes_up_for_it(
    yard: Yard, world: World, old: list[str]
) -> None:
    await dry(yard)
    await sync.start(yard.hub, connection="toys", by="jo")
    await yard.drain("shop")
    done = await sync.cancel(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (done["state"], in_news(world)) == ("cancelled", [])
    assert await six_add_up(yard)
    with pytest.raises(StellwerkError, match="no sync of connection toys is going on"):
        await sync.resume(yard.hub, connection="toys", by="jo")
    await dry(yard)
    await synced(yard)
    assert in_news(world) == sorted(old)


async def test_a_hold_holds_a_syncs_mails_too(yard: Yard, world: World, old: list[str]) -> None:
    await dry(yard, ask=True)
    await hold(yard.hub, by="jo")
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.settle(60)
    assert world.mail.sent == []
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "running"
    await go_on(yard.hub, by="jo")
    await yard.settle(60)
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)


async def test_a_shop_that_does_not_answer_puts_the_sync_off_and_it_goes_on(yard: Yard, world: World) -> None:
    await dry(yard)
    begun = await sync.start(yard.hub, connection="toys", by="jo")
    await yard.drain("shop")
    world.faults.sometimes(1.0, Fault.REFUSED)
    await yard.settle(5)
    world.faults.none_any_more()
    await yard.settle(7200)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "done"


async def test_a_shop_that_lets_nobody_list_ends_the_sync_with_a_repair_that_the_next_one_closes(
    yard: Yard, world: World
) -> None:
    await dry(yard)
    world.crm.list_closed = True
    done = await synced(yard)
    assert (done["state"], done["code"]) == ("failed", "list-closed")
    open_now = await yard.look(lambda tx: [row["code"] for row in repairs.still_open(tx)])
    assert open_now == ["sync-failed"]
    world.crm.list_closed = False
    assert (await dry(yard))["state"] == "done"
    assert await yard.look(repairs.still_open) == []


async def test_a_connection_that_ends_ends_its_sync(yard: Yard, world: World) -> None:
    await dry(yard)
    begun = await sync.start(yard.hub, connection="toys", by="jo")
    await forget_connection(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "cancelled"
    assert in_news(world) == []


# --- beside live traffic


@pytest.mark.behaviour("sync-live")
async def test_a_form_passes_in_front_of_a_sync(yard: Yard, world: World) -> None:
    await dry(yard, ask=True)
    await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.drain("shop")
    world.form("new@example.com", YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.settle(60)
    assert world.mail.sent[0].email == "new@example.com"
    assert len(world.mail.sent) == MANY + 1


async def test_a_sync_leaves_some_of_the_accounts_calls_to_what_is_live(yard: Yard, world: World) -> None:
    people(world, 60)
    world.posts.clear()
    world.clock.now += 2 * DAY
    world.crm.rate = (30, 10.0)
    begun = await sync.dry_run(yard.hub, connection="toys", by="jo")
    before = world.faults.calls
    await yard.run()  # while no second passes
    assert 20 <= world.faults.calls - before <= 27
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "running"
    await yard.settle(60)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "done"


async def test_who_signs_up_while_the_sync_looks_at_it_is_asked_as_the_connection_asks(
    yard: Yard, world: World
) -> None:
    await dry(yard)
    world.form("new@example.com", YES)
    await synced(yard)
    assert [mail.email for mail in world.mail.sent] == ["new@example.com"]


async def test_what_follows_at_the_shop_waits_behind_live_changes_too(yard: Yard, world: World) -> None:
    await dry(yard)
    await synced(yard)
    rows = await yard.look(lambda tx: tx.all("select tag, class, run from outbox where account like 'shop:%'"))
    assert {(row["tag"], row["class"]) for row in rows} == {("set_fields", 3)}
    assert all(row["run"] is not None for row in rows)


async def test_a_sync_that_waits_for_a_person_is_looked_at_ever_more_seldom_and_ends_at_once_when_it_may(
    yard: Yard, world: World
) -> None:
    await dry(yard, ask=True)
    await hold(yard.hub, by="jo")
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.settle(3 * DAY)  # which ends with a failure where it is looked at each second
    await go_on(yard.hub, by="jo")
    await yard.settle(10)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "done"
