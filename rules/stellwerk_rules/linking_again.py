"""A contact that was unlinked and is linked again: its two records meet as two existing ones do, and blanks are filled.

Nothing is asked, granted or moved for it, and what was said meanwhile counts as handled: a click is no wish. Only an explicit
yes from now on brings in whoever is not in any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.answering import answered_no
from stellwerk_rules.carrying import digests, met
from stellwerk_rules.fields import entering
from stellwerk_rules.model import (
    ADDRESS,
    Because,
    Decision,
    Enter,
    Event,
    Known,
    Permission,
    Planned,
    Presence,
    Remembered,
    Skip,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.restoring import shown_to_it
from stellwerk_rules.scene import Scene, joined, scene
from stellwerk_rules.spec import SettingValue
from stellwerk_rules.unlinked import UNLINKED
from stellwerk_rules.wishes import handled

LINKED_AGAIN = "linked-again"
"""Code of the reason."""


def linked_again(
    plan: Plan, event: Event, known: Known, settings: Mapping[str, SettingValue], decision: Decision
) -> Decision:
    """`decision`, which was made while the contact was unlinked, and what follows once it is not any more."""
    remembered = _new_to_each_other(plan, decision.remembered)
    skips = tuple(one for one in decision.skips if one.because.code != UNLINKED)
    told = Skip(because=Because(code=LINKED_AGAIN, text="linked again; what was said meanwhile counts as handled"))
    decision = replace(decision, skips=(told, *skips), remembered=remembered)
    at_home = event.system == plan.wish_system and event.contact.presence is Presence.PRESENT
    if not at_home or remembered.within is not None:
        return decision  # it can be read nowhere now: that it was unlinked is taken back all the same
    known = replace(known, remembered=remembered, absorbed=())
    now = scene(plan, event, known, settings).with_facts(decision.facts)
    meets = _meets(now)
    if meets is None:
        now = now.remembering(_all_handled(now))
        answer = answered_no(now, "left while the contact was unlinked")
        return joined(joined(decision, answer), shown_to_it(now.remembering(answer.remembered)))
    return joined(decision, Decision(changes=(meets,), remembered=_met(now, meets)))


def _new_to_each_other(plan: Plan, remembered: Remembered) -> Remembered:
    """As two records of which nothing was carried yet; the states that are shown stand where they stand."""
    shown = {
        system: {name: one for name, one in seen.items() if name == ADDRESS or name in plan.mirror_fields(system)}
        for system, seen in remembered.seen.items()
    }
    return replace(remembered, unlinked=None, by_wish=True, seen=shown, going={})


def _meets(now: Scene) -> Planned | None:
    """The meeting of both records, where it was in before and may be written to."""
    contact, mail = now.contact, now.plan.mail_system
    was_in = now.known.remembered.entered or mail in now.known.remembered.ids
    if mail is None or not was_in or now.consent.opted_out or not contact.email or contact.id is None:
        return None
    change = Enter(
        email=contact.email,
        peer_id=contact.id,
        wish=f"{LINKED_AGAIN}:{now.event.id}",
        wished_at=now.event.at,
        explicit=False,
        ask=None,
        grant=Permission.NONE,
        fields=entering(now.plan.ways.get((now.system, mail), ()), contact, now.known.digest).values,
        origin=contact.origin,
        links=True,
    )
    why = Because(code=LINKED_AGAIN, text="linked with who stands there, not asked")
    return Planned(system=mail, change=change, key=f"{LINKED_AGAIN}:{now.event.id}", because=why)


def _met(now: Scene, meets: Planned) -> Remembered:
    fields = meets.change.fields if isinstance(meets.change, Enter) else {}
    now = now.remembering(replace(now.known.remembered, entered=True))
    remembered = remember.with_going(_all_handled(now), meets.system, digests(now.known.digest, fields))
    return remember.with_seen(remembered, now.system, met(now, meets.system))


def _all_handled(now: Scene) -> Remembered:
    remembered = now.known.remembered
    names = now.plan.answered_fields(now.system, entered=remembered.entered)
    answer = now.plan.answer_field(now.system)
    return remember.with_answers(remembered, handled(now.contact, names, now.known, answer=answer))
