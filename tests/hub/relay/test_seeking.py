"""Addresses that the newsletter speaks of and the hub does not know are looked for at the shop."""

from __future__ import annotations

import pytest

from stellwerk.relay.seeking import LONGEST_SECONDS, SOUGHT
from stellwerk.sdk import Account, ReauthorizeError
from stellwerk.store import consent, counts
from stellwerk_rules.model import FactKind
from stellwerk_toys.crm import Record
from stellwerk_toys.faults import Fault
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, EVE = "ada@example.com", "eve@example.com"


@pytest.fixture
def before(world: World) -> Record:
    """Ada, at both for longer than anybody here: the hub has never heard of her."""
    one = world.crm.create({"email": ADA, "name": "Ada", "stage": "guest"}, "clerk")
    world.posts.clear()
    world.mail.create(ADA, "one", None, {})
    return world.crm.records[one]


@pytest.fixture
async def late(before: Record, yard: Yard) -> Yard:
    """Connected only then."""
    return yard


def account(yard: Yard) -> str:
    return f"news:{yard.world.name}-news"


async def suppressed(yard: Yard, email: str) -> bool:
    address = yard.hub.vault.address(email)
    return await yard.look(lambda tx: consent.suppressed_since(tx, account(yard), address) is not None)


async def opt_outs(yard: Yard, email: str) -> list[bool]:
    """Whether each that the ledger has of this address is final."""
    facts = await yard.look(lambda tx: consent.facts(tx, account(yard), yard.hub.vault.address(email)))
    return [fact.final for fact in facts if fact.kind is FactKind.OPTED_OUT]


async def waiting(yard: Yard) -> list[str]:
    rows = await yard.look(lambda tx: tx.all("select account, code from inbox where state = 'waiting' order by id"))
    return [f"{row['account'].split(':')[0]} {row['code']}".strip() for row in rows]


@pytest.mark.behaviour("unsubscribed-unknown")
async def test_who_opts_out_and_is_unknown_here_is_found_by_the_address(late: Yard, before: Record) -> None:
    late.world.unsubscribe(ADA)
    await late.settle(60)
    assert before.value("wants_news") == "no"
    assert [note.text.split("\n")[0] for note in before.notes] == ["Left"]
    assert await suppressed(late, ADA)


@pytest.mark.behaviour("confirmed-unknown")
async def test_who_confirms_there_and_is_unknown_here_is_linked_and_told_of(late: Yard, before: Record) -> None:
    late.world.mail.joins_there(ADA)
    await late.settle(60)
    assert [note.text.split("\n")[0] for note in before.notes] == ["Said yes"]
    assert before.value("news_state") == "subscribed"
    assert late.world.mail.sent == []


@pytest.mark.behaviour("unsubscribed-unknown")
async def test_who_is_not_at_the_shop_is_suppressed_and_nothing_else_happens(late: Yard, before: Record) -> None:
    late.world.mail.create(EVE, "one", None, {})
    late.world.unsubscribe(EVE)
    await late.settle(60)
    assert await suppressed(late, EVE)
    assert await waiting(late) == []
    assert (before.notes, before.value("wants_news")) == ([], None)
    assert len(late.world.crm.records) == 1


@pytest.mark.behaviour("unsubscribed-unknown")
async def test_an_address_that_is_another_ones_second_is_found_and_kept_apart(late: Yard, before: Record) -> None:
    late.world.mail.create(EVE, "one", None, {})
    before.other_emails.append(EVE)
    late.world.unsubscribe(EVE)
    await late.settle(60)
    assert [note.text.split("\n")[0] for note in before.notes] == ["Left"]
    assert before.value("wants_news") is None
    assert await suppressed(late, EVE)
    assert not await suppressed(late, ADA)


async def test_a_second_address_keeps_its_place_when_the_first_one_changes(late: Yard, before: Record) -> None:
    late.world.mail.create(EVE, "one", None, {})
    before.other_emails.append(EVE)
    late.world.mail.joins_there(EVE)
    await late.settle(60)
    late.world.person_edits(before.id, "town", "Bern")
    await late.settle(60)
    late.world.unsubscribe(EVE)
    await late.settle(60)
    assert [note.text.split("\n")[0] for note in before.notes] == ["Said yes", "Left"]
    assert before.value("wants_news") is None


async def test_the_first_address_leaves_after_the_second_one_did_and_both_are_told(late: Yard, before: Record) -> None:
    late.world.mail.create(EVE, "one", None, {})
    before.other_emails.append(EVE)
    late.world.unsubscribe(EVE)
    await late.settle(60)
    late.world.unsubscribe(ADA)
    await late.settle(60)
    assert [note.text.split("\n")[0] for note in before.notes] == ["Left", "Left"]
    assert before.value("wants_news") == "no"


async def test_an_id_stored_there_leads_to_the_contact_that_has_no_address(late: Yard, before: Record) -> None:
    one = late.world.crm.create({"name": "Nobody"}, "clerk")
    late.world.posts.clear()
    late.world.mail.create(EVE, "one", one, {})
    late.world.unsubscribe(EVE)
    await late.settle(60)
    assert late.world.crm.records[one].value("wants_news") == "no"


async def test_an_id_that_stands_at_an_address_its_contact_has_left_leads_nowhere(late: Yard, before: Record) -> None:
    late.world.mail.create(EVE, "one", before.id, {})
    late.world.unsubscribe(EVE)
    await late.settle(60)
    assert (before.notes, before.value("wants_news")) == ([], None)
    assert await suppressed(late, EVE)


async def test_a_search_that_fails_is_made_again_and_the_opt_out_counts_meanwhile(late: Yard, before: Record) -> None:
    late.world.unsubscribe(ADA)
    await late.take_in()
    await late.drain("news")
    assert await waiting(late) == [f"news {SOUGHT}", "shop"]
    late.world.faults.at_next(Fault.REFUSED)
    await late.drain("shop")
    assert await waiting(late) == [f"news {SOUGHT}", "shop unreachable"]
    assert await opt_outs(late, ADA) == [False]
    assert await suppressed(late, ADA)
    await late.settle(30)
    assert before.value("wants_news") == "no"
    assert await waiting(late) == []


@pytest.mark.behaviour("unsubscribed-outage")
async def test_a_shop_that_is_out_for_a_day_keeps_no_opt_out_from_being_final(
    late: Yard, before: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(self: ToyCrm) -> Account:
        raise ReauthorizeError("unauthorized")

    monkeypatch.setattr(ToyCrm, "check", refused)
    await late.store.write(lambda tx: tx.run("update account set state = 'reauthorize' where system = 'shop'"))
    late.world.unsubscribe(ADA)
    await late.settle(3600)
    assert await opt_outs(late, ADA) == [False]
    await late.settle(LONGEST_SECONDS)
    assert await opt_outs(late, ADA) == [False, True]
    assert before.value("wants_news") is None


async def test_who_is_known_is_not_looked_for(late: Yard) -> None:
    late.world.form(EVE, {"wants_news": "yes", "stage": "visitor", "language": "de"})
    await late.settle(30)
    late.world.confirm()
    await late.settle(30)
    rows = await late.look(lambda tx: tx.all("select subject from inbox where account like 'shop:%'"))
    assert rows
    assert [row["subject"] for row in rows if row["subject"].startswith("email:")] == []


async def test_a_search_is_an_event_with_an_end_like_any_other(late: Yard, before: Record) -> None:
    late.world.unsubscribe(ADA)
    await late.settle(60)
    fates, told = await late.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert (sum(fates.values()), fates["waiting"], fates["dead"]) == (told, 0, 0)
