"""docs/behaviour.md says what the tests prove, and every situation has its proof."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("behaviour.py")
RENEW = "write it anew: python tests/docs/behaviour.py"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the page would be, made by a pytest of its own that only collects."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def behaviour(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("behaviour_of_the_docs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_tests_make_of_it(told: dict[str, Any], root: Path) -> None:
    assert (root / "docs" / "behaviour.md").read_text("utf-8") == told["page"], RENEW


def test_every_situation_is_proved_by_a_test(told: dict[str, Any]) -> None:
    assert told["unproved"] == []


def test_no_test_claims_to_prove_what_is_no_situation(told: dict[str, Any]) -> None:
    assert told["unlisted"] == []


LIST = """
Who enters:
  enters-new:
    there: "A new contact"
    then: "It enters."
  enters-back:
    back: "A contact of the other side"
    then: "It is ignored."
"""


def test_a_situation_without_a_test_and_a_mark_without_a_situation_are_named(behaviour: Any) -> None:
    listed = behaviour.situations(LIST)
    proofs = {"enters-new": ["tests/test_a.py::test_it_enters"], "enters-old": ["tests/test_a.py::test_it_does_not"]}
    assert behaviour.unproved(listed, proofs) == ["enters-back"]
    assert behaviour.unlisted(listed, proofs) == ["enters-old"]


def test_a_row_has_its_direction_and_leads_to_its_tests(behaviour: Any) -> None:
    proofs = {"enters-new": ["tests/rules/test_a.py::test_it_enters", "tests/rules/test_b.py::test_and_once"]}
    text = behaviour.page(behaviour.situations(LIST), proofs)
    links = "[it enters](../tests/rules/test_a.py); [and once](../tests/rules/test_b.py)"
    assert f"| HubSpot → Maileon | A new contact | It enters. | {links} |\n" in text
    assert "| Maileon → HubSpot | A contact of the other side | It is ignored. |  |\n" in text
    assert text.count("\n## ") == 1


@pytest.mark.parametrize("row", ["{then: nothing}", "{there: a, back: b, then: c}", "{there: a, then: b, why: c}"])
def test_a_row_that_is_none_is_refused(behaviour: Any, row: str) -> None:
    with pytest.raises(ValueError, match="odd"):
        behaviour.situations(f"Part:\n  odd: {row}\n")
