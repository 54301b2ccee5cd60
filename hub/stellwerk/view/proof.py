"""What is known of an address's consent, as one shows it to that person, an auditor or a court: every fact, and on what it rests."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from stellwerk.store import consent
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault
from stellwerk.view.moment import moment, moment_or_none
from stellwerk_rules.consent import fold
from stellwerk_rules.model import Agreement, Fact
from stellwerk_rules.spec import Limits


class Proof(Struct, frozen=True, kw_only=True):
    """One fact. `at` by the clock of `told_by`, `recorded` by ours; `agreed_by` and `agreed_at`: whose word `words` are."""

    kind: str
    at: str
    told_by: str
    recorded: str
    connection: str
    event: str
    permission: str | None
    plus: bool
    final: bool
    words: str | None
    agreed_by: str | None
    agreed_at: str | None


class Standing(Struct, frozen=True, kw_only=True):
    """Where the address stands at one mail account now, and its whole history there, oldest first."""

    account: str
    state: str
    opted_out: bool
    suppressed_since: str | None
    history: list[Proof]


def proof(tx: Tx, vault: Vault, email: str, now: float, limits: Limits) -> list[Standing]:
    """By mail account, also such as no connection uses any more; empty where nothing is known."""
    address = vault.address(email)
    return [_standing(tx, account, address, now, limits) for account in consent.accounts_of(tx, address)]


def _standing(tx: Tx, account: str, address: str, now: float, limits: Limits) -> Standing:
    since = consent.suppressed_since(tx, account, address)
    rows = consent.recorded(tx, account, address)
    facts = [fact for _, _, fact in rows]
    known = fold(facts, since is not None, datetime.fromtimestamp(now, UTC), limits)
    return Standing(
        account=account,
        state=known.state.value,
        opted_out=known.opted_out,
        suppressed_since=moment_or_none(since),
        history=[_proof(tx, connection, recorded, fact) for connection, recorded, fact in rows],
    )


def _proof(tx: Tx, connection: str, recorded: float, fact: Fact) -> Proof:
    agreed = _agreement(tx, connection, recorded) if fact.words is not None else None
    return Proof(
        kind=fact.kind.value,
        at=moment(fact.at.timestamp()),
        told_by=fact.told_by or "this hub",
        recorded=moment(recorded),
        connection=connection,
        event=fact.event,
        permission=None if fact.permission is None else fact.permission.value,
        plus=fact.plus,
        final=fact.final,
        words=fact.words,
        agreed_by=None if agreed is None else agreed.by,
        agreed_at=None if agreed is None else moment(agreed.at.timestamp()),
    )


def _agreement(tx: Tx, connection: str, recorded: float) -> Agreement | None:
    """What somebody had agreed to when the fact was written down."""
    row = tx.one(
        "select agreed from setting_history where connection = :id and at <= :recorded order by id desc limit 1",
        id=connection,
        recorded=recorded,
    )
    return None if row is None or row["agreed"] is None else msgspec.json.decode(row["agreed"], type=Agreement)
