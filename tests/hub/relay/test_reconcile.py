"""Reconciliation: both sides compared, drift listed, then mended by looking again, and nobody mailed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import reconcile
from stellwerk.relay.housekeeping import tidy
from stellwerk.relay.reconcile import compare_when_due
from stellwerk.relay.states import set_state
from stellwerk.sdk import Contact, DeliveryError, Ref, RejectedError, RetryableError
from stellwerk.store import comparisons, connections, counts, meta
from stellwerk_toys.faults import Fault
from stellwerk_toys.mail import NOTHING
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
DAY = 86_400.0
Joined = Callable[[], Awaitable[str]]


async def compared(yard: Yard, **terms: Any) -> dict[str, Any]:
    """The comparison once it is over, and what it looked at again has been decided and delivered."""
    (begun,) = await reconcile.reconcile(yard.hub, by="jo", connection="toys", **terms)
    await yard.settle(60)
    told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
    assert told is not None
    return told


def kinds(told: dict[str, Any]) -> dict[tuple[str, str], int]:
    """How many differ, by kind and the system where it was found."""
    return {(row["kind"], row["system"]): row["count"] for row in told["drift"]}


async def forget_webhooks(yard: Yard) -> None:
    """What was told of the last minutes never arrives, nor is it polled: only looking shows it."""
    yard.world.posts.clear()
    last = str(len(yard.world.mail.journal))
    (connection,) = await yard.look(connections.every)
    await yard.store.write(lambda tx: meta.set_cursor(tx, connection.accounts["news"], "poll", last))


@pytest.mark.behaviour("compare-healthy")
async def test_two_sides_that_agree_have_no_drift(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    world.form("ben@example.com", {"wants_news": "no", "name": "Ben"})
    world.form("cleo@example.com", {"wants_news": "yes", "name": "Cleo", "language": "en"})
    await yard.settle(60)
    before, picture = world.faults.calls, world.picture()
    told = await compared(yard)
    assert (told["state"], told["contacts"], told["drift"], told["mended"]) == ("done", 5, [], 0)
    assert world.faults.calls > before
    assert world.picture() == picture


@pytest.mark.behaviour("compare-opt-out")
async def test_an_opt_out_that_no_webhook_told_is_listed_and_carried(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.unsubscribe(ADA)
    await forget_webhooks(yard)
    told = await compared(yard, mend=False)
    assert (kinds(told), told["mended"]) == ({("opt_out", "news"): 1}, 0)
    assert record.value("news_state") == "subscribed"
    told = await compared(yard)
    assert (kinds(told), told["mended"]) == ({("opt_out", "news"): 1}, 1)
    assert record.value("news_state") == "unsubscribed"
    assert record.value("wants_news") == "no"
    assert kinds(await compared(yard)) == {}


@pytest.mark.behaviour("compare-opt-out")
async def test_a_no_at_the_shop_that_no_webhook_told_unsubscribes(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.person_edits(one, "wants_news", "no")
    world.posts.clear()
    assert kinds(await compared(yard)) == {("opt_out", "shop"): 1}
    assert world.news(ADA) is None
    assert world.crm.records[one].value("news_state") == "unsubscribed"
    assert kinds(await compared(yard)) == {}


@pytest.mark.behaviour("compare-lost")
async def test_a_confirmation_that_no_webhook_told_counts(yard: Yard, world: World) -> None:
    one = world.form(ADA, {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"})
    await yard.settle(30)
    assert world.confirm()
    await forget_webhooks(yard)
    assert kinds(await compared(yard))[("confirmation", "news")] == 1
    assert world.crm.records[one].stages[-1] == "guest"
    assert world.crm.records[one].value("news_state") == "subscribed"
    assert kinds(await compared(yard)) == {}


@pytest.mark.behaviour("compare-lost")
async def test_a_changed_field_that_no_webhook_told_is_carried_both_ways(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "name", "Ada L.")
    world.posts.clear()
    assert kinds(await compared(yard)) == {("field", "shop"): 1}
    assert world.mail.find(ADA).fields["FIRST"] == "Ada L."  # type: ignore[union-attr]
    world.edit_at_mail(ADA, "FIRST", "Countess")
    await forget_webhooks(yard)
    assert kinds(await compared(yard)) == {("field", "news"): 1}
    assert world.crm.records[one].value("name") == "Countess"


@pytest.mark.behaviour("compare-lost")
async def test_a_deletion_that_no_webhook_told_does_what_the_rule_says(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await yard.connect({"on_removal": "unsubscribe"})
    await yard.settle(30)
    world.person_deletes(one)
    world.posts.clear()
    assert ("gone", "shop") in kinds(await compared(yard))
    assert world.news(ADA) is None
    assert kinds(await compared(yard)) == {}


@pytest.mark.behaviour("compare-state")
async def test_a_state_that_somebody_overwrote_is_shown_anew(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.person_edits(record.id, "news_state", "unsubscribed")
    await yard.settle(60)
    assert record.value("news_state") == "unsubscribed", "a state is never read back"
    assert kinds(await compared(yard)) == {("state", "shop"): 1}
    assert record.value("news_state") == "subscribed"
    world.unsubscribe(ADA)
    await yard.settle(60)
    world.person_edits(record.id, "news_state", "subscribed")
    await yard.settle(60)
    assert kinds(await compared(yard)) == {("state", "shop"): 1}
    assert record.value("news_state") == "unsubscribed"
    assert kinds(await compared(yard)) == {}


@pytest.mark.behaviour("compare-nobody-is-mailed")
async def test_a_yes_that_no_webhook_told_is_listed_and_nobody_is_mailed(yard: Yard, world: World) -> None:
    world.form(ADA, {"wants_news": "yes", "name": "Ada", "language": "de"})
    world.posts.clear()
    told = await compared(yard)
    assert (kinds(told), told["mended"]) == ({("entry", "shop"): 1}, 0)
    assert world.mail.sent == []
    assert kinds(await compared(yard)) == {("entry", "shop"): 1}
    world.person_edits("c1", "name", "Ada L.")  # its next event finds it as new as it was
    await yard.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA]


@pytest.mark.behaviour("compare-nobody-is-mailed")
@pytest.mark.parametrize("chosen", [{"ask_first": False, "level": "single"}])
async def test_a_permission_is_never_granted_by_a_comparison(yard: Yard, world: World) -> None:
    world.form(ADA, {"wants_news": "yes", "name": "Ada"})
    world.posts.clear()
    assert kinds(await compared(yard)) == {("entry", "shop"): 1}
    assert world.news(ADA) is None


@pytest.mark.behaviour("compare-lost")
@pytest.mark.parametrize("chosen", [{"ask_first": False}])
async def test_a_contact_that_would_get_nothing_is_brought_in(yard: Yard, world: World) -> None:
    world.form(ADA, {"wants_news": "yes", "name": "Ada"})
    world.posts.clear()
    assert kinds(await compared(yard)) == {("link", "shop"): 1}
    found = world.news(ADA)
    assert found is not None
    assert (found.permission, world.mail.sent) == (NOTHING, [])
    assert kinds(await compared(yard)) == {}


@pytest.mark.behaviour("compare-nobody-is-mailed")
async def test_an_address_that_changed_is_left_to_an_event_of_its_own(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.person_edits(one, "email", "ada@new.example")
    world.posts.clear()
    mails = len(world.mail.sent)
    assert kinds(await compared(yard))[("address", "shop")] == 1
    assert len(world.mail.sent) == mails
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(60)
    assert [mail.email for mail in world.mail.sent[mails:]] == ["ada@new.example"]


async def test_what_is_on_its_way_is_no_drift(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.person_edits(one, "name", "Ada L.")
    await yard.take_in()
    (begun,) = await reconcile.reconcile(yard.hub, by="jo", mend=False)
    await yard.settle(60)
    told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
    assert told is not None
    assert told["drift"] == []


async def test_all_is_listed_before_anything_is_mended(yard: Yard, world: World) -> None:
    for number in range(30):
        world.form(f"p{number}@example.com", {"wants_news": "no", "name": "P"})
    await yard.settle(60)
    for number in range(30):
        world.person_edits(f"c{number + 1}", "news_state", "error")
    world.posts.clear()
    (begun,) = await reconcile.reconcile(yard.hub, by="jo")
    states: list[tuple[str, int]] = []
    while await yard.turn():
        told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
        assert told is not None
        states.append((told["state"], told["mended"]))
    assert all(not mended for state, mended in states if state == "compares")


async def test_it_goes_on_where_the_process_ended(yard: Yard, world: World) -> None:
    for number in range(12):
        world.form(f"p{number}@example.com", {"wants_news": "no", "name": "P"})
    await yard.settle(60)
    (begun,) = await reconcile.reconcile(yard.hub, by="jo")
    await yard.drain("shop")
    await yard.restart()
    await yard.settle(60)
    told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
    assert told is not None
    assert (told["state"], told["contacts"]) == ("done", 12)


async def test_an_outage_is_waited_for(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    world.faults.sometimes(1.0, Fault.REFUSED)
    (begun,) = await reconcile.reconcile(yard.hub, by="jo")
    await yard.settle(60)
    world.faults.none_any_more()
    await yard.settle(3600)
    told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
    assert told is not None
    assert (told["state"], told["drift"]) == ("done", [])


async def test_one_at_a_time(yard: Yard, joined: Joined) -> None:
    await joined()
    await reconcile.reconcile(yard.hub, by="jo", connection="toys")
    with pytest.raises(StellwerkError, match="is going on"):
        await reconcile.reconcile(yard.hub, by="jo", connection="toys")
    assert await reconcile.reconcile(yard.hub, by="jo") == []
    with pytest.raises(StellwerkError, match="there is no connection"):
        await reconcile.reconcile(yard.hub, by="jo", connection="nobody")


async def test_it_ends_with_the_pair_of_accounts_that_it_compares(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    other = World(f"{world.name} again", beside=world)
    (begun,) = await reconcile.reconcile(yard.hub, by="jo", connection="toys")
    await yard.connect(news=other)
    await yard.settle(60)
    told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
    assert told is not None
    assert (told["state"], told["code"]) == ("failed", "disconnected")
    assert (await compared(yard))["state"] == "done"


@pytest.mark.behaviour("compare-watches")
async def test_a_connection_that_watches_only_lists(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.person_edits(record.id, "news_state", "error")
    await yard.settle(30)
    await set_state(yard.hub, connection="toys", state="watches", by="jo")
    told = await compared(yard)
    assert (kinds(told), told["mended"]) == ({("state", "shop"): 1}, 0)
    assert record.value("news_state") == "error"


@pytest.mark.behaviour("compare-schedule")
async def test_once_a_day_by_itself(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.person_edits(record.id, "news_state", "error")
    await yard.settle(DAY - 3600)
    await compare_when_due(yard.hub)
    await yard.settle(60)
    assert await yard.look(lambda tx: comparisons.last(tx, "toys")) is None
    await yard.settle(3600)
    for _ in range(2):
        await compare_when_due(yard.hub)
    await yard.settle(60)
    await compare_when_due(yard.hub)
    rows = await yard.look(lambda tx: tx.all("select made_by from comparison"))
    assert [row["made_by"] for row in rows] == ["the schedule"]
    assert record.value("news_state") == "subscribed"


async def test_every_event_of_it_is_counted_as_every_other(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.person_edits(record.id, "news_state", "error")
    world.posts.clear()
    await compared(yard)
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert sum(six.values()) == acknowledged
    assert not six["dead"]


async def test_what_was_found_is_forgotten_with_its_days(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.person_edits(record.id, "news_state", "error")
    await yard.settle(30)
    told = await compared(yard, mend=False)
    assert len(told["found"]) == 1
    world.clock.advance(15 * DAY)
    await tidy(yard.hub)
    told = await yard.look(lambda tx: reconcile.status(tx, told["run"])) or {}
    assert (told["found"], told["state"]) == ([], "done")


# --- who cannot be read


@pytest.mark.parametrize("failed", [RetryableError("unreadable-answer"), RejectedError("too-long")])
@pytest.mark.parametrize("connector", [ToyCrm, ToyMail])
async def test_a_contact_that_cannot_be_read_holds_up_nobody(
    yard: Yard,
    world: World,
    joined: Joined,
    monkeypatch: pytest.MonkeyPatch,
    connector: type[ToyCrm | ToyMail],
    failed: DeliveryError,
) -> None:
    record = world.crm.records[await joined()]
    ben = world.form("ben@example.com", {"wants_news": "yes", "name": "Ben", "language": "en"})
    await yard.settle(30)
    world.person_edits(record.id, "news_state", "error")
    await forget_webhooks(yard)
    bens = {ben, *(one.id for one in world.mail.records.values() if one.email == "ben@example.com")}
    right: Any = connector.read

    async def reads(self: Any, refs: Sequence[Ref], *rest: Any) -> Sequence[Contact]:
        if any(ref.value in bens for ref in refs):
            raise failed
        found: Sequence[Contact] = await right(self, refs, *rest)
        return found

    monkeypatch.setattr(connector, "read", reads)
    told = await compared(yard)
    assert (told["state"], kinds(told)) == ("done", {("state", "shop"): 1})
    assert record.value("news_state") == "subscribed"


async def test_a_contact_remembered_by_another_version_holds_up_nobody(
    yard: Yard, world: World, joined: Joined
) -> None:
    record = world.crm.records[await joined()]
    world.form("ben@example.com", {"wants_news": "yes", "name": "Ben", "language": "en"})
    await yard.settle(30)
    world.unsubscribe("ben@example.com")
    world.person_edits(record.id, "news_state", "error")
    await forget_webhooks(yard)
    ben = yard.hub.vault.address("ben@example.com")
    await yard.store.write(lambda tx: tx.run("update contact set remembered = '[]' where address = :ben", ben=ben))
    told = await compared(yard)
    assert (told["state"], kinds(told)) == ("done", {("state", "shop"): 1})


# --- what becomes of it meanwhile


@pytest.mark.behaviour("compare-watches")
async def test_a_connection_that_watches_by_the_time_mends_nothing(yard: Yard, world: World, joined: Joined) -> None:
    record = world.crm.records[await joined()]
    world.person_edits(record.id, "news_state", "error")
    await yard.settle(30)

    async def meanwhile() -> None:
        await set_state(yard.hub, connection="toys", state="watches", by="jo")

    world.meanwhile = meanwhile
    told = await compared(yard)
    assert (told["state"], kinds(told), told["mended"]) == ("done", {("state", "shop"): 1}, 0)
    assert record.value("news_state") == "error"


async def test_an_opt_out_among_several_differences_does_not_wait_with_the_others(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await yard.connect({"on_removal": "unsubscribe"})
    await yard.settle(30)
    world.person_deletes(one)
    world.posts.clear()
    told = await compared(yard)
    assert {("gone", "shop"), ("opt_out", "shop")} <= kinds(told).keys()
    rows = await yard.look(lambda tx: tx.all("select class from inbox where kind = 'deleted'"))
    assert [row["class"] for row in rows] == [1]
