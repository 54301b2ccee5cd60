"""Just before a call: what was decided must still stand, and that it goes out is written down in the same transaction.

Between the reading of the target and the call another lane may have joined younger values into a waiting delivery, or
written an opt-out, an ask, a confirmation of the address into the ledger. Then the delivery waits and is looked up anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.relay.case import Case, facts_for, former_of
from stellwerk.relay.holding import mails_or_grants
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.job import Job, Write
from stellwerk.store import connections, consent, contacts, hold, lease, outbox
from stellwerk.store import held as held_rows
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk_rules.brake import WINDOW_SECONDS, braked, over
from stellwerk_rules.model import Fact, FactKind, Held, Origin

OPT_OUTS = frozenset({FactKind.OPTED_OUT, FactKind.OPT_OUT_DENIED})


async def sending(
    hub: Hub, desk: Desk, held: Lease, writes: Sequence[Write], *, first: bool = True, progress: str | None = None
) -> tuple[frozenset[int], list[tuple[Job, Held]]]:
    """Ids of the rows whose changes go out in one call now, one of each address; and the jobs that the brake holds, with why.

    A crash after this leaves rows that are settled before they are repeated. `first`: nothing of these jobs went out
    before; for what follows, our own writing has changed the ledger, and only opt-outs count. `progress` is kept with them.
    """

    def work(tx: Tx) -> tuple[frozenset[int], list[tuple[Job, Held]]]:
        now = hub.now()
        lease.fence(tx, held, now)
        lease.keep_calls(tx, held, desk.budget.log())
        going: set[int] = set()
        addresses: set[str] = set()
        held_back: list[tuple[Job, Held]] = []
        kept_back = hold.holds(tx, held.account)
        stored = {one: connections.by_id(tx, one) for one in sorted({write.job.row.connection for write in writes})}
        for write in writes:
            job, address = write.job, write.job.case.address
            connection = stored[job.row.connection]
            if address in addresses or not outbox.stands(tx, job.row.id, job.row.body):
                continue
            if not _stands(tx, job, connection, first=first):
                outbox.again(tx, job.row.id, now, code="decided anew", text="", answer=None)
                continue
            if mails_or_grants(job.planned.change) and (kept_back or _holds(connection)):
                continue
            if not _runs(connection, job):
                continue
            too_many = _braked(tx, hub, write, now)
            if too_many is not None:
                held_back.append((job, too_many))
                continue
            going.add(job.row.id)
            addresses |= set() if address is None else {address}
        outbox.sent(tx, sorted(going), now)
        if progress is not None:
            for one in going:
                outbox.progress(tx, one, progress)
        return frozenset(going), held_back

    return await hub.store.write(work)


def _holds(connection: Connection | None) -> bool:
    return connection is not None and connection.on_hold is not None


def _runs(connection: Connection | None, job: Job) -> bool:
    """Whether its connection does; meanwhile it may have been told to watch or to rest. What was begun is ended."""
    return bool(job.row.progress) or connection is None or connection.state == "runs"


def _braked(tx: Tx, hub: Hub, write: Write, now: float) -> Held | None:
    """Why the brake holds this one; else it is counted. What a person let go passes, and counts."""
    kind = braked(write.job.planned.change, write.change)
    if kind is None:
        return None
    row = write.job.row
    lately = held_rows.started_since(tx, row, kind.value, now - WINDOW_SECONDS)
    why = over(write.job.case.book.plan.limits, kind, Origin(row.origin), lately)
    if why is None or row.released is not None:
        held_rows.count(tx, row, kind.value, now)
        return None
    return why


def _stands(tx: Tx, job: Job, connection: Connection | None, *, first: bool) -> bool:
    """Whether the contact's address and its consent are as they were when the job was looked up; of a move, at both addresses.

    And whether it was unlinked since; what stands between clear and set is ended all the same.
    """
    case = job.case
    state = contacts.by_id(tx, case.state.id)
    if (None if state is None else state.address) != case.state.address:
        return False
    if first and mails_or_grants(job.planned.change) and not _is_known_as_it_was(case, state, connection):
        return False
    if state is not None and state.remembered.unlinked != case.state.remembered.unlinked and not job.row.progress:
        return False
    if case.address is None or not case.mail_account:
        return True
    former = case.known.former
    if former is not None and former_of(tx, case.mail_account, former.address) != former:
        return False
    facts = facts_for(tx, case.connection, case.book.plan.mail_system or "", case.address)
    if not first:
        return _opt_outs(facts) == _opt_outs(case.known.facts)
    suppressed = consent.suppressed_since(tx, case.mail_account, case.address) is not None
    return facts == case.known.facts and suppressed == case.known.suppressed


def _is_known_as_it_was(case: Case, state: ContactState | None, connection: Connection | None) -> bool:
    """Whether neither the contact nor its connection was saved anew: what it says, its deletion, settings, who agreed."""
    if state is None or connection is None or state.version != case.state.version:
        return False
    return (connection.settings, connection.agreed) == (case.connection.settings, case.connection.agreed)


def _opt_outs(facts: tuple[Fact, ...]) -> list[Fact]:
    return [fact for fact in facts if fact.kind in OPT_OUTS]
