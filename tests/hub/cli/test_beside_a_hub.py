"""explain and connections: what they tell of a hub's database, read-only, also while the hub has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from stellwerk.relay.trace import Trace
from stellwerk.store import accounts, connections, consent, contacts, meta, outbox, repairs, traces
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault
from stellwerk_rules.model import (
    Because,
    Fact,
    FactKind,
    FieldValue,
    Permission,
    Planned,
    Remembered,
    SetFields,
)

Run = Callable[..., Result]
Sample = Callable[..., Path]

SECRET_KEY = "k" * 40
NOON = 1_790_000_000.0
ADA = "ada@lovelace.example"
NEVER_SHOWN = "Countess of Lovelace"


class House:
    """A database as a hub leaves it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stellwerk.db"
        self.vault = Vault(SECRET_KEY)

    def use(self, work: Callable[[Tx], None], *, beside: Callable[[], None] | None = None) -> None:
        """Run `work` in a hub's store; `beside` while the store is still held."""

        async def run() -> None:
            store = SqliteStore.open(self.path)
            try:
                fresh = self.vault.new_key("hash")
                self.vault.use_hash_key(await store.write(lambda tx: meta.first_value(tx, "hash_key", fresh)))
                await store.write(work)
                if beside is not None:
                    beside()
            finally:
                await store.close()

        asyncio.run(run())

    def furnish(self, tx: Tx) -> None:
        """One connection, with Ada in it: two steps, one delivery that waits, a consent fact, a problem."""
        crm = accounts.add(tx, self.vault, system="crm", remote="4711", name="Acme", now=NOON)
        mail = accounts.add(tx, self.vault, system="mail", remote="9", name="Acme Letters", now=NOON)
        saved = connections.save(
            tx,
            Connection(id="acme", origin="web", accounts={"crm": crm, "mail": mail}, settings={}, began=NOON),
            who="Jo",
            now=NOON,
        )
        address = self.vault.address(ADA)
        ada = contacts.save(
            tx,
            ContactState(connection=saved.id, address=address, remembered=Remembered(ids={"crm": "501"})),
            NOON,
        )
        rule = Because(code="mapped", text="the name changed", rule="subscribe", line=61)
        change = SetFields(fields={"FIRSTNAME": FieldValue(value=NEVER_SHOWN)})
        planned = Planned(system="mail", change=change, key="k1", because=rule)
        missed = Because(
            code="no-rule", text="no rule is for this", rule="said-no", line=70, nearest="field subscribe is yes"
        )
        for at, trace in (
            (NOON + 1, Trace(what="created", changes=(planned,), reasons=(rule,), outcome="decided")),
            (NOON + 2, Trace(what="changed", reasons=(missed,), outcome="skipped", answer="409 <address>")),
        ):
            body = self.vault.seal(mail, msgspec.json.encode(trace))
            traces.add(
                tx, connection="acme", contact=ada.id, address=address, event=f"e{at:.0f}", kind=trace.outcome, body=body, now=at
            )  # fmt: skip
        fact = Fact(
            kind=FactKind.CONFIRMED, key="f", at=datetime(2026, 11, 24, tzinfo=UTC), event="e9", told_by="mail",
            permission=Permission.DOUBLE,
        )  # fmt: skip
        consent.add(tx, mail, address, "acme", [fact], NOON)
        waiting = outbox.NewDelivery(
            account=mail, connection="acme", contact=ada.id, tag="set_fields", once=None, urgency=1, due=NOON + 60,
            body=self.vault.seal(mail, msgspec.json.encode(planned)), event="e1", created=NOON,
        )  # fmt: skip
        outbox.put(tx, waiting)
        repairs.open_(tx, mail, "key-refused", "the key is refused", NOON)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_explain_tells_every_step_oldest_first_with_rule_line_and_reason(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    house.use(house.furnish)
    result = stellwerk("explain", ADA, "--config", config)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    created = next(n for n, line in enumerate(lines) if "created -> decided" in line)
    changed = next(n for n, line in enumerate(lines) if "changed -> skipped" in line)
    assert created < changed
    assert lines[created + 1].strip() == (
        "set_fields at mail (fields FIRSTNAME): the name changed (rule subscribe, line 61) [mapped]"
    )
    assert "nearest miss: field subscribe is yes [no-rule]" in lines[changed + 1]
    assert "answer: 409 <address>" in result.output


def test_explain_tells_what_waits_and_what_consent_is_known(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.use(house.furnish)
    output = stellwerk("explain", ADA, "--config", config).output
    assert "waiting  set_fields for mail:9, due 2026-09-21T" in output
    assert "consent at mail:9" in output
    assert "confirmed double, told by mail  (event e9)" in output


def test_explain_tells_of_a_suppressed_address_that_has_nothing_else(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()

    def opt_out(tx: Tx) -> None:
        house.furnish(tx)
        gone = Fact(kind=FactKind.OPTED_OUT, key="o", at=datetime(2026, 11, 24, tzinfo=UTC), event="e10")
        consent.add(tx, "mail:9", house.vault.address("gone@x.example"), "acme", [gone], NOON)

    house.use(opt_out)
    result = stellwerk("explain", "gone@x.example", "--config", config)
    assert result.exit_code == 0
    assert "suppressed since" in result.output


def test_explain_finds_the_same_by_address_in_other_letters_and_by_the_id_at_a_system(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    house.use(house.furnish)
    by_address = stellwerk("explain", ADA, "--config", config).output
    assert stellwerk("explain", f" {ADA.upper()} ", "--config", config).output == by_address
    assert stellwerk("explain", "501", "--config", config).output == by_address


def test_explain_never_tells_a_value_or_an_address(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.use(house.furnish)
    for form in ([], ["--json"]):
        output = stellwerk("explain", ADA, "--config", config, *form).output
        assert NEVER_SHOWN not in output
        assert ADA not in output


def test_explain_can_be_read_by_a_program(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.use(house.furnish)
    read = json.loads(stellwerk("explain", ADA, "--config", config, "--json").output)
    assert [step["outcome"] for step in read["steps"]] == ["decided", "skipped"]
    assert read["steps"][0]["changes"][0]["because"]["rule"] == "subscribe"
    assert read["contacts"] == [{"connection": "acme", "contact": 1, "ids": {"crm": "501"}, "unlinked": None}]


@pytest.mark.parametrize("who", ["nobody@x.example", "999"])
def test_explain_ends_with_1_where_nothing_is_known(stellwerk: Run, sample: Sample, house: House, who: str) -> None:
    config = sample()
    house.use(house.furnish)
    result = stellwerk("explain", who, "--config", config)
    assert (result.exit_code, result.output) == (1, "nothing is known of this contact\n")


def test_both_read_while_a_hub_holds_the_database(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    seen: list[Result] = []

    def look() -> None:
        seen.append(stellwerk("explain", ADA, "--config", config))
        seen.append(stellwerk("connections", "list", "--config", config))

    house.use(house.furnish, beside=look)
    assert [one.exit_code for one in seen] == [0, 0]
    assert "created -> decided" in seen[0].output


def test_a_database_that_is_not_there_is_said_and_not_made(stellwerk: Run, sample: Sample, house: House) -> None:
    result = stellwerk("explain", ADA, "--config", sample())
    assert result.exit_code == 1
    assert "has the hub of this file ever run?" in str(result.exception)
    assert not house.path.exists()


def test_another_secret_key_opens_nothing(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.vault = Vault("another-secret-key-of-some-length")
    house.use(house.furnish)
    result = stellwerk("explain", ADA, "--config", config)
    assert result.exit_code == 1
    assert "sealed with another secret_key" in str(result.exception)


def test_connections_are_listed_with_accounts_and_what_is_to_mend(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.use(house.furnish)
    result = stellwerk("connections", "list", "--config", config)
    assert result.exit_code == 0
    assert "acme  runs, since 2026-09-21T" in result.output
    assert "crm  4711  Acme" in result.output
    assert "to mend  the key is refused [key-refused]" in result.output


def test_connections_can_be_read_by_a_program(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.use(house.furnish)
    (one,) = json.loads(stellwerk("connections", "list", "--config", config, "--json").output)
    assert one["id"] == "acme"
    assert one["accounts"]["mail"] == {"id": "9", "name": "Acme Letters", "state": "ok", "code": ""}


def test_a_hub_without_connections_says_so(stellwerk: Run, sample: Sample, house: House) -> None:
    config = sample()
    house.use(lambda tx: None)
    assert stellwerk("connections", "list", "--config", config).output == "there is no connection yet\n"
    assert json.loads(stellwerk("connections", "list", "--config", config, "--json").output) == []


def test_looking_needs_the_secret_key_and_no_other_secret_of_the_environment(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    house.use(house.furnish)
    found = stellwerk("explain", ADA, "--config", config, environ={"STELLWERK_SECRET_KEY": SECRET_KEY})
    assert found.exit_code == 0
    assert "set_fields at mail" in found.output


def test_looking_without_the_secret_key_says_which_variable_is_missing(
    stellwerk: Run, sample: Sample, house: House
) -> None:
    config = sample()
    house.use(house.furnish)
    refused = stellwerk("explain", ADA, "--config", config, environ={})
    assert refused.exit_code == 1
    assert "hub.secret_key: the environment has no STELLWERK_SECRET_KEY" in str(refused.exception)
