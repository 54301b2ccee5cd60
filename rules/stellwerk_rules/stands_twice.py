"""An address that several contacts have at the system that mails: linked to none, and nothing of it is carried or shown.

Read by its id each of them looks as if it were the only one. So of whoever is not linked by that id the address is looked up
as well, before anything is linked; one that was linked when another came is linked no more, and is looked up like the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk_rules import remember
from stellwerk_rules.chosen import as_text, resolve
from stellwerk_rules.layers import effective
from stellwerk_rules.model import Because, Contact, Decision, Held, Known, Presence, Skip
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import SettingValue

STANDS_TWICE = "stands-twice"
"""Code of the reason, and of the repair that shows such addresses."""


def because() -> Because:
    """The reason, as it is told."""
    text = "the address stands there twice and is linked to none; make one contact of the two there"
    return Because(code=STANDS_TWICE, text=text)


def held() -> Held:
    """Whoever would be linked with it waits for the person who makes one contact of the two."""
    return Held(repair=STANDS_TWICE, because=because())


def wants_others(plan: Plan, system: str, contact: Contact, known: Known, settings: Mapping[str, SettingValue]) -> bool:
    """Whether the decision on `contact`, read at `system` by its id, needs to know if others have its address there.

    That is where it would be linked with a contact that is known, or brought in elsewhere.
    """
    if system != plan.mail_system or contact.presence is not Presence.PRESENT or not contact.email:
        return False
    if contact.id is not None and known.remembered.ids.get(system) == contact.id:
        return False
    return bool(known.remembered.ids) or _comes_in(plan, system, contact, settings)


def _comes_in(plan: Plan, system: str, contact: Contact, settings: Mapping[str, SettingValue]) -> bool:
    base = effective(plan, settings, contact).base
    specs = (rule.spec.enter for rule in plan.rules_by_verb.get((system, "enter"), ()))
    return any(spec is not None and as_text(resolve(spec.who, base, contact.fields)) != "ignore" for spec in specs)


def linked_to_none(system: str, known: Known) -> Decision:
    """Nothing comes of an event of such an address, and whichever of its contacts was linked is so no more.

    What was last carried stays known: once one of them is left, it goes on from there.
    """
    return Decision(skips=(Skip(because=because()),), remembered=remember.without_id(known.remembered, system))
