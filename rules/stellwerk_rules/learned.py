"""Facts that the end of a change tells: asked, granted, opted out, confirmed before, set to no."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from stellwerk_rules.consent import AskOutcome, Consent, is_younger, leads_back, period_key
from stellwerk_rules.ending import Ending
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.model import (
    CONFIRMED_BY_CONTACT,
    Ask,
    Change,
    Contact,
    Create,
    DeleteContact,
    Enter,
    Fact,
    FactKind,
    Known,
    MoveAddress,
    Permission,
    Presence,
    SetFields,
    Unsubscribe,
)
from stellwerk_rules.plan import Plan

_ASKS = {
    "done": FactKind.ASKED,
    "ambiguous_given_up": FactKind.ASK_UNKNOWN,
    "rejected": FactKind.ASK_FAILED,
}


def learned(plan: Plan, ending: Ending, known: Known, consent: Consent, at: datetime) -> tuple[Fact, ...]:
    """The facts that the end of a change adds to the ledger; `consent` is the one before."""
    planned, change, outcome, target = ending.planned, ending.change, ending.outcome, ending.target
    told = Fact(
        kind=FactKind.ASKED,
        key=planned.key,
        at=ending.remote_at or at,
        event=planned.key,
        told_by="" if ending.remote_at is None else planned.system,
        words=None if known.agreed is None else known.agreed.words or None,
    )
    if isinstance(change, Ask) and outcome in _ASKS:
        # Our clock: how long an ask is unanswered is counted by it.
        asked = replace(told, kind=_ASKS[outcome], key=change.mark, at=at, told_by="", plus=change.terms.plus)
        made, overtaken = _made(planned.change, ending.remote_id, target), _is_overtaken(plan, planned.change, consent)
        return (replace(asked, contact=made, overtaken=overtaken),)
    if isinstance(change, DeleteContact) and ending.done:
        return (replace(told, kind=FactKind.REMOVED),)
    if isinstance(change, Unsubscribe) and change.of is not None and ending.done:
        return (replace(told, kind=FactKind.OPTED_OUT),)
    if isinstance(change, MoveAddress):
        return _moved(told, outcome, target, consent)
    if isinstance(change, Create) and ending.done and change.permission is not Permission.NONE:
        return (replace(told, kind=FactKind.GRANTED, permission=change.permission),)
    if isinstance(planned.change, Enter):
        if planned.system != plan.mail_system:
            return ()  # what stands there says nothing of what was allowed to the system that mails
        if ending.well and _is_of_lost_answer(planned.change, target, consent):
            return (replace(told, kind=FactKind.GRANTED, permission=planned.change.grant),)
        if outcome == "not_needed" and _is_asked_already(planned.change, target, consent):
            return (replace(told, key=planned.change.wish, at=at, told_by="", plus=_plus(planned.change)),)
        if lost := lost_ask(planned.system, target, known, consent, at, key=planned.key):
            return lost
        if is_gone_there(planned.change, target, consent):
            return (replace(told, kind=FactKind.REMOVED),)
        return _found(plan, told, ending, planned.change, known, consent)
    if isinstance(change, SetFields) and ending.well:
        return _no_set(plan, ending, change, told, consent)
    return ()


def _made(change: Change, remote_id: str | None, target: Contact) -> str | None:
    """The contact that an ask made, or met there and younger than its wish: an earlier try made that one."""
    there = target.presence is Presence.PRESENT
    return remote_id if isinstance(change, Enter) and (not there or _is_since(target, change)) else None


def _is_overtaken(plan: Plan, change: Change, consent: Consent) -> bool:
    """Whether an opt-out came while the ask was on its way: none stood when it was sent but those that its wish leads back from."""
    if not isinstance(change, Enter) or not consent.opted_out:
        return False
    return not (change.way_back and leads_back(consent, change.wished_at, plan.wish_system or ""))


def is_gone_there(enter: Enter, target: Contact, consent: Consent) -> bool:
    """Whether somebody deleted the contact at the mail system since the address was asked, confirmed or granted a permission."""
    asked = consent.open_ask is not None and consent.open_ask.outcome is AskOutcome.SENT
    was_in = asked or consent.confirmation is not None or consent.granted is not None
    return enter.links and target.presence is Presence.ABSENT and not target.opted_out and was_in


def lost_ask(
    system: str, target: Contact, known: Known, consent: Consent, at: datetime, *, key: str = ""
) -> tuple[Fact, ...]:
    """The ask that only its mark tells of, since a back-up replaced the ledger: unanswered, and taken for as young as it may be.

    That is as the contact's last change there; as of now where that is not told, or by a clock whose zone is not known.
    """
    asked = target.presence is Presence.PRESENT and target.permission in (None, Permission.NONE)
    if not asked or target.mark is None or target.mark in consent.asks:
        return ()
    if consent.is_counted(FactKind.CONFIRMED, target.mark):
        return ()
    since = at if target.updated_at is None or system in known.unzoned else min(at, target.updated_at)
    return (Fact(kind=FactKind.ASKED, key=target.mark, at=since, event=key),)


def learned_of_former(ending: Ending, at: datetime) -> tuple[Fact, ...]:
    """The facts that a change of address adds to the ledger of the address the contact had before."""
    planned = ending.planned
    if not isinstance(planned.change, MoveAddress) or not ending.done:
        return ()
    return (Fact(kind=FactKind.REMOVED, key=planned.key, at=at, event=planned.key),)


def _moved(told: Fact, outcome: str, target: Contact, consent: Consent) -> tuple[Fact, ...]:
    """What came along to the new address, or that it turned out to have opted out."""
    if outcome == "done":
        mark = target.mark if target.permission in CONFIRMED_BY_CONTACT else None
        return (replace(told, kind=FactKind.KEPT, permission=target.permission, mark=mark),)
    if outcome == "opted_out" and not consent.opted_out:
        return (replace(told, kind=FactKind.OPTED_OUT, key=period_key(consent, None)),)
    return ()


def _is_asked_already(enter: Enter, target: Contact, consent: Consent) -> bool:
    """Whether this very wish was asked, and nothing here knows of it: its mark stands there."""
    return target.mark == enter.wish and enter.wish not in consent.asks


def _plus(enter: Enter) -> bool:
    return enter.ask is not None and enter.ask.plus


def _is_of_lost_answer(enter: Enter, target: Contact, consent: Consent) -> bool:
    """Whether an earlier try made this contact with the permission it has, and only its answer was lost.

    It is younger than the wish, carries our id, and has just what was to be granted.
    """
    ours = target.presence is Presence.PRESENT and bool(enter.peer_id) and target.peer_id == enter.peer_id
    granted = enter.grant is not Permission.NONE and target.permission is enter.grant
    return _is_since(target, enter) and ours and granted and consent.granted is None and consent.confirmation is None


def _is_since(target: Contact, enter: Enter) -> bool:
    return target.created_at is not None and target.created_at >= enter.wished_at - CLOCK_MARGIN


def _found(plan: Plan, told: Fact, ending: Ending, enter: Enter, known: Known, consent: Consent) -> tuple[Fact, ...]:
    """What the mail system turned out to know already: an opt-out, or a confirmation."""
    target, outcome = ending.target, ending.outcome
    live = target.presence is Presence.PRESENT and target.permission not in (None, Permission.NONE)
    marked = target.opted_out and not live
    if (outcome == "opted_out" or (marked and outcome != "ambiguous_given_up")) and not consent.opted_out:
        # Of somebody known there, only the mail system's own evidence makes it final, and does what the rules say.
        out = replace(told, kind=FactKind.OPTED_OUT, key=period_key(consent, target.id))
        if target.opted_out_at is not None and not _is_answered(consent, target.opted_out_at):
            out = replace(out, at=target.opted_out_at, told_by=ending.system)
        known_there = consent.confirmation is not None or consent.granted is not None
        if known_there or _may_be_ours(plan, ending, enter, known, out):
            return (replace(told, kind=FactKind.OPTED_OUT, key=out.key, final=False),)
        return (out,)
    confirmed = target.presence is Presence.PRESENT and target.permission in CONFIRMED_BY_CONTACT
    if confirmed and ending.well and consent.confirmation is None and not consent.opted_out:
        return (
            replace(
                told,
                kind=FactKind.CONFIRMED,
                key=f"found:{period_key(consent, target.id)}",
                at=target.updated_at or told.at,
                told_by="" if target.updated_at is None else ending.system,
                permission=target.permission,
            ),
        )
    return ()


def _is_answered(consent: Consent, opted_out_at: datetime) -> bool:
    """Whether the opt-out that the marker is from is one that a confirmation came after."""
    return consent.last_confirmation is not None and opted_out_at <= consent.last_confirmation.at


def _may_be_ours(plan: Plan, ending: Ending, enter: Enter, known: Known, out: Fact) -> bool:
    """Whether who left may have come in by us first: linked, or by a call before this one."""
    if ending.system in known.remembered.ids:
        return True
    if not ending.tried or (enter.ask is None and enter.grant is Permission.NONE):
        return False  # whoever came in so was never sent anything that she could leave by
    if out.told_by != ending.system:
        return True
    first = max(enter.wished_at, known.began_at or enter.wished_at)
    return not is_younger(first, plan.wish_system or "", replace(out, unzoned=ending.system in known.unzoned), None)


def _no_set(plan: Plan, ending: Ending, change: SetFields, told: Fact, consent: Consent) -> tuple[Fact, ...]:
    """That the answer reads no since these opt-outs: whatever yes is written there later is younger than they are.

    Where it read no before, the last change there that we read bounds it.
    """
    outs = [one for one in consent.standing if one.final and one.key not in consent.no_set]
    target, name = ending.target, answer_field(plan, ending.system)
    value = change.fields.get(name) if name is not None else None
    if name is None or value is None or not value.owned or value.value != "no":
        return ()
    if not ending.done:
        if target.fields.get(name) != "no" or target.updated_at is None:
            return ()
        told = replace(told, at=target.updated_at, told_by=ending.system)
    return tuple(replace(told, kind=FactKind.NO_SET, key=one.key) for one in outs)


def answer_field(plan: Plan, system: str) -> str | None:
    """The field that holds the answer there."""
    rule = plan.consent_rule
    return None if rule is None or rule.enter is None or rule.from_ != system else rule.enter.answer
