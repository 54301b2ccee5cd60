"""`stellwerk connections forget`: on the database of a hub that runs or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from stellwerk.store import accounts, connections, consent, contacts, meta, outbox
from stellwerk.store.connections import ENDED, Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault
from stellwerk_rules.model import Fact, FactKind

Run = Callable[..., Result]
Sample = Callable[..., Path]
NOON = 1_790_000_000.0


class House:
    """A database as a hub leaves it: one connection, one address that opted out."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stellwerk.db"
        self.vault = Vault("k" * 40)

    def use(self, work: Callable[[Tx], object], meanwhile: Callable[[], object] = lambda: None) -> None:
        async def run() -> None:
            store = SqliteStore.open(self.path)
            fresh = self.vault.new_key("hash")
            self.vault.use_hash_key(await store.write(lambda tx: meta.first_value(tx, "hash_key", fresh)))
            await store.write(work)
            await asyncio.to_thread(meanwhile)
            await store.close()

        asyncio.run(run())

    def furnish(self, tx: Tx) -> None:
        crm = accounts.add(tx, self.vault, system="crm", remote="4711", name="Acme", now=NOON)
        mail = accounts.add(tx, self.vault, system="mail", remote="9", name="Letters", now=NOON)
        acme = Connection(id="acme", origin="web", accounts={"crm": crm, "mail": mail}, settings={}, began=NOON)
        connections.save(tx, acme, who="jo", now=NOON)
        tx.run("insert into suppression (account, address, since) values (:mail, 'digest', 1)", mail=mail)

    def opt_out(self, tx: Tx) -> None:
        new = outbox.NewDelivery(
            account="mail:9", connection="acme", contact=1, tag="unsubscribe", once=None, urgency=0, due=NOON, body=b"",
            event="1", created=NOON,
        )  # fmt: skip
        outbox.put(tx, new)

    def rows(self, sql: str) -> list[Row]:
        found: list[Row] = []
        self.use(lambda tx: found.extend(tx.all(sql)))
        return found


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.use(made.furnish)
    return made


def test_it_ends_the_connection_beside_a_running_hub_and_keeps_who_opted_out(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    results: list[Result] = []
    house.use(
        lambda tx: None,
        lambda: results.append(stellwerk("connections", "forget", "acme", "--config", config)),
    )
    assert (results[0].exit_code, results[0].output.strip()) == (0, "acme is ended")
    assert house.rows("select state from connection") == [{"state": ENDED}]
    assert {row["state"] for row in house.rows("select state from account")} == {"leaving"}
    assert len(house.rows("select * from suppression")) == 1
    assert "there is no connection yet" in stellwerk("connections", "list", "--config", config).output


def test_who_opted_out_is_forgotten_only_when_that_is_said(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    result = stellwerk("connections", "forget", "acme", "--with-suppression", "--config", config)
    assert result.output.strip() == "acme is ended; 1 opted-out addresses are forgotten"
    assert house.rows("select * from suppression") == []


def test_it_waits_for_opt_outs_unless_told_not_to_and_changes_nothing_meanwhile(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    house.use(house.opt_out)
    refused = stellwerk("connections", "forget", "acme", "--config", config)
    assert "1 opt-outs have not reached their system yet" in str(refused.exception)
    assert house.rows("select state from connection") == [{"state": "runs"}]
    assert stellwerk("connections", "forget", "acme", "--anyway", "--config", config).exit_code == 0
    assert house.rows("select state from connection") == [{"state": ENDED}]


def test_an_unknown_name_and_options_that_contradict_each_other_are_refused(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    assert "no connection is called 'acne'" in str(
        stellwerk("connections", "forget", "acne", "--config", config).exception
    )
    both = stellwerk("connections", "forget", "acme", "--keep-days", "--with-suppression", "--config", config)
    assert both.exit_code == 2
    assert house.rows("select state from connection") == [{"state": "runs"}]


def test_suppressed_addresses_are_carried_in_slices_and_keep_their_time(house: House) -> None:
    def many(tx: Tx) -> None:
        for number in range(7):
            tx.run("insert into suppression values ('mail:9', :one, :since)", one=f"a{number}", since=float(number))
        tx.run("insert into suppression values ('mail:10', 'a3', 99.0)")

    def carry(tx: Tx) -> None:
        after: str | None = ""
        while after is not None:
            after = consent.carry_suppression(tx, "mail:9", "mail:10", after, 3)

    house.use(many)
    house.use(carry)
    rows = house.rows("select address, since from suppression where account = 'mail:10' order by address")
    assert [row["address"] for row in rows] == [f"a{number}" for number in range(7)] + ["digest"]
    assert (rows[3]["since"], rows[4]["since"]) == (99.0, 4.0)


def test_consent_and_erase_say_when_nothing_is_known(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    shown = stellwerk("consent", "ada@x.example", "--config", config)
    assert (shown.exit_code, shown.output.strip()) == (1, "nothing is known of this address")
    gone = stellwerk("erase", "ada@x.example", "--config", config)
    assert (gone.exit_code, gone.output.strip()) == (1, "nothing personal is kept of this address")


def test_consent_shows_facts_and_suppression_and_erase_leaves_them(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    ada = house.vault.address("ada@x.example")
    fact = Fact(kind=FactKind.OPTED_OUT, key="o", at=datetime(2026, 11, 24, tzinfo=UTC), event="7", told_by="mail")

    def leave(tx: Tx) -> None:
        consent.add(tx, "mail:9", ada, "acme", [fact], NOON)
        contacts.save(tx, ContactState(connection="acme", address=ada), NOON)

    house.use(leave)
    shown = stellwerk("consent", "Ada@X.example", "--config", config).output
    assert "mail:9: unsubscribed, suppressed since 2026-09-21T" in shown
    assert "2026-11-24T00:00:00+00:00  opted_out, told by mail, written down 2026-09-21T" in shown
    assert "1 contacts, 0 events" in stellwerk("erase", "ada@x.example", "--config", config).output
    assert house.rows("select * from contact") == []
    (told,) = json.loads(stellwerk("consent", "ada@x.example", "--json", "--config", config).output)
    assert (told["opted_out"], [one["kind"] for one in told["history"]]) == (True, ["opted_out"])
