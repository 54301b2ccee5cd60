"""Settings: which are in effect, and which values may be saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stellwerk_rules.plan import Plan
from stellwerk_rules.settings import check_values, defaults, effective, mails_or_grants, visible
from stellwerk_rules.spec import StageMove

STAGES = {"crm.stages": ("subscriber", "lead", "mql")}


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
