"""evaluate: what an event means for the other side. Pure, deterministic, with its reasons.

An event is a signal that a contact should be looked at; the contact came with it as it reads now. From that, from what is
remembered and from the consent ledger follows everything; the signal's kind matters only where the state cannot tell.
Read on in `entering` (who comes in), `fields` (values), `consent_events` (confirmations, opt-outs), `effects` (stage,
timeline, fixed values), `mirror` (state shown), `laws` (what is never done) and `unlinked` (of whom nothing is carried).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from stellwerk_rules import remember, stands_twice, unlinked
from stellwerk_rules.answering import refused_yes
from stellwerk_rules.carrying import carried_over, digests, met
from stellwerk_rules.comparing import DriftKind, address_left, left_alone, left_to_its_event, stands
from stellwerk_rules.consent import fold
from stellwerk_rules.consent_events import confirmed, unsubscribed, withdrawn
from stellwerk_rules.decided_on import decided_on
from stellwerk_rules.effects import Cause, effects
from stellwerk_rules.entering import enter
from stellwerk_rules.entry import Entry
from stellwerk_rules.gone import gone, made_up_for, opted_out_at_source, taken_out
from stellwerk_rules.learned import lost_ask
from stellwerk_rules.linking_again import linked_again
from stellwerk_rules.merging import renamed
from stellwerk_rules.mirror import Trouble, shown, shown_of_nobody
from stellwerk_rules.model import (
    ADDRESS,
    Because,
    Contact,
    Decision,
    Enter,
    Event,
    EventKind,
    Known,
    Presence,
    Remembered,
    Skip,
)
from stellwerk_rules.moving import moved
from stellwerk_rules.plan import Plan
from stellwerk_rules.restoring import restored
from stellwerk_rules.scene import Scene, Verb, first, joined, kinds, missed, scene
from stellwerk_rules.spec import SettingValue
from stellwerk_rules.wishes import answer_of, handled, said_again

_NOTED = frozenset({EventKind.ASKED, EventKind.BOUNCED, EventKind.BLOCKED, EventKind.UNBLOCKED})


def evaluate(plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue]) -> Decision:
    """The changes, skips, held changes, facts and notices that `event` leads to, and what is remembered from now on."""
    decide = _compared if event.compared else _decided
    decision = decide(plan, event, known, settings)
    if unlinked.standing(known) is None:
        return decision
    present = event.contact.presence is Presence.PRESENT
    left = unlinked.held_back(plan, decision, known, tell=present)
    return linked_again(plan, event, known, settings, left) if event.linked_again else left


def _compared(plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue]) -> Decision:
    """What a comparison may do of what a look leads to."""
    here = event.system == plan.wish_system and event.contact.presence is Presence.PRESENT
    if here and _moves(plan, event.contact, known):
        return left_alone(known, address_left())
    found = stands(plan, event, known)
    decision = _decided(plan, event, found.known, settings)
    refused = left_to_its_event(decision)
    if refused is not None:
        return left_alone(known, refused)
    if DriftKind.STATE in found.kinds:
        decision = _shown_anew(plan, event, found.known, settings, decision)
    again = tuple(one for one in found.look_again if one not in decision.look_again)
    return replace(decision, look_again=(*decision.look_again, *again))


def _shown_anew(
    plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue], decision: Decision
) -> Decision:
    """With the state of who left, which is known here; that of the others is read over there."""
    now = scene(plan, event, replace(known, remembered=decision.remembered), settings)
    if plan.mail_system is None or not now.consent.left:
        return decision
    return joined(decision, shown_of_nobody(now, plan.mail_system))


def _decided(plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue]) -> Decision:
    if known.remembered.erased and event.kind is not EventKind.UNSUBSCRIBED:
        return _skipped(known.remembered, "erased", "the contact was deleted for privacy")
    known = _as_let_go(known, released=event.released or event.renewed)
    if event.asked_again and answer_of(event.contact, plan.answer_field(event.system), known).is_wish:
        event = replace(event, asked_again=False)  # a new yes speaks for itself: nobody needs to ask for it
    if event.asked_again:
        known = said_again(event.contact, plan.answer_field(event.system), known)
    if event.kind in (EventKind.DELETED, EventKind.ERASED):
        now = scene(plan, event, known, settings)
        return _elsewhere(now) if now.merged else gone(now)
    if event.kind is EventKind.UNSUBSCRIBED:
        return _opt_out(plan, event, known, settings)
    if event.contact.presence is Presence.TWICE and event.system == plan.mail_system:
        return stands_twice.linked_to_none(event.system, known)
    if event.contact.presence is not Presence.PRESENT:
        text = f"the contact reads {event.contact.presence.value} at {event.system}"
        return _skipped(known.remembered, f"reads-{event.contact.presence.value}", text)
    now = scene(plan, event, known, settings)
    if event.kind in _NOTED:
        return _noted(now)
    if event.system == plan.mail_system:
        return _at_mail(now)
    if event.kind is EventKind.RESTORED:
        return restored(now)
    return _elsewhere(now)


def wants_history(
    plan: Plan, contact: Contact, known: Known, settings: Mapping[str, SettingValue], *, released: bool = False
) -> bool:
    """Whether the decision on `contact` needs to know who wrote its fields: one of those has a value not handled yet.

    Also for a yes at an address that opted out, or where only an explicit yes brings in: it may be a new one although it reads
    as before. And for an address that changed. `released` as in `Event`, also for what is renewed or asked again.
    """
    known = _as_let_go(known, released=released)
    if _moves(plan, contact, known):
        return True
    for system in plan.systems:
        for name in plan.history_fields(system):
            value = contact.fields.get(name)
            before = known.remembered.answered.get(name)
            if value and (before is None or before.digest != remember.digest_of(known.digest, value)):
                return True
    answer = plan.answer_field(plan.wish_system)
    if answer is None or contact.fields.get(answer) != "yes":
        return False
    only_by_wish = known.remembered.by_wish and not known.remembered.entered
    return known.suppressed or only_by_wish or _left(plan, contact, known)


def _elsewhere(now: Scene) -> Decision:
    """A contact at a system that does not mail: it enters, says no, changes, moves, is merged."""
    facts = opted_out_at_source(now)
    now, address = moved(now.with_facts(facts))
    happened = kinds(now) | {EventKind.UNSUBSCRIBED.value for _ in facts}
    came_in = _entered(now, happened)
    now = now.remembering(came_in.remembered)
    made_up = made_up_for(now) if any(isinstance(one.change, Enter) for one in came_in.changes) else Decision()
    now = now.with_facts(made_up.facts)
    out = taken_out(now, happened, next(iter(facts), None))
    fields = carried_over(now.with_facts(out.facts), happened, brought=_brings_in(came_in))
    now = now.remembering(fields.remembered)
    done = _done(now, happened)
    mail = now.plan.mail_system
    # What is shown of the contact follows the ledger: nothing is waited for any more.
    opted_out = Decision(facts=facts, look_again=(mail,) if facts and mail is not None else ())
    parts = (opted_out, address, _merged(now), made_up, came_in, out, fields, done)
    return _told(_all(parts), now, happened, "enter", "contact")


def _done(now: Scene, happened: frozenset[str]) -> Decision:
    """What else the rules do for what happened; a sync and a comparison only look, and nothing did."""
    if now.event.backfill is not None:
        return Decision(remembered=now.known.remembered)
    done = effects(now, happened, _cause(now, happened))
    if not now.event.compared:
        return done
    # Left to the contact's own event, for which what these rules saw must not count as handled by then.
    names = frozenset(name for one in done.changes for name in now.plan.tested_by(one.because.rule))
    return Decision(remembered=remember.with_answers_of(now.known.remembered, now.before, names))


def _merged(now: Scene) -> Decision:
    """What a merge is followed by: the contact's new id is stored at the other side, whose state is shown anew."""
    if not now.merged:
        return Decision()
    mail = now.plan.mail_system
    changes = renamed(now.known.remembered, now.before, now.system, mail, now.event.id)
    return Decision(changes=changes, look_again=() if mail is None else (mail,))


def _at_mail(now: Scene) -> Decision:
    """A contact at the system that mails: it confirmed, or its fields changed, or it is only there."""
    before, confirmation = now, confirmed(now)
    now = now.with_facts(confirmation.facts).remembering(confirmation.remembered)
    happened = kinds(now)
    came_in = _entered(now, happened)
    coming = frozenset(one.system for one in came_in.changes)
    if coming:  # it has nothing to lose elsewhere yet: what the confirmation does there follows its coming in
        now = replace(before.remembering(came_in.remembered), coming=coming)
        confirmation = confirmed(now)
        now = now.with_facts(confirmation.facts)
        came_in = replace(came_in, remembered=confirmation.remembered)
    now = now.remembering(came_in.remembered)
    fields = carried_over(now, happened, brought=_brings_in(came_in))
    now = now.remembering(fields.remembered)
    done = _done(now, happened)
    now = now.remembering(done.remembered)
    first_of_all = (came_in, confirmation) if coming else (confirmation, came_in)
    return _told(_all((*first_of_all, fields, done, shown(_as_asked(now)))), now, happened, "enter")


def _noted(now: Scene) -> Decision:
    """A bounce, a block: what the rules say, once, and the state shown. Nothing is mailed or granted for it.

    The detail `entry` names the fact where the system names it: told again, it is the same.
    """
    kind = now.event.kind.value
    named = now.event.details.get("entry", now.event.id)
    at = now.event.occurred_at or now.event.at
    cause = Cause(kind=kind, fact=f"{kind}:{named}", at=at, in_ledger=False, details=now.event.details)
    done = effects(now, frozenset({kind}), cause)
    state = shown(_as_asked(now.remembering(done.remembered)))
    return _told(joined(done, state), now, frozenset())


def _as_asked(now: Scene) -> Scene:
    """With the ask that only its mark over there tells of: pending is who was asked by us, also before a back-up was put back.

    Who left may still read as before for some seconds, with the mark of an ask that the opt-out has ended.
    """
    if now.consent.left or now.system != now.plan.mail_system:
        return now
    return now.with_facts(lost_ask(now.system, now.contact, now.known, now.consent, now.event.at))


def _opt_out(plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue]) -> Decision:
    now = scene(plan, event, known, settings)
    if event.proof is not None and event.proof.denied:
        denied = withdrawn(now, event.proof)
        after = now.with_facts(denied.facts)
        # What changed there while the claim stood was left alone.
        in_full = event.contact.fields and event.contact.presence is Presence.PRESENT
        return joined(denied, _at_mail(after) if in_full else confirmed(after))
    if event.proof is not None:
        return unsubscribed(now, event.proof)
    if event.system != plan.mail_system and event.contact.presence is Presence.PRESENT:
        return _elsewhere(now)
    return _skipped(known.remembered, "no-proof", "nothing shows that opt-out")


def _entered(now: Scene, happened: frozenset[str]) -> Decision:
    """Whether the contact enters, and that its answer was handled."""
    rule = first(now, happened, "enter")
    if now.known.remembered.within is not None:
        return Decision(remembered=now.known.remembered)
    if rule is None or rule.spec.enter is None:
        return Decision(remembered=_answered(now, in_=False))
    entry = enter(
        now.plan,
        rule,
        rule.spec.enter,
        now.event,
        now.known,
        now.consent,
        now.settings,
        now.effective,
        moved=now.moved,
    )
    if entry.waits:
        return _entry(entry, now.known.remembered)
    remembered = _answered(now, in_=entry.planned is not None)
    if entry.only_wish:
        remembered = replace(remember.without_wish(remembered), by_wish=True)
    if entry.planned is not None and isinstance(entry.planned.change, Enter):
        remembered = replace(remember.with_id(remembered, now.system, now.contact.id), entered=True)
        if not remember.is_met(remembered, rule.spec.to):
            remembered = remember.with_going(
                remembered, rule.spec.to, digests(now.known.digest, entry.planned.change.fields)
            )
            remembered = remember.with_seen(remembered, now.system, met(now, rule.spec.to))
        if rule.spec.consent is not None:
            told = decided_on(now.plan, now.settings, now.known, remembered)
            change = replace(entry.planned.change, decided_on=told)
            entry = replace(entry, planned=replace(entry.planned, change=change))
    decision = _entry(entry, remembered)
    refused = refused_yes(now.remembering(remembered), entry.skip)
    decision, remembered = joined(decision, refused), refused.remembered
    stale = rule.spec.to not in remembered.ids and (now.moved or _took_over_a_state(now))
    if entry.held is None and not (entry.skip is not None and (now.consent.left or stale)):
        return decision
    trouble: Trouble | None = None if entry.held is None else "held"
    return joined(decision, shown_of_nobody(now.remembering(remembered), rule.spec.to, trouble))


def _took_over_a_state(now: Scene) -> bool:
    """Whether a merge brought along what was shown at another contact: no state of this one."""
    names = now.plan.mirror_fields(now.system)
    return any(remember.seen(one, now.system, name) is not None for one in now.known.absorbed for name in names)


def _entry(entry: Entry, remembered: Remembered) -> Decision:
    planned = () if entry.planned is None else (entry.planned,)
    return Decision(
        changes=planned if entry.held is None else (),
        held=tuple((one, entry.held) for one in planned if entry.held is not None),
        skips=() if entry.skip is None else (entry.skip,),
        notices=entry.notices,
        remembered=remembered,
    )


def _answered(now: Scene, *, in_: bool) -> Remembered:
    """With the answer handled."""
    remembered = now.known.remembered
    names = now.plan.answered_fields(now.system, entered=in_ or remembered.entered)
    answer = now.plan.answer_field(now.system)
    return remember.with_answers(remembered, handled(now.contact, names, now.known, answer=answer))


def _brings_in(decision: Decision) -> bool:
    return any(isinstance(one.change, Enter) for one in decision.changes) or bool(decision.held)


def _cause(now: Scene, happened: frozenset[str]) -> Cause:
    """A new contact is one fact until it has entered; another change is a fact of its own event."""
    new = "created" in happened
    return Cause(
        kind="created" if new else "changed",
        fact=f"created:{now.contact.id}" if new else f"changed:{now.event.id}",
        at=now.contact.updated_at or now.event.at,
        in_ledger=False,
        details=now.event.details,
    )


def _told(decision: Decision, now: Scene, happened: frozenset[str], *verbs: Verb) -> Decision:
    """With a reason where nothing came of the event, and which rule of these verbs missed by least."""
    if decision.changes or decision.skips or decision.held:
        return decision
    text = "no field that is carried over differs from what was last read or written"
    return replace(
        decision, skips=(Skip(because=Because(code="unchanged", text=text, nearest=missed(now, happened, *verbs))),)
    )


def _all(parts: tuple[Decision, ...]) -> Decision:
    whole = Decision()
    for part in parts:
        whole = joined(whole, part)
    return whole


def _skipped(remembered: Remembered, code: str, text: str) -> Decision:
    return Decision(skips=(Skip(because=Because(code=code, text=text)),), remembered=remembered)


def _moves(plan: Plan, contact: Contact, known: Known) -> bool:
    before = remember.seen(known.remembered, plan.wish_system or "", ADDRESS)
    if before is None or not contact.email or not known.remembered.entered:
        return False
    return before.digest != known.digest(remember.address_of(contact.email))


def _as_let_go(known: Known, *, released: bool) -> Known:
    return replace(known, remembered=remember.unhandled(known.remembered)) if released else known


def _left(plan: Plan, contact: Contact, known: Known) -> bool:
    return fold(known.facts, known.suppressed, contact.read_at, plan.limits).opted_out
