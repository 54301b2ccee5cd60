"""Everything the hub knows of one contact and why: decisions, changes, what waits, consent. Field values are not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import UTC

import msgspec
from msgspec import Struct

from stellwerk.errors import StoreError
from stellwerk.relay.putting import tag_of
from stellwerk.relay.receive import subject_of
from stellwerk.relay.trace import Trace
from stellwerk.sdk.connector import Ref
from stellwerk.store import accounts, connections, consent, contacts, inbox, outbox, traces
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault
from stellwerk.view.moment import moment, moment_or_none
from stellwerk_rules.model import Because, Fact, Planned

ENDED_WELL = frozenset({"done", "not_needed", "opted_out", "skipped"})


class Reason(Struct, frozen=True, kw_only=True):
    """Why: the rule and its line where one decided, the nearest miss where none did."""

    code: str
    text: str
    rule: str | None = None
    line: int | None = None
    nearest: str | None = None


class ChangeMade(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One planned change; `fields` are the names of the fields it writes."""

    change: str
    system: str
    fields: list[str]
    because: Reason
    source: str | None = None
    target: str | None = None
    stage: str | None = None
    permission: str | None = None
    reset: bool | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One decision or delivery. `answer` is what a remote said, redacted."""

    at: str
    connection: str
    event: str
    what: str
    outcome: str
    changes: list[ChangeMade]
    reasons: list[Reason]
    answer: str | None


class UndoneEvent(Struct, frozen=True, kw_only=True):
    """An event that could not be read yet, or never."""

    account: str
    event: str
    state: str
    received: str
    due: str
    attempts: int
    code: str
    answer: str | None


class WaitingChange(Struct, frozen=True, kw_only=True):
    """A change that is still to be made, is held, or was given up."""

    connection: str
    account: str
    change: str
    state: str
    created: str
    due: str
    attempts: int
    code: str
    text: str
    answer: str | None


class FactTold(Struct, frozen=True, kw_only=True):
    """One entry of the consent ledger."""

    kind: str
    at: str
    told_by: str | None
    event: str
    permission: str | None
    final: bool
    plus: bool
    words: str | None


class Consent(Struct, frozen=True, kw_only=True):
    """The ledger of the address at one account, and since when it is suppressed there."""

    account: str
    suppressed_since: str | None
    facts: list[FactTold]


class UnlinkedBy(Struct, frozen=True, kw_only=True):
    """Who unlinked a contact, and when."""

    by: str
    at: str


class ContactKnown(Struct, frozen=True, kw_only=True):
    """A contact of a connection; `ids` is its id by system. `unlinked`: nothing of it is carried but opt-outs and erasures."""

    connection: str
    contact: int
    ids: dict[str, str]
    unlinked: UnlinkedBy | None


class Activity(Struct, frozen=True, kw_only=True):
    """Each list oldest first."""

    contacts: list[ContactKnown]
    steps: list[Step]
    events: list[UndoneEvent]
    waiting: list[WaitingChange]
    consent: list[Consent]

    def __bool__(self) -> bool:
        """Whether anything happened, waits or was said."""
        return bool(self.steps or self.events or self.waiting or self.consent)


def activity(tx: Tx, vault: Vault, who: str, within: Connection | None = None) -> Activity:
    """What is known of the contact named by its address or its id at a system.

    `within` one connection nothing of another is told: neither its decisions, nor what it was told of consent, nor events
    of an account that it shares. Without it, everything.
    """
    by_id = {one.id: one for one in ([within] if within is not None else connections.every(tx))}
    for account in _accounts(by_id.values()):
        accounts.by_id(tx, vault, account)
    found, addresses = _contacts(tx, vault, who, by_id)
    known = {one.address for one in found}
    rows: dict[int, Row] = {}
    for address in addresses:
        rows |= {row["id"]: row for row in traces.of_address(tx, address)}
    for one in found:
        rows |= {row["id"]: row for row in traces.of_contact(tx, one.id)}
    if within is not None:
        rows = {key: row for key, row in rows.items() if row["connection"] == within.id}
    return Activity(
        contacts=[_known(one) for one in found],
        steps=[_step(vault, rows[key], by_id.get(rows[key]["connection"])) for key in sorted(rows)],
        events=[
            _event(vault, row)
            for account, subject in _subjects(tx, vault, who, found, by_id, within)
            for row in inbox.undone_of(tx, account, subject)
        ],
        waiting=[
            _waiting(vault, one, row)
            for one in found
            for row in outbox.undone_of(tx, one.id)
            if row["state"] not in ENDED_WELL
        ],
        consent=[
            told
            for account in _accounts(by_id.values())
            for address in addresses
            if (told := _consent(tx, account, address, within, known)) is not None
        ],
    )


def _known(one: ContactState) -> ContactKnown:
    flag = one.remembered.unlinked
    return ContactKnown(
        connection=one.connection,
        contact=one.id,
        ids=dict(one.remembered.ids),
        unlinked=None if flag is None else UnlinkedBy(by=flag.by, at=moment(flag.at.timestamp())),
    )


def _contacts(tx: Tx, vault: Vault, who: str, by_id: dict[str, Connection]) -> tuple[list[ContactState], list[str]]:
    """The contacts meant, and the digests of their addresses."""
    if "@" in who:
        address = vault.address(who)
        return [state for one in by_id for state in contacts.by_address(tx, one, address)], [address]
    found = [one for one in contacts.by_remote(tx, who) if one.connection in by_id]
    return found, sorted({one.address for one in found if one.address is not None})


def _subjects(
    tx: Tx,
    vault: Vault,
    who: str,
    found: Sequence[ContactState],
    by_id: dict[str, Connection],
    within: Connection | None,
) -> list[tuple[str, str]]:
    """Under what events of this contact may wait: its ids at each account, and what was asked for as it was typed."""
    typed: Ref = Ref(by="email" if "@" in who else "id", value=who)
    own = _accounts(by_id.values()) if within is None or found else connections.own_accounts(tx, within)
    pairs = {(account, typed) for account in own}
    for one in found:
        accounts_of = by_id[one.connection].accounts
        pairs |= {(accounts_of[name], Ref(by="id", value=remote)) for name, remote in one.remembered.ids.items()}
    return sorted((account, subject_of(vault, ref)) for account, ref in pairs)


def _event(vault: Vault, row: Row) -> UndoneEvent:
    return UndoneEvent(
        account=row["account"],
        event=row["kind"],
        state=row["state"],
        received=moment(row["received"]),
        due=moment(row["due"]),
        attempts=row["attempts"],
        code=row["code"],
        answer=_answer(vault, row),
    )


def _answer(vault: Vault, row: Row) -> str | None:
    """What a remote said, as it was kept: redacted."""
    return None if row["answer"] is None else vault.open(row["account"], row["answer"]).decode()


def _accounts(every: Iterable[Connection]) -> list[str]:
    return sorted({account for one in every for account in one.accounts.values()})


def _step(vault: Vault, row: Row, connection: Connection | None) -> Step:
    trace = _opened(vault, row["body"], connection)
    told = [planned.because for planned in trace.changes] if trace else []
    return Step(
        at=moment(row["at"]),
        connection=row["connection"],
        event=row["event"],
        what=trace.what if trace else "unreadable",
        outcome=trace.outcome if trace else row["kind"],
        changes=[_change(planned) for planned in trace.changes] if trace else [],
        reasons=[_because(one) for one in trace.reasons if one not in told] if trace else [],
        answer=trace.answer if trace else None,
    )


def _opened(vault: Vault, sealed: bytes, connection: Connection | None) -> Trace | None:
    """The trace, sealed with one of the connection's accounts; None when its connection is gone."""
    for account in () if connection is None else connection.accounts.values():
        try:
            return msgspec.json.decode(vault.open(account, sealed), type=Trace)
        except (StoreError, KeyError):
            continue
    return None


def _change(planned: Planned) -> ChangeMade:
    change = planned.change
    permission = getattr(change, "permission", None)
    return ChangeMade(
        change=tag_of(planned),
        system=planned.system,
        fields=sorted(getattr(change, "fields", {})),
        because=_because(planned.because),
        source=getattr(change, "source", None),
        target=getattr(change, "target", None),
        stage=getattr(change, "stage", None),
        permission=None if permission is None else permission.value,
        reset=getattr(change, "reset", None),
    )


def _because(one: Because) -> Reason:
    return Reason(code=one.code, text=one.text, rule=one.rule, line=one.line, nearest=one.nearest)


def _waiting(vault: Vault, one: ContactState, row: Row) -> WaitingChange:
    return WaitingChange(
        connection=one.connection,
        account=row["account"],
        change=row["tag"],
        state=row["state"],
        created=moment(row["created"]),
        due=moment(row["due"]),
        attempts=row["attempts"],
        code=row["code"],
        text=row["text"],
        answer=_answer(vault, row),
    )


def _consent(tx: Tx, account: str, address: str, within: Connection | None, known: Set[str | None]) -> Consent | None:
    """A connection is told that an address is suppressed only where it has the contact, or was told of its consent."""
    facts = consent.facts(tx, account, address, connection=None if within is None else within.id)
    ours = within is None or address in known or bool(facts)
    since = consent.suppressed_since(tx, account, address) if ours else None
    if not facts and since is None:
        return None
    return Consent(account=account, suppressed_since=moment_or_none(since), facts=[_fact(fact) for fact in facts])


def _fact(fact: Fact) -> FactTold:
    return FactTold(
        kind=fact.kind.value,
        at=fact.at.astimezone(UTC).isoformat(timespec="seconds"),
        told_by=fact.told_by,
        event=fact.event,
        permission=None if fact.permission is None else fact.permission.value,
        final=fact.final,
        plus=fact.plus,
        words=fact.words,
    )
