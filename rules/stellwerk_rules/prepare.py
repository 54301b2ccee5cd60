"""prepare: a planned change against what stands at its target, immediately before the write. The laws are asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules import breaker, moving, remember, unlinked
from stellwerk_rules.consent import Consent, fold, is_younger
from stellwerk_rules.decided_on import has_changed
from stellwerk_rules.entering import held_for_age
from stellwerk_rules.fields import wins
from stellwerk_rules.laws import NOT_ASKED_NOW, lawful
from stellwerk_rules.learned import lost_ask
from stellwerk_rules.model import (
    CHANGED_SINCE,
    AddEntry,
    Because,
    Change,
    Contact,
    DeleteContact,
    Elsewhere,
    Enter,
    FieldValue,
    Held,
    Known,
    MoveAddress,
    MoveStage,
    OptOut,
    Permission,
    Planned,
    Presence,
    SetFields,
    SetPeer,
    Skip,
    Unsubscribe,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.settle import linked_only, settle_enter, settle_known_there
from stellwerk_rules.spec import SettingValue
from stellwerk_rules.stage import resume_stage, stage_steps
from stellwerk_rules.wishes import WISHING

__all__ = ["Ready", "prepare", "prepare_history", "resume_stage"]

ASKED_BEFORE = "asked-before"
"""Code of a skip where the mark over there says that the wish was asked, though nothing here does."""

OPT_OUT_CLAIMED = "opt-out-claimed"
"""Code of what is held while an opt-out is claimed and neither proved nor denied."""


STILL_LEAVING = "still-leaving"
"""Code of a way back that waits a moment, since whoever left still reads subscribed: nobody who does is asked."""


class Ready(Struct, frozen=True, kw_only=True):
    """What to write now, in this order."""

    changes: tuple[Change, ...]
    notices: tuple[Because, ...] = ()


def prepare(
    plan: Plan,
    planned: Planned,
    target: Contact,
    known: Known,
    settings: Mapping[str, SettingValue],
    at: datetime,
    *,
    released: bool = False,
    early: bool = False,
) -> Ready | Skip | Held:
    """The concrete changes of `planned`, or why there are none.

    `target` was just read and has every field of `plan.reads` there, with the history of `prepare_history`; `known` was
    re-read. `released`: a person let a wish through that was held for its age, or values that the breaker had stopped.
    `early`: an opt-out that was just carried out may not be seen over there yet; a way back that meets one is `STILL_LEAVING`.
    """
    apart = unlinked.refusal(planned, known)
    if apart is not None:
        return Skip(because=replace(apart, rule=planned.because.rule, line=planned.because.line))
    consent = fold(known.facts, known.suppressed, at, plan.limits, known.suppressed_at)
    change = planned.change
    to_mail = planned.system == plan.mail_system
    former = None if known.former is None else moving.former_consent(plan, known.former, at)
    sends = isinstance(change, Enter) or (to_mail and isinstance(change, SetFields | SetPeer | MoveAddress))
    claimed = consent.claimed() or (isinstance(change, MoveAddress) and former is not None and former.claimed())
    if (sends or isinstance(change, MoveStage)) and claimed:
        text = "an opt-out was claimed for this address and is neither proved nor denied"
        return Held(repair=OPT_OUT_CLAIMED, because=Because(code=OPT_OUT_CLAIMED, text=text))
    refused = _lawful(plan, planned.system, change, consent, known, at, target=target, former=former)
    if refused is not None:
        return Skip(because=replace(refused, rule=planned.because.rule, line=planned.because.line))
    if known.remembered.within is not None and isinstance(change, Enter | MoveAddress):
        return _skip("merged", "the contact was merged into another one, and its address is a secondary one")
    if isinstance(change, MoveAddress) and not moving.may_be_kept(plan, settings):
        return _skip("permission-not-kept", "a setting that was saved since lets no permission go along")
    if isinstance(change, Enter):
        if early and change.way_back and consent.left and target.permission not in (None, Permission.NONE):
            return _skip(STILL_LEAVING, "whoever left still reads subscribed there; it is looked at again in a moment")
        return _enter(plan, planned, change, target, known, settings, consent, at, released=released)
    if isinstance(change, SetFields):
        return _fields(plan, planned.system, change, target, known, consent, None if released else at)
    if isinstance(change, MoveStage):
        steps = _absent(target) or stage_steps(change, target, known.stages)
        return steps if isinstance(steps, Skip) else Ready(changes=steps)
    of = None if not isinstance(change, SetPeer | Unsubscribe | DeleteContact) else change.of
    if of is not None and _is_not_ours(plan, of, target, known):
        return _skip("not-ours", "the address is the contact's own again, or somebody else's now")
    return _plain(change, target)


def prepare_history(plan: Plan, planned: Planned) -> tuple[str, ...]:
    """Fields of the target whose history `prepare` needs: the answer, where a rule sets it, and those that may be in conflict."""
    if planned.system == plan.mail_system or not isinstance(planned.change, SetFields):
        return ()
    answer = plan.answer_field(planned.system)
    return tuple(
        name
        for name, one in planned.change.fields.items()
        if name == answer or (one.basis is not None and not one.owned and not one.fill_only)
    )


def _lawful(
    plan: Plan,
    system: str,
    change: Change,
    consent: Consent,
    known: Known,
    at: datetime,
    *,
    target: Contact,
    enter: Enter | None = None,
    former: Consent | None = None,
) -> Because | None:
    return lawful(
        change,
        consent,
        to_mail=system == plan.mail_system,
        wished_by=plan.wish_system or "",
        agreed=known.agreed,
        at=at,
        enter=enter,
        target=target,
        former=former,
    )


def _enter(
    plan: Plan,
    planned: Planned,
    change: Enter,
    target: Contact,
    known: Known,
    settings: Mapping[str, SettingValue],
    consent: Consent,
    at: datetime,
    *,
    released: bool,
) -> Ready | Skip | Held:
    if moving.has_moved_on(plan, change, known):
        return _skip("moved-on", "the contact has another address now")
    taken_back = _taken_back(plan, change, known) if planned.system == plan.mail_system else None
    if taken_back is not None:
        return taken_back
    held = None if released else held_for_age(plan, change, at)
    if held is not None:
        return held
    if planned.system != plan.mail_system:
        known_there = settle_known_there(change, target)
        return known_there if isinstance(known_there, Skip | Held) else Ready(changes=known_there)
    # A merge may have given the contact another id since.
    change = replace(change, peer_id=known.remembered.ids.get(plan.wish_system or "", change.peer_id))
    if target.mark == change.wish and change.wish not in consent.asks:
        # It is written by the call that asks alone; the answer is lost, be it with the database that a back-up replaced.
        return _skip(ASKED_BEFORE, "the mark of this very wish stands there: it was asked, and the answer was lost")
    if has_changed(plan, settings, known, change):
        return _skip(
            CHANGED_SINCE, "settings or what the contact says changed since this was decided; it is decided anew"
        )
    if lost := lost_ask(planned.system, target, known, consent, at):
        consent = fold((*known.facts, *lost), known.suppressed, at, plan.limits, known.suppressed_at)
    linked = planned.system in known.remembered.ids
    settled = settle_enter(change, target, linked=linked)
    if isinstance(settled, Skip | Held):
        return settled

    def refusal(one: Change) -> Because | None:
        return _lawful(plan, planned.system, one, consent, known, at, target=target, enter=change)

    refused = next((why for one in settled if (why := refusal(one)) is not None), None)
    not_now = refused is not None and refused.code in NOT_ASKED_NOW and not linked
    if (change.links or not_now) and target.presence is Presence.PRESENT:
        return _only_linked(change, target, refusal)
    if refused is not None:
        return Skip(because=replace(refused, rule=planned.because.rule, line=planned.because.line))
    return (_absent(target) if change.links else None) or Ready(changes=settled)


def _taken_back(plan: Plan, change: Enter, known: Known) -> Skip | None:
    """What happened to the contact before anything went out for it: it was deleted, or an answer that is no yes came since.

    Be that an opt-out or not: a form's no is none.
    """
    if known.remembered.binned or known.remembered.erased:
        return _skip("deleted", "the contact was deleted before anything went out for it")
    said = known.remembered.answered.get(plan.answer_field(plan.wish_system) or "")
    stays = change.explicit or change.links or change.backfill or change.all_the_same
    if known.remembered.by_wish and not stays:
        return _skip("older", "merged, restored or at another address before anything went out, and no explicit yes")
    if said is None or said.at is None or said.at <= change.wished_at:
        return None
    if said.digest in (remember.digest_of(known.digest, "yes"), remember.digest_of(known.digest, None)):
        return None
    return _skip("said-no", "the contact said no before anything went out for its yes")


def _only_linked(change: Enter, target: Contact, refusal: Callable[[Change], Because | None]) -> Ready | Skip:
    """Who is not asked now becomes one with the contact that stands there; whatever of that is lawful is written."""
    met = linked_only(change, target)
    changes = () if isinstance(met, Skip) else tuple(one for one in met if refusal(one) is None)
    return Ready(changes=changes) if changes else _skip("linked", "the contact is there already, and is not asked now")


def _is_not_ours(plan: Plan, of: Elsewhere, target: Contact, known: Known) -> bool:
    """Whether a contact that ours has left is its own again, or another one's by now; the id of a deleted one is nobody's."""
    ids = known.remembered.ids
    if of.address == known.address or of.id in ids.values():
        return True
    return target.peer_id not in (None, ids.get(plan.wish_system or ""), *known.in_bin)


def _fields(
    plan: Plan, system: str, change: SetFields, target: Contact, known: Known, consent: Consent, at: datetime | None
) -> Ready | Skip | Held:
    """`at` is None where the breaker is not asked, since a person let the values go."""
    missing = _absent(target)
    if missing is not None:
        return missing
    fields = {
        name: value
        for name, value in change.fields.items()
        if wins(name, value, target, known, system)
        and not _is_answered_since(plan, system, name, value, target, consent)
    }
    if not fields:
        return _skip("not-needed", "the target has these values, or younger ones")
    written = known.written.get(system, {})
    stopped = {} if at is None else breaker.sorted_out(fields, written, at).stopped
    return breaker.held(stopped, system) if stopped else Ready(changes=(replace(change, fields=fields),))


def _is_answered_since(
    plan: Plan, system: str, name: str, value: FieldValue, target: Contact, consent: Consent
) -> bool:
    """Whether the contact said yes after every opt-out for which the answer is to be set to no."""
    outs = [one for one in consent.standing if one.final]
    if name != plan.answer_field(system) or value.value == "yes":
        return False
    if not outs:
        return value.owned and consent.last_confirmation is not None
    wishes = [
        one for one in target.history.get(name, ()) if one.value == "yes" and one.origin in WISHING and not one.ours
    ]
    return any(all(is_younger(one.at, system, out, consent.no_set.get(out.key)) for out in outs) for one in wishes)


def _plain(change: Change, target: Contact) -> Ready | Skip:
    """Changes that are made as they were planned, or are not needed any more."""
    if isinstance(change, MoveAddress):
        if target.permission in (None, Permission.NONE):
            return _skip("not-subscribed", "there is no permission that could go along")
        return _absent(target) or Ready(changes=(change,))
    if isinstance(change, SetPeer):
        if target.peer_id not in (None, change.replaces) or target.peer_id == change.peer_id:
            return _skip("peer-taken", "another record's id stands there, or this one already")
        return Ready(changes=(change,))
    if isinstance(change, Unsubscribe | DeleteContact):
        if target.presence in (Presence.ABSENT, Presence.ANONYMOUS, Presence.ARCHIVED):
            return _skip("not-there", f"the contact reads {target.presence.value} there")
        return Ready(changes=(change,))
    if isinstance(change, OptOut) and target.opted_out:
        return _skip("not-needed", "opted out there already")
    if isinstance(change, OptOut | AddEntry):
        return _absent(target) or Ready(changes=(change,))
    return _skip("not-planned", "only settled from another change, never planned by itself")


def _absent(target: Contact) -> Skip | None:
    if target.presence is Presence.PRESENT:
        return None
    return _skip("not-there", f"the contact reads {target.presence.value} there")


def _skip(code: str, text: str) -> Skip:
    return Skip(because=Because(code=code, text=text))
