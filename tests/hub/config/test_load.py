"""From bytes to Structs: every problem at once, each at its place, secrets never shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from stellwerk.config.load import Loaded, load, load_bytes, load_or_fail, ruleset
from stellwerk.config.problems import path_text
from stellwerk.errors import ConfigError
from stellwerk.registry import PluginProblem, Registry, load_connectors
from stellwerk.sdk import Secret

SAMPLE = Path(__file__).resolve().parents[3] / "integration.yaml"
Read = Callable[[str], Loaded]
Changed = Callable[..., Loaded]


def found(loaded: Loaded) -> list[tuple[str, str]]:
    """Codes and paths of the problems."""
    return [(problem.code, path_text(problem.path)) for problem in loaded.problems]


def test_a_good_file_has_no_problem_and_every_part(read: Read, toy_file: str) -> None:
    loaded = read(toy_file)
    assert loaded.problems == ()
    assert loaded.integration is not None
    assert tuple(loaded.integration.systems) == ("shop", "post")
    assert loaded.integration.fields[0].names == {"shop": "first", "post": "FIRST"}
    assert loaded.integration.connections[0].accounts["post"].key == Secret("very-hidden-key")
    assert loaded.integration.keep.ledger_years == 6


def test_the_hash_names_the_bytes_of_the_file(read: Read, toy_file: str) -> None:
    assert read(toy_file).hash == hashlib.sha256(toy_file.encode()).hexdigest()[:12]


def test_all_problems_of_all_parts_are_told_at_once(changed: Changed) -> None:
    loaded = changed(
        ("title: Shop to letters", "titel: x"),
        ("label: Letters}", "label: 7}"),
        ("default: true", "default: 7"),
        ("kind: pick", "kind: pikc"),
        ("post: FIRST}", "post: FIRST, owneer: shop}"),
        ("who: new", "whoo: new"),
        ("env:POST_KEY", "very-literal-key"),
        ("of: post, on: shop", "of: past, on: shop"),
    )
    assert loaded.integration is None
    assert found(loaded) == [
        ("missing-key", ""),
        ("unknown-key", "titel"),
        ("wrong-type", "provide.shop.group.label"),
        ("wrong-type", "settings[0].fields[0].default"),
        ("unknown-name", "settings[0].fields[1].kind"),
        ("unknown-key", "fields[0].owneer"),
        ("missing-key", "rules[0].enter"),
        ("unknown-key", "rules[0].enter.whoo"),
        ("unknown-name", "mirror[0].of"),
        ("literal-secret", "connections[0].post.key"),
    ]


def test_what_is_wrong_with_an_account_is_told_beside_what_is_wrong_with_its_system(changed: Changed) -> None:
    loaded = changed(("client_id: env:CLIENT_ID", "client_id: 7"), ("env:TOKEN", "very-literal-token"))
    assert found(loaded) == [
        ("wrong-type", "systems.shop.client_id"),
        ("literal-secret", "connections[0].shop.token"),
    ]


def test_what_is_broken_elsewhere_is_not_called_unknown(changed: Changed) -> None:
    assert found(changed(("default: true", "default: 7"))) == [("wrong-type", "settings[0].fields[0].default")]


def test_a_problem_reads_as_place_what_expected_and_mend(changed: Changed) -> None:
    (problem,) = changed(("post: FIRST}", "post: FIRST, owneer: shop}")).problems
    assert str(problem) == (
        "integration.yaml:33:32: fields[0].owneer: unknown key 'owneer' [unknown-key]\n"
        "    to mend   did you mean 'owner'?"
    )


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("{shop: first", "{shopp: first", "fields[0].shopp"),
        ("post: {key", "pots: {key", "connections[0].pots"),
        ("client_id: env", "clientid: env", "systems.shop.clientid"),
        ("{by: Jo Doe", "{bye: Jo Doe", "connections[0].agreed.bye"),
        (
            "only_if: {setting: ask, is: true}",
            "only_if: {setting: ask, iss: true}",
            "settings[0].fields[1].only_if.iss",
        ),
        ("secret_key: env:KEY", "secret_kee: env:KEY", "hub.secret_kee"),
        ("formats: [iso]", "format: [iso]", "fields[1].convert.format"),
        ("changes: [{kind: ask}]", "changes: [{kind: ask, pluss: true}]", "tests[0].expect.changes[0].pluss"),
    ],
)
def test_unknown_keys_are_refused_at_every_depth(changed: Changed, old: str, new: str, path: str) -> None:
    assert ("unknown-key", path) in found(changed((old, new)))


def test_a_misspelt_system_is_guessed_among_the_systems(changed: Changed) -> None:
    problems = changed(("{shop: first", "{shopp: first")).problems
    assert any(problem.mend == "did you mean 'shop'?" for problem in problems)


def test_the_internal_names_of_dynamic_keys_cannot_be_written(changed: Changed) -> None:
    loaded = changed(("{shop: first, post: FIRST}", "{names: {shop: first, post: FIRST}}"))
    assert ("unknown-key", "fields[0].names") in found(loaded)


def test_a_system_cannot_take_a_word_of_the_file(read: Read, toy_file: str) -> None:
    loaded = read(toy_file.replace("shop:", "owner:").replace(": shop", ": owner"))
    assert ("not-allowed", "systems.owner") in found(loaded)


# --- secrets ------------------------------------------------------------------------------------------------------------


def test_a_missing_secret_is_named_by_its_variable(toys: Registry, toy_file: str, environ: dict[str, str]) -> None:
    left = {name: value for name, value in environ.items() if name != "TOKEN"} | {"KEY": ""}
    loaded = load_bytes(toy_file.encode(), left, toys)
    assert [problem.what for problem in loaded.problems] == [
        "the environment has no KEY",
        "the environment has no TOKEN",
    ]


def test_a_secret_can_stand_in_a_file_beside_the_file(
    toys: Registry, toy_file: str, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "token.txt").write_text("from-a-file\n")
    (tmp_path / "integration.yaml").write_text(toy_file.replace("env:TOKEN", "file:token.txt"))
    loaded = load(tmp_path / "integration.yaml", environ, toys)
    assert loaded.integration is not None
    assert loaded.integration.connections[0].accounts["shop"].token.reveal() == "from-a-file"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_gives_nothing_is_a_problem(
    toys: Registry, toy_file: str, environ: dict[str, str], tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token.txt").write_bytes(content)
    (tmp_path / "integration.yaml").write_text(toy_file.replace("env:TOKEN", "file:token.txt"))
    loaded = load(tmp_path / "integration.yaml", environ, toys)
    assert found(loaded) == [("missing-secret", "connections[0].shop.token")]


def test_plain_text_may_be_a_reference_too(read: Read, toy_file: str) -> None:
    loaded = read(toy_file)
    assert loaded.integration is not None
    assert loaded.integration.systems["shop"].settings.client_id == "client-7"


def test_a_reference_to_nothing_is_no_reference(changed: Changed) -> None:
    assert found(changed(("env:CLIENT_ID", "'env:'"))) == [("wrong-type", "systems.shop.client_id")]


def test_without_secrets_only_their_form_is_checked(toys: Registry, toy_file: str) -> None:
    loaded = load_bytes(toy_file.encode(), None, toys)
    assert loaded.problems == ()
    assert loaded.integration is not None
    text = toy_file.replace("env:TOKEN", "literal").replace("env:POST_KEY", "env:")
    assert found(load_bytes(text.encode(), None, toys)) == [
        ("literal-secret", "connections[0].shop.token"),
        ("wrong-type", "connections[0].post.key"),
    ]


def test_a_weak_key_is_refused_and_not_shown(toys: Registry, toy_file: str, environ: dict[str, str]) -> None:
    loaded = load_bytes(toy_file.encode(), {**environ, "KEY": "hunter2"}, toys)
    assert found(loaded) == [("weak-secret", "hub.secret_key")]
    assert "hunter2" not in str(loaded.problems[0])


def test_no_secret_shows_in_what_was_loaded_or_in_any_problem(
    read: Read, toy_file: str, environ: dict[str, str], changed: Changed
) -> None:
    shown = repr(read(toy_file)) + repr(changed(("env:POST_KEY", "very-literal-secret"), ("who: new", "who: 7")))
    for hidden in ("very-hidden", environ["KEY"], "very-literal-secret"):
        assert hidden not in shown


# --- systems and connectors ---------------------------------------------------------------------------------------------


def test_an_unknown_connector_says_which_there_are(changed: Changed) -> None:
    problem = changed(("connector: toypost", "connector: toyfax")).problems[0]
    assert (problem.code, problem.line, problem.expected) == ("unknown-connector", 10, "one of: toypost, toyshop")
    assert "pip install" in problem.mend


def test_a_connector_that_cannot_be_used_says_why(toys: Registry, toy_file: str, environ: dict[str, str]) -> None:
    bad = PluginProblem(name="toypost", distribution="toys", code="import-failed", text="cannot be imported: boom")
    registry = Registry(connectors={"toyshop": toys.connectors["toyshop"]}, problems=(bad,))
    problem = load_bytes(toy_file.encode(), environ, registry).problems[0]
    assert (problem.code, "boom" in problem.what) == ("unusable-connector", True)


# --- the file as such ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "# nothing\n", "7\n", "- a\n- b\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_one_problem(read: Read, text: str) -> None:
    assert found(read(text)) == [("wrong-type", "")]


@pytest.mark.parametrize("part", ["systems", "fields", "rules", "settings", "connections", "provide", "hub", "tests"])
@pytest.mark.parametrize("instead", ["7", "text", "[1, {a: 2}]", "{a: [1]}", "null"])
def test_a_part_of_another_shape_is_a_problem_of_that_part(read: Read, part: str, instead: str) -> None:
    loaded = read(f"version: 1\ntitle: t\n{part}: {instead}\n")
    assert any(problem.path[:1] == (part,) for problem in loaded.problems)


def test_a_file_that_is_not_there_is_a_problem(toys: Registry, tmp_path: Path) -> None:
    assert [problem.code for problem in load(tmp_path / "none.yaml", {}, toys).problems] == ["syntax"]


def test_a_start_with_a_wrong_file_fails_with_all_its_errors(toys: Registry, tmp_path: Path) -> None:
    (tmp_path / "integration.yaml").write_text("version: 2\n")
    with pytest.raises(ConfigError) as failed:
        load_or_fail(tmp_path / "integration.yaml", toys, {})
    assert len(failed.value.problems) == 4
    assert "to mend" in str(failed.value)


# --- what the rules get -------------------------------------------------------------------------------------------------


def test_the_rules_get_their_lines_and_the_hash(read: Read, toy_file: str) -> None:
    loaded = read(toy_file)
    made = ruleset(loaded)
    lines = toy_file.splitlines()
    assert made.systems == ("shop", "post")
    assert made.hash == loaded.hash
    assert {name: lines[line - 1].strip() for name, line in made.rule_lines.items()} == {
        "enter": "- id: enter",
        "gone": "- {id: gone, from: shop, to: post, events: [deleted], contact: settings.gone}",
        "left": "- id: left",
    }


def test_a_brand_fills_the_names_that_are_created(changed: Changed) -> None:
    loaded = changed(
        ("name: wants_letters", 'name: "wants_{brand}_letters"'), ("- id: acme", "- id: acme\n    brand: shoes")
    )
    assert loaded.integration is not None
    branded = ruleset(loaded, loaded.integration.connections[0])
    assert branded.provide["shop"].properties["wants"].name == "wants_shoes_letters"
    assert ruleset(loaded).provide["shop"].properties["wants"].name == "wants_letters"


def test_there_is_no_ruleset_of_a_wrong_file(read: Read) -> None:
    with pytest.raises(ConfigError):
        ruleset(read("version: 1\n"))


def test_texts_are_as_long_as_the_connectors_say() -> None:
    most = ruleset(load(SAMPLE, None, load_connectors())).most
    assert most["mail"]["FIRSTNAME"] == most["mail"]["custom:Position"] == 255
    assert most["crm"]["firstname"] == 65_536


def test_a_connector_that_does_not_say_takes_any_text(read: Read, toy_file: str) -> None:
    assert ruleset(read(toy_file)).most == {}


def test_the_sample_maps_every_field_of_the_original(sample_rows: dict[str, str]) -> None:
    assert sample_rows == {
        "salutation": "SALUTATION", "firstname": "FIRSTNAME", "lastname": "LASTNAME", "company": "ORGANIZATION",
        "address": "ADDRESS", "zip": "ZIP", "city": "CITY", "state": "STATE", "country": "COUNTRY",
        "date_of_birth": "BIRTHDAY", "gender": "GENDER", "hs_language": "LOCALE", "phone": "custom:Telephone",
        "mobilephone": "custom:Mobile", "jobtitle": "custom:Position",
    }  # fmt: skip


@pytest.fixture
def sample_rows() -> dict[str, str]:
    rows = ruleset(load(SAMPLE, None, load_connectors())).fields
    return {row.names["crm"]: row.names["mail"] for row in rows}
