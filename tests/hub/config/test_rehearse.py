"""`tests:` of a file: what is given becomes a decision, what is expected is compared, differences are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stellwerk.config.load import Loaded, ruleset
from stellwerk.config.rehearse import canonical
from stellwerk.config.verdict import Verdict, judge
from stellwerk_rules.plan import compile_plan

Changed = Callable[..., Loaded]
Try = Callable[..., Verdict]

RULE = "    rule: enter\n"
GIVEN = 'given: {fields: {wants: "yes"}}'
EXPECT = "expect: {changes: [{kind: ask}]}"


@pytest.fixture
def trial(changed: Changed) -> Try:
    """Plays the toy file's test with another `given` and `expect`, by another rule."""

    def play(given: str, expect: str, rule: str | None = "enter") -> Verdict:
        pieces = [(GIVEN, f"given: {given}"), (EXPECT, f"expect: {expect}")]
        loaded = changed(*pieces, (RULE, f"    rule: {rule}\n" if rule else ""))
        assert loaded.integration is not None, loaded.problems
        line = loaded.places.of(("tests", 0))[0]
        return judge(compile_plan(ruleset(loaded)), loaded.integration.tests[0], line)

    return play


def test_a_test_that_is_met_is_good_and_tells_what_happened(trial: Try) -> None:
    verdict = trial(
        '{fields: {wants: "yes", first: Ada}}', "{changes: [{kind: ask, plus: false, fields: {FIRST: Ada}}]}"
    )
    assert verdict.good
    assert verdict.line == 64
    assert verdict.happened == ("ask at post (plus: false, options: {}, fields: {FIRST: Ada})",)
    assert verdict.reasons[0].startswith("wish: ")


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("{changes: []}", "not expected: ask at post"),
        ("{changes: [{kind: create}]}", "missing: create"),
        ("{changes: [{kind: ask, plus: true}]}", "missing: ask (plus: true); there is ask at post (plus: false"),
        ("{changes: [{kind: ask, options: {template: T9}}]}", "missing: ask (options: {template: T9})"),
        ("{changes: [{kind: ask, fields: {FIRST: Eve}}]}", "missing: ask (fields: {FIRST: Eve})"),
        ("{changes: [{kind: ask}, {kind: ask}]}", "missing: ask"),
        ("{because: said-no}", "no reason 'said-no'"),
        ("{skips: [said-no]}", "no skip 'said-no'"),
        ("{held: [old-wish]}", "held: nothing; expected: old-wish"),
    ],
)
def test_what_differs_is_told(trial: Try, expect: str, difference: str) -> None:
    verdict = trial('{fields: {wants: "yes"}}', expect)
    assert not verdict.good
    assert any(one.startswith(difference) for one in verdict.differences), verdict.differences


def test_bookkeeping_is_compared_only_where_it_is_listed(trial: Try) -> None:
    given = "{there: {stage: lead}}"
    assert trial(
        given, '{changes: [{kind: set_fields, fields: {wants: "no"}}, {kind: add_entry, form: note}]}', "left"
    ).good
    listed = "{changes: [{kind: mirror, fields: {shown: unsubscribed}}, {kind: set_fields}, {kind: add_entry}]}"
    assert trial(given, listed, "left").good
    other = "{changes: [{kind: mirror, fields: {shown: pending}}, {kind: set_fields}, {kind: add_entry}]}"
    assert len(trial(given, other, "left").differences) == 2


def test_fields_may_be_named_as_in_the_file_or_as_over_there(trial: Try) -> None:
    for name in ("wants", "wants_letters"):
        assert trial(f'{{fields: {{{name}: "yes"}}}}', "{changes: [{kind: ask}]}").good


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ('{fields: {wants: "no"}}', "{changes: [], because: said-no}"),
        ("{}", "{changes: [], skips: [no-answer]}"),
        ("{settings: {silence: 'yes'}}", "{changes: [{kind: ask}]}"),
        ("{settings: {silence: 'yes'}, agreed: false}", "{changes: []}"),
        ('{email: null, fields: {wants: "yes"}}', "{changes: [], because: no-address}"),
        ("{event: changed, older: true, fields: {first: Ada}}", "{changes: [], because: older}"),
        ('{event: changed, older: true, fields: {wants: "yes"}}', "{changes: [{kind: ask}]}"),
        ('{event: changed, older: true, by: import, fields: {wants: "yes"}}', "{changes: []}"),
        ('{event: changed, fields: {wants: "yes"}, was: {wants: "yes"}, linked: true}', "{changes: []}"),
        ('{event: changed, fields: {wants: "yes"}, consent: {pending: true}}', "{changes: [], because: asked-lately}"),
        ('{fields: {wants: "yes"}, consent: {suppressed: true}}', "{changes: [{kind: ask}]}"),
        ("{settings: {silence: 'yes'}, consent: {suppressed: true}}", "{changes: [], because: opted-out}"),
        ('{fields: {wants: "yes"}, opted_out: true}', "{changes: []}"),
        ('{fields: {wants: "yes"}, there: {permission: double}}', "{changes: []}"),
        ('{fields: {wants: "yes"}, there: {permission: none}}', "{changes: [{kind: ask}]}"),
        ('{fields: {wants: "yes"}, there: {blocked: true}}', "{changes: []}"),
        ('{fields: {wants: "yes"}, there: {twice: true}}', "{changes: [], because: stands-twice, held: [stands-twice]}"),
        ('{fields: {wants: "yes"}, settings: {ask: false, grant: single}}', "{changes: [{kind: create, permission: single}]}"),
        ('{fields: {wants: "yes"}, settings: {ask: false, grant: double}}', "{changes: [{kind: create, permission: none}]}"),
        ('{fields: {wants: "yes"}, settings: {ask: false, grant: double}, confirmation_given: at the desk}',
         "{changes: [{kind: create, permission: double}]}"),
        ("{event: changed, consent: {confirmed: true}, fields: {first: Ada}}", "{changes: [{kind: set_fields, fields: {FIRST: Ada}}]}"),
        ("{event: changed, consent: {confirmed: true}, fields: {first: null}, was: {first: Ada}, there: {fields: {FIRST: Ada}}}",
         "{changes: [{kind: set_fields, fields: {FIRST: null}}]}"),
    ],
)  # fmt: skip
def test_every_word_of_given_reaches_the_decision(trial: Try, given: str, expect: str) -> None:
    assert trial(given, expect).differences == ()


@pytest.mark.parametrize(
    ("rule", "given", "expect"),
    [
        ("gone", "{settings: {gone: delete}}", "{changes: [{kind: delete_contact}]}"),
        ("gone", "{}", "{changes: [], because: kept}"),
        ("gone", "{linked: false, settings: {gone: delete}}", "{changes: [], skips: [not-there]}"),
        ("left", "{settings: {on_left: {enabled: true, source: customer, target: lead, reset: true}}, there: {stage: customer}}",
         "{changes: [{kind: move_stage, target: lead, reset: true}, {kind: set_fields}, {kind: add_entry}]}"),
        ("left", "{settings: {on_left: {enabled: true, source: customer, target: lead, reset: true}}, there: {stage: other}}",
         "{changes: [{kind: set_fields}, {kind: add_entry}], skips: [stage-differs]}"),
        (None, "{system: post, event: unsubscribed}", "{changes: [{kind: set_fields}, {kind: add_entry}]}"),
        (None, "{system: post, event: confirmed, consent: {pending: true}}", "{changes: [{kind: mirror, fields: {permission: double}}]}"),
    ],
)  # fmt: skip
def test_events_of_both_systems_can_be_given(trial: Try, rule: str | None, given: str, expect: str) -> None:
    assert trial(given, expect, rule).differences == ()


def test_true_and_false_are_yes_and_no_in_fields() -> None:
    assert [canonical(value) for value in (True, False, 7, "x", None)] == ["yes", "no", "7", "x", None]
