"""`stellwerk test`: the decisions that an operator wrote down in the file, tried with no network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rich_click as click

from stellwerk.cli.check import as_json as problems_as_json
from stellwerk.cli.check import as_text as problems_as_text
from stellwerk.config.load import load, ruleset
from stellwerk.config.verdict import Verdict, judge
from stellwerk.registry import load_connectors
from stellwerk_rules.plan import compile_plan

__all__ = ["test", "verdicts_as_json", "verdicts_as_text"]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default="integration.yaml")
@click.option("--json", "as_json", is_flag=True, help="Print what a program can read.")
@click.option("--verbose", "-v", is_flag=True, help="Tell also of good tests what happened and why.")
def test(file: Path, as_json: bool, verbose: bool) -> None:
    """Run the tests of FILE (default integration.yaml). Needs no secrets, calls nobody."""
    loaded = load(file, None, load_connectors())
    if loaded.integration is None:
        click.echo((problems_as_json if as_json else problems_as_text)(loaded))
        sys.exit(1)
    plan = compile_plan(ruleset(loaded))
    verdicts = [
        judge(plan, trial, loaded.places.of(("tests", index))[0])
        for index, trial in enumerate(loaded.integration.tests)
    ]
    click.echo(verdicts_as_json(verdicts, loaded.hash) if as_json else verdicts_as_text(verdicts, str(file), verbose))
    sys.exit(0 if all(verdict.good for verdict in verdicts) else 1)


def verdicts_as_text(verdicts: list[Verdict], file: str, verbose: bool) -> str:
    """A line for each test, of bad ones what differs and why, and one that sums up."""
    lines = []
    for verdict in verdicts:
        lines.append(f"{'good' if verdict.good else 'BAD '}  {file}:{verdict.line}: {verdict.name}")
        lines += [f"        {difference}" for difference in verdict.differences]
        if verbose or not verdict.good:
            lines += [f"        happened  {what}" for what in verdict.happened or ("nothing",)]
            lines += [f"        because   {why}" for why in verdict.reasons]
    good = sum(verdict.good for verdict in verdicts)
    return "\n".join([*lines, f"{good} good, {len(verdicts) - good} bad"])


def verdicts_as_json(verdicts: list[Verdict], hashed: str) -> str:
    """`{hash, good, tests: [{name, line, good, differences, happened, reasons}]}`."""
    rows = [
        {
            "name": verdict.name,
            "line": verdict.line,
            "good": verdict.good,
            "differences": verdict.differences,
            "happened": verdict.happened,
            "reasons": verdict.reasons,
        }
        for verdict in verdicts
    ]
    whole = {"hash": hashed, "good": all(verdict.good for verdict in verdicts), "tests": rows}
    return json.dumps(whole, ensure_ascii=False, indent=2)
