"""What is known of an address's consent, as one shows it to that person, an auditor or a court: every fact, and on what it rests."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from stellwerk.relay.forgetting import reference_of
from stellwerk.relay.hub import Hub
from stellwerk.store import connections, consent, contacts, words
from stellwerk.store.connections import Connection
from stellwerk.store.consent import Entry
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault
from stellwerk.view.moment import moment, moment_or_none
from stellwerk_rules.consent import fold
from stellwerk_rules.model import Agreement, FactKind
from stellwerk_rules.spec import Limits

ON_A_WORD = frozenset({FactKind.ASKED, FactKind.GRANTED})
"""What is done because somebody agreed that it may be."""


class Proof(Struct, frozen=True, kw_only=True):
    """One fact; `number` counts them from 1. `at` by the clock of `told_by`, `recorded` by ours.

    `configuration` is the hash of the file it was decided under. `agreed_by` and `agreed_at`: whose word `words` (a hash)
    are, `sentence` how they read; None where nobody's word was needed, or where it was not kept.
    """

    number: int
    kind: str
    at: str
    told_by: str
    recorded: str
    connection: str
    event: str
    permission: str | None
    plus: bool
    final: bool
    configuration: str | None
    words: str | None
    sentence: str | None
    agreed_by: str | None
    agreed_at: str | None


class Standing(Struct, frozen=True, kw_only=True):
    """Where the address stands at one mail account now, and its whole history there, oldest first.

    `permission` is what it has allowed, by our books, and `rests_on` the number of the fact that proves it.
    """

    account: str
    state: str
    opted_out: bool
    suppressed_since: str | None
    permission: str | None
    rests_on: int | None
    history: list[Proof]


def proof(
    tx: Tx, vault: Vault, email: str, now: float, limits: Limits, within: Connection | None = None
) -> list[Standing]:
    """By mail account, also such as no connection uses any more; empty where nothing is known.

    `within` one connection: at its accounts, and only what it was told itself.
    """
    address = vault.address(email)
    if within is None:
        every = consent.accounts_of(tx, address)
        return [_standing(tx, account, address, now, limits, None) for account in every]
    own = [account for account in consent.accounts_of(tx, address) if account in within.accounts.values()]
    known = bool(contacts.by_address(tx, within.id, address))
    told = [_standing(tx, account, address, now, limits, within) for account in own]
    return [one for one in told if one.history or known]


class Erasure(Struct, frozen=True, kw_only=True):
    """When what a connection kept of an address was erased on request, and by whom."""

    at: str
    by: str


class Exported(Struct, frozen=True, kw_only=True):
    """The history of one address at one connection, to be kept outside. `format` changes when a key is taken away."""

    format: str = "stellwerk-consent-1"
    made: str
    made_by: str
    hub: str
    connection: str
    address: str
    reference: str
    configuration: str
    erased: list[Erasure]
    accounts: list[Standing]


async def export(hub: Hub, connection: Connection, email: str, by: str) -> Exported:
    """What this connection was told of the address's consent, with what proves it; `accounts` is empty where that is nothing."""
    now = hub.now()
    reference = reference_of(hub.vault, email)

    def look(tx: Tx) -> Exported:
        lines = connections.noted(tx, connection.id, connections.ERASED, reference)
        return Exported(
            made=moment(now),
            made_by=by,
            hub=hub.public_url,
            connection=connection.id,
            address=email,
            reference=reference,
            configuration=hub.book(connection).plan.hash,
            erased=[Erasure(at=moment(line.at), by=line.who) for line in lines],
            accounts=proof(tx, hub.vault, email, now, hub.integration.limits, connection),
        )

    return await hub.store.read(look)


def _standing(tx: Tx, account: str, address: str, now: float, limits: Limits, within: Connection | None) -> Standing:
    since = consent.suppressed_since(tx, account, address)
    entries = [one for one in consent.recorded(tx, account, address) if within is None or one.connection == within.id]
    facts = [one.fact for one in entries]
    known = fold(facts, since is not None, datetime.fromtimestamp(now, UTC), limits)
    evidence = None if known.opted_out else known.confirmation or known.granted
    return Standing(
        account=account,
        state=known.state.value,
        opted_out=known.opted_out,
        suppressed_since=moment_or_none(since),
        permission=None if evidence is None or evidence.permission is None else evidence.permission.value,
        rests_on=None if evidence is None else facts.index(evidence) + 1,
        history=[_proof(tx, number, entry) for number, entry in enumerate(entries, 1)],
    )


def _proof(tx: Tx, number: int, entry: Entry) -> Proof:
    fact = entry.fact
    agreed = _agreement(tx, entry) if fact.words is not None or fact.kind in ON_A_WORD else None
    hashed = fact.words or (agreed.words if agreed is not None else "") or None
    said = None if hashed is None else words.kept(tx, hashed)
    return Proof(
        number=number,
        kind=fact.kind.value,
        at=moment(fact.at.timestamp()),
        told_by=fact.told_by or "this hub",
        recorded=moment(entry.recorded),
        connection=entry.connection,
        event=fact.event,
        permission=None if fact.permission is None else fact.permission.value,
        plus=fact.plus,
        final=fact.final,
        configuration=entry.plan or None,
        words=hashed,
        sentence=None if said is None else said.sentence,
        agreed_by=None if agreed is None else agreed.by,
        agreed_at=None if agreed is None else moment(agreed.at.timestamp()),
    )


def _agreement(tx: Tx, entry: Entry) -> Agreement | None:
    """What somebody had agreed to when the fact was written down."""
    row = tx.one(
        "select agreed from setting_history where connection = :id and at <= :recorded order by id desc limit 1",
        id=entry.connection,
        recorded=entry.recorded,
    )
    return None if row is None or row["agreed"] is None else msgspec.json.decode(row["agreed"], type=Agreement)
