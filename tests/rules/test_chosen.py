"""Literals, references and lookups."""

from __future__ import annotations

from stellwerk_rules.chosen import as_permission, as_switch, as_text, possible, reference, references, resolve
from stellwerk_rules.model import Permission
from stellwerk_rules.spec import Lookup, StageMove

BY_LANGUAGE = Lookup(lookup="language", table={"de": "K-DE"}, otherwise="settings.mailing")


def test_a_literal_is_itself() -> None:
    assert resolve("single", {}, {}) == "single"
    assert resolve(False, {}, {}) is False


def test_a_reference_is_the_settings_value() -> None:
    assert resolve("settings.ask", {"ask": True}, {}) is True


def test_a_reference_to_a_setting_that_is_not_there_is_nothing() -> None:
    assert resolve("settings.ask", {}, {}) is None


def test_a_lookup_takes_its_entry_and_else_falls_back_to_its_setting() -> None:
    assert resolve(BY_LANGUAGE, {"mailing": "K1"}, {"language": "de"}) == "K-DE"
    assert resolve(BY_LANGUAGE, {"mailing": "K1"}, {"language": "fr"}) == "K1"
    assert resolve(BY_LANGUAGE, {"mailing": "K1"}, {}) == "K1"


def test_what_a_lookup_may_come_to_is_every_entry_and_its_fallback() -> None:
    assert possible(BY_LANGUAGE, {"mailing": "K1"}) == ("K-DE", "K1")
    assert possible("settings.ask", {"ask": True}) == (True,)


def test_references_are_found_in_lookups_too() -> None:
    assert references(BY_LANGUAGE) == ("mailing",)
    assert references("settings.ask") == ("ask",)
    assert references("none") == ()
    assert references(True) == ()
    assert reference("setting.ask") is None


def test_values_read_as_canonical_text() -> None:
    assert [as_text(one) for one in (True, False, None, 7, "K1")] == ["yes", "no", "", "7", "K1"]
    assert as_text(StageMove(enabled=True)) == "yes"


def test_yes_and_true_switch_on_in_any_case_and_nothing_else_does() -> None:
    assert all(as_switch(one) for one in (True, "yes", "Yes", "TRUE"))
    assert not any(as_switch(one) for one in (False, "no", "", None, "on", 1))


def test_a_text_that_names_no_permission_grants_none() -> None:
    assert as_permission("single") is Permission.SINGLE
    assert as_permission("everything") is Permission.NONE
    assert as_permission(True) is Permission.NONE
