"""A contact that is taken out: said no, opted out of all mail, deleted, erased."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from stellwerk_rules.chosen import as_text, resolve
from stellwerk_rules.conditions import last_written
from stellwerk_rules.consent import SAID_NO, SOURCE_OPT_OUT, period_key
from stellwerk_rules.model import (
    Because,
    Change,
    Decision,
    DeleteContact,
    EventKind,
    Fact,
    FactKind,
    Former,
    Planned,
    Presence,
    Skip,
    Unsubscribe,
)
from stellwerk_rules.moving import former_consent
from stellwerk_rules.plan import CompiledRule
from stellwerk_rules.reasons import because, skip
from stellwerk_rules.scene import Scene, first, missed


def taken_out(scene: Scene, happened: frozenset[str], left: Fact | None = None) -> Decision:
    """What becomes of the other system's contact by the rule for what happened.

    `left` is the contact's opt-out from all mail at its own system, where that is news.
    """
    remembered = scene.known.remembered
    rule = first(scene, happened, "contact")
    if rule is None or rule.spec.contact is None:
        return Decision(remembered=remembered)
    chosen = as_text(resolve(rule.spec.contact, scene.effective.values, scene.contact.fields))
    if chosen not in ("unsubscribe", "delete"):
        return Decision(skips=(skip(rule, "kept", "the contact stays as it is there"),), remembered=remembered)
    there = remembered.ids.get(rule.spec.to)
    if there is None and not scene.contact.email and not remembered.ids:
        text = "nothing is known of this contact"
        return Decision(skips=(skip(rule, "not-linked", text),), remembered=remembered)
    former = _moved_first(scene, there)
    consent = scene.consent if former is None else former_consent(scene.plan, former, scene.event.at)
    email = scene.contact.email if former is None else None
    why = because(rule, scene.event.kind.value, f"{scene.event.kind.value} at {scene.system}")
    said_at, told_by = _said_at(scene)
    if left is not None and rule.events.isdisjoint(happened - {EventKind.UNSUBSCRIBED.value}):
        why = because(rule, "opted-out-at-source", f"opted out of all mail at {scene.system}")
        said_at, told_by = left.at, left.told_by
    key = scene.known.digest("\n".join((rule.spec.id, scene.contact.id or "", said_at.isoformat())))
    if chosen == "delete":
        return _planned(scene, rule, DeleteContact(email=email), f"delete:{key}", why)
    if rule.spec.to != scene.plan.mail_system:
        return _planned(scene, rule, Unsubscribe(email=email), f"unsubscribe:{key}", why)
    fact = Fact(kind=FactKind.OPTED_OUT, key=f"{SAID_NO}{key}", at=said_at, event=scene.event.id, told_by=told_by)
    # Who was asked back and could still confirm opts out anew, also where the CRM's own opt-out came in between.
    if not consent.left or consent.asks_in_window or consent.confirmable:
        decision = _planned(scene, rule, Unsubscribe(email=email), f"unsubscribe:{key}", why)
    else:
        decision = Decision(skips=(skip(rule, "opted-out", "this address is out already"),), remembered=remembered)
        if scene.event.kind in (EventKind.DELETED, EventKind.ERASED):
            return decision
        # Nobody is there to be taken out; but a yes in between may be on its way back, and this no is younger than that.
    return replace(decision, facts=(fact,)) if former is None else replace(decision, former_facts=(fact,))


def made_up_for(scene: Scene) -> Decision:
    """A no that was only watched, carried out before a younger yes leads back: as though it had been all along.

    Without it the contact would still read subscribed over there, and nobody who does is asked.
    """
    mail, watched = scene.plan.mail_system, scene.consent.watched()
    if mail is None or not watched:
        return Decision()
    why = Because(code="watched-no", text="a no that was heard and not carried out; the yes after it leads back")
    change = Planned(
        system=mail,
        change=Unsubscribe(email=scene.contact.email),
        key=f"unsubscribe:{watched[-1].key.removeprefix(SAID_NO)}",
        because=why,
    )
    return Decision(changes=(change,), facts=tuple(replace(one, event=scene.event.id, final=True) for one in watched))


def gone(scene: Scene) -> Decision:
    """A contact deleted or erased at its system.

    A deletion is believed only where the contact reads archived, an erasure where it does not read as before. What was erased
    is forgotten here too, whatever the file says.
    """
    kind, erased = scene.event.kind.value, scene.event.kind is EventKind.ERASED
    before = scene.known.remembered
    if scene.contact.presence in (Presence.PRESENT, Presence.TWICE):
        still = Because(code="still-there", text=f"told to be {kind}, but it reads at {scene.system}")
        return Decision(skips=(Skip(because=still),), remembered=before)
    if not erased and scene.contact.presence is not Presence.ARCHIVED:
        unsure = Because(code="not-archived", text=f"told to be {kind}, but {scene.system} shows no such deletion")
        return Decision(skips=(Skip(because=unsure),), remembered=before)
    decision = taken_out(scene, frozenset({kind}))
    known = bool(before.ids) or before.within is not None
    remembered = replace(before, by_wish=known or before.by_wish, binned=known and not erased, erased=erased and known)
    decision = replace(decision, remembered=remembered)
    if decision.changes or decision.skips:
        return decision if scene.event.kind is EventKind.ERASED else _as_removal(scene, decision)
    none = Because(
        code="no-rule",
        text=f"no rule says what becomes of a contact that was {kind}",
        nearest=missed(scene, frozenset({kind}), "contact"),
    )
    return replace(decision, skips=(Skip(because=none),))


def _as_removal(scene: Scene, decision: Decision) -> Decision:
    """What is deleted because its record went away. An opt-out never waits, nor does a person's right to be erased."""
    changes = tuple(
        replace(one, change=replace(one.change, removal=True, origin=scene.contact.origin))
        if isinstance(one.change, DeleteContact)
        else one
        for one in decision.changes
    )
    return replace(decision, changes=changes)


def _moved_first(scene: Scene, there: str | None) -> Former | None:
    """The address that the contact over there still has, where the one here got another just before it went."""
    return None if there is None or scene.contact.presence is Presence.PRESENT else scene.known.former


def opted_out_at_source(scene: Scene) -> tuple[Fact, ...]:
    """The opt-out that a CRM's own "no mail at all" is, once until the next confirmation."""
    out = scene.contact.opted_out and scene.system == scene.plan.wish_system
    if not out or any(fact.key.startswith(SOURCE_OPT_OUT) for fact in scene.consent.standing):
        return ()
    key = f"{SOURCE_OPT_OUT}{scene.contact.id}:{period_key(scene.consent, None)}"
    at = scene.contact.updated_at
    return (
        Fact(
            kind=FactKind.OPTED_OUT,
            key=key,
            at=at or scene.event.at,
            event=scene.event.id,
            told_by=scene.system if at is not None else "",
        ),
    )


def _planned(scene: Scene, rule: CompiledRule, change: Change, key: str, why: Because) -> Decision:
    planned = Planned(system=rule.spec.to, change=change, key=key, because=why)
    return Decision(changes=(planned,), remembered=scene.known.remembered)


def _said_at(scene: Scene) -> tuple[datetime, str]:
    """When the contact said no, and by whose clock; the event's time where its system does not tell.

    Where the record went, that is what takes it out, and not what it answered before.
    """
    if scene.event.kind in (EventKind.DELETED, EventKind.ERASED):
        went = scene.event.occurred_at
        return (scene.event.at, "") if went is None else (went, scene.system)
    answer = scene.plan.answer_field(scene.system)
    written = None if answer is None else last_written(scene.contact.history, scene.contact.fields, answer)
    if written is not None:
        return written.at, scene.system
    at = scene.contact.updated_at
    return (scene.event.at, "") if at is None else (at, scene.system)
