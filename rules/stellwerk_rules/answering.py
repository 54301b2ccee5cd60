"""The answer of whoever left is set to no, as the file has it for who leaves: else a later yes would be no change."""

from __future__ import annotations

from datetime import datetime

from stellwerk_rules import remember
from stellwerk_rules.laws import OPT_OUT_YOUNGER
from stellwerk_rules.model import Decision, Digest, EventKind, FieldValue, Planned, Remembered, Seen, SetFields, Skip
from stellwerk_rules.plan import CompiledRule, Plan
from stellwerk_rules.reasons import because
from stellwerk_rules.scene import Scene


def answered_no(now: Scene, why: str) -> Decision:
    """Of a contact that reads yes although it left."""
    name = now.plan.answer_field(now.system)
    if name is None or not now.consent.left or now.contact.fields.get(name) != "yes":
        return Decision(remembered=now.known.remembered)
    return answer_set(
        now.plan,
        now.system,
        why,
        now.known.remembered,
        key=f"{now.contact.id}:{now.event.id}",
        at=now.event.at,
        digest=now.known.digest,
    )


def refused_yes(now: Scene, skip: Skip | None) -> Decision:
    """Of a contact whose yes counts as older than its opt-out: so that it may say it once more, and be heard at once."""
    if skip is None or skip.because.code != OPT_OUT_YOUNGER or now.event.compared:
        return Decision(remembered=now.known.remembered)
    return answered_no(now, "the yes counts as older than the opt-out")


def answer_set(
    plan: Plan, system: str, why: str, remembered: Remembered, *, key: str, at: datetime, digest: Digest
) -> Decision:
    """The answer at `system` set to what the file sets it to for who leaves; nothing where it sets none."""
    found = _no(plan, system)
    if found is None:
        return Decision(remembered=remembered)
    rule, name, value = found
    planned = Planned(
        system=system,
        change=SetFields(fields={name: FieldValue(value=value, at=at, owned=True)}),
        key=f"set:{rule.spec.id}:{key}",
        because=because(rule, "unsubscribed", why),
    )
    going = {name: Seen(digest=remember.digest_of(digest, value), at=at)}
    return Decision(changes=(planned,), remembered=remember.with_going(remembered, system, going))


def _no(plan: Plan, system: str) -> tuple[CompiledRule, str, str] | None:
    """The rule that sets the answer at `system` for who leaves, the answer's field, and the value."""
    name = plan.answer_field(system)
    for rule in plan.rules:
        value = (rule.spec.set_ or {}).get(name or "")
        if name is not None and rule.spec.to == system and EventKind.UNSUBSCRIBED in rule.events and value is not None:
            return rule, name, value
    return None
