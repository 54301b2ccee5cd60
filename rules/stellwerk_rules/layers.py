"""Settings in layers: the file's default, then the connection, then the contact, who may ask for more and grant less.

A contact may ask for less only where the connection says so, and by a form only where it says that too: anybody can post a
hidden form field. What counts is the outcome, whatever settings and dependencies lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules import permission
from stellwerk_rules.chosen import as_permission, as_switch, as_text, references, resolve
from stellwerk_rules.conditions import last_written
from stellwerk_rules.effect import in_effect
from stellwerk_rules.model import Because, Contact, Origin, Permission, Value
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import (
    ChoiceSetting,
    Chosen,
    ConsentSpec,
    EnterSpec,
    Lookup,
    NumberSetting,
    PermissionSetting,
    Setting,
    SettingValue,
    StageMoveSetting,
    SwitchSetting,
)
from stellwerk_rules.terms import InEffect, Terms

__all__ = ["Effective", "Layer", "Terms", "effective", "settled", "terms", "way_back"]

Layer = Mapping[str, SettingValue]

MOST_SHOWN = 40
"""Characters of a value that a reason shows."""

_REASONS = {
    "override-unreadable": "the contact's own value is none that this setting takes",
    "override-hidden": "the setting is not in effect, so the contact's own value is not either",
    "override-not-for-contacts": "this is not the contact's to decide",
    "override-may-not-skip": "the contact's own value would skip the double opt-in, which this connection does not let it",
    "override-grants-more": "the contact's own value would grant more than the connection does",
}


class Effective(Struct, frozen=True, kw_only=True):
    """Settings in effect for one contact.

    `values` and `visible` ids with the contact's own values, `base` without; `terms` where the file has a rule of consent;
    `notices` about values of the contact that have no effect.
    """

    values: Layer
    base: Layer
    visible: frozenset[str]
    terms: Terms | None = None
    notices: tuple[Because, ...] = ()


def settled(plan: Plan, values: Layer) -> Plan:
    """The plan for a connection with these settings: what does not depend on a contact is worked out once."""
    return replace(plan, in_effect=_worked_out(plan, values))


def effective(plan: Plan, values: Layer, contact: Contact | None = None) -> Effective:
    """The connection's `values` in effect for `contact`, whose history tells who wrote its own values."""
    whole = plan.in_effect
    if whole is None or whole.values != values:
        whole = _worked_out(plan, values)
    base, visible = whole.base, whole.visible
    consent = plan.consent_spec
    fields: Mapping[str, Value] = {} if contact is None else contact.fields
    usual = whole.terms
    if usual is None and consent is not None:
        usual = terms(consent, base, fields)
    if contact is None:
        return Effective(values=base, base=base, visible=visible, terms=usual)
    own, notices = _own_values(plan, contact)
    if not own:
        return Effective(values=base, base=base, visible=visible, terms=usual, notices=tuple(notices))
    if usual is not None and consent is not None:
        refused = _refused(plan, consent, usual, base, values, own, contact)
        notices += [
            _notice(code, name, _seen(plan, contact, name)) for code, names in refused.items() for name in sorted(names)
        ]
        own = {name: one for name, one in own.items() if not any(name in names for names in refused.values())}
    seen, visible = in_effect(plan, {**values, **own})
    notices += [_notice("override-hidden", name, _seen(plan, contact, name)) for name in own if name not in visible]
    if usual is not None and consent is not None:
        said_plus = any(own.get(name) is True for name in references(consent.plus))
        usual = _clamped(terms(consent, seen, fields), usual, said_plus=said_plus)
    return Effective(values=seen, base=base, visible=visible, terms=usual, notices=tuple(notices))


def way_back(plan: Plan, consent: ConsentSpec, values: Layer, contact: Contact) -> Terms:
    """The terms of the one way back after an opt-out: a double opt-in, also where the connection asks for none.

    It is sent with what the connection keeps for asking. Plus stays a yes of its own: only where it is in effect anyway.
    """
    usual = effective(plan, values, contact)
    if usual.terms is not None and usual.terms.ask:
        return replace(usual.terms, grant=Permission.NONE)
    switches = (name for name in references(consent.ask) if isinstance(plan.settings_by_id.get(name), SwitchSetting))
    own, _ = _own_values(plan, contact)
    seen, _ = in_effect(plan, {**values, **own, **dict.fromkeys(switches, True)})
    return replace(terms(consent, seen, contact.fields), ask=True, plus=False, grant=Permission.NONE)


def terms(consent: ConsentSpec, seen: Layer, fields: Mapping[str, Value]) -> Terms:
    """The terms that the settings `seen` in effect and the source's `fields` come to."""
    return Terms(
        ask=as_switch(resolve(consent.ask, seen, fields)),
        plus=as_switch(resolve(consent.plus, seen, fields)),
        options={name: as_text(resolve(one, seen, fields)) for name, one in consent.with_.items()},
        grant=as_permission(resolve(consent.grant, seen, fields)),
        again=as_switch(resolve(consent.again, seen, fields)),
    )


def _worked_out(plan: Plan, values: Layer) -> InEffect:
    base, visible = in_effect(plan, values)
    consent = plan.consent_spec
    fixed = None if consent is None or _by_contact(consent) else terms(consent, base, {})
    return InEffect(values=dict(values), base=base, visible=visible, terms=fixed)


def _by_contact(consent: ConsentSpec) -> bool:
    """Whether a field of the contact chooses one of the terms."""
    chosen = (consent.ask, consent.plus, consent.grant, consent.again, *consent.with_.values())
    return any(isinstance(one, Lookup) for one in chosen)


def _clamped(own: Terms, connection: Terms, *, said_plus: bool) -> Terms:
    """The contact's terms within the connection's: no grant above its, plus only by a yes of one of the two."""
    return replace(
        own,
        plus=own.plus and (connection.plus or said_plus),
        grant=connection.grant if permission.is_rise(connection.grant, own.grant) else own.grant,
        again=connection.again,
    )


def _refused(
    plan: Plan,
    consent: ConsentSpec,
    connection: Terms,
    base: Layer,
    values: Layer,
    own: Layer,
    contact: Contact,
) -> dict[str, frozenset[str]]:
    """By reason, the settings whose value the contact may not override as it does."""

    def layered(without: Iterable[str]) -> Terms:
        left = {name: one for name, one in own.items() if name not in set(without)}
        return terms(consent, in_effect(plan, {**values, **left})[0], contact.fields)

    guarded = frozenset(
        name for chosen in _guarded(plan.enter_spec, consent) for name in references(chosen) if name in own
    )
    asking = frozenset(name for name in _behind(plan, consent.ask) if name in own) - guarded
    skips = connection.ask and not layered(guarded).ask and not _may_skip(plan, consent, base, contact, asking)
    refused = guarded | (asking if skips else frozenset())
    granting = frozenset(name for name in references(consent.grant) if name in own) - refused
    rises = permission.is_rise(connection.grant, layered(refused).grant)
    return {
        "override-not-for-contacts": guarded,
        "override-may-not-skip": asking if skips else frozenset(),
        "override-grants-more": granting if rises else frozenset(),
    }


def _guarded(enter: EnterSpec | None, consent: ConsentSpec) -> tuple[Chosen, ...]:
    """What only the connection decides."""
    told = (consent.may_skip, consent.may_skip_by_form, consent.again, consent.moved, consent.moved_old)
    return told if enter is None else (*told, enter.who, enter.without_answer)


def _may_skip(plan: Plan, consent: ConsentSpec, base: Layer, contact: Contact, asking: frozenset[str]) -> bool:
    if not as_switch(resolve(consent.may_skip, base, {})):
        return False
    by_form = any(_by_form(contact, plan.overrides[name]) for name in asking)
    return not by_form or as_switch(resolve(consent.may_skip_by_form, base, {}))


def _by_form(contact: Contact, name: str) -> bool:
    """Whether a form wrote the field's value; what is not known, or came along in a merge, may have been a form's."""
    written = last_written(contact.history, contact.fields, name)
    return written is None or written.origin in (Origin.FORM, Origin.MERGE)


def _behind(plan: Plan, chosen: Chosen) -> frozenset[str]:
    return frozenset(one for name in references(chosen) for one in plan.settings_behind.get(name, frozenset()))


def _own_values(plan: Plan, contact: Contact) -> tuple[dict[str, SettingValue], list[Because]]:
    own: dict[str, SettingValue] = {}
    notices: list[Because] = []
    for name, place in plan.overrides.items():
        text = contact.fields.get(place)
        if not text:
            continue
        value = _read(plan.settings_by_id[name], text)
        if value is None:
            notices.append(_notice("override-unreadable", name))
        else:
            own[name] = value
    return own, notices


def _read(setting: Setting, text: str) -> SettingValue | None:
    """A field's canonical text as a value of `setting`; None where it is none."""
    if isinstance(setting, SwitchSetting):
        return {"yes": True, "no": False}.get(text)
    if isinstance(setting, PermissionSetting):
        return permission.named(text)
    if isinstance(setting, ChoiceSetting):
        return text if text in setting.options else None
    if isinstance(setting, NumberSetting):
        number = int(text) if text.isascii() and text.isdigit() else setting.least - 1
        return number if setting.least <= number <= setting.most else None
    return None if isinstance(setting, StageMoveSetting) else text


def _seen(plan: Plan, contact: Contact, setting: str) -> str:
    """The contact's own value as it reads over there. Only one that the setting takes: other text may be anything."""
    place = plan.overrides[setting]
    return f" ({place} is {(contact.fields.get(place) or '')[:MOST_SHOWN]})"


def _notice(code: str, setting: str, seen: str = "") -> Because:
    return Because(code=code, text=f"setting {setting}{seen}: {_REASONS[code]}")
