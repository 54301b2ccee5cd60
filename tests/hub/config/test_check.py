"""What types cannot say: each finding of the cross checks, made in the toy file, with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import pytest

from stellwerk.config.check.conditions import unbounded_reason
from stellwerk.config.load import Loaded, load_bytes
from stellwerk.config.problems import path_text
from stellwerk.registry import Registry

Changed = Callable[..., Loaded]

SWITCH = "      - {id: ask, kind: switch"
GONE = "  - {id: gone, from: shop"
ROW = "  - {shop: first, post: FIRST}"
ACCOUNT = "    shop: {token: env:TOKEN}"
ENTER = "answer: wants"


def found(loaded: Loaded) -> list[tuple[str, str]]:
    return [(problem.code, path_text(problem.path)) for problem in loaded.problems]


CASES: list[tuple[str, str, str, str, str]] = [
    # what is wrong, old, new, code, path
    ("a public address with a path", "https://hub.example", "https://hub.example/x", "not-a-url", "hub.public_url"),
    ("an address that is none", "https://hub.example", "hub.example", "not-a-url", "hub.public_url"),
    ("an address with a bad port", "https://hub.example", "https://hub.example:99999", "not-a-url", "hub.public_url"),
    ("a mail server's name without a password", "hub:\n", "hub:\n  smtp: {host: m.example, sender: a@m.example, username: a}\n", "missing-key", "hub.smtp"),
    ("a mail server's password in the clear", "hub:\n",
     "hub:\n  smtp: {host: m.example, sender: a@m.example, username: a, password: env:KEY, security: none}\n", "not-allowed", "hub.smtp.security"),
    ("a mail server's password in the file", "hub:\n", "hub:\n  smtp: {host: m.example, sender: a@m.example, username: a, password: x}\n",
     "literal-secret", "hub.smtp.password"),
    ("a database of another kind", "hub:\n", "hub:\n  database: mysql://x\n", "not-a-url", "hub.database"),
    ("a login system without a login", "login: shop", "login: post", "missing-ability", "login"),
    ("an unknown login system", "login: shop", "login: shup", "unknown-name", "login"),
    ("provide for a system that creates nothing", "  shop:\n    group", "  post:\n    group", "missing-ability", "provide.post"),
    ("a third system", "login: shop", "  third: {connector: toypost}\nlogin: shop", "two-systems", "systems"),
    ("a setting's id taken", "{id: gone, kind: choice", "{id: ask, kind: choice", "name-taken", "settings[0].fields[5].id"),
    ("a default that is no option", "default: keep", "default: kept", "not-allowed", "settings[0].fields[5].default"),
    ("an option twice", "options: [keep, delete]", "options: [keep, keep]", "name-taken", "settings[0].fields[5].options"),
    ("a label of no option", "options: [keep, delete]", "option_labels: {kep: {en: a, de: b}}, options: [keep, delete]",
     "unknown-name", "settings[0].fields[5].option_labels.kep"),
    ("a number's default outside", SWITCH, "      - {id: n, kind: number, most: 3, default: 4, label: {en: N, de: N}}\n" + SWITCH,
     "not-allowed", "settings[0].fields[0].default"),
    ("a stage move without a target", "system: shop,", "system: shop, default: {enabled: true},", "missing-key", "settings[0].fields[4].default"),
    ("a list that is not offered", "of: post.templates", "of: post.papers", "missing-ability", "settings[0].fields[1].of"),
    ("a list of no system", "of: post.templates", "of: pst.templates", "unknown-name", "settings[0].fields[1].of"),
    ("stages where there are none", "system: shop,", "system: post,", "missing-ability", "settings[0].fields[4].system"),
    ("an override that is not provided", "per_contact: ask_first", "per_contact: ask_frist", "unknown-name", "settings[0].fields[0].per_contact"),
    ("an override of another kind", "per_contact: ask_first", "per_contact: shown", "wrong-kind", "settings[0].fields[0].per_contact"),
    ("a setting shown only if itself is", SWITCH, SWITCH + ", only_if: {setting: grant, is: none}", "condition", "settings[0].fields[0].only_if"),
    ("a setting's condition on a field", "only_if: {setting: ask, is: true}", "only_if: {field: first, is: x}", "condition", "settings[0].fields[1].only_if.field"),
    ("a condition on an unknown setting", "only_if: {setting: ask, is: true}", "only_if: {setting: aks, is: true}", "unknown-name", "settings[0].fields[1].only_if.setting"),
    ("a condition that never holds", "only_if: {setting: ask, is: true}", 'only_if: {setting: ask, is: "yes"}', "wrong-kind", "settings[0].fields[1].only_if.is"),
    ("a condition with two verbs", "only_if: {setting: ask, is: true}", "only_if: {setting: ask, is: true, set: true}", "condition", "settings[0].fields[1].only_if"),
    ("a condition with no verb", "only_if: {setting: ask, is: true}", "only_if: {setting: ask}", "condition", "settings[0].fields[1].only_if"),
    ("a condition of nothing", "only_if: {setting: ask, is: true}", "only_if: {is: true}", "condition", "settings[0].fields[1].only_if"),
    ("a group that is said of a setting", "only_if: {setting: ask, is: true}", "only_if: {setting: ask, all: [{setting: ask, is: true}]}", "condition", "settings[0].fields[1].only_if"),
    ("an empty group", "only_if: {setting: ask, is: true}", "only_if: {all: []}", "condition", "settings[0].fields[1].only_if.all"),
    ("a verb of fields said of a setting", "only_if: {setting: ask, is: true}", "only_if: {setting: ask, became: true}", "condition", "settings[0].fields[1].only_if.became"),
    ("a stage move tested", "only_if: {setting: ask, is: true}", "only_if: {setting: on_left, is: true}", "wrong-kind", "settings[0].fields[1].only_if.setting"),
    ("a value by nobody", "events: [deleted],", "events: [deleted], only_if: {field: first, by: [frm]},", "unknown-name", "rules[1].only_if.by[0]"),
    ("an expression that does not compile", "events: [deleted],", "events: [deleted], only_if: {not: {field: first, matches: '('}},", "regular-expression", "rules[1].only_if.not.matches"),
    ("a field written by two rows", ROW, ROW + "\n  - {shop: second, post: FIRST, to: post}", "name-taken", "fields[1].post"),
    ("a row without one side", ROW, "  - {shop: first}", "missing-key", "fields[0]"),
    ("a row to no system", "to: post, convert", "to: pots, convert", "unknown-name", "fields[1].to"),
    ("a row with an empty name", ROW, "  - {shop: first, post: ''}", "missing-key", "fields[0].post"),
    ("an owner beside fill_only", ROW, "  - {shop: first, post: FIRST, owner: shop, fill_only: true}", "without-effect", "fields[0].owner"),
    ("a type that is not converted to", "to: post, convert", "to: post, type: integer, convert", "wrong-kind", "fields[1].type"),
    ("a mirror of itself", "of: post, on: shop", "of: shop, on: shop", "not-allowed", "mirror[0].on"),
    ("a mirror's property not provided", "status: shown", "status: shwon", "unknown-name", "mirror[0].status"),
    ("a mirror's property of another kind", "status: shown", "status: permission", "wrong-kind", "mirror[0].status"),
    ("a rule's id taken", GONE, "  - {id: enter, from: shop", "name-taken", "rules[1].id"),
    ("a rule that does nothing", ", contact: settings.gone}", "}", "missing-key", "rules[1]"),
    ("consent without enter", ", contact: settings.gone}", ", contact: keep, consent: {}}", "missing-key", "rules[1].consent"),
    ("consent in two rules", ", contact: settings.gone}", ", enter: {who: new}, consent: {}}", "not-allowed", "rules[1].consent"),
    ("an event twice", "[created, changed]", "[created, created]", "name-taken", "rules[0].events"),
    ("a rule to its own system", "to: post, events: [deleted]", "to: shop, events: [deleted]", "not-allowed", "rules[1].to"),
    ("a rule from no system", GONE, "  - {id: gone, from: shp", "unknown-name", "rules[1].from"),
    ("an answer of another kind", ENTER, "answer: shown", "wrong-kind", "rules[0].enter.answer"),
    ("a field that is not mapped", "fields: all", "fields: [FRIST]", "unknown-name", "rules[0].fields[0]"),
    ("an unknown setting", "ask: settings.ask", "ask: settings.aks", "unknown-name", "rules[0].consent.ask"),
    ("a setting of another kind", "ask: settings.ask", "ask: settings.silence", "wrong-kind", "rules[0].consent.ask"),
    ("a literal that has no meaning", "who: new", "who: all", "wrong-kind", "rules[0].enter.who"),
    ("options without a meaning", "who: new", "who: settings.gone", "wrong-kind", "rules[0].enter.who"),
    ("a stage move of the other system", "stage: settings.on_left", "stage: settings.gone", "wrong-kind", "rules[2].stage"),
    ("a timeline as nothing", "as: note", "as: telegram", "wrong-kind", "rules[2].timeline.as"),
    ("a timeline by a default that is not there", ", as: note", "", "unknown-name", "rules[2].timeline.as"),
    ("an option of the ask that is not known", "with: {template:", "with: {tmplate:", "unknown-key", "rules[0].consent.with.tmplate"),
    ("tracking asked where it cannot be", "consent: {ask:", "consent: {plus: settings.ask, ask:", "missing-ability", "rules[0].consent.plus"),
    ("an ask where it cannot be", "    stage: settings.on_left", "    enter: {who: ignore}\n    consent: {ask: true}\n    stage: settings.on_left", "missing-ability", "rules[2].consent.ask"),
    ("a deletion where it cannot be", "    stage: settings.on_left", "    contact: delete\n    stage: settings.on_left", "missing-ability", "rules[2].contact"),
    ("a lookup that decides on consent", "ask: settings.ask", "ask: {lookup: first, table: {a: b}}", "breaks-a-law", "rules[0].consent.ask"),
    ("a confirmation granted by a rule", "grant: settings.grant", "grant: double", "breaks-a-law", "rules[0].consent.grant"),
    ("shown state read as an answer", ENTER, "answer: permission", "breaks-a-law", "rules[0].enter.answer"),
    ("shown state read as an override", "{id: grant, kind: permission,", "{id: grant, kind: permission, per_contact: permission,", "breaks-a-law", "settings[0].fields[2].per_contact"),
    ("the answer mapped as a field", ROW, "  - {shop: wants, post: FIRST}", "breaks-a-law", "fields[0].shop"),
    ("the answer mapped by its own name", ROW, "  - {shop: wants_letters, post: FIRST}", "breaks-a-law", "fields[0].shop"),
    ("shown state mapped as a field", ROW, "  - {shop: shown, post: FIRST}", "breaks-a-law", "fields[0].shop"),
    ("a contact's own choice mapped", ROW, "  - {shop: ask_first, post: FIRST}", "breaks-a-law", "fields[0].shop"),
    ("a permission mapped as a field", ROW, "  - {shop: first, post: PERMISSION}", "breaks-a-law", "fields[0].post"),
    ("the answer set to yes", 'set: {wants: "no"}', 'set: {wants: "yes"}', "breaks-a-law", "rules[2].set.wants"),
    ("the answer set without an opt-out", "events: [unsubscribed]", "events: [unsubscribed, changed]", "breaks-a-law", "rules[2].set.wants"),
    ("shown state set", 'set: {wants: "no"}', "set: {shown: held}", "breaks-a-law", "rules[2].set.shown"),
    ("a contact's own choice set", 'set: {wants: "no"}', 'set: {ask_first: "yes"}', "breaks-a-law", "rules[2].set.ask_first"),
    ("a permission set", 'set: {wants: "no"}', "set: {Permission: double}", "breaks-a-law", "rules[2].set.Permission"),
    ("a connection's id taken", "tests:\n", "  - id: acme\n    shop: {}\n    post: {key: env:POST_KEY}\n    agreed: {by: A, at: 2026-01-01}\n\ntests:\n", "name-taken", "connections[1].id"),
    ("a connection without an account", ACCOUNT + "\n", "", "missing-key", "connections[0]"),
    ("a value of an unknown setting", "settings: {ask: true,", "settings: {aks: true,", "unknown-name", "connections[0].settings.aks"),
    ("a value of another kind", "settings: {ask: true,", 'settings: {ask: "yes",', "setting-value", "connections[0].settings.ask"),
    ("a value that is no option", "settings: {ask: true,", "settings: {ask: true, gone: sold,", "setting-value", "connections[0].settings.gone"),
    ("a stage move that is none", "settings: {ask: true,", "settings: {ask: true, on_left: true,", "setting-value", "connections[0].settings.on_left"),
    ("a stage move to nowhere", "settings: {ask: true,", "settings: {ask: true, on_left: {enabled: true},", "setting-value", "connections[0].settings.on_left"),
    ("a permission that is none", "settings: {ask: true,", "settings: {ask: false, grant: all,", "setting-value", "connections[0].settings.grant"),
    ("a double opt-in granted without its source", "settings: {ask: true,", "settings: {ask: false, grant: double,", "breaks-a-law", "connections[0]"),
    ("a brand that fills nothing", ACCOUNT, "    brand: shoes\n" + ACCOUNT, "without-effect", "connections[0].brand"),
    ("a test of no rule", "rule: enter", "rule: entre", "unknown-name", "tests[0].rule"),
    ("a test at no system", "given: {fields", "given: {system: shp, fields", "unknown-name", "tests[0].given.system"),
    ("a test with an unknown setting", "given: {fields", "given: {settings: {aks: true}, fields", "unknown-name", "tests[0].given.settings.aks"),
    ("a test that expects nothing", "expect: {changes: [{kind: ask}]}", "expect: {}", "missing-key", "tests[0].expect"),
    ("a name that is no name", "name: wants_letters", 'name: "wants_{brnd}"', "not-allowed", "provide.shop.properties.wants.name"),
    ("a property created twice", "name: ask_first", "name: wants_letters", "name-taken", "provide.shop.properties.ask_first.name"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "path"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_is_found_at_its_place(changed: Changed, old: str, new: str, code: str, path: str) -> None:
    assert (code, path) in found(changed((old, new)))


def test_http_is_a_warning_elsewhere_and_nothing_here(changed: Changed) -> None:
    assert found(changed(("https://hub.example", "http://localhost:8000"))) == []
    loaded = changed(("https://hub.example", "http://hub.example"))
    assert [problem.severity for problem in loaded.problems] == ["warning"]
    assert loaded.integration is not None


def test_silence_counting_as_yes_without_agreement_is_a_warning(changed: Changed) -> None:
    agreed = "\n    agreed: {by: Jo Doe, at: 2026-11-23}"
    loaded = changed((agreed, ""), ("settings: {ask: true,", 'settings: {silence: "yes",'))
    assert found(loaded) == [("no-agreement", "connections[0]")]
    assert loaded.integration is not None
    assert found(changed((agreed, ""))) == []


def test_a_granted_double_opt_in_is_taken_where_somebody_says_where_it_was_given(changed: Changed) -> None:
    pieces = [
        ("settings: {ask: true,", "settings: {ask: false, grant: double,"),
        ("at: 2026-11-23}", "at: 2026-11-23, confirmation_given: the shop's own form}"),
    ]
    assert found(changed(*pieces)) == []


def test_a_lookup_may_choose_how_is_asked(changed: Changed) -> None:
    lookup = "with: {template: {lookup: lang, table: {de: T1}, otherwise: settings.template}}"
    assert found(changed(("with: {template: settings.template}", lookup))) == []


def test_a_test_without_a_rule_says_what_happens_where(changed: Changed) -> None:
    assert found(changed(("    rule: enter\n", ""))) == [("missing-key", "tests[0]"), ("missing-key", "tests[0]")]
    told = ("given: {fields", "given: {system: shop, event: created, fields")
    assert found(changed(("    rule: enter\n", ""), told)) == []


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a|b)*", "(ab){2,}", r"(a)\1", "(?=a)b", "(?i)a", "a*b*c*d*", "a" * 201, "(", "[z-a]", "(?P<n>a)"],
)
def test_expressions_that_could_take_for_ever_are_refused(pattern: str) -> None:
    assert unbounded_reason(pattern)


@pytest.mark.parametrize(
    "pattern", ["shoes|both", r"[^@]+@example\.com", "(?:de|at|ch)-.*", r"\(.+\)", "a{2,3}", "(ab)?c"]
)
def test_ordinary_expressions_are_taken(pattern: str) -> None:
    assert unbounded_reason(pattern) == ""


class Mute:
    """A connector that can do nothing at all."""

    name: ClassVar[str] = "toypost"
    rate: ClassVar[tuple[int, float]] = (1, 1.0)


@pytest.fixture
def of_mute(toys: Registry, toy_file: str, environ: dict[str, str]) -> Loaded:
    """The toy file where the post can do nothing."""
    post = toys.connectors["toypost"]
    mute: Any = type("MutePost", (Mute,), {"system_type": post.system_type, "account_type": post.account_type})
    registry = Registry(connectors={"toyshop": toys.connectors["toyshop"], "toypost": mute})
    return load_bytes(toy_file.encode(), environ, registry)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("settings[0].fields[1].of", "offers no list 'templates'"),
        ("rules[0].to", "cannot be written to"),
        ("rules[2].from", "reads no contacts"),
        ("rules[2].from", "tells no events"),
        ("rules[2].from", "cannot prove an unsubscription"),
    ],
)
def test_a_connector_that_cannot_is_named_where_it_is_needed(of_mute: Loaded, path: str, what: str) -> None:
    found_here = [problem.what for problem in of_mute.problems if path_text(problem.path) == path]
    assert any(what in one for one in found_here), found_here


@pytest.mark.parametrize(("of_its_own", "expected"), [(True, []), (False, [("missing-ability", "rules[1].from")])])
def test_an_unsubscription_needs_a_proof_or_an_opt_out_of_the_systems_own(
    toys: Registry, toy_file: str, environ: dict[str, str], of_its_own: bool, expected: list[tuple[str, str]]
) -> None:
    shop = toys.connectors["toyshop"]
    sizes = {tag: size for tag, size in shop.batch_sizes.items() if of_its_own or tag != "opt_out"}  # type: ignore[attr-defined]
    registry = Registry(connectors={**toys.connectors, "toyshop": type("Shop", (shop,), {"batch_sizes": sizes})})
    text = toy_file.replace("events: [deleted]", "events: [unsubscribed]")
    assert text != toy_file
    assert found(load_bytes(text.encode(), environ, registry)) == expected


def test_an_option_that_the_ask_needs_must_be_given(toys: Registry, toy_file: str, environ: dict[str, str]) -> None:
    needy = msgspec.defstruct("Needy", [("template", str), ("page", str)], kw_only=True)
    post = toys.connectors["toypost"]
    registry = Registry(connectors={**toys.connectors, "toypost": type("NeedyPost", (post,), {"ask_type": needy})})
    loaded = load_bytes(toy_file.encode(), environ, registry)
    assert found(loaded) == [("missing-key", "rules[0].consent.with")]


@pytest.mark.parametrize(
    ("setting", "never", "can"),
    [
        ("silence", "maybe", '"yes"'),
        ("grant", "all", "single"),
        ("many", '"3"', "3"),
        ("template", "3", "T1"),
    ],
)
def test_a_condition_compares_a_setting_only_with_what_it_can_be(
    changed: Changed, setting: str, never: str, can: str
) -> None:
    number = (SWITCH, "      - {id: many, kind: number, label: {en: N, de: N}}\n" + SWITCH)
    for value, expected in ((can, []), (never, [("wrong-kind", "rules[1].only_if.in[0]")])):
        condition = ("events: [deleted],", f"events: [deleted], only_if: {{setting: {setting}, in: [{value}]}},")
        assert found(changed(number, condition)) == expected
