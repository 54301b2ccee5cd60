"""The consent ledger and the suppression list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import structs

from stellwerk.store import consent
from stellwerk.store.store import Store, Tx
from stellwerk_rules.model import Fact, FactKind, Permission

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fact(kind: FactKind, key: str, *, final: bool = True) -> Fact:
    return Fact(kind=kind, key=key, at=NOON, event="e1", final=final)


async def add(
    store: Store, *facts: Fact, address: str = "ada", account: str = "mail:1", connection: str = "acme"
) -> None:
    await store.write(lambda tx: consent.add(tx, account, address, connection, facts, 1.0))


async def facts(store: Store, address: str = "ada", account: str = "mail:1") -> tuple[Fact, ...]:
    return await store.read(lambda tx: consent.facts(tx, account, address))


async def suppressed(store: Store, address: str = "ada", account: str = "mail:1") -> bool:
    return await store.read(lambda tx: consent.suppressed_since(tx, account, address) is not None)


async def test_facts_are_read_back_whole_and_in_the_order_they_were_told(store: Store) -> None:
    told = (
        fact(FactKind.GRANTED, "w1"),
        structs.replace(fact(FactKind.ASKED, "w1"), plus=True, told_by="crm"),
        structs.replace(fact(FactKind.CONFIRMED, "c1"), permission=Permission.DOUBLE_PLUS, words="hash"),
    )
    await add(store, *told[:1])
    await add(store, *told[1:])
    assert await facts(store) == told


async def test_a_fact_told_again_stays_as_it_was_told_first(store: Store) -> None:
    first = fact(FactKind.ASKED, "w1")
    await add(store, first)
    await add(store, structs.replace(first, plus=True))
    await add(store, first, connection="another connection of the same account")
    assert await facts(store) == (first,)


async def test_a_claim_and_its_proof_are_two_facts_of_one_key(store: Store) -> None:
    claim, proof = fact(FactKind.OPTED_OUT, "o1", final=False), fact(FactKind.OPTED_OUT, "o1")
    await add(store, claim)
    await add(store, proof)
    await add(store, claim, proof)
    assert await facts(store) == (claim, proof)


async def test_the_same_key_of_another_kind_is_another_fact(store: Store) -> None:
    await add(store, fact(FactKind.GRANTED, "w1"), fact(FactKind.ASKED, "w1"))
    assert len(await facts(store)) == 2


async def test_facts_belong_to_one_address_at_one_mail_account(store: Store) -> None:
    await add(store, fact(FactKind.GRANTED, "w1"))
    assert await facts(store, address="ben") == ()
    assert await facts(store, account="mail:2") == ()
    await add(store, fact(FactKind.GRANTED, "w1"), address="ben")
    assert len(await facts(store, address="ben")) == 1


@pytest.mark.parametrize("final", [True, False])
async def test_an_opt_out_suppresses_the_address_at_that_account_alone(store: Store, final: bool) -> None:
    await add(store, fact(FactKind.OPTED_OUT, "o1", final=final))
    assert await suppressed(store)
    assert not await suppressed(store, address="ben")
    assert not await suppressed(store, account="mail:2")


@pytest.mark.parametrize("kind", [kind for kind in FactKind if kind is not FactKind.OPTED_OUT])
async def test_nothing_but_an_opt_out_suppresses(store: Store, kind: FactKind) -> None:
    await add(store, fact(kind, "f1"))
    assert not await suppressed(store)


async def test_an_opt_out_is_in_the_ledger_and_on_the_list_or_in_neither(store: Store) -> None:
    def fails(tx: Tx) -> None:
        consent.add(tx, "mail:1", "ada", "acme", [fact(FactKind.OPTED_OUT, "o1")], 1.0)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(fails)
    assert (await facts(store), await suppressed(store)) == ((), False)


async def test_a_lifted_suppression_leaves_the_ledger_as_it_was(store: Store) -> None:
    await add(store, fact(FactKind.OPTED_OUT, "o1"))
    await store.write(lambda tx: consent.lift(tx, "mail:1", "ada"))
    assert not await suppressed(store)
    assert len(await facts(store)) == 1


async def test_a_second_opt_out_after_the_way_back_suppresses_again(store: Store) -> None:
    await add(store, fact(FactKind.OPTED_OUT, "o1"))
    await store.write(lambda tx: consent.lift(tx, "mail:1", "ada"))
    await add(store, fact(FactKind.OPTED_OUT, "o2"))
    assert await suppressed(store)


async def test_whom_a_connection_asked_is_told_last_first_with_whether_it_confirmed_since(store: Store) -> None:
    await add(store, fact(FactKind.CONFIRMED, "c0"), structs.replace(fact(FactKind.ASKED, "w1"), event="enter:w1"))
    await add(store, structs.replace(fact(FactKind.ASKED, "w2"), event="enter:w2"), address="ben")
    await add(store, fact(FactKind.ASKED, "w3"), address="cleo", connection="another")
    await add(store, fact(FactKind.CONFIRMED, "c2"), address="ben", connection="another")
    asked = await store.read(lambda tx: consent.asked_before(tx, "acme", 1.0, 10))
    assert [(one.effect, one.confirmed) for one in asked] == [("enter:w2", True), ("enter:w1", False)]
    assert await store.read(lambda tx: consent.asked_before(tx, "acme", 0.5, 10)) == []
    assert [one.effect for one in await store.read(lambda tx: consent.asked_before(tx, "acme", 1.0, 1))] == ["enter:w2"]
