"""decide: run the rules on what was read, and commit decision, reasons and deliveries with the taking of the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from stellwerk.relay import breaking, erasing, given_up, no_way_back, stands_twice, trace
from stellwerk.relay.case import Case
from stellwerk.relay.hub import Hub
from stellwerk.relay.putting import put
from stellwerk.relay.receive import new_event
from stellwerk.relay.telling import Learnt, told_to_others
from stellwerk.sdk.connector import Ref, Signal
from stellwerk.store import consent, contacts, counts, inbox, lease, meta, outbox, repairs, syncs
from stellwerk.store import held as held_rows
from stellwerk.store.connections import Connection, stands
from stellwerk.store.contacts import Stale
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk_rules.consent import SOURCE_OPT_OUT, ends_suppression, reaches_all
from stellwerk_rules.entering import ONCE_MORE
from stellwerk_rules.merging import secondary
from stellwerk_rules.model import (
    Decision,
    Event,
    EventKind,
    Fact,
    FactKind,
    Skip,
    Unsubscribe,
)
from stellwerk_rules.outlook import outlook
from stellwerk_rules.prepare import OPT_OUT_CLAIMED
from stellwerk_rules.zones import marked

SETTLES_A_CLAIM = frozenset({FactKind.OPTED_OUT, FactKind.OPT_OUT_DENIED})
MOST_RETRIES = 10
UNSETTLED = "opt-out-unsettled"
COMPARED = "compared"
"""Detail of events of ours that come from a comparison, which asks nobody and grants nothing."""


class Decided(Struct, frozen=True, kw_only=True):
    """A decision with the case it was made on."""

    case: Case
    event: Event
    decision: Decision


async def decide(
    hub: Hub,
    held: Lease,
    connections: Sequence[Connection],
    rows: Sequence[int],
    look: Callable[[Tx, Connection], Sequence[tuple[Case, Event]]],
    judge: Callable[[Case, Event], Decision],
    *,
    keep_waiting_until: float | None = None,
    unsettled_until: float | None = None,
    released: Sequence[int] = (),
) -> list[Decided]:
    """Decide one event for every connection and commit it all with the end of its inbox rows.

    `look` builds cases, mostly one, and events inside the transaction's snapshot, so that what was decided on is what stands when it is
    written; every connection's before the first is written, since one fact is news for each of them. With
    `keep_waiting_until` the rows stay in the inbox and are looked at again then, with `unsettled_until` where a claimed
    opt-out keeps them from being decided. `released` are deliveries that a person let go, decided again with this event.
    """

    def work(tx: Tx) -> list[Decided]:
        now = hub.now()
        lease.fence(tx, held, now)
        decided: list[Decided] = []
        if not all(stands(tx, connection) for connection in connections):
            return []  # one was ended or has other accounts since it was read: the events wait and are decided anew
        if rows and not inbox.still_waiting(tx, rows):
            return []  # erased on request, or left, since it was read
        for case, event in [one for connection in connections for one in look(tx, connection)]:
            decided.append(Decided(case=case, event=event, decision=judge(case, event)))
        learnt: list[tuple[str, Learnt]] = []
        for one in decided:
            _, news = _write(
                tx,
                hub,
                one.case,
                _as_it_runs(one.case, one.decision),
                event=one.event.id,
                run=None if one.event.backfill is None else one.event.backfill.run,
                what=one.event.kind.value,
                released=released,
                compared=one.event.compared,
            )
            learnt += [(one.event.id, new) for new in news]
            _count(tx, one)
        # After all have written: what is told to one that decided here as well is told to its contact as it stands now.
        for cause, new in learnt:
            _tell(tx, hub, new, event=cause, told=_deciding_on(decided, new.fact))
        claimed = _is_claimed(decided)
        until = unsettled_until if claimed and keep_waiting_until is None else keep_waiting_until
        if until is not None:
            inbox.look_again(tx, rows, until)
        else:
            if claimed:
                text = "an opt-out was claimed, and nothing proves or denies it"
                repairs.open_(tx, held.account, UNSETTLED, text, now)
            _end_events(tx, rows, decided, released, now)
        _forget_erased(tx, decided, now)
        return decided

    for _ in range(MOST_RETRIES):
        try:
            return await hub.store.write(work)
        except Stale:
            continue
    raise Stale("a contact kept changing while it was decided on")


def _is_claimed(decided: Sequence[Decided]) -> bool:
    """Whether an opt-out waits for its proof. What a sync only looks at waits for none: another sync looks again."""
    happened = [one for one in decided if one.event.backfill is None]
    return any(skip.because.code == OPT_OUT_CLAIMED for one in happened for skip in one.decision.skips)


def _end_events(tx: Tx, rows: Sequence[int], decided: Sequence[Decided], released: Sequence[int], now: float) -> None:
    changed = any(one.decision.changes or one.decision.held for one in decided)
    inbox.end(tx, rows, "decided" if changed else "skipped", _first_code(decided), now)
    # Whose contact this event did not lead to, or whose connection does not run: no other event speaks of them.
    for row in held_rows.unrelease(tx, released, now):
        repairs.open_(tx, row["connection"], row["code"], row["text"] or row["code"], now)


def write(
    tx: Tx,
    hub: Hub,
    case: Case,
    decision: Decision,
    *,
    event: str,
    what: str,
    outcome: str = "",
    answer: str | None = None,
    run: int | None = None,
) -> Case:
    """Store what a decision says: state, ledger, deliveries, reasons. The case with its stored state comes back.

    The other connections that share the mail account are told of an opt-out. `run` is the sync that all this belongs to.
    """
    case, learnt = _write(tx, hub, case, decision, event=event, what=what, outcome=outcome, answer=answer, run=run)
    for new in learnt:
        _tell(tx, hub, new, event=event, told=frozenset())
    return case


def _write(
    tx: Tx,
    hub: Hub,
    case: Case,
    decision: Decision,
    *,
    event: str,
    what: str,
    run: int | None = None,
    outcome: str = "",
    answer: str | None = None,
    released: Sequence[int] = (),
    compared: bool = False,
) -> tuple[Case, list[Learnt]]:
    """What `write` does, besides telling the others: they are to be told of what comes back."""
    now = hub.now()
    state = msgspec.structs.replace(
        case.state,
        remembered=decision.remembered,
        address=(case.address if case.tells else None) or case.state.address,
    )
    runs = case.connection.state == "runs"
    let_go = held_rows.released_of(tx, case.connection.id, case.state.id, released) if released else {}
    if runs:
        _absorb(tx, hub, case, decision, now)
    follows = decision.changes or decision.held or stands_twice.why(decision)
    if state != case.state or (runs and follows and state.id == 0):
        state = contacts.save(tx, state, now)
    case = msgspec.structs.replace(case, state=state)
    facts = write_facts(tx, case, marked(decision.facts, case.known.unzoned), now)
    learnt = [Learnt(case=case, fact=fact) for fact in facts if reaches_all(fact)]
    if case.known.former is not None:
        before = msgspec.structs.replace(case, address=case.known.former.address)
        facts = write_facts(tx, before, decision.former_facts, now)
        learnt += [Learnt(case=before, fact=fact) for fact in facts if reaches_all(fact)]
    if runs:
        _look_again(tx, hub, case, decision.look_again, now, compared=compared)
        _put_all(tx, hub, case, decision, event=event, run=run, now=now, let_go=let_go)
        _end_released(tx, let_go, decision, event, now)
        no_way_back.note(tx, case, decision, now)
        stands_twice.note(tx, case, decision, now)
    trace.keep(tx, hub, case, decision, event=event, what=what, outcome=outcome, answer=answer, now=now)
    return case, learnt


def _put_all(
    tx: Tx,
    hub: Hub,
    case: Case,
    decision: Decision,
    *,
    event: str,
    run: int | None,
    now: float,
    let_go: Mapping[int, str],
) -> None:
    """The deliveries of a decision, those that are held among them."""
    for planned in (*decision.changes, *(one for one, _ in decision.held)):
        breaking.overtake(tx, case, case.connection.accounts[planned.system], planned.change, now)
    for planned in decision.changes:
        put(tx, hub, case, planned, event=event, run=run, now=now, let_go=let_go)
        if planned.key.startswith(ONCE_MORE):
            given_up.end(tx, case, now)
    for planned, why in decision.held:
        put(tx, hub, case, planned, event=event, run=run, now=now, hold=why)
        repairs.open_(tx, case.connection.id, why.repair, why.because.text, now)


def _end_released(tx: Tx, let_go: Iterable[int], decision: Decision, event: str, now: float) -> None:
    """What was let go and is not to be made any more, as things stand now."""
    skip = decision.skips[0].because.text if decision.skips else "nothing of the kind is to be done any more"
    for one in let_go:
        if held_rows.is_released(tx, one):
            counts.link(tx, event, one)
            held_rows.free(tx, one)
            outbox.settle(tx, one, "skipped", code="decided-anew", text=skip, answer=None, now=now)


def _absorb(tx: Tx, hub: Hub, case: Case, decision: Decision, now: float) -> None:
    """Those that were merged into the contact are its secondary addresses from now on; first, since they hold its links."""
    system = case.book.plan.wish_system or ""
    survivor = decision.remembered.ids.get(system)
    for one in case.absorbed if survivor is not None else ():
        contacts.save(
            tx, msgspec.structs.replace(one, remembered=secondary(one.remembered, system, survivor or "")), now
        )


def _look_again(tx: Tx, hub: Hub, case: Case, systems: Sequence[str], now: float, *, compared: bool) -> None:
    """Put the contact's own look-up into the inbox of each of `systems` where it is known."""
    for system in systems:
        remote = case.state.remembered.ids.get(system)
        if remote is None:
            continue
        account = case.connection.accounts[system]
        details = {COMPARED: "again"} if compared else {}
        signal = Signal(kind=EventKind.CHANGED, ref=Ref(by="id", value=remote), details=details)
        meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, [new_event(hub, account, signal, now)]))
        lease.wake(tx, account, now)


def _forget_erased(tx: Tx, decided: Sequence[Decided], now: float) -> None:
    for one in decided:
        if not one.decision.remembered.erased:
            continue
        erasing.erase(tx, one.case.state.id, now)
        for system, remote in one.case.state.remembered.ids.items():
            erasing.erase_events(tx, one.case.connection.accounts[system], f"id:{remote}", now)
        for other in one.case.connection.accounts.values():
            erasing.erase_events(tx, other, f"email:{one.case.state.address}", now)


def _as_it_runs(case: Case, decision: Decision) -> Decision:
    """Where the connection does not run nothing of this is made: what is remembered of the contact must not say so.

    Nor the ledger: an opt-out that would have been carried out is claimed, which keeps the address out all the same, and the
    next event carries it out.
    """
    if case.connection.state == "runs":
        return decision
    facts, former = decision.facts, decision.former_facts
    if any(isinstance(one.change, Unsubscribe) for one in decision.changes):
        facts = _only_claimed(facts, out=case.known.suppressed)
        former = _only_claimed(former, out=case.known.former is not None and case.known.former.suppressed)
    return msgspec.structs.replace(decision, remembered=case.state.remembered, facts=facts, former_facts=former)


def _only_claimed(facts: Sequence[Fact], *, out: bool) -> tuple[Fact, ...]:
    """None of one who is `out` anyway, and no opt-out of the CRM's own, which stands there to be read: both would be no news."""
    return tuple(
        msgspec.structs.replace(one, final=False) if one.kind is FactKind.OPTED_OUT else one
        for one in facts
        if one.kind is not FactKind.OPTED_OUT or not (out or one.key.startswith(SOURCE_OPT_OUT))
    )


def _deciding_on(decided: Sequence[Decided], fact: Fact) -> frozenset[str]:
    """The connections that decided on `fact` themselves, at the address of their contact or at the one it left."""
    return frozenset(
        one.case.connection.id
        for one in decided
        if any(same.key == fact.key for same in (*one.decision.facts, *one.decision.former_facts))
    )


def _tell(tx: Tx, hub: Hub, new: Learnt, *, event: str, told: frozenset[str]) -> None:
    for theirs, decided in told_to_others(tx, hub, new, event, told | {new.case.connection.id}):
        write(tx, hub, theirs, _as_it_runs(theirs, decided), event=event, what=EventKind.UNSUBSCRIBED.value)


def write_facts(tx: Tx, case: Case, facts: Sequence[Fact], now: float) -> tuple[Fact, ...]:
    """Into the ledger; those that did not stand there already."""
    if not facts or case.address is None:
        return ()
    plan = case.book.plan.hash
    fresh = consent.add(tx, case.mail_account, case.address, case.connection.id, facts, now, plan=plan)
    if any(fact.kind in SETTLES_A_CLAIM for fact in facts) and case.state.id:
        outbox.due_now(tx, case.state.id, OPT_OUT_CLAIMED, now)
    if ends_suppression(case.known.facts, case.known.suppressed_at, facts):
        consent.lift(tx, case.mail_account, case.address)
    return fresh


def _count(tx: Tx, one: Decided) -> None:
    """What a sync made of the contact, into its figures, with the decision."""
    if one.event.backfill is not None:
        told = outlook(one.case.book.plan, one.decision, one.case.known)
        syncs.count(tx, one.event.backfill.run, [told.what])
        syncs.moves(tx, one.event.backfill.run, one.event.at.timestamp())


def _first_code(decided: Sequence[Decided]) -> str:
    skips: list[Skip] = [skip for one in decided for skip in one.decision.skips]
    return skips[0].because.code if skips else ""
