"""The same hub runs another integration.yaml between two systems it has never heard of."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from stellwerk.registry import missing_names
from stellwerk.sdk.connector import Connector
from stellwerk_toys.yard import FILE, TOYS, load_toys

FOLDER = FILE.parent / "stellwerk_toys"


def test_the_file_has_no_problem() -> None:
    assert [str(problem) for problem in load_toys().problems] == []


def test_the_file_uses_no_word_of_the_sample() -> None:
    toys, sample = load_toys().integration, (FILE.parents[2] / "integration.yaml").read_text()
    assert toys is not None
    ids = [setting.id for section in toys.settings for setting in section.fields]
    provided = [name for part in toys.provide.values() for name in part.properties]
    rules = [rule.id for rule in toys.rules]
    assert all((ids, provided, rules))
    shared = [
        name for name in (*toys.systems, *ids, *provided, *rules) if f" {name}: " in sample or f"id: {name}," in sample
    ]
    assert shared == []


def test_each_toy_is_a_connector() -> None:
    assert {name: missing_names(toy, Connector) for name, toy in TOYS.connectors.items()} == {
        "toycrm": (),
        "toymail": (),
    }


@pytest.mark.parametrize("module", ["toycrm", "toymail"])
def test_a_toy_is_written_against_the_sdk_alone(module: str) -> None:
    allowed = {"__future__", "collections", "contextlib", "datetime", "hmac", "msgspec", "typing", "stellwerk_toys"}
    assert _imported(FOLDER / f"{module}.py") - allowed == {"stellwerk.sdk"}


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found |= {name if name.startswith("stellwerk.") else name.split(".")[0] for name in names}
    return found
