"""Settings: which are in effect, which values may be saved, and what a contact's own values may change."""

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
from stellwerk_rules.settings import check_values, defaults, effective, mails_or_grants, visible
from stellwerk_rules.spec import StageMove

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAGES = {"crm.stages": ("subscriber", "lead", "mql")}


def contact(plan: Plan, by: Origin | None = Origin.PERSON, **own: str) -> Contact:
    fields = {plan.property_name("crm", name): value for name, value in own.items()}
    history = {} if by is None else {name: (Written(value=one, at=NOON, origin=by),) for name, one in fields.items()}
    return Contact(fields=fields, history=history, read_at=NOON)


def layered(world: Any, by: Origin | None = Origin.PERSON, **own: str) -> Any:
    return effective(world.plan, world.settings, contact(world.plan, by, **own))


def codes(found: Any) -> list[str]:
    return [notice.code for notice in found.notices]


# --- shown and hidden --------------------------------------------------------------------------------------------------


def test_a_new_connection_has_the_files_values(plan: Plan) -> None:
    assert defaults(plan)["no_answer"] == "yes"
    assert defaults(plan)["on_confirmed"] == StageMove()


def test_with_double_opt_in_its_details_are_shown_and_the_permission_is_not(plan: Plan) -> None:
    shown = visible(plan, {"double_opt_in": True})
    assert {"double_opt_in_plus", "doi_mailing"} <= shown
    assert "permission" not in shown


def test_without_double_opt_in_the_permission_is_shown(plan: Plan) -> None:
    shown = visible(plan, {"double_opt_in": False})
    assert "permission" in shown
    assert not {"double_opt_in_plus", "doi_mailing"} & shown


def test_a_setting_is_shown_for_one_that_stands_below_it(plan: Plan) -> None:
    assert "permission" in visible(plan, {"double_opt_in": True, "contacts_may_skip_doi": True})


def test_a_hidden_setting_keeps_its_value_and_has_no_effect(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "double_opt_in_plus": True, "doi_mailing": "K1"})
    found = effective(world.plan, world.settings)
    assert (found.values["double_opt_in_plus"], found.values["doi_mailing"]) == (False, "")
    assert world.settings["double_opt_in_plus"] is True


def test_every_kind_of_hidden_setting_is_without_effect(make_world: Callable[..., Any]) -> None:
    hidden = {"label": {"en": "a", "de": "a"}, "only_if": {"setting": "none_such", "is": True}}
    fields = [
        {"id": "a_switch", "kind": "switch", "default": True, **hidden},
        {"id": "a_permission", "kind": "permission", "default": "single", **hidden},
        {"id": "a_text", "kind": "text", "default": "x", **hidden},
        {"id": "a_pick", "kind": "pick", "of": "mail.lists", "default": "x", **hidden},
        {"id": "a_number", "kind": "number", "default": 3, **hidden},
        {"id": "a_choice", "kind": "choice", "options": ["x", "y"], "default": "y", **hidden},
        {"id": "a_move", "kind": "stage_move", "system": "crm", "default": {"enabled": True}, **hidden},
    ]
    world = make_world(settings=[{"section": {"en": "s", "de": "s"}, "fields": fields}], rules=[])
    assert effective(world.plan, {"a_choice": "x", "a_number": 5}).values == {
        "a_switch": False,
        "a_permission": "none",
        "a_text": "",
        "a_pick": "",
        "a_number": 3,
        "a_choice": "y",
        "a_move": StageMove(),
    }


# --- saving ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"unheard_of": True}, [("unheard_of", "unknown-setting")]),
        ({"double_opt_in": "yes"}, [("double_opt_in", "wrong-kind")]),
        ({"no_answer": True}, [("no_answer", "wrong-kind")]),
        ({"on_confirmed": "lead"}, [("on_confirmed", "wrong-kind")]),
        ({"no_answer": "maybe"}, [("no_answer", "not-offered")]),
        ({"permission": "much"}, [("permission", "not-offered")]),
        ({"permission": "much", "double_opt_in": True}, []),
        ({"permission": 4, "double_opt_in": True}, [("permission", "wrong-kind")]),
        ({"double_opt_in": True, "doi_mailing": "typed"}, []),
        ({"on_confirmed": StageMove(enabled=False, target="nowhere")}, []),
        ({"on_confirmed": StageMove(enabled=True, source="lead")}, [("on_confirmed", "target-missing")]),
        ({"on_confirmed": StageMove(enabled=True, source="lead", target="x")}, [("on_confirmed", "unknown-stage")]),
        ({"on_confirmed": StageMove(enabled=True, source="x", target="lead")}, [("on_confirmed", "unknown-stage")]),
        ({"on_confirmed": StageMove(enabled=True, source="lead", target="mql")}, []),
        ({"on_confirmed": StageMove(enabled=True, source="lead", target="lead")}, []),
        ({"on_confirmed": StageMove(enabled=True, source="any", target="lead")}, []),
        ({"on_confirmed": StageMove(enabled=True, source="", target="lead")}, []),
        (
            {"on_unsubscribed": StageMove(enabled=True, source="mql", target="lead")},
            [("on_unsubscribed", "backward-without-reset")],
        ),
        ({"on_unsubscribed": StageMove(enabled=True, source="mql", target="lead", reset=True)}, []),
    ],
)
def test_values_are_saved_only_when_they_make_sense(plan: Plan, values: Any, expected: list[tuple[str, str]]) -> None:
    assert [(one.setting, one.code) for one in check_values(plan, values, STAGES)] == expected


def test_stages_are_not_compared_with_a_list_that_could_not_be_read(plan: Plan) -> None:
    assert check_values(plan, {"on_unsubscribed": StageMove(enabled=True, source="mql", target="lead")}, {}) == []


def test_numbers_and_picks_are_compared_with_what_is_offered(make_world: Callable[..., Any]) -> None:
    label = {"en": "a", "de": "a"}
    fields = [
        {"id": "days", "kind": "number", "least": 1, "most": 9, "default": 3, "label": label},
        {"id": "mailing", "kind": "pick", "of": "mail.doi_mailings", "label": label},
    ]
    plan = make_world(settings=[{"section": label, "fields": fields}], rules=[]).plan
    offered = {"mail.doi_mailings": ("K1", "K2")}

    def found(**values: Any) -> list[str]:
        return [one.code for one in check_values(plan, values, offered)]

    assert found(days=1, mailing="K2") == found(days=9, mailing="") == []
    assert found(days=0) == found(days=10) == ["out-of-range"]
    assert found(days=True) == ["wrong-kind"]
    assert found(mailing="K3") == ["not-offered"]
    assert check_values(plan, {"mailing": "K3"}, {}) == []


def test_a_typed_value_has_a_thousand_characters_at_most(plan: Plan) -> None:
    asks = {"double_opt_in": True}
    assert check_values(plan, {**asks, "doi_mailing": "x" * 1_000}, {}) == []
    assert [one.code for one in check_values(plan, {**asks, "doi_mailing": "x" * 1_001}, {})] == ["too-long"]
    move = StageMove(enabled=True, source="lead", target="x" * 1_001)
    assert [one.code for one in check_values(plan, {"on_confirmed": move}, {})] == ["too-long"]


def test_where_a_value_may_be_typed_it_need_not_stand_in_the_list(plan: Plan) -> None:
    values = {"double_opt_in": True, "doi_mailing": "typed"}
    assert check_values(plan, values, {"mail.doi_mailings": ("K1",)}) == []


def test_problems_are_told_in_both_languages(plan: Plan) -> None:
    problem = check_values(plan, {"no_answer": "maybe"}, {})[0]
    assert problem.text.en
    assert problem.text.de


# --- agreement ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"double_opt_in": True, "no_answer": "yes"}, True),
        ({"double_opt_in": True, "no_answer": "no"}, False),
        ({"permission": "single", "no_answer": "no"}, True),
        ({"permission": "none", "no_answer": "no"}, False),
        ({"double_opt_in": False, "no_answer": "yes"}, True),
        ({"double_opt_in": True, "permission": "single", "no_answer": "no"}, False),
    ],
)
def test_whoever_could_be_mailed_without_a_yes_or_granted_something_needs_an_agreement(
    plan: Plan, values: Any, expected: bool
) -> None:
    assert mails_or_grants(plan, values) is expected


def test_without_a_contacts_own_double_opt_in_only_the_connections_counts(make_world: Callable[..., Any]) -> None:
    plan = make_world(provide={}).plan
    assert not mails_or_grants(plan, {"double_opt_in": False, "no_answer": "yes"})


def test_a_file_without_consent_needs_no_agreement(make_world: Callable[..., Any]) -> None:
    assert not mails_or_grants(make_world(rules=[]).plan, {"double_opt_in": True})


# --- a contact's own values --------------------------------------------------------------------------------------------


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
