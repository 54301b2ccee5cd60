"""One event with everything that is known when it is decided on, and which rules it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules import merging, remember
from stellwerk_rules.conditions import Look, last_written
from stellwerk_rules.consent import Consent, ends_suppression, fold
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.layers import Effective, effective
from stellwerk_rules.model import ADDRESS, Contact, Decision, Event, Fact, Known, Presence, Remembered, Seen
from stellwerk_rules.plan import CompiledRule, Plan
from stellwerk_rules.reasons import nearest
from stellwerk_rules.spec import SettingValue

Verb: TypeAlias = Literal["enter", "fields", "contact", "stage", "set_", "opt_out", "timeline"]


class Scene(Struct, frozen=True, kw_only=True):
    """`known` has the contact as remembered from now on, `before` as it was remembered until now.

    `moved` says that it came in before with another address, `merged` that it turned out to have taken in others. `coming`
    are the systems that it enters with this very event: what happens there comes after that.
    """

    plan: Plan
    event: Event
    known: Known
    consent: Consent
    settings: Mapping[str, SettingValue]
    effective: Effective
    look: Look
    before: Remembered
    moved: bool
    merged: bool
    coming: frozenset[str] = frozenset()

    @property
    def contact(self) -> Contact:
        return self.event.contact

    @property
    def system(self) -> str:
        return self.event.system

    def with_facts(self, facts: tuple[Fact, ...]) -> Scene:
        """The scene after these facts."""
        if not facts:
            return self
        before = self.known
        suppressed = before.suppressed and not ends_suppression(before.facts, before.suppressed_at, facts)
        known = replace(before, facts=(*before.facts, *facts), suppressed=suppressed)
        return replace(self, known=known, consent=folded(self.plan, known, self.event))

    def remembering(self, remembered: Remembered) -> Scene:
        """The scene with this remembered from now on."""
        return replace(self, known=replace(self.known, remembered=remembered))


def folded(plan: Plan, known: Known, event: Event) -> Consent:
    """The consent of the event's address at its time."""
    return fold(known.facts, known.suppressed, event.at, plan.limits, known.suppressed_at)


def scene(plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue]) -> Scene:
    """The event as the rules see it."""
    known = replace(known, digest=remember.once(known.digest))
    before = known.remembered
    merged = _is_own(plan, event) and merging.is_merge(known, event.system, event.contact)
    if merged:
        names = plan.answered_fields(event.system, entered=before.entered)
        known = replace(known, remembered=merging.taken_over(before, known, event.contact, names))
    remembered, moved = _remembered(plan, event, known)
    known = replace(known, remembered=remembered)
    own = effective(plan, settings, event.contact)
    look = Look(
        settings=own.values,
        fields=event.contact.fields,
        history=event.contact.history,
        handled=remembered.answered,
        digest=known.digest,
    )
    return Scene(
        plan=plan,
        event=event,
        known=known,
        consent=folded(plan, known, event),
        settings=settings,
        effective=own,
        look=look,
        before=before,
        moved=moved,
        merged=merged,
    )


def kinds(scene: Scene) -> frozenset[str]:
    """What happened to a contact, from its state and never from the signal, which may be late, lost or repeated.

    `created` holds for a new contact until it has entered, unless only a wish brings it in. `changed` holds for one that was seen before or is older than
    the connection, and for one whose answer was written after its creation.
    """
    contact, began = scene.contact, scene.known.began_at
    fresh = contact.created_at is not None and began is not None and contact.created_at >= began
    found = set()
    if scene.moved:
        found.add("moved")
    if scene.merged:
        found.add("merged")
    if fresh and not scene.known.remembered.entered and not scene.known.remembered.by_wish:
        found.add("created")
    if not fresh or scene.known.remembered.by_wish or scene.system in scene.before.ids or _answered_later(scene):
        found.add("changed")
    return frozenset(found)


def first(scene: Scene, happened: frozenset[str], verb: Verb) -> CompiledRule | None:
    """The first rule of the file that says `verb` for what happened."""
    for rule in scene.plan.rules_by_verb.get((scene.system, verb), ()):
        if not rule.events.isdisjoint(happened) and (rule.test is None or rule.test.holds(scene.look)):
            return rule
    return None


def missed(scene: Scene, happened: frozenset[str], *verbs: Verb) -> str | None:
    """Where no rule says a verb for what happened, the one that missed by least, of the first verb that has one."""
    for verb in verbs:
        rules = scene.plan.rules_by_verb.get((scene.system, verb), ())
        concerned = tuple(rule for rule in rules if not rule.events.isdisjoint(happened))
        if concerned and first(scene, happened, verb) is None:
            return nearest(concerned, scene.look)
    return None


def joined(one: Decision, other: Decision) -> Decision:
    """Both decisions; what the second remembers stands."""
    return Decision(
        changes=one.changes + other.changes,
        skips=one.skips + other.skips,
        held=one.held + other.held,
        facts=one.facts + other.facts,
        former_facts=one.former_facts + other.former_facts,
        notices=one.notices + other.notices,
        remembered=other.remembered,
        look_again=one.look_again + other.look_again,
    )


def _remembered(plan: Plan, event: Event, known: Known) -> tuple[Remembered, bool]:
    """What is remembered of the contact once it was seen, and whether it moved to another address since it came in."""
    remembered, contact = known.remembered, event.contact
    moved = False
    if contact.presence not in (Presence.PRESENT, Presence.ARCHIVED):
        return remembered, moved
    if _is_own(plan, event) and remembered.binned:
        remembered = replace(remembered, binned=False)
    if _is_own(plan, event) and contact.also_ids and not remembered.by_wish:
        remembered = replace(remembered, by_wish=True)
    if contact.email and _is_own(plan, event):
        now = known.digest(remember.address_of(contact.email))
        before = remember.seen(remembered, event.system, ADDRESS)
        if before is not None and before.digest != now:
            moved = remembered.entered
            remembered = remember.started_anew(remembered, event.system, plan.others(event.system))
        if before is None or before.digest != now:
            remembered = remember.with_seen(remembered, event.system, {ADDRESS: Seen(digest=now)})
    if event.system == plan.mail_system and not remembered.ids:
        return remembered, moved  # known only where it is mailed: nothing to remember before it enters
    if remembered.within is not None and event.system == plan.wish_system:
        return remembered, moved  # a secondary address: the id is the other's
    return remember.with_id(remembered, event.system, contact.id), moved


def _is_own(plan: Plan, event: Event) -> bool:
    """Whether the contact reads where contacts say what they wish, and have their address."""
    return event.system == plan.wish_system and event.contact.presence is Presence.PRESENT


def _answered_later(scene: Scene) -> bool:
    name = scene.plan.answer_field(scene.system)
    written = None if name is None else last_written(scene.contact.history, scene.contact.fields, name)
    created = scene.contact.created_at
    return written is not None and created is not None and written.at > created + CLOCK_MARGIN
