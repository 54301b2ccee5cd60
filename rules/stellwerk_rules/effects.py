"""What a rule does at the other system besides carrying fields: stage, fixed values, its own opt-out, timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from stellwerk_rules import remember
from stellwerk_rules.chosen import Settled, as_switch, as_text, resolve
from stellwerk_rules.model import (
    AddEntry,
    Change,
    Decision,
    FieldValue,
    MoveStage,
    OptOut,
    Planned,
    Seen,
    SetFields,
    Skip,
)
from stellwerk_rules.plan import CompiledRule
from stellwerk_rules.reasons import because, skip
from stellwerk_rules.scene import Scene, Verb, first
from stellwerk_rules.spec import Chosen, StageMove
from stellwerk_rules.stage import ANY_STAGE

_MARK_LENGTH = 12


class Cause(Struct, frozen=True, kw_only=True):
    """What happened, and the fact it is: everything done for it is done once. `at` by the clock of the system that told it.

    `in_ledger`: the fact stands in the consent ledger, so that it can be asked later whether it still holds.
    """

    kind: str
    fact: str
    at: datetime
    in_ledger: bool = True
    details: Mapping[str, str]


Effect = Callable[[Scene, CompiledRule, Cause], Change | Skip | None]


def effects(scene: Scene, happened: frozenset[str], cause: Cause) -> Decision:
    """What the file's rules do elsewhere for what happened, verb by verb."""
    remembered = scene.known.remembered
    changes: list[Planned] = []
    skips: list[Skip] = []
    for verb, effect in _EFFECTS:
        rule = first(scene, happened, verb)
        if rule is None:
            continue
        made = effect(scene, rule, cause)
        if made is None:
            continue
        if isinstance(made, Skip):
            skips.append(made)
        elif remembered.within is not None and verb != "timeline":
            skips.append(skip(rule, "secondary", "a secondary address: what becomes of the contact is the first one's"))
        elif (there := _there(scene, rule.spec.to)) is None:
            skips.append(skip(rule, "not-linked", f"the contact is not known at {rule.spec.to}"))
        else:
            why = because(rule, cause.kind, f"{cause.kind} at {scene.system}")
            key = f"{verb.rstrip('_')}:{rule.spec.id}:{there}:{_fact(scene, cause)}"
            changes.append(Planned(system=rule.spec.to, change=made, key=key, because=why))
            if isinstance(made, SetFields):
                digests = {name: remember.digest_of(scene.known.digest, one.value) for name, one in made.fields.items()}
                remembered = remember.with_going(
                    remembered, rule.spec.to, {name: Seen(digest=one, at=cause.at) for name, one in digests.items()}
                )
    return Decision(changes=tuple(changes), skips=tuple(skips), remembered=remembered)


def _there(scene: Scene, system: str) -> str | None:
    """What names the contact there: its id, or ours for one that enters first."""
    remembered = scene.known.remembered
    there = remembered.ids.get(system) or remembered.within
    return scene.contact.id if there is None and system in scene.coming else there


def _fact(scene: Scene, cause: Cause) -> str:
    """The fact by a name that no other address has: several may be of one contact there, and each has a first opt-out."""
    return f"{scene.known.about}:{cause.fact}" if cause.in_ledger and scene.known.about else cause.fact


def _stage(scene: Scene, rule: CompiledRule, cause: Cause) -> Change | Skip | None:
    move = _chosen(scene, rule.spec.stage)
    if not isinstance(move, StageMove) or not move.enabled or not move.target:
        return skip(rule, "stage-off", "no stage move is switched on for this")
    if not cause.in_ledger:
        return skip(
            rule, "stage-without-fact", f"{cause.kind} is no fact of the consent ledger, and only these move a stage"
        )
    return MoveStage(
        source=None if move.source == ANY_STAGE else move.source or None,
        any_source=move.source == ANY_STAGE,
        target=move.target,
        reset=move.reset,
        fact=cause.fact,
    )


def _set(scene: Scene, rule: CompiledRule, cause: Cause) -> Change | Skip | None:
    values = {
        name: FieldValue(value=text or None, at=cause.at, owned=True) for name, text in (rule.spec.set_ or {}).items()
    }
    if not cause.in_ledger:  # it may be so ever since
        values = {name: one for name, one in values.items() if not _is_carried(scene, rule.spec.to, name, one)}
    return SetFields(fields=values) if values else None


def _opt_out(scene: Scene, rule: CompiledRule, cause: Cause) -> Change | Skip | None:
    return OptOut() if as_switch(_chosen(scene, rule.spec.opt_out)) else None


def _timeline(scene: Scene, rule: CompiledRule, cause: Cause) -> Change | Skip | None:
    spec = rule.spec.timeline
    form = as_text(_chosen(scene, spec.as_ if spec else None)) or "note"
    if spec is None or form == "properties_only":
        return skip(rule, "timeline-off", "timeline entries are switched off")
    return AddEntry(
        text={"en": spec.text.en, "de": spec.text.de},
        shown=tuple((name, cause.details[name]) for name in spec.show if cause.details.get(name)),
        at=cause.at,
        mark=scene.known.digest(f"entry\n{rule.spec.id}\n{scene.contact.id}\n{_fact(scene, cause)}")[:_MARK_LENGTH],
        form=form,
        fact=cause.fact,
    )


def _is_carried(scene: Scene, system: str, name: str, value: FieldValue) -> bool:
    remembered = scene.known.remembered
    last = remember.going(remembered, system, name) or remember.seen(remembered, system, name)
    return last is not None and last.digest == remember.digest_of(scene.known.digest, value.value)


def _chosen(scene: Scene, chosen: Chosen | None) -> Settled:
    return None if chosen is None else resolve(chosen, scene.effective.values, scene.contact.fields)


_EFFECTS: tuple[tuple[Verb, Effect], ...] = (
    ("stage", _stage),
    ("set_", _set),
    ("opt_out", _opt_out),
    ("timeline", _timeline),
)
