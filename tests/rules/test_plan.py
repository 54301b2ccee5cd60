"""What a compiled file answers: names, fields to read, fields whose history matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stellwerk_rules.plan import Plan, compile_plan
from stellwerk_rules.spec import Condition, Ruleset, SwitchSetting, Text
from stellwerk_rules.usage import behind, dependencies_first, leaves


def test_a_provide_name_becomes_the_fields_own_and_other_text_stays(plan: Plan) -> None:
    assert plan.property_name("crm", "subscribe") == "x_subscribe"
    assert plan.property_name("crm", "city") == "city"
    assert plan.property_name("mail", "subscribe") == "subscribe"


def test_all_that_the_file_uses_is_read_once_and_in_order(plan: Plan) -> None:
    assert plan.reads("mail") == ("BIRTHDAY", "CITY", "FIRSTNAME", "GENDER", "LASTNAME", "ORGANIZATION")
    assert plan.reads("crm") == (
        "city",
        "company",
        "date_of_birth",
        "firstname",
        "gender",
        "lastname",
        "x_contact_doi",
        "x_contact_doi_plus",
        "x_contact_mailing",
        "x_contact_permission",
        "x_permission",
        "x_status",
        "x_subscribe",
        "x_unsubscribed_at",
    )
    assert plan.reads("elsewhere") == ()


def test_history_is_needed_of_the_answer_and_of_the_contacts_own_settings(plan: Plan) -> None:
    assert plan.history_fields("crm") == (
        "x_contact_doi",
        "x_contact_doi_plus",
        "x_contact_mailing",
        "x_contact_permission",
        "x_subscribe",
    )
    assert plan.history_fields("mail") == ()


def test_state_shown_elsewhere_is_known_as_such(plan: Plan) -> None:
    assert plan.mirror_fields("crm") == {"x_status", "x_permission", "x_unsubscribed_at"}
    assert plan.mirror_fields("mail") == frozenset()
    assert plan.mirror_fields("elsewhere") == frozenset()


def test_the_system_that_asks_is_where_the_rule_of_consent_goes(plan: Plan) -> None:
    assert (plan.mail_system, plan.wish_system, plan.stage_system) == ("mail", "crm", "crm")
    assert plan.consent_rule is not None
    assert plan.consent_rule.id == "subscribe"
    assert plan.hash == "h1"


def test_a_file_without_consent_has_no_system_that_mails() -> None:
    empty = compile_plan(Ruleset(systems=("a", "b")))
    assert (empty.mail_system, empty.wish_system, empty.consent_rule, empty.stage_system) == (None, None, None, None)


def test_a_rule_is_found_by_its_id(plan: Plan) -> None:
    found = plan.rule("said-no")
    assert found is not None
    assert found.line == 80
    assert plan.rule("unheard-of") is None


def test_a_rule_carries_only_the_rows_it_names(make_world: Callable[..., Any]) -> None:
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["changed"], "fields": ["CITY"]}
    plan = make_world(rules=[rule]).plan
    assert [way.source for way in plan.rule("one").ways] == ["city"]
    assert [way.source for way in plan.ways["mail", "crm"]] == ["CITY"]


def test_without_a_rule_that_carries_fields_none_travels(make_world: Callable[..., Any]) -> None:
    plan = make_world(rules=[{"id": "one", "from": "crm", "to": "mail", "events": ["changed"], "contact": "keep"}]).plan
    assert plan.ways["crm", "mail"] == ()
    assert plan.reads("mail") == ()


def test_fields_of_conditions_and_lookups_are_read_by_their_own_names(make_world: Callable[..., Any]) -> None:
    look_up = {"lookup": "subscribe", "table": {"yes": "keep"}, "otherwise": "delete"}
    rule = {
        "id": "one",
        "from": "crm",
        "to": "mail",
        "events": ["changed"],
        "only_if": {"any": [{"not": {"field": "status", "is": "held"}}, {"field": "brand", "became": "shoes"}]},
        "contact": look_up,
        "stage": look_up,
        "opt_out": look_up,
        "timeline": {"text": {"en": "a", "de": "b"}, "as": look_up},
        "set": {"TAG": "x"},
    }
    plan = make_world(rules=[rule], mirror=[], settings=[]).plan
    assert plan.reads("crm") == ("brand", "x_status", "x_subscribe")
    assert plan.reads("mail") == ("TAG",)
    assert plan.history_fields("crm") == ()
    assert plan.watched["crm"] == ("brand",)
    assert plan.rule("one").spec.contact.lookup == "x_subscribe"


def test_a_mirror_may_show_only_part_of_the_state(make_world: Callable[..., Any]) -> None:
    plan = make_world(mirror=[{"of": "mail", "on": "crm", "status": "status"}]).plan
    assert plan.mirror_fields("crm") == {"x_status"}


def test_a_setting_that_no_property_overrides_has_no_override(make_world: Callable[..., Any]) -> None:
    assert make_world(provide={}).plan.overrides == {}


def test_the_stage_system_is_known_from_a_setting_alone(make_world: Callable[..., Any]) -> None:
    assert make_world(rules=[]).plan.stage_system == "crm"


def switch(name: str, *tested: str) -> SwitchSetting:
    condition = None if not tested else Condition(all_=tuple(Condition(setting=one, is_=True) for one in tested))
    return SwitchSetting(id=name, label=Text(en=name, de=name), only_if=condition)


def test_settings_stand_after_those_they_depend_on() -> None:
    settings = {one.id: one for one in (switch("c", "b"), switch("b", "a"), switch("a"), switch("d", "unknown"))}
    assert dependencies_first(settings) == ("a", "b", "c", "d")


def test_settings_that_depend_on_each_other_in_a_circle_are_all_there() -> None:
    settings = {one.id: one for one in (switch("a", "b"), switch("b", "a"))}
    assert set(dependencies_first(settings)) == {"a", "b"}
    assert behind(settings, "a") == {"a", "b"}


def test_no_condition_has_no_tests() -> None:
    assert list(leaves(None)) == []


def test_the_answer_is_only_looked_for_where_it_is_given(plan: Plan, make_world: Callable[..., Any]) -> None:
    assert plan.answer_field("crm") == "x_subscribe"
    assert plan.answer_field("mail") is None
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["created"], "consent": {}}
    assert make_world(rules=[rule]).plan.answer_field("crm") is None
    assert make_world(rules=[]).plan.answer_field(None) is None
