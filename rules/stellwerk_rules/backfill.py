"""A sync: which of the contacts that stand in the CRM are brought in, and on which terms.

Everything else about them is decided as for a live event: their answer, their address, opt-outs, fields, the laws.
"""

from __future__ import annotations

from datetime import timedelta

from stellwerk_rules import layers, permission
from stellwerk_rules.chosen import as_permission, resolve
from stellwerk_rules.entry import Case, Entry
from stellwerk_rules.layers import Terms
from stellwerk_rules.model import Backfill, Enter, Permission
from stellwerk_rules.reasons import skip
from stellwerk_rules.spec import ConsentSpec

LIVE_FOR = timedelta(days=1)
"""What was said this long before the sync began may still be on its way as an event of its own, on better terms."""


def stays_out(case: Case, run: Backfill) -> Entry | None:
    """Those whom the sync leaves alone: whoever is in, or comes by itself, or whom only an explicit yes brings in."""
    if case.rule.spec.consent is None:
        return Entry(skip=skip(case.rule, "not-live", "the initial sync brings nobody in by this rule"), waits=True)
    if _is_live(case, run):
        return Entry(
            skip=skip(case.rule, "left-to-live", "new since yesterday: its own event brings it in"), waits=True
        )
    if case.known.remembered.entered and not _is_owed(case, run):
        return Entry()
    if case.known.remembered.by_wish and not case.is_wish:
        return Entry(skip=skip(case.rule, "older", "merged or restored, and no explicit yes"))
    return None


def _is_live(case: Case, run: Backfill) -> bool:
    """Whether an event of the contact's own may still be on its way."""
    since, created, written = run.began_at - LIVE_FOR, case.event.contact.created_at, case.answer.written
    if case.is_wish and written is not None:
        return written.at >= since
    decided = case.spec.answer in case.known.remembered.answered or case.known.remembered.entered
    return case.is_new and not decided and created is not None and created >= since


def _is_owed(case: Case, run: Backfill) -> bool:
    """Whether somebody who entered before is looked at again: nothing was ever asked, granted, confirmed or removed.

    It is asked where this sync asks, and brought in where it never arrived over there.
    """
    consent = case.consent
    if consent.asks or consent.last_confirmation is not None or consent.granted is not None or consent.removed:
        return False
    return run.ask or case.rule.spec.to not in case.known.remembered.ids


def terms(case: Case, consent: ConsentSpec, run: Backfill) -> Terms:
    """The sync's terms for one contact, which may always ask for more and grant less than they do."""
    if run.ask:
        return layers.way_back(case.plan, consent, case.settings, case.event.contact)
    own, fields = case.effective, case.event.contact.fields
    usual = layers.terms(consent, own.base, fields)
    if own.terms is not None and own.terms.ask and not usual.ask:
        return Terms()  # it wants to be asked first, which this sync does not
    granted = as_permission(resolve(consent.grant, own.values, fields))
    less = granted is not usual.grant and permission.is_rise(granted, run.grant)
    return Terms(grant=granted if less else run.grant)


def is_not_confirmed(case: Case, run: Backfill, change: Enter) -> Entry | None:
    """Why the contact stays out although nothing else speaks against it; None where it enters."""
    if run.ask and change.ask is None:
        return Entry(skip=skip(case.rule, "no-way-to-ask", "it is to be asked, and there is nothing to send"))
    mailed_or_granted = change.mails or change.grant is not Permission.NONE
    if mailed_or_granted and run.left is not None and run.left <= 0:
        text = "as many as were confirmed are mailed or granted something already; a new dry run counts the rest"
        return Entry(skip=skip(case.rule, "more-than-confirmed", text), waits=True)
    return None
