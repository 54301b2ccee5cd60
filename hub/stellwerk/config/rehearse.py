"""Plays the `tests:` of a file: the same rules as at work, against contacts that the test describes. No network, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from stellwerk.config.trial import There, Trial
from stellwerk_rules import remember
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    ADDRESS,
    Agreement,
    Because,
    Change,
    ClearStage,
    Contact,
    Decision,
    Event,
    EventKind,
    Fact,
    FactKind,
    Held,
    Known,
    MoveStage,
    OptOutProof,
    Origin,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    Skip,
    Value,
    Written,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.prepare import prepare
from stellwerk_rules.settings import defaults
from stellwerk_rules.spec import Scalar

__all__ = ["Effect", "Outcome", "rehearse"]

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(days=30)
BEFORE = NOW - timedelta(days=10)
JUST_NOW = NOW - timedelta(minutes=10)

_MARK = "ask-of-the-test"
_HERE, _THERE = "1", "2"
_GONE = {EventKind.DELETED: Presence.ARCHIVED, EventKind.ERASED: Presence.ABSENT}


class Effect(Struct, frozen=True, kw_only=True):
    """One write that the rules come to. `reset`: of a stage move, whether the stage is cleared first."""

    system: str
    change: Change
    reset: bool = False


class Outcome(Struct, frozen=True, kw_only=True):
    """What the rules made of a test's event: writes, reasons to write nothing, what is held, every reason given."""

    effects: tuple[Effect, ...]
    skips: tuple[Because, ...]
    held: tuple[Held, ...]
    reasons: tuple[Because, ...]


def rehearse(plan: Plan, trial: Trial) -> Outcome:
    """The outcome of one test of a file that has passed the check."""
    scene = _Scene(plan, trial)
    decision = evaluate(plan, scene.event, scene.known, scene.settings)
    known = replace(scene.known, remembered=decision.remembered, facts=(*scene.known.facts, *decision.facts))
    effects: list[Effect] = []
    skips = [skip.because for skip in decision.skips]
    held = [held for _, held in decision.held]
    for planned in decision.changes:
        ready = prepare(plan, planned, scene.contact_at(planned.system), known, scene.settings, NOW)
        if isinstance(ready, Skip):
            skips.append(ready.because)
        elif isinstance(ready, Held):
            held.append(ready)
        else:
            effects += _effects(planned, ready.changes)
    return Outcome(
        effects=tuple(effects), skips=tuple(skips), held=tuple(held), reasons=_reasons(decision, skips, held)
    )


def _effects(planned: Planned, changes: tuple[Change, ...]) -> list[Effect]:
    """The writes of a stage are told as the one move that they are."""
    if isinstance(planned.change, MoveStage):
        reset = any(isinstance(change, ClearStage) for change in changes)
        return [Effect(system=planned.system, change=planned.change, reset=reset)]
    return [Effect(system=planned.system, change=change) for change in changes]


def _reasons(decision: Decision, skips: list[Because], held: list[Held]) -> tuple[Because, ...]:
    planned = tuple(one.because for one in decision.changes)
    return (*planned, *skips, *(one.because for one in held), *decision.notices)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Scene:
    """The contacts at both systems and what is known of them, as a test's `given` says."""

    def __init__(self, plan: Plan, trial: Trial) -> None:
        self.plan = plan
        self.given = trial.given
        rule = plan.rule(trial.rule)
        self.system = trial.given.system or (rule.spec.from_ if rule is not None else plan.systems[0])
        self.kind = trial.given.event or EventKind(rule.spec.events[0] if rule is not None else "created")
        self.other = plan.others(self.system)[0]
        self.settings = {**defaults(plan), **trial.given.settings}
        self.linked = self._is_linked()
        self.there = self._there()
        self.event = Event(
            id="test",
            kind=self.kind,
            system=self.system,
            contact=self._here(),
            at=NOW,
            proof=self._proof(),
            details=self.given.details,
        )
        self.known = Known(
            digest=_digest,
            began_at=BEGAN,
            agreed=self._agreement(),
            remembered=self._remembered(),
            facts=tuple(self._facts()),
            suppressed=self.given.consent.suppressed,
            suppressed_at=NOW - timedelta(days=1) if self.given.consent.suppressed else None,
        )

    def contact_at(self, system: str) -> Contact:
        return self.event.contact if system == self.system else self.there

    # --- contacts -------------------------------------------------------------------------------------------------------

    def _is_linked(self) -> bool:
        """What happens where people are mailed, or to one who goes, happens to somebody who came in, unless told otherwise."""
        if self.given.linked is not None:
            return self.given.linked
        if self.given.consent.pending or self.given.consent.confirmed:
            return True
        return self.system == self.plan.mail_system or self.kind in (*_GONE, EventKind.MOVED)

    def _here(self) -> Contact:
        given, fields = self.given, self._values(self.system, self.given.fields)
        left = self.kind is EventKind.UNSUBSCRIBED and self.system == self.plan.mail_system
        written_at = self._created_at() if self.kind is EventKind.CREATED else JUST_NOW
        return Contact(
            id=_HERE,
            email=given.email,
            presence=Presence.ABSENT if left else _GONE.get(self.kind, Presence.PRESENT),
            fields={name: fields.get(name) for name in {*self.plan.reads(self.system), *fields}},
            history={name: self._history(name, value, written_at) for name, value in fields.items()},
            stage=given.stage,
            permission=None if left else self._permission(self.system, given.permission),
            opted_out=given.opted_out or self.kind is EventKind.UNSUBSCRIBED,
            peer_id=_THERE if self.linked else None,
            mark=_MARK if given.consent.pending and self.system == self.plan.mail_system else None,
            origin=given.by,
            created_at=self._created_at(),
            updated_at=JUST_NOW,
            read_at=NOW,
        )

    def _created_at(self) -> datetime:
        if self.given.older:
            return BEGAN - timedelta(days=30)
        return JUST_NOW if self.kind is EventKind.CREATED else NOW - timedelta(days=20)

    def _history(self, name: str, value: Value, at: datetime) -> tuple[Written, ...]:
        was = self._values(self.system, self.given.was)
        if name not in was:
            return (Written(value=value, at=at, origin=self.given.by),)
        before = Written(value=was[name], at=BEFORE, origin=Origin.OTHER)
        return (before,) if was[name] == value else (Written(value=value, at=at, origin=self.given.by), before)

    def _permission(self, system: str, told: Permission | None) -> Permission | None:
        """A contact at the system that mails always has a permission: the one told, or what its consent comes to."""
        if told is not None or system != self.plan.mail_system:
            return told
        confirmed = self.given.consent.confirmed or self.kind is EventKind.CONFIRMED
        return Permission.DOUBLE if confirmed else Permission.NONE

    def _there(self) -> Contact:
        given = self.given.there
        if given is None and not self.linked:
            return Contact(email=self.given.email, presence=Presence.ABSENT, read_at=NOW)
        there = given or There()
        fields = self._values(self.other, there.fields)
        return Contact(
            id=_THERE,
            email=self.given.email,
            presence=Presence.TWICE if there.twice else Presence.PRESENT,
            fields={name: fields.get(name) for name in {*self.plan.reads(self.other), *fields}},
            stage=there.stage,
            permission=self._permission(self.other, there.permission),
            opted_out=there.opted_out,
            blocked=there.blocked,
            peer_id=_HERE if self.linked else None,
            created_at=BEGAN,
            updated_at=BEFORE,
            read_at=NOW,
        )

    def _values(self, system: str, written: Mapping[str, Scalar | None]) -> dict[str, Value]:
        """Fields by the system's own names, values as canonical text."""
        return {self.plan.property_name(system, name): canonical(value) for name, value in written.items()}

    # --- what is known --------------------------------------------------------------------------------------------------

    def _proof(self) -> OptOutProof | None:
        if self.kind is not EventKind.UNSUBSCRIBED or self.system != self.plan.mail_system:
            return None
        return OptOutProof(key="opt-out-of-the-test", at=JUST_NOW, final=True, details=self.given.details)

    def _agreement(self) -> Agreement | None:
        if not self.given.agreed:
            return None
        return Agreement(by="the test", at=BEGAN, confirmation_given=self.given.confirmation_given)

    def _remembered(self) -> Remembered:
        seen_before = self.linked or self.kind is not EventKind.CREATED
        if not seen_before:
            return Remembered()
        was = self._values(self.system, self.given.was)
        watched = self.plan.watched.get(self.system, ())
        address = "before@example.com" if self.kind is EventKind.MOVED else self.given.email
        seen = {self.system: self._seen(self.system, was, address)}
        if self.linked:
            seen[self.other] = self._seen(self.other, self.there.fields, self.given.email)
        return Remembered(
            ids={self.system: _HERE, self.other: _THERE} if self.linked else {self.system: _HERE},
            seen=seen,
            entered=self.linked,
            answered={name: Seen(digest=remember.digest_of(_digest, was.get(name)), at=BEFORE) for name in watched},
        )

    def _seen(self, system: str, values: Mapping[str, Value], address: str | None) -> dict[str, Seen]:
        found = {
            name: Seen(digest=remember.digest_of(_digest, values.get(name)), at=BEFORE)
            for name in self.plan.reads(system)
        }
        if address is not None:
            found[ADDRESS] = Seen(digest=_digest(remember.address_of(address)))
        return found

    def _facts(self) -> list[Fact]:
        """The ledger, oldest first."""
        consent, mail = self.given.consent, self.plan.mail_system or ""
        facts = []
        if consent.confirmed:
            facts.append(
                Fact(
                    kind=FactKind.CONFIRMED, key="confirmed-in-the-test", at=NOW - timedelta(days=7), event="test",
                    told_by=mail, permission=Permission.DOUBLE,
                )
            )  # fmt: skip
        if consent.pending:
            facts.append(Fact(kind=FactKind.ASKED, key=_MARK, at=NOW - timedelta(hours=1), event="test"))
        if consent.suppressed:
            facts.append(
                Fact(
                    kind=FactKind.OPTED_OUT, key="out-in-the-test", at=NOW - timedelta(days=1), event="test", told_by=mail
                )
            )  # fmt: skip
        return facts


def canonical(value: Scalar | None) -> Value:
    """A value as the rules see it: `yes` and `no` for true and false, text for the rest."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
