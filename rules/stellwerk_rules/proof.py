"""How sure an opt-out is, and which one it is: what the mail system shows, held against the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from stellwerk_rules.consent import AskState, Consent, fold, is_deniable, is_proved, period_key
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.model import (
    Fact,
    FactKind,
    OptOutEntry,
    OptOutEvidence,
    OptOutProof,
    Permission,
    Presence,
)
from stellwerk_rules.spec import Limits
from stellwerk_rules.zones import reach

DENIED_AFTER = timedelta(hours=1)


def prove(
    evidence: OptOutEvidence,
    facts: Iterable[Fact],
    claimed_at: datetime,
    at: datetime,
    details: Mapping[str, str],
    *,
    told_by_entry: str | None = None,
) -> OptOutProof:
    """How sure the opt-out is that was claimed at `claimed_at`; `details` are what the claim said besides.

    Final when the contact no longer reads and its marker is there, or when the report has an entry that was not counted,
    since the last confirmation we know. A marker alone proves nothing for somebody who came back. One opt-out has one key,
    however often and however it is told; who was asked back and leaves again, unconfirmed, opted out anew.
    `told_by_entry` names a claim that the report's own entries made: those are no opt-out that stands once a confirmation
    followed them all.
    """
    known = fold(facts, False, at, Limits())
    entry = _new_entry(evidence.entries, known)
    counted = [fact for fact in known.standing if is_proved(fact)]
    if counted and (entry is None or not _is_another(entry, counted[-1], evidence.entries, known)):
        return OptOutProof(key=counted[-1].key, at=counted[-1].at, final=True, details=details)
    if entry is not None:
        return OptOutProof(key=entry.key, at=entry.at, final=True, details={**entry.details, **details})
    if told_by_entry is not None and known.last_confirmation is not None and not counted:
        return OptOutProof(key=told_by_entry, at=claimed_at, final=False, denied=True, details=details)
    contact = evidence.contact
    period = period_key(known, contact.id)
    if contact.presence in (Presence.ABSENT, Presence.ANONYMOUS) and evidence.marker:
        return OptOutProof(key=period, at=claimed_at, final=True, details=details)
    claims = [fact for fact in known.standing if is_deniable(fact)]
    reads_subscribed = contact.presence is Presence.PRESENT and contact.permission not in (None, Permission.NONE)
    return OptOutProof(
        key=claims[0].key if claims else f"claim:{period}:{claimed_at.isoformat()}",
        at=claimed_at,
        final=False,
        denied=reads_subscribed and at - claimed_at >= DENIED_AFTER,
        details=details,
    )


def _new_entry(entries: tuple[OptOutEntry, ...], known: Consent) -> OptOutEntry | None:
    """The youngest entry that was not counted and is not older than the last confirmation."""
    last = known.last_confirmation
    # The confirmation's time is ours where the mail system did not tell its own.
    since = None if last is None else last.at - max(timedelta() if last.told_by else CLOCK_MARGIN, reach(last))
    new = [
        one
        for one in entries
        if not known.is_counted(FactKind.OPTED_OUT, one.key) and (since is None or one.at >= since)
    ]
    return max(new, key=lambda one: (one.at, one.key), default=None)


def _is_another(entry: OptOutEntry, standing: Fact, entries: tuple[OptOutEntry, ...], known: Consent) -> bool:
    """Whether `entry` is a younger opt-out than the one that stands, and not that one told in another way.

    Two entries of the report are two. What stands may also have been learned without one, or its entry is told no more; then
    only somebody whom we asked since can have left again.
    """
    if any(one.key == standing.key for one in entries):
        return entry.at > standing.at
    return bool(known.confirmable) and _is_after(entry, known.confirmable[-1])


def _is_after(entry: OptOutEntry, ask: AskState) -> bool:
    """Whether an opt-out, by the mail system's clock, came after an ask, by ours.

    Who was made for the ask has left after it, whoever else left before it unless the clocks surely say otherwise. Where no
    contact is known, an opt-out as old as the ask is the younger.
    """
    if None in (entry.contact_id, ask.contact):
        return entry.at > ask.at - CLOCK_MARGIN
    return entry.contact_id == ask.contact or entry.at > ask.at + CLOCK_MARGIN
