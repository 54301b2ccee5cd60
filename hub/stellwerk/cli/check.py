"""`stellwerk check`: every problem of a file at once, for people, programs and code scanners."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.arriving import arriving_rows, arriving_text
from stellwerk.config.load import Loaded, load
from stellwerk.config.problems import CODES, Problem, path_text
from stellwerk.registry import load_connectors

__all__ = ["as_json", "as_sarif", "as_text", "check"]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default="integration.yaml")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", help="How to print.")
@click.option("--fields", is_flag=True, help="Also say how changes of each field arrive, and how late.")
@click.option("--no-secrets", is_flag=True, help="Do not look up env: and file: values; check their form only.")
def check(file: Path, form: str, fields: bool, no_secrets: bool) -> None:
    """Say what is wrong with FILE (default integration.yaml). Writes nothing, calls nobody."""
    registry = load_connectors()
    loaded = load(file, None if no_secrets else os.environ, registry)
    if form == "json":
        click.echo(as_json(loaded, arriving_rows(loaded, registry) if fields else None))
    else:
        told = arriving_text(loaded, registry) if fields and form == "text" else []
        click.echo("\n".join([*told, {"text": as_text, "sarif": as_sarif}[form](loaded)]))
    sys.exit(1 if loaded.errors else 0)


def as_text(loaded: Loaded) -> str:
    """The problems as people read them, then one line that sums up."""
    errors, warnings = len(loaded.errors), len(loaded.warnings)
    counted = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
    verdict = "cannot be used" if errors else "good"
    summary = f"{loaded.path}: {verdict} ({counted}; configuration {loaded.hash or 'unread'})"
    return "\n".join([*(str(problem) for problem in loaded.problems), summary])


def as_json(loaded: Loaded, fields: list[dict[str, Any]] | None = None) -> str:
    """`{file, hash, good, problems: [{code, severity, path, line, column, what, expected, mend}]}`, with `fields` if asked."""
    return json.dumps(
        {
            "file": str(loaded.path),
            "hash": loaded.hash,
            "good": loaded.integration is not None,
            "problems": [_row(problem) for problem in loaded.problems],
            **({} if fields is None else {"fields": fields}),
        },
        ensure_ascii=False,
        indent=2,
    )


def as_sarif(loaded: Loaded) -> str:
    """SARIF 2.1.0 (OASIS), one run."""
    driver = {
        "name": "stellwerk",
        "rules": [{"id": code, "help": {"text": f"docs/problems.md, section {code}"}} for code in CODES],
    }
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": [_result(problem) for problem in loaded.problems]}],
        },
        ensure_ascii=False,
        indent=2,
    )


def _row(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "path": path_text(problem.path),
        "line": problem.line,
        "column": problem.column,
        "what": problem.what,
        "expected": problem.expected,
        "mend": problem.mend,
    }


def _result(problem: Problem) -> dict[str, Any]:
    told = [part for part in (problem.what, problem.expected and f"expected {problem.expected}", problem.mend) if part]
    subject = path_text(problem.path)
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": (f"{subject}: " if subject else "") + "; ".join(told)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": Path(problem.file).as_posix()},
                    "region": {"startLine": problem.line, "startColumn": problem.column},
                }
            }
        ],
    }
