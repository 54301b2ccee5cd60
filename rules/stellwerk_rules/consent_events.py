"""What the mail system shows of consent: a confirmation, an opt-out. Each counts once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from stellwerk_rules import permission
from stellwerk_rules.consent import (
    OPT_OUT_MARGIN,
    SOURCE_OPT_OUT,
    Consent,
    is_deniable,
    period_key,
)
from stellwerk_rules.effects import Cause, effects
from stellwerk_rules.mirror import shown
from stellwerk_rules.model import (
    CONFIRMED_BY_CONTACT,
    Because,
    Contact,
    Decision,
    EventKind,
    Fact,
    FactKind,
    OptOutProof,
    Presence,
    Skip,
)
from stellwerk_rules.proof import DENIED_AFTER
from stellwerk_rules.scene import Scene, joined
from stellwerk_rules.zones import UNZONED_MARGIN, reach


def confirmed(scene: Scene) -> Decision:
    """A confirmation, where the contact reads confirmed: the fact, and what the rules do for it.

    One that we asked for is seen in the contact's state, whatever the signal; one we did not ask for only by its signal.
    """
    signalled = scene.event.kind is EventKind.CONFIRMED
    contact = scene.contact
    if contact.presence is not Presence.PRESENT or contact.permission not in CONFIRMED_BY_CONTACT:
        return _nothing(scene, "not-confirmed", "the contact does not read confirmed", tell=signalled)
    if scene.consent.claimed():
        return _nothing(scene, "opt-out-claimed", "an opt-out was claimed and is not settled yet", tell=signalled)
    asked = _open_mark(contact, scene.consent)
    if asked is None and not signalled:
        return _nothing(scene, "", "", tell=False)
    # A CRM's own opt-out ends what may be sent and says nothing of the confirmation: told again, it is still the same.
    if asked is None and _stands(scene.consent):
        return _nothing(scene, "already-handled", "this confirmation was handled", tell=True)
    if asked is None and scene.consent.stays_out() and not _came_back(scene):
        return _nothing(scene, "opted-out-since", "an opt-out is younger than this confirmation", tell=True)
    if asked is None and _is_as_granted(contact, scene.consent):
        return _nothing(scene, "only-granted", "the contact reads as it was granted, and nobody confirmed", tell=True)
    key = asked or _new_mark(contact, scene.consent) or f"rise:{period_key(scene.consent, contact.id)}"
    if scene.consent.is_counted(FactKind.CONFIRMED, key):
        return _nothing(scene, "already-handled", "this confirmation was handled", tell=True)
    ask = scene.consent.asks.get(key)
    fact = Fact(
        kind=FactKind.CONFIRMED,
        key=key,
        at=contact.updated_at or contact.read_at,
        event=scene.event.id,
        told_by=scene.system if contact.updated_at is not None else "",
        plus=ask is not None and ask.plus,
        permission=contact.permission,
    )
    decision = _counted(scene, fact, EventKind.CONFIRMED, scene.event.details)
    return replace(decision, look_again=_elsewhere(scene) if scene.consent.opted_out else decision.look_again)


def unsubscribed(scene: Scene, proof: OptOutProof) -> Decision:
    """An opt-out as far as it is proved: the fact, and once it is final what the rules do for it."""
    fact = Fact(
        kind=FactKind.OPTED_OUT,
        key=proof.key,
        at=proof.at,
        event=scene.event.id,
        told_by=scene.system if proof.final else "",
        final=proof.final,
    )
    if not proof.final:
        text = "the opt-out is not proved yet; nothing is sent meanwhile"
        skip = Skip(because=Because(code="opt-out-claimed", text=text))
        return Decision(facts=(fact,), skips=(skip,), remembered=scene.known.remembered)
    if scene.consent.is_counted(FactKind.OPTED_OUT, proof.key):
        handled = _nothing(scene, "already-handled", "this opt-out was handled", tell=True)
        return joined(handled, shown(scene))
    decision = _counted(scene, fact, EventKind.UNSUBSCRIBED, {**scene.event.details, **proof.details})
    if decision.changes or decision.skips:
        return decision
    text = "the opt-out stands in the consent ledger, and no rule does more for it"
    return replace(decision, skips=(Skip(because=Because(code="only-noted", text=text)),))


def _counted(scene: Scene, fact: Fact, kind: EventKind, details: Mapping[str, str]) -> Decision:
    after = scene.with_facts((fact,))
    done = effects(after, frozenset({kind.value}), Cause(kind=kind.value, fact=fact.key, at=fact.at, details=details))
    decision = joined(Decision(facts=(fact,), remembered=done.remembered), done)
    return joined(decision, shown(after.remembering(decision.remembered)))


def withdrawn(scene: Scene, proof: OptOutProof) -> Decision:
    """A claim that proved wrong is withdrawn, and with it every older one that was told there and that nobody proved."""
    claims = {
        fact.key for fact in scene.consent.standing if is_deniable(fact) and scene.event.at - fact.at >= DENIED_AFTER
    }
    facts = tuple(
        Fact(kind=FactKind.OPT_OUT_DENIED, key=key, at=scene.event.at, event=scene.event.id, told_by=scene.system)
        for key in sorted(claims | {proof.key})
    )
    told = _nothing(scene, "opt-out-denied", _DENIED, tell=True)
    return joined(Decision(facts=facts, remembered=told.remembered, look_again=_elsewhere(scene)), told)


_DENIED = "an hour after the claim the contact reads subscribed, or the report shows that it confirmed afterwards"


def _stands(consent: Consent) -> bool:
    """Whether what was confirmed still counts at the mail system."""
    return consent.last_confirmation is not None and not consent.left and not consent.removed


def _elsewhere(scene: Scene) -> tuple[str, ...]:
    """The systems where something may have waited or been left alone while the address was out."""
    return tuple(scene.plan.others(scene.system))


def _open_mark(contact: Contact, consent: Consent) -> str | None:
    """The mark of our unanswered ask that this contact has confirmed: the one it carries, or the last where none is read."""
    marks = [ask.mark for ask in consent.confirmable if contact.mark in (None, ask.mark)]
    return marks[-1] if marks else None


def _new_mark(contact: Contact, consent: Consent) -> str | None:
    """The mark of an ask whose receipt is still on its way; not one that was confirmed before."""
    known = contact.mark is None or consent.is_counted(FactKind.CONFIRMED, contact.mark)
    return None if known else contact.mark


def _is_as_granted(contact: Contact, consent: Consent) -> bool:
    """Whether the permission is one that we granted, so that nothing there shows a confirmation."""
    granted = None if consent.granted is None else consent.granted.permission
    if granted is None or contact.permission is None or _new_mark(contact, consent) is not None:
        return False
    return not permission.is_rise(granted, contact.permission)


def _came_back(scene: Scene) -> bool:
    """Whether somebody who left confirmed anew without us: no marker any more, and changed since each opt-out.

    Where another system told the opt-out, that is two clocks, and nothing here shows that it was carried out before.
    """
    changed = scene.contact.updated_at
    # A CRM's own opt-out says nothing of the mail system, where somebody may come back all the same. Of a no that was only
    # watched nobody took the contact off the list, so that it reads confirmed shows nothing.
    outs = [fact for fact in scene.consent.standing if fact.final and not fact.key.startswith(SOURCE_OPT_OUT)]
    if scene.contact.opted_out or changed is None or not outs:
        return False
    return all(changed > out.at + _unsure(scene, out) for out in outs)


def _unsure(scene: Scene, out: Fact) -> timedelta:
    if out.told_by == scene.system:
        return reach(out)
    return max(reach(out), UNZONED_MARGIN if scene.system in scene.known.unzoned else OPT_OUT_MARGIN)


def _nothing(scene: Scene, code: str, text: str, *, tell: bool) -> Decision:
    skips = (Skip(because=Because(code=code, text=text)),) if tell else ()
    return Decision(skips=skips, remembered=scene.known.remembered)
