"""check, test, schema, connectors: they read, print for people and programs, and say by their exit code what they found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from ruamel.yaml import YAML

Run = Callable[..., Result]
Sample = Callable[..., Path]

BROKEN = (("who: new", "whoo: new"), ("kind: pick,", "kind: pikc,"))


def test_the_sample_is_good(stellwerk: Run, sample: Sample) -> None:
    result = stellwerk("check", sample())
    assert result.exit_code == 0
    assert "good (0 errors, 0 warnings; configuration " in result.output


def test_a_wrong_file_ends_with_1_and_every_problem(stellwerk: Run, sample: Sample) -> None:
    result = stellwerk("check", sample(*BROKEN))
    assert result.exit_code == 1
    for code in ("[unknown-key]", "[missing-key]", "[unknown-name]", "3 errors"):
        assert code in result.output


def test_a_warning_alone_is_good(stellwerk: Run, sample: Sample) -> None:
    result = stellwerk("check", sample(("ORGANIZATION, owner: crm", "ORGANIZATION, owner: crm, fill_only: true")))
    assert (result.exit_code, "warning: fields[3].owner" in result.output) == (0, True)


def test_problems_can_be_read_by_a_program(stellwerk: Run, sample: Sample) -> None:
    read = json.loads(stellwerk("check", sample(*BROKEN), "--format", "json").output)
    assert read["good"] is False
    assert len(read["hash"]) == 12
    assert [problem["code"] for problem in read["problems"]] == ["unknown-name", "missing-key", "unknown-key"]
    assert read["problems"][2]["path"] == "rules[0].enter.whoo"
    assert json.loads(stellwerk("check", sample(), "--format", "json").output)["problems"] == []


def test_problems_can_be_shown_by_a_code_host(stellwerk: Run, sample: Sample) -> None:
    file = sample(*BROKEN)
    sarif = json.loads(stellwerk("check", file, "--format", "sarif").output)
    (run,) = sarif["runs"]
    assert sarif["version"] == "2.1.0"
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    lines = file.read_text().splitlines()
    for result in run["results"]:
        assert result["ruleId"] in known
        assert result["level"] == "error"
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == file.as_posix()
        assert 1 <= place["region"]["startLine"] <= len(lines)
    assert "whoo" in lines[run["results"][2]["locations"][0]["physicalLocation"]["region"]["startLine"] - 1]


def test_secrets_are_needed_unless_told_otherwise(stellwerk: Run, sample: Sample) -> None:
    file = sample()
    assert stellwerk("check", file, environ={}).exit_code == 1
    assert stellwerk("check", file, "--no-secrets", environ={}).exit_code == 0


def test_nothing_that_is_printed_holds_a_secret(stellwerk: Run, sample: Sample) -> None:
    for form in ("text", "json", "sarif"):
        assert "very-hidden" not in stellwerk("check", sample(*BROKEN), "--format", form).output


@pytest.mark.parametrize(
    "arguments", [("check", "not-there.yaml"), ("check", "--format", "xml"), ("chekc",), ("test", "--nope"), ("twin",)]
)
def test_wrong_usage_ends_with_2(stellwerk: Run, arguments: tuple[str, ...]) -> None:
    assert stellwerk(*arguments).exit_code == 2


def test_the_samples_own_tests_pass_without_any_secret(stellwerk: Run, sample: Sample) -> None:
    file = sample()
    count = len(YAML(typ="safe").load(file)["tests"])
    result = stellwerk("test", file, environ={})
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, f"{count} good, 0 bad")


def test_a_bad_test_ends_with_1_and_says_what_happened_and_why(stellwerk: Run, sample: Sample) -> None:
    file = sample(("expect: {changes: [], because: said-no}", "expect: {changes: [{kind: ask}]}"))
    count = len(YAML(typ="safe").load(file)["tests"])
    result = stellwerk("test", file)
    assert result.exit_code == 1
    for line in ("missing: ask", "happened  nothing", "because   said-no:", f"{count - 1} good, 1 bad"):
        assert line in result.output


def test_results_of_tests_can_be_read_by_a_program(stellwerk: Run, sample: Sample) -> None:
    read = json.loads(stellwerk("test", sample(), "--json").output)
    assert read["good"] is True
    assert {test["good"] for test in read["tests"]} == {True}
    assert all(test["line"] > 1 for test in read["tests"])


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_wrong_file_is_not_tested(stellwerk: Run, sample: Sample, arguments: tuple[str, ...]) -> None:
    result = stellwerk("test", sample(*BROKEN), *arguments)
    assert (result.exit_code, "unknown-key" in result.output) == (1, True)


def test_the_schema_is_that_of_what_is_installed(stellwerk: Run) -> None:
    schema = json.loads(stellwerk("schema").output)
    assert {"system-hubspot", "account-maileon"} <= set(schema["$defs"])


def test_connectors_are_listed_with_what_they_can_do(stellwerk: Run) -> None:
    result = stellwerk("connectors")
    assert result.exit_code == 0
    assert "hubspot: Reader, Finder, Lister, Sampler, WebhookSource" in result.output
    read = json.loads(stellwerk("connectors", "--json").output)
    assert {row["name"]: "OAuth" in row["abilities"] for row in read["connectors"]} == {
        "hubspot": True,
        "maileon": False,
    }
    assert read["problems"] == []


def test_help_names_every_command_that_can_be_run(stellwerk: Run) -> None:
    shown = stellwerk("--help").output
    for command in ("check", "schema", "test", "connectors", "twin", "demo"):
        assert command in shown
