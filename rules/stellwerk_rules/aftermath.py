"""aftermath: what follows once a change was made, was not needed, or failed: facts, what is remembered, the state shown."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from stellwerk_rules import moving, remember, unlinked
from stellwerk_rules.answering import answer_set
from stellwerk_rules.arrived import arrived, is_of_another
from stellwerk_rules.carrying import digests
from stellwerk_rules.consent import Consent, fold, is_proved, leads_back
from stellwerk_rules.ending import Ending
from stellwerk_rules.fields import carry
from stellwerk_rules.laws import OPTED_OUT
from stellwerk_rules.learned import learned, learned_of_former
from stellwerk_rules.merging import secondary
from stellwerk_rules.mirror import Trouble, mirrored
from stellwerk_rules.model import (
    Because,
    Change,
    Contact,
    Create,
    Decision,
    DeleteContact,
    Enter,
    FactKind,
    Held,
    Known,
    MoveAddress,
    Planned,
    Presence,
    Remembered,
    SetFields,
    SetPeer,
    Skip,
    Unsubscribe,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.scene import joined
from stellwerk_rules.settle import SECONDARY_THERE

SETTLED = frozenset({"not-needed", "asked-before", "linked"})
"""Codes of skips that say: the target is as it should be."""

_ILL = ("rejected", "ambiguous_given_up")


def after(plan: Plan, ending: Ending, known: Known, at: datetime) -> Decision:
    """What follows from a change that has ended."""
    return unlinked.held_back(plan, _after(plan, ending, known, at), known)


def _after(plan: Plan, ending: Ending, known: Known, at: datetime) -> Decision:
    planned, change, target = ending.planned, ending.change, ending.target
    before = _consent(plan, known, at)
    facts = learned(plan, ending, known, before, at)
    consent = _consent(plan, replace(known, facts=(*known.facts, *facts)), at)
    remembered = arrived(plan, ending, known)
    notices = tuple(_left_out(planned, name, code) for name, code in ending.left_out.items())
    decision = Decision(facts=facts, remembered=remembered, notices=notices)
    decision = replace(decision, former_facts=learned_of_former(ending, at))
    if isinstance(planned.change, MoveAddress) and not ending.done:
        return _not_moved(plan, planned, planned.change, decision, known)
    if is_of_another(plan, planned.change, known):
        return _of_another(plan, ending, known, decision)
    now = _as_it_reads(ending)
    links = isinstance(planned.change, Enter) and ending.well and target.presence is Presence.PRESENT
    if links and not consent.opted_out:
        decision = joined(decision, _filled_back(plan, planned, target, known, decision.remembered))
    if ending.well:
        decision = joined(decision, _introduced(plan, planned, decision.remembered))
    out_before = ending.code == OPTED_OUT or any(one.kind is FactKind.OPTED_OUT and is_proved(one) for one in facts)
    if isinstance(planned.change, Enter) and out_before:
        decision = joined(decision, _was_out(plan, planned, planned.change, consent, known, at, decision.remembered))
    if (
        isinstance(planned.change, Enter)
        and planned.change.explicit
        and any(one.kind is FactKind.REMOVED for one in facts)
    ):
        decision = joined(decision, _heard_again(plan, planned.change, decision.remembered))
    if not _is_shown(planned.change) or known.remembered.erased:
        return decision
    trouble: Trouble | None = (
        "error" if ending.outcome in _ILL and not isinstance(change, Unsubscribe | DeleteContact) else None
    )
    shown = mirrored(
        plan, planned.system, now, consent, decision.remembered, known.digest, key=planned.key, trouble=trouble
    )
    return joined(decision, shown)


def dropped(
    plan: Plan,
    planned: Planned,
    why: Skip | Held,
    target: Contact,
    known: Known,
    at: datetime,
    *,
    tried: bool = False,
) -> Decision:
    """What follows when `prepare` left nothing to write: a held change waits on, a skipped one is not needed or not lawful.

    `tried` as in `Ending`.
    """
    if isinstance(why, Held):
        return _held(plan, planned, why, target, known, at)
    code = why.because.code
    went = _is_gone(planned.change, target, tried=tried)
    outcome = "done" if went else "not_needed" if code in SETTLED else "skipped"
    ending = Ending(planned=planned, change=planned.change, outcome=outcome, target=target, tried=tried, code=code)
    follows = after(plan, ending, known, at)
    if code == SECONDARY_THERE and target.id is not None:
        follows = replace(follows, remembered=secondary(follows.remembered, planned.system, target.id))
    return replace(follows, skips=(why,))


def _held(plan: Plan, planned: Planned, why: Held, target: Contact, known: Known, at: datetime) -> Decision:
    """Whoever is held shows so. Field values that are held are not on their way any more.

    Those beside the one that is to blame are decided on again.
    """
    remembered = known.remembered
    decision = Decision(skips=(Skip(because=why.because),), remembered=remembered)
    if isinstance(planned.change, SetFields):
        left = remember.given_up(remembered, planned.system, planned.change, known.digest)
        return replace(decision, remembered=left, look_again=plan.others(planned.system))
    if not isinstance(planned.change, Enter) or planned.system in remembered.ids:
        return decision
    consent = _consent(plan, known, at)
    shown = mirrored(plan, planned.system, target, consent, remembered, known.digest, key=planned.key, trouble="held")
    return unlinked.held_back(plan, joined(decision, shown), known)


def _is_gone(change: Change, target: Contact, *, tried: bool) -> bool:
    """Whether the contact went as it was to go: by a call of ours whose answer was lost; or whoever deleted it."""
    if tried and isinstance(change, Unsubscribe | DeleteContact):
        return target.presence in (Presence.ABSENT, Presence.ANONYMOUS)
    return isinstance(change, DeleteContact) and target.presence is Presence.ABSENT


def _not_moved(plan: Plan, planned: Planned, change: MoveAddress, decision: Decision, known: Known) -> Decision:
    """The address starts as a new contact after all; the contact is looked at once more for that."""
    there = known.remembered.ids.get(planned.system)
    freed = () if there is None else moving.freed(plan, planned.system, there, change.former, known, planned.key)
    return replace(
        decision,
        changes=freed,
        remembered=moving.brought_back(plan, change, known),
        look_again=(plan.wish_system,) if plan.wish_system is not None else (),
    )


def _of_another(plan: Plan, ending: Ending, known: Known, decision: Decision) -> Decision:
    """Somebody who moved on while she was being brought in: what came of it is linked with nobody.

    And an address that was left and is not taken out, since its contact was unlinked meanwhile.
    """
    planned, there = ending.planned, ending.remote_id or ending.target.id
    if ending.code == unlinked.UNLINKED:
        return replace(decision, changes=unlinked.instead(plan, planned, known))
    if not isinstance(planned.change, Enter) or not ending.well or there is None or known.about is None:
        return decision
    return replace(decision, changes=moving.freed(plan, planned.system, there, known.about, known, planned.key))


def _consent(plan: Plan, known: Known, at: datetime) -> Consent:
    return fold(known.facts, known.suppressed, at, plan.limits, known.suppressed_at)


def _filled_back(plan: Plan, planned: Planned, target: Contact, known: Known, remembered: Remembered) -> Decision:
    """Blanks of the contact that came in, filled from the existing one it was linked with."""
    changes: list[Planned] = []
    for source in plan.others(planned.system):
        ways = plan.ways.get((planned.system, source), ())
        found = carry(ways, target, remembered, known.digest, planned.system, source)
        if found.values and source in remembered.ids:
            values = {name: replace(one, fill_only=True) for name, one in found.values.items()}
            why = Because(
                code="linked", text=f"what is blank there and known at {planned.system}", rule=planned.because.rule
            )
            changes.append(
                Planned(system=source, change=SetFields(fields=values), key=f"back:{planned.key}", because=why)
            )
            remembered = remember.with_going(remembered, source, digests(known.digest, values))
    return Decision(changes=tuple(changes), remembered=remembered)


def _introduced(plan: Plan, planned: Planned, remembered: Remembered) -> Decision:
    """Of a contact that came in where contacts wish: its id there is stored at the mail system, whose state is shown then."""
    mail, own = plan.mail_system, remembered.ids.get(planned.system)
    nothing = Decision(remembered=remembered)
    if not isinstance(planned.change, Enter) or planned.system != plan.wish_system:
        return nothing
    if mail is None or mail not in remembered.ids or own is None:
        return nothing
    why = Because(code="linked", text=f"the contact is known at {planned.system} now", rule=planned.because.rule)
    peer = Planned(system=mail, change=SetPeer(peer_id=own), key=f"peer:{planned.key}", because=why)
    return Decision(changes=(peer,), remembered=remembered, look_again=(mail,))


def _was_out(
    plan: Plan, planned: Planned, enter: Enter, consent: Consent, known: Known, at: datetime, remembered: Remembered
) -> Decision:
    """Of whoever turned out to have left before, or was told so while this waited: a younger wish is heard again.

    Any other yes becomes a no.
    """
    home = plan.wish_system or ""
    name = plan.answer_field(home)
    said = None if name is None else remembered.answered.get(name)
    if said is None or said.digest != remember.digest_of(known.digest, "yes"):
        return Decision(remembered=remembered)
    if enter.explicit and leads_back(consent, enter.wished_at, home):
        return _heard_again(plan, enter, remembered)
    return answer_set(
        plan, home, f"left at {planned.system} before", remembered, key=planned.key, at=at, digest=known.digest
    )


def _heard_again(plan: Plan, enter: Enter, remembered: Remembered) -> Decision:
    """The yes behind `enter` is decided on once more. A sync leads nobody back: then that is with the contact's next event."""
    home = plan.wish_system or ""
    heard = {one: seen for one, seen in remembered.answered.items() if one != plan.answer_field(home)}
    return Decision(remembered=replace(remembered, answered=heard), look_again=() if enter.backfill else (home,))


def _left_out(planned: Planned, name: str, code: str) -> Because:
    text = f"{planned.system} did not take {name}: {code}; the rest was written without it"
    return Because(code="field-left-out", text=text, rule=planned.because.rule, line=planned.because.line)


def _is_shown(change: Change) -> bool:
    """Whether the state shown elsewhere may differ once this was tried."""
    return isinstance(change, Enter | Unsubscribe | DeleteContact)


def _as_it_reads(ending: Ending) -> Contact:
    """The target's contact as it reads after the change, as far as that is known without reading it again."""
    change, target = ending.change, ending.target
    if ending.done and isinstance(change, Unsubscribe | DeleteContact):
        return replace(target, presence=Presence.ABSENT, permission=None)
    if ending.done and isinstance(change, Create):
        there = ending.remote_id or target.id
        return replace(target, presence=Presence.PRESENT, id=there, permission=change.permission)
    return target
