"""A contact whose address changed. Consent belongs to an address: the new one starts anew, the old one keeps what it gave.

A setting lets the permission go along instead, where nobody opted out and no form made the change: in a form the next visitor
of a shared browser may have overwritten the address of somebody else's contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from stellwerk_rules import laws, remember
from stellwerk_rules.chosen import as_text, possible, resolve
from stellwerk_rules.consent import Consent, fold
from stellwerk_rules.layers import effective
from stellwerk_rules.model import (
    ADDRESS,
    Because,
    Change,
    Decision,
    DeleteContact,
    Elsewhere,
    Enter,
    Former,
    Known,
    MoveAddress,
    Planned,
    Remembered,
    Seen,
    SetPeer,
    Unsubscribe,
)
from stellwerk_rules.plan import CompiledRule, Plan
from stellwerk_rules.reasons import because
from stellwerk_rules.scene import Scene, first
from stellwerk_rules.spec import ConsentSpec, SettingValue
from stellwerk_rules.wishes import may_be_another

KEEP, KEEP_PERMISSION = "keep", "keep_permission"


def moved(scene: Scene) -> tuple[Scene, Decision]:
    """What the change of address comes to, and the scene after it: one whose permission went along did not move on."""
    nothing = Decision(remembered=scene.known.remembered)
    rule = first(scene, frozenset({"moved"}), "enter")
    former = scene.known.former
    if not scene.moved or rule is None or rule.spec.consent is None or former is None:
        return scene, nothing
    there = scene.before.ids.get(rule.spec.to)
    if there is None:
        return scene, nothing
    if as_text(resolve(rule.spec.consent.moved, scene.effective.base, scene.contact.fields)) != KEEP_PERMISSION:
        return scene, _left_behind(scene, rule, rule.spec.consent, former, there)
    refused = _not_kept(scene, former)
    if refused is not None:
        left = _left_behind(scene, rule, rule.spec.consent, former, there)
        return scene, replace(left, notices=(replace(refused, rule=rule.spec.id, line=rule.line), *left.notices))
    remembered = remember.with_seen(
        scene.before, scene.system, {ADDRESS: scene.known.remembered.seen[scene.system][ADDRESS]}
    )
    change = MoveAddress(
        email=scene.contact.email or "", former=former.address, seen=scene.before.seen[scene.system][ADDRESS].digest
    )
    planned = Planned(
        system=rule.spec.to,
        change=change,
        key=f"move:{scene.contact.id}:{scene.event.id}",
        because=because(rule, "address-moves", "the address changed, and its permission goes along"),
    )
    return replace(scene.remembering(remembered), moved=False), Decision(changes=(planned,), remembered=remembered)


def has_moved_on(plan: Plan, change: Enter, known: Known) -> bool:
    """Whether the contact was seen with another address since: that one enters by itself, and consent never moves."""
    now = remember.seen(known.remembered, plan.wish_system or "", ADDRESS)
    return now is not None and now.digest != known.digest(remember.address_of(change.email))


def may_be_kept(plan: Plan, settings: Mapping[str, SettingValue]) -> bool:
    """Whether the settings let a permission go along, be it only some contacts'."""
    spec = plan.consent_spec
    return spec is not None and KEEP_PERMISSION in possible(spec.moved, effective(plan, settings).base)


def former_consent(plan: Plan, former: Former, at: datetime) -> Consent:
    """Where the address stands that the contact had before."""
    return fold(former.facts, former.suppressed, at, plan.limits)


def brought_back(plan: Plan, change: MoveAddress, known: Known) -> Remembered:
    """As before a change of address that was not made: seen once more, the contact has moved and starts anew."""
    remembered = known.remembered
    for other in plan.others(plan.wish_system or ""):
        remembered = remember.unlinked(remembered, other)
    return remember.with_seen(remembered, plan.wish_system or "", {ADDRESS: Seen(digest=change.seen)})


def freed(plan: Plan, system: str, there: str, address: str, known: Known, key: str) -> tuple[Planned, ...]:
    """Our id taken away from a contact that is not this one's any more."""
    own = known.remembered.ids.get(plan.wish_system or "")
    if own is None:
        return ()
    change = SetPeer(peer_id=None, replaces=own, of=Elsewhere(id=there, address=address))
    why = Because(code="old-address", text="the contact has another address now")
    return (Planned(system=system, change=change, key=f"freed:{there}:{key}", because=why),)


def _not_kept(scene: Scene, former: Former) -> Because | None:
    if may_be_another(scene.contact):
        return Because(code="permission-not-kept", text="a form may have changed the address: it starts anew")
    if scene.merged or scene.contact.opted_out:
        return Because(code="permission-not-kept", text="merged or opted out of all mail: the address starts anew")
    refused = laws.may_move_address(scene.consent, former_consent(scene.plan, former, scene.event.at))
    return None if refused is None else replace(refused, text=f"{refused.text}: the new one starts anew")


def _left_behind(scene: Scene, rule: CompiledRule, consent: ConsentSpec, former: Former, there: str) -> Decision:
    """What becomes of the old address's contact."""
    chosen = as_text(resolve(consent.moved_old, scene.effective.base, scene.contact.fields))
    notices: tuple[Because, ...] = ()
    if chosen != KEEP and may_be_another(scene.contact):
        text = "a form may have changed the address, perhaps for another visitor: the old one stays as it is"
        chosen, notices = KEEP, (because(rule, "old-address-kept", text),)
    of = Elsewhere(id=there, address=former.address)
    changes: dict[str, Change] = {
        "unsubscribe": Unsubscribe(of=of),
        "delete": DeleteContact(of=of, removal=True, origin=scene.contact.origin),
    }
    change = changes.get(chosen)
    if change is None:
        planned = freed(scene.plan, rule.spec.to, there, former.address, scene.known, scene.event.id)
    else:
        why = because(rule, "old-address", "the contact has another address now")
        key = f"old:{chosen}:{there}:{scene.event.id}"
        planned = (Planned(system=rule.spec.to, change=change, key=key, because=why),)
    return Decision(changes=planned, notices=notices, remembered=scene.known.remembered)
