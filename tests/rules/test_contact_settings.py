"""What a contact's own values may change of a connection's settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.layers import settled, way_back
from stellwerk_rules.model import Contact, Origin, Permission, Written
from stellwerk_rules.permission import is_rise
from stellwerk_rules.plan import Plan
from stellwerk_rules.settings import defaults, effective

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def contact(plan: Plan, by: Origin | None = Origin.PERSON, **own: str) -> Contact:
    fields = {plan.property_name("crm", name): value for name, value in own.items()}
    history = {} if by is None else {name: (Written(value=one, at=NOON, origin=by),) for name, one in fields.items()}
    return Contact(fields=fields, history=history, read_at=NOON)


def layered(world: Any, by: Origin | None = Origin.PERSON, **own: str) -> Any:
    return effective(world.plan, world.settings, contact(world.plan, by, **own))


def codes(found: Any) -> list[str]:
    return [notice.code for notice in found.notices]


def test_without_own_values_the_connections_terms_hold(world: Any) -> None:
    terms = layered(world).terms
    assert (terms.ask, terms.plus, terms.options, terms.grant) == (True, False, {"mailing": "K1"}, Permission.NONE)


@pytest.mark.behaviour("asks-own-more")
def test_a_contact_may_ask_for_a_double_opt_in_where_the_connection_asks_for_none(world: Any) -> None:
    world.settings["double_opt_in"] = False
    terms = layered(world, Origin.FORM, contact_doi="yes").terms
    assert terms.ask
    assert terms.options == {"mailing": "K1"}


@pytest.mark.behaviour("asks-plus")
def test_a_contact_may_ask_for_plus_where_the_connection_asks_without(world: Any) -> None:
    assert layered(world, Origin.FORM, contact_doi_plus="yes").terms.plus


def test_a_contact_may_do_without_plus(world: Any) -> None:
    world.settings["double_opt_in_plus"] = True
    assert layered(world).terms.plus
    assert not layered(world, Origin.FORM, contact_doi_plus="no").terms.plus


def test_a_hidden_plus_of_the_connection_is_no_yes(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "double_opt_in_plus": True})
    assert not layered(world, contact_doi="yes").terms.plus
    assert layered(world, contact_doi="yes", contact_doi_plus="yes").terms.plus


def test_a_contact_may_choose_another_mailing(world: Any) -> None:
    assert layered(world, Origin.FORM, contact_mailing="K2").terms.options == {"mailing": "K2"}


@pytest.mark.behaviour("asks-own-less")
def test_a_contact_may_not_skip_the_double_opt_in_by_itself(world: Any) -> None:
    found = layered(world, contact_doi="no")
    assert found.terms.ask
    assert codes(found) == ["override-may-not-skip"]
    assert found.values["double_opt_in"] is True


@pytest.mark.behaviour("asks-own-less-allowed")
def test_a_contact_may_skip_where_the_connection_lets_it(world: Any) -> None:
    world.settings.update({"contacts_may_skip_doi": True, "permission": "single"})
    found = layered(world, contact_doi="no")
    assert (found.terms.ask, found.terms.grant, codes(found)) == (False, Permission.SINGLE, [])


@pytest.mark.behaviour("asks-own-less-form")
@pytest.mark.parametrize("by", [Origin.FORM, None])
def test_a_form_or_nobody_known_may_not_skip_even_there(world: Any, by: Origin | None) -> None:
    world.settings.update({"contacts_may_skip_doi": True, "permission": "single"})
    found = layered(world, by, contact_doi="no")
    assert (found.terms.ask, codes(found)) == (True, ["override-may-not-skip"])


@pytest.mark.behaviour("asks-own-less-form")
def test_a_form_may_skip_where_the_connection_lets_forms_too(world: Any) -> None:
    world.settings.update({"contacts_may_skip_doi": True, "forms_may_skip_doi": True})
    assert not layered(world, Origin.FORM, contact_doi="no").terms.ask


def test_a_hidden_forms_too_lets_nobody_skip(world: Any) -> None:
    world.settings["forms_may_skip_doi"] = True
    assert layered(world, Origin.FORM, contact_doi="no").terms.ask


def test_a_contact_may_be_granted_less(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "confirmed"})
    assert layered(world, Origin.FORM, contact_permission="single").terms.grant is Permission.SINGLE


def test_a_contact_is_never_granted_more(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "single"})
    found = layered(world, contact_permission="confirmed")
    assert (found.terms.grant, codes(found)) == (Permission.SINGLE, ["override-grants-more"])


@pytest.mark.behaviour("asks-own-less-allowed")
def test_who_skips_gets_at_most_the_connections_permission(world: Any) -> None:
    world.settings.update({"contacts_may_skip_doi": True, "permission": "single"})
    found = layered(world, contact_doi="no", contact_permission="double")
    assert (found.terms.ask, found.terms.grant) == (False, Permission.SINGLE)


@pytest.mark.behaviour("asks-own-hidden")
def test_a_value_for_a_hidden_setting_has_no_effect_and_says_so(world: Any) -> None:
    found = layered(world, contact_permission="single")
    assert (found.terms.grant, codes(found)) == (Permission.NONE, ["override-hidden"])


@pytest.mark.behaviour("asks-own-hidden")
def test_a_value_that_the_setting_does_not_take_says_so(world: Any) -> None:
    assert codes(layered(world, contact_permission="much")) == ["override-unreadable"]
    assert codes(layered(world, contact_doi="maybe")) == ["override-unreadable"]


def own_settings(make_world: Callable[..., Any], consent: dict[str, Any], *fields: dict[str, Any]) -> Any:
    """A file of other settings, each overridden by a property of its own name."""
    label = {"en": "a", "de": "a"}
    names = [one["id"] for one in fields]
    provided = {name: {"name": f"x_{name}", "kind": "text", "label": name} for name in [*names, "answer"]}
    rule = {"id": "r", "from": "crm", "to": "mail", "events": ["created"], "consent": consent}
    return make_world(
        provide={"crm": {"group": {"name": "g", "label": "G"}, "properties": provided}},
        settings=[{"section": label, "fields": [{"label": label, "per_contact": one["id"], **one} for one in fields]}],
        rules=[rule | {"enter": {"who": "settings.who", "answer": "answer"}}],
        mirror=[],
    )


def test_what_only_the_connection_decides_is_not_the_contacts_to_change(make_world: Callable[..., Any]) -> None:
    world = own_settings(
        make_world,
        {"ask": "settings.ask", "may_skip": "settings.may"},
        {"id": "ask", "kind": "switch", "default": True},
        {"id": "may", "kind": "switch"},
    )
    found = layered(world, may="yes", ask="no")
    assert found.terms.ask
    assert codes(found) == ["override-not-for-contacts", "override-may-not-skip"]


def test_a_setting_behind_the_double_opt_in_does_not_let_a_contact_skip_either(make_world: Callable[..., Any]) -> None:
    world = own_settings(
        make_world,
        {"ask": "settings.ask", "grant": "settings.granted"},
        {"id": "region", "kind": "choice", "options": ["eu", "us"], "default": "eu"},
        {"id": "ask", "kind": "switch", "default": True, "only_if": {"setting": "region", "is": "eu"}},
        {"id": "granted", "kind": "permission", "default": "single", "only_if": {"setting": "ask", "is": False}},
    )
    found = layered(world, region="us")
    assert (found.terms.ask, found.terms.grant, codes(found)) == (True, Permission.NONE, ["override-may-not-skip"])


def test_a_setting_behind_the_permission_does_not_raise_it_either(make_world: Callable[..., Any]) -> None:
    world = own_settings(
        make_world,
        {"grant": "settings.granted"},
        {"id": "region", "kind": "choice", "options": ["eu", "us"], "default": "eu"},
        {"id": "granted", "kind": "permission", "default": "single", "only_if": {"setting": "region", "is": "us"}},
    )
    assert layered(world, region="us").terms.grant is Permission.NONE


def test_values_that_no_consent_hangs_on_layer_plainly(make_world: Callable[..., Any]) -> None:
    world = own_settings(
        make_world,
        {"ask": True},
        {"id": "days", "kind": "number", "least": 1, "most": 9, "default": 3},
        {"id": "word", "kind": "text"},
        {"id": "colour", "kind": "choice", "options": ["red", "blue"], "default": "red"},
        {"id": "move", "kind": "stage_move", "system": "crm"},
    )
    found = layered(world, days="7", word="x", colour="blue", move="lead")
    assert {name: found.values[name] for name in ("days", "word", "colour")} == {
        "days": 7,
        "word": "x",
        "colour": "blue",
    }
    assert codes(found) == ["override-unreadable"]
    assert codes(layered(world, days="10")) == codes(layered(world, days="x")) == ["override-unreadable"]
    assert codes(layered(world, colour="green")) == ["override-unreadable"]
    assert layered(world, days="1").values["days"] == 1


def test_without_a_rule_of_consent_own_values_layer_plainly(make_world: Callable[..., Any]) -> None:
    world = make_world(rules=[])
    found = layered(world, contact_doi="yes")
    assert (found.values["double_opt_in"], found.terms) == (True, None)


def test_the_way_back_asks_also_where_the_connection_does_not(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "single", "double_opt_in_plus": True})
    consent = world.plan.consent_rule.consent
    terms = way_back(world.plan, consent, world.settings, contact(world.plan))
    assert (terms.ask, terms.plus, terms.options, terms.grant) == (True, False, {"mailing": "K1"}, Permission.NONE)


def test_the_way_back_is_the_usual_one_where_the_connection_asks(world: Any) -> None:
    world.settings["double_opt_in_plus"] = True
    terms = way_back(world.plan, world.plan.consent_rule.consent, world.settings, contact(world.plan))
    assert (terms.ask, terms.plus) == (True, True)


connections = st.fixed_dictionaries(
    {
        "double_opt_in": st.booleans(),
        "double_opt_in_plus": st.booleans(),
        "permission": st.sampled_from([one.value for one in Permission]),
        "contacts_may_skip_doi": st.booleans(),
        "forms_may_skip_doi": st.booleans(),
    }
)
owns = st.fixed_dictionaries(
    {},
    optional={
        "contact_doi": st.sampled_from(["yes", "no", "x"]),
        "contact_doi_plus": st.sampled_from(["yes", "no"]),
        "contact_permission": st.sampled_from([one.value for one in Permission]),
        "contact_mailing": st.sampled_from(["K2", "K3"]),
    },
)


@pytest.fixture(scope="module")
def file_plan(make_world: Callable[..., Any]) -> Any:
    return make_world().plan


@given(values=connections, own=owns, by=st.none() | st.sampled_from(Origin))
def test_a_contact_never_gets_more_than_the_connection_lets_it(
    file_plan: Plan, values: Any, own: dict[str, str], by: Origin | None
) -> None:
    base = effective(file_plan, values).terms
    mine = effective(file_plan, values, contact(file_plan, by, **own)).terms
    assert base is not None
    assert mine is not None
    assert not is_rise(base.grant, mine.grant)
    may_skip = values["contacts_may_skip_doi"] and (by not in (Origin.FORM, None) or values["forms_may_skip_doi"])
    assert mine.ask or not base.ask or may_skip
    assert not mine.plus or base.plus or own.get("contact_doi_plus") == "yes"


def test_a_plan_with_settings_worked_out_decides_as_one_without(plan: Plan) -> None:
    values = {**defaults(plan), "double_opt_in": True, "doi_mailing": "K1"}
    once = settled(plan, values)
    assert once.in_effect is not None
    assert once.in_effect.terms is not None
    for contact in (None, Contact(read_at=NOON), Contact(fields={"x_contact_doi": "no"}, read_at=NOON)):
        assert effective(once, values, contact) == effective(plan, values, contact)


def test_settings_worked_out_are_used_for_no_others(plan: Plan) -> None:
    once = settled(plan, {**defaults(plan), "double_opt_in": True})
    assert effective(once, defaults(plan)) == effective(plan, defaults(plan))


def test_terms_that_a_field_chooses_are_worked_out_for_each_contact(make_world: Callable[..., Any]) -> None:
    by_language = {"mailing": {"lookup": "language", "table": {"de": "K2"}, "otherwise": "K1"}}
    rule = {"id": "r", "from": "crm", "to": "mail", "events": ["created"], "enter": {"who": "new"}}
    plan = make_world(rules=[{**rule, "consent": {"ask": True, "with": by_language}}], mirror=[]).plan
    once = settled(plan, defaults(plan))
    chosen = [effective(once, defaults(plan), Contact(fields={"language": one}, read_at=NOON)) for one in ("de", "fr")]
    assert [one.terms and one.terms.options["mailing"] for one in chosen] == ["K2", "K1"]
