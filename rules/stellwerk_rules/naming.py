"""The names used in integration.yaml, replaced by the systems' own: once, when the file is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from stellwerk_rules.spec import Chosen, ConsentSpec, EnterSpec, Lookup, Mirror, Rule, TimelineSpec

Names = Mapping[tuple[str, str], str]
"""System and `provide` name to the field's own name there."""

_Own = Callable[[Chosen], Chosen]


def named_rule(rule: Rule, names: Names) -> Rule:
    """The rule with the systems' own names for its answer, its lookups and the fields it sets."""

    def own(chosen: Chosen) -> Chosen:
        if not isinstance(chosen, Lookup):
            return chosen
        return replace(chosen, lookup=names.get((rule.from_, chosen.lookup), chosen.lookup))

    return replace(
        rule,
        enter=None if rule.enter is None else _named_enter(rule.enter, names, rule.from_, own),
        consent=None if rule.consent is None else _named_consent(rule.consent, own),
        contact=None if rule.contact is None else own(rule.contact),
        stage=None if rule.stage is None else own(rule.stage),
        opt_out=None if rule.opt_out is None else own(rule.opt_out),
        timeline=None if rule.timeline is None else _named_timeline(rule.timeline, own),
        set_=None if rule.set_ is None else {names.get((rule.to, key), key): one for key, one in rule.set_.items()},
    )


def named_mirror(mirror: Mirror, names: Names) -> Mirror:
    """The mirror with its fields' own names."""

    def own(key: str | None) -> str | None:
        return None if key is None else names.get((mirror.on_, key), key)

    return replace(
        mirror,
        status=own(mirror.status),
        permission=own(mirror.permission),
        unsubscribed_at=own(mirror.unsubscribed_at),
    )


def _named_enter(enter: EnterSpec, names: Names, system: str, own: _Own) -> EnterSpec:
    answer = None if enter.answer is None else names.get((system, enter.answer), enter.answer)
    return replace(enter, answer=answer, without_answer=own(enter.without_answer))


def _named_consent(consent: ConsentSpec, own: _Own) -> ConsentSpec:
    return replace(
        consent,
        ask=own(consent.ask),
        plus=own(consent.plus),
        with_={name: own(one) for name, one in consent.with_.items()},
        grant=own(consent.grant),
        may_skip=own(consent.may_skip),
        may_skip_by_form=own(consent.may_skip_by_form),
        again=own(consent.again),
        moved=own(consent.moved),
        moved_old=own(consent.moved_old),
    )


def _named_timeline(timeline: TimelineSpec, own: _Own) -> TimelineSpec:
    return replace(timeline, as_=own(timeline.as_))
