"""How far one address has come on its way through the hub: step by step, each done, going on, stopped or still to come."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, structs

from stellwerk.relay.hub import Hub
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.view.activity import Activity, Reason, WaitingChange, activity
from stellwerk_rules.plan import Plan

ENTERING = frozenset({"enter", "ask", "create"})
BROUGHT_IN = frozenset({"asked", "granted", "confirmed"})
MIRROR = "mirror"
UNDONE = frozenset({"waiting", "sent", "parked", "held", "dead"})


class How(StrEnum):
    DONE = "done"
    NOW = "now"
    STOPPED = "stopped"
    LATER = "later"


class Stage(Struct, frozen=True, kw_only=True):
    """`code` is told, decided, brought-in, confirmed or shown. `because` is why it went this way, where a decision says so.

    `trouble` is the code of what a waiting change last met with.
    """

    code: str
    how: How
    because: Reason | None = None
    trouble: str = ""


class Way(Struct, frozen=True, kw_only=True):
    """The stages in their order."""

    stages: list[Stage]

    @property
    def ended(self) -> bool:
        """Nothing more is to be waited for."""
        hows = {stage.how for stage in self.stages}
        return How.STOPPED in hows or hows == {How.DONE}


async def way_of(hub: Hub, connection: Connection, email: str, contact: str | None = None) -> Way:
    """What the store knows of this address at this moment; of its events by the `contact` id before it was decided on."""

    def look(tx: Tx) -> Activity:
        known = activity(tx, hub.vault, email, connection)
        if contact is None or known.events:
            return known
        return structs.replace(known, events=activity(tx, hub.vault, contact, connection).events)

    return way(hub.book(connection).plan, await hub.store.read(look))


def way(plan: Plan, known: Activity) -> Way:
    """The way as it stands; a confirmation belongs to it where one was asked for."""
    mail, crm = plan.mail_system or "", plan.wish_system or ""
    facts = {fact.kind for one in known.consent for fact in one.facts}
    told = Stage(code="told", how=How.DONE if known.steps or known.events else How.NOW)
    decided = _decided(known, _because(known, ENTERING, mail))
    there = mail in {system for contact in known.contacts for system in contact.ids} or bool(facts & BROUGHT_IN)
    stages = [told, decided, _written("brought-in", known, mail, done=there, begun=decided.how is How.DONE)]
    if "asked" in facts:
        stages.append(Stage(code="confirmed", how=How.DONE if "confirmed" in facts else How.NOW))
    if plan.mirrors:
        begun = stages[-1].how is How.DONE
        shown = _because(known, frozenset({"set_fields"}), crm, MIRROR) is not None and not _to(known, crm)
        stages.append(_written("shown", known, crm, done=begun and shown, begun=begun))
    return Way(stages=stages)


def _decided(known: Activity, entering: Reason | None) -> Stage:
    if entering is not None:
        return Stage(code="decided", how=How.DONE, because=entering)
    reason = next((reason for step in reversed(known.steps) for reason in step.reasons), None)
    if reason is not None and not known.events:
        return Stage(code="decided", how=How.STOPPED, because=reason)
    return Stage(code="decided", how=How.NOW if known.events else How.LATER)


def _because(known: Activity, changes: frozenset[str], system: str, code: str | None = None) -> Reason | None:
    """Why one of these changes was decided on last; None where none was."""
    for step in reversed(known.steps):
        for one in step.changes:
            if one.change in changes and one.system == system and code in (None, one.because.code):
                return one.because
    return None


def _written(code: str, known: Activity, system: str, *, done: bool, begun: bool) -> Stage:
    waiting = _to(known, system)
    stuck = next((one for one in waiting if one.state in ("held", "dead")), None)
    if done:
        return Stage(code=code, how=How.DONE)
    if stuck is not None:
        return Stage(code=code, how=How.STOPPED, trouble=stuck.code)
    trouble = next((one.code for one in waiting if one.code), "")
    return Stage(code=code, how=How.NOW if begun else How.LATER, trouble=trouble)


def _to(known: Activity, system: str) -> Sequence[WaitingChange]:
    """What is undone on its way to a system."""
    return [one for one in known.waiting if one.account.partition(":")[0] == system and one.state in UNDONE]
