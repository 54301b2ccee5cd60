"""Changed field values of a linked contact, on their way to the other system."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk_rules import breaker, laws, remember
from stellwerk_rules.fields import Carried, Way, carry
from stellwerk_rules.model import (
    Because,
    Decision,
    Digest,
    FieldValue,
    Permission,
    Planned,
    Seen,
    SetFields,
    Skip,
)
from stellwerk_rules.plan import CompiledRule
from stellwerk_rules.scene import Scene, first, joined


def carried_over(scene: Scene, happened: frozenset[str], *, brought: bool) -> Decision:
    """The contact's changed values, to every system it is linked with or on its way to.

    `brought`: it enters with this very event, and its values go along.
    """
    decision = Decision(remembered=scene.known.remembered)
    if scene.known.remembered.within is not None:
        return decision  # a secondary address: the fields are those of the contact it belongs to
    for target in scene.plan.others(scene.system):
        rule, ways = _ways(scene, happened, target)
        met = remember.is_met(decision.remembered, target)
        if not ways or (brought and (not met or scene.consent.left)) or not (met or decision.remembered.entered):
            continue
        found = carry(ways, scene.contact, decision.remembered, scene.known.digest, scene.system, target)
        decision = joined(decision, _decided(scene, target, rule, found, decision))
    return decision


def digests(digest: Digest, values: Mapping[str, FieldValue]) -> dict[str, Seen]:
    """What is remembered of values on their way."""
    return {name: Seen(digest=remember.digest_of(digest, one.value), at=one.at) for name, one in values.items()}


def met(scene: Scene, target: str) -> dict[str, Seen]:
    """Fields of a contact that comes in that do not go along to `target`, as they stand: what differs later was changed later."""
    contact = scene.contact
    there = scene.plan.ways.get((scene.system, target), ())
    back = scene.plan.ways.get((target, scene.system), ())
    going = {way.source for way in there if contact.fields.get(way.source)}
    names = {way.source for way in there} | {way.target for way in back}
    return {
        name: Seen(digest=remember.digest_of(scene.known.digest, contact.fields.get(name)), at=contact.updated_at)
        for name in (names - going) & contact.fields.keys()
    }


def _ways(scene: Scene, happened: frozenset[str], target: str) -> tuple[CompiledRule | None, tuple[Way, ...]]:
    """The rows to carry: those of the first rule that says so, or without one that says anything, the way back of others'."""
    rule = first(scene, happened, "fields")
    if rule is not None and rule.spec.to == target:
        return rule, rule.ways
    told = any(
        one.spec.fields is not None and (one.spec.from_, one.spec.to) == (scene.system, target)
        for one in scene.plan.rules
    )
    return None, () if told else scene.plan.ways.get((scene.system, target), ())


def _decided(scene: Scene, target: str, rule: CompiledRule | None, found: Carried, before: Decision) -> Decision:
    remembered = remember.with_seen(before.remembered, scene.system, found.dealt)
    where = None if rule is None else rule.spec.id
    line = None if rule is None else rule.line
    if not found.values:
        text = "its own writing came back"
        echo = (Skip(because=Because(code="echo", text=text, rule=where, line=line)),) if found.echo else ()
        return Decision(skips=echo, notices=found.notices, remembered=remembered)
    refused = _refusal(scene, target)
    if refused is not None:
        skip = Skip(because=Because(code=refused.code, text=refused.text, rule=where, line=line))
        return Decision(skips=(skip,), notices=found.notices, remembered=remembered)
    written = {} if scene.event.fields_released else scene.known.written.get(target, {})
    told = breaker.sorted_out(found.values, written, scene.event.at)

    def planned(values: Mapping[str, FieldValue]) -> tuple[Planned, ...]:
        text = f"{', '.join(sorted(values))} changed at {scene.system}"
        one = Planned(
            system=target,
            change=SetFields(fields=values),
            key=f"fields:{scene.event.id}:{scene.contact.id}:{target}",
            because=Because(code="changed", text=text, rule=where, line=line),
        )
        return (one,) if values else ()

    return Decision(
        changes=planned(told.going),
        held=tuple((one, breaker.held(told.stopped, target)) for one in planned(told.stopped)),
        notices=found.notices,
        remembered=remember.with_going(remembered, target, digests(scene.known.digest, told.going)),
    )


def _refusal(scene: Scene, target: str) -> Because | None:
    """Why nothing is carried: the address is out, or its contact is just being made anonymous over there."""
    if target == scene.plan.mail_system:
        return laws.may_write(scene.consent, None)
    contact = scene.contact
    leaving = contact.opted_out and contact.permission in (None, Permission.NONE)
    # A CRM's own opt-out empties nothing over there.
    out = scene.consent.stays_out() or scene.consent.claimed()
    if scene.system == scene.plan.mail_system and (out or leaving):
        return Because(code="opted-out", text="this address opted out, and its contact may be emptied there")
    return None
