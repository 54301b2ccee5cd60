"""ask again: a person wants a confirmation mail for a contact's last explicit yes, where the rules still allow one for it.

What is put into the inbox says only that; the yes is read anew and decided once more, under the same question.
"""

from __future__ import annotations

from collections.abc import Iterable

from stellwerk.relay import case as cases
from stellwerk.relay.case import Case
from stellwerk.relay.hub import Hub
from stellwerk.relay.receive import subject_of
from stellwerk.relay.sync_now import ASK_AGAIN, contacts_named, request
from stellwerk.sdk.connector import Ref, Signal
from stellwerk.store import comparisons, connections, consent
from stellwerk.store import held as held_rows
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules import remember
from stellwerk_rules.asking_again import ALLOWED, UNKNOWN, AskAgain, Wish, asks_anybody
from stellwerk_rules.asking_again import ask_again as may_ask_again
from stellwerk_rules.consent import AskOutcome, Consent, fold
from stellwerk_rules.model import EventKind, Fact, FactKind
from stellwerk_rules.unlinked import UNLINKED, standing

ASKED_AGAIN = "asked_again"
"""Names, in the details of an event of ours, the connection that it was asked for at."""

BY_PERSON = "a person's word"
"""What the ledger names in place of an event."""

BY_ANOTHER = "asked-by-another"
ANSWERED_ELSEWHERE = "answered-elsewhere"
"""What forbids it was told to another connection of the mail account, and no more of it is told here."""

MAILS = frozenset({UNKNOWN, "already-asked", "asked-lately", "asked-often"})
"""Conditions that saw mails."""

TO_BE_DONE = "on-its-way"
ON_ITS_WAY = frozenset({"waiting", "sent", "parked"})


def is_asked_again(connection: Connection, signals: Iterable[Signal]) -> bool:
    """Whether one of the events says that somebody of this connection asks for a mail."""
    return any(told.details.get(ASKED_AGAIN) == connection.id for told in signals)


async def ask_again(
    hub: Hub, connection: Connection, *, who: str, by: str, did_not_go_out: bool = False
) -> AskAgain | None:
    """Ask the contact named by its address or id once more; whether that may be, None where nobody is known by that.

    `did_not_go_out`: the person has looked, and the mail whose outcome stayed unknown was not sent.
    """

    def work(tx: Tx) -> AskAgain | None:
        case = _named(tx, hub, connection, who)
        if case is None:
            return None
        told = _may(tx, hub, case)
        if told.code == UNKNOWN and did_not_go_out:
            _deny(tx, hub, case, told, by)
            case = cases.of_state(tx, hub, connection, case.state, case.state.address)
            told = _may(tx, hub, case)
        if told.code == ALLOWED:
            _put(tx, hub, case, by)
        return told

    told = await hub.store.write(work)
    hub.wake()
    return told


def asking(tx: Tx, hub: Hub, connection: Connection, who: str) -> AskAgain | None:
    """Whether that contact may be asked once more; None where nobody is known by that."""
    case = _named(tx, hub, connection, who)
    return None if case is None else _may(tx, hub, case)


def _named(tx: Tx, hub: Hub, connection: Connection, who: str) -> Case | None:
    """The contact as it stands where contacts wish; nobody where an id is one contact's here and another's there."""
    home = hub.book(connection).plan.wish_system
    found = [one for one in contacts_named(tx, hub, connection, who) if one.remembered.within is None]
    if len(found) > 1 and "@" not in who:
        return None
    for state in found:
        if home in state.remembered.ids and state.address is not None:
            return cases.of_state(tx, hub, connection, state, state.address)
    return None


def _may(tx: Tx, hub: Hub, case: Case) -> AskAgain:
    """What the rules say, and before that whether something of this contact is still to be done anyway.

    Nobody is asked for a word that would bring no mail: what forbids one all the same is told then.
    """
    home = case.book.plan.wish_system or ""
    apart = standing(case.known)
    if apart is not None:
        return AskAgain(code=UNLINKED, seen=apart.at)
    told = _as_things_stand(tx, hub, case)
    if told.code == UNKNOWN:
        then = _as_things_stand(tx, hub, case, _denied(tx, hub, case, told))
        told = told if then.code == ALLOWED else then
    if told.code not in (ALLOWED, UNKNOWN):
        return told
    if case.connection.state != "runs":
        return AskAgain(code="not-running")
    states = {row["state"] for row in held_rows.enters_of(tx, case.state.id)}
    if states & ON_ITS_WAY or _is_to_be_read(tx, hub, case, home):
        return AskAgain(code=TO_BE_DONE)
    return AskAgain(code="held") if "held" in states else told


def _as_things_stand(tx: Tx, hub: Hub, case: Case, also: tuple[Fact, ...] = ()) -> AskAgain:
    """What the rules say of the ledger, with `also` in it."""
    every = _by_the_rules(hub, case, _ledger(hub, case, (*case.known.facts, *also)))
    return _as_known_here(every, _by_the_rules(hub, case, _own(tx, hub, case, also)))


def _by_the_rules(hub: Hub, case: Case, ledger: Consent) -> AskAgain:
    plan = case.book.plan
    asks = ledger.opted_out or asks_anybody(plan, case.settings)
    home = plan.wish_system or ""
    return may_ask_again(_wish(case), ledger, plan.limits, hub.time(), wished_by=home, asks=asks)


def _as_known_here(told: AskAgain, own: AskAgain) -> AskAgain:
    """`told` as the connection may know it, of whose own facts alone comes `own`: nothing of what another one was told."""
    if told.code == ALLOWED or told == own:
        return told
    if told.code == own.code != UNKNOWN:
        return own
    return AskAgain(code=BY_ANOTHER if told.code in MAILS else ANSWERED_ELSEWHERE)


def _wish(case: Case) -> Wish | None:
    plan, known = case.book.plan, case.known
    said = known.remembered.answered.get(plan.answer_field(plan.wish_system) or "")
    if said is None or said.wish is None or said.at is None or said.digest != remember.digest_of(known.digest, "yes"):
        return None
    return Wish(at=said.at, mark=said.wish)


def _ledger(hub: Hub, case: Case, facts: tuple[Fact, ...]) -> Consent:
    known = case.known
    return fold(facts, known.suppressed, hub.time(), case.book.plan.limits, known.suppressed_at)


def _own(tx: Tx, hub: Hub, case: Case, also: tuple[Fact, ...] = ()) -> Consent:
    """The ledger as far as this connection wrote it, or nobody did (what the account itself denied)."""
    every = consent.written(tx, case.mail_account, case.address or "")
    facts = tuple(fact for writer, fact in every if writer in ("", case.connection.id))
    return _ledger(hub, case, (*facts, *also))


def _is_to_be_read(tx: Tx, hub: Hub, case: Case, home: str) -> bool:
    ref = Ref(by="id", value=case.state.remembered.ids[home])
    return comparisons.waits(tx, case.connection.accounts[home], subject_of(hub.vault, ref))


def _denied(tx: Tx, hub: Hub, case: Case, told: AskAgain) -> tuple[Fact, ...]:
    """What the person's word comes to: that mail did not go out. Only of this connection's own mails."""
    unknown = [ask for ask in _own(tx, hub, case).asks.values() if ask.outcome is AskOutcome.UNKNOWN]
    return tuple(
        Fact(kind=FactKind.ASK_FAILED, key=ask.mark, at=hub.time(), event=BY_PERSON, plus=ask.plus)
        for ask in unknown
        if ask.at == told.seen
    )


def _deny(tx: Tx, hub: Hub, case: Case, told: AskAgain, by: str) -> None:
    """Into the ledger, on the person's word."""
    facts = _denied(tx, hub, case, told)
    now, address = hub.now(), case.state.address or ""
    consent.add(tx, case.mail_account, address, case.connection.id, facts, now, plan=case.book.plan.hash)
    connections.note(tx, case.connection.id, who=by, now=now, note=connections.NOT_SENT, about=address[:16])


def _put(tx: Tx, hub: Hub, case: Case, by: str) -> None:
    """The yes is read and decided anew. What was given up of its coming in stands until that brings it in."""
    now, connection = hub.now(), case.connection
    home = case.book.plan.wish_system or ""
    remote = case.state.remembered.ids[home]
    signal = Signal(
        kind=EventKind.CHANGED,
        ref=Ref(by="id", value=remote),
        key=f"{ASK_AGAIN}/{connection.id}/{now}/{remote}",
        details={ASKED_AGAIN: connection.id},
    )
    request(tx, hub, connection, home, signal, case.state, ASK_AGAIN, by, now)
    connections.note(
        tx, connection.id, who=by, now=now, note=connections.ASKED_AGAIN, about=(case.state.address or "")[:16]
    )
