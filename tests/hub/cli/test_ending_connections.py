"""`stellwerk connections forget`, `erase`, `consent`: with no hub, and beside one that has the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
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
Running = Callable[[Path], AbstractContextManager[None]]
NOON = 1_790_000_000.0


class House:
    """A database as a hub leaves it: one connection, one address that opted out."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stellwerk.db"
        self.vault = Vault("k" * 40)

    def use(self, work: Callable[[Tx], object]) -> None:
        async def run() -> None:
            store = SqliteStore.open(self.path)
            fresh = self.vault.new_key("hash")
            self.vault.use_hash_key(await store.write(lambda tx: meta.first_value(tx, "hash_key", fresh)))
            await store.write(work)
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


@pytest.fixture(params=["no hub", "a hub"])
def order(request: pytest.FixtureRequest, stellwerk: Run, sample: Sample, house: House, running: Running) -> Run:
    """`order(command, …)`: what it printed and its exit code, where no hub runs, and where one has the database."""
    config = sample()

    def give(*words: object) -> Result:
        with running(config) if request.param == "a hub" else nullcontext():
            return stellwerk(*words, "--config", config)

    return give


def test_a_connection_is_ended_and_who_opted_out_is_kept(order: Run, house: House) -> None:
    result = order("connections", "forget", "acme")
    assert (result.exit_code, result.output.strip()) == (0, "acme is ended")
    assert house.rows("select state from connection") == [{"state": ENDED}]
    assert {row["state"] for row in house.rows("select state from account")} == {"leaving"}
    assert len(house.rows("select * from suppression")) == 1
    assert "there is no connection yet" in order("connections", "list").output


def test_the_history_says_who_ended_it(order: Run, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "jo")
    order("connections", "forget", "acme")
    assert house.rows("select who, note from setting_history")[-1] == {"who": "jo", "note": ENDED}


def test_a_connection_of_the_file_is_ended_there(stellwerk: Run, sample: Sample, house: House) -> None:
    entry = "connections: [{id: acme, crm: {account: '4711', access_token: env:T}, mail: {api_key: env:K}}]\n"
    config = sample(("\ntests:", f"\n{entry}\ntests:"))
    refused = stellwerk("connections", "forget", "acme", "--config", config)
    assert "'acme' stands in" in str(refused.exception)
    assert house.rows("select state from connection") == [{"state": "runs"}]


def test_a_hub_that_takes_no_orders_is_not_written_around(
    stellwerk: Run, sample: Sample, house: House, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = sample()
    monkeypatch.setattr(asyncio, "start_unix_server", no_sockets)
    with running(config):
        refused = stellwerk("connections", "forget", "acme", "--config", config)
    assert "is in use by another hub" in str(refused.exception)
    assert house.rows("select state from connection") == [{"state": "runs"}]


async def no_sockets(*_: object, **__: object) -> None:
    raise OSError(95, "Operation not supported")


def test_who_opted_out_is_forgotten_only_when_that_is_said(order: Run, house: House) -> None:
    result = order("connections", "forget", "acme", "--with-suppression")
    assert result.output.strip() == "acme is ended; 1 opted-out addresses are forgotten"
    assert house.rows("select * from suppression") == []


def test_it_waits_for_opt_outs_unless_told_not_to_and_changes_nothing_meanwhile(order: Run, house: House) -> None:
    house.use(house.opt_out)
    refused = order("connections", "forget", "acme")
    assert "1 opt-out has not reached the other system yet" in str(refused.exception)
    assert house.rows("select state from connection") == [{"state": "runs"}]
    assert order("connections", "forget", "acme", "--anyway").exit_code == 0
    assert house.rows("select state from connection") == [{"state": ENDED}]


def test_an_unknown_name_and_options_that_contradict_each_other_are_refused(order: Run, house: House) -> None:
    assert "no connection is called 'acne'" in str(order("connections", "forget", "acne").exception)
    both = order("connections", "forget", "acme", "--keep-days", "--with-suppression")
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


def test_consent_and_erase_say_when_nothing_is_known(order: Run) -> None:
    shown = order("consent", "ada@x.example")
    assert (shown.exit_code, shown.output.strip()) == (1, "nothing is known of this address")
    gone = order("erase", "ada@x.example")
    assert (gone.exit_code, gone.output.strip()) == (1, "nothing personal is kept of this address")


def test_consent_shows_facts_and_suppression_and_erase_leaves_them(order: Run, house: House) -> None:
    ada = house.vault.address("ada@x.example")
    fact = Fact(kind=FactKind.OPTED_OUT, key="o", at=datetime(2026, 11, 24, tzinfo=UTC), event="7", told_by="mail")

    def leave(tx: Tx) -> None:
        consent.add(tx, "mail:9", ada, "acme", [fact], NOON)
        contacts.save(tx, ContactState(connection="acme", address=ada), NOON)

    house.use(leave)
    shown = order("consent", "Ada@X.example").output
    assert "mail:9: unsubscribed, suppressed since 2026-09-21T" in shown
    assert "2026-11-24T00:00:00+00:00  opted_out, told by mail, written down 2026-09-21T" in shown
    assert "1 contacts, 0 events" in order("erase", "ada@x.example").output
    assert house.rows("select * from contact") == []
    (told,) = json.loads(order("consent", "ada@x.example", "--json").output)
    assert (told["opted_out"], [one["kind"] for one in told["history"]]) == (True, ["opted_out"])


def test_an_opt_out_on_its_way_keeps_an_address_from_being_erased(order: Run, house: House) -> None:
    def on_its_way(tx: Tx) -> None:
        contacts.save(tx, ContactState(connection="acme", address=house.vault.address("ada@x.example")), NOON)
        house.opt_out(tx)

    house.use(on_its_way)
    refused = order("erase", "ada@x.example")
    assert "try again when it arrived" in str(refused.exception)
    assert "ada" not in str(refused.exception)
    assert len(house.rows("select * from contact")) == 1


def test_what_was_erased_can_be_read_by_a_program(order: Run, house: House) -> None:
    ada = house.vault.address("ada@x.example")
    house.use(lambda tx: contacts.save(tx, ContactState(connection="acme", address=ada), NOON))
    told = json.loads(order("erase", "ada@x.example", "--json").output)
    assert told == {"contacts": 1, "events": 0, "changes": 0, "reasons": 0}
