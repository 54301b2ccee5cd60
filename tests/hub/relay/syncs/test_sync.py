"""A sync: page by page behind everything live, with the numbers that a person confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import sync
from stellwerk.relay.dead import replay
from stellwerk.relay.holding import go_on, hold
from stellwerk.relay.preview import preview
from stellwerk.relay.states import set_state
from stellwerk.sdk import Delivery, Outcome, Receipt
from stellwerk_toys.mail import NOTHING, ONE
from stellwerk_toys.post import Post
from stellwerk_toys.syncing import DAY, MANY, YES, dry, in_news, people, six_add_up, synced
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


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


# --- what changes meanwhile


@pytest.mark.behaviour("changed-meanwhile")
async def test_whom_a_sync_asks_is_asked_by_what_holds_when_the_mail_goes_out(
    yard: Yard, world: World, chosen: dict[str, Any], old: list[str]
) -> None:
    await yard.connect({**chosen, "ask_tracking": True})
    await dry(yard, ask=True)
    await hold(yard.hub, by="jo")
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.settle(60)
    await yard.connect(chosen)
    await yard.settle(60)
    await go_on(yard.hub, by="jo")
    await yard.settle(60)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["counts"]["mailed"], done["deliveries"]) == (
        "done",
        MANY,
        {"done": 2 * MANY},
    )  # and what is shown of each
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)
    assert not any(mail.plus for mail in world.mail.sent)
    assert await six_add_up(yard)


@pytest.mark.behaviour("changed-meanwhile")
async def test_what_a_contact_says_of_itself_counts_for_the_mail_of_a_sync_too(
    yard: Yard, world: World, chosen: dict[str, Any], old: list[str]
) -> None:
    await yard.connect({**chosen, "ask_tracking": True})
    await dry(yard, ask=True)
    await hold(yard.hub, by="jo")
    await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.settle(60)
    world.person_edits("c1", "track_me", "no")
    await yard.settle(60)
    await go_on(yard.hub, by="jo")
    await yard.settle(60)
    assert {mail.email for mail in world.mail.sent if not mail.plus} == {old[0]}
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)


async def test_a_sync_that_is_cancelled_while_somebody_is_decided_anew_mails_nobody(
    yard: Yard, world: World, chosen: dict[str, Any]
) -> None:
    await yard.connect({**chosen, "ask_tracking": True})
    await dry(yard, ask=True)
    await hold(yard.hub, by="jo")
    await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.settle(60)
    await yard.connect(chosen)
    await go_on(yard.hub, by="jo")
    await yard.drain("news")
    done = await sync.cancel(yard.hub, connection="toys", by="jo")
    assert (done["events_waiting"], done["deliveries"]) == (0, {"skipped": MANY})
    await yard.settle(7200)
    assert world.mail.sent == []
    assert await six_add_up(yard)


# --- what was given up


async def test_what_was_given_up_of_a_sync_is_replayed_on_its_terms_as_the_preview_says(
    yard: Yard, world: World, old: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(self: ToyMail, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        return [Receipt(outcome=Outcome.REJECTED, code="closed") for _ in deliveries]

    await dry(yard)
    with monkeypatch.context() as closed:
        closed.setattr(ToyMail, "apply", refuses)
        begun = await synced(yard)
    assert (begun["deliveries"], in_news(world)) == ({"dead": MANY, "done": MANY}, [])
    told = await preview(yard.hub, code="closed", by="jo")
    assert {change["change"] for one in told["replays"] for out in one["outcomes"] for change in out["changes"]} == {
        "enter"
    }
    await replay(yard.hub, code="closed", by="jo")
    await yard.settle(60)
    assert (in_news(world), world.mail.sent) == (sorted(old), [])
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["counts"]["created"]) == ("done", MANY)
    assert await six_add_up(yard)
