"""The connector of `docs/writing-a-connector.md` is a connector: found, usable, and true to the contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import stellwerk.sdk
from stellwerk.cli.connectors import ABILITIES, abilities_of
from stellwerk.cli.new_connector import files_of
from stellwerk.registry import Registry
from stellwerk.sdk import hookspecs, testing

PAGE = "docs/writing-a-connector.md"


def test_it_is_found_by_its_entry_point_and_can_be_used(registry: Registry) -> None:
    assert registry.problems == ()
    assert "cardbox" in registry.connectors


def test_its_distribution_registers_it_under_its_name(cardbox: Path) -> None:
    project = tomllib.loads((cardbox / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"] == {"stellwerk.connectors": {"cardbox": "stellwerk_cardbox"}}


def test_it_is_what_the_command_writes(cardbox: Path) -> None:
    written = files_of("cardbox")
    shown = {str(path.relative_to(cardbox)): path.read_text("utf-8") for path in cardbox.rglob("*.*") if path.is_file()}
    not_shown = {"README.md", "stellwerk_cardbox/py.typed"}
    assert {path: text for path, text in written.items() if path not in not_shown} == {
        path: text for path, text in shown.items() if "__pycache__" not in path
    }


def test_it_has_the_abilities_that_the_page_prints(registry: Registry, pages: Mapping[str, str]) -> None:
    abilities = ", ".join(abilities_of(registry.connectors["cardbox"]))
    assert f"\ncardbox: {abilities}\n" in pages[PAGE]


def test_it_imports_nothing_of_ours_but_the_sdk(cardbox: Path) -> None:
    text = "\n".join(path.read_text("utf-8") for path in (cardbox / "stellwerk_cardbox").glob("*.py"))
    ours = set(re.findall(r"^(?:from|import) (stellwerk[\w.]*)", text, re.M))
    assert {name for name in ours if not name.startswith("stellwerk_cardbox")} == {"stellwerk.sdk"}


@pytest.mark.slow
def test_it_keeps_the_contract(cardbox: Path) -> None:
    """Run as its author would run it, warnings as errors."""
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "tests"]
    paths = os.pathsep.join([str(cardbox), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=cardbox, env=environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted is not None
    assert int(counted[1]) > 100
    assert "failed" not in done.stdout
    assert "skipped" not in done.stdout


def test_the_example_passes_the_linter_of_this_project(cardbox: Path, root: Path) -> None:
    configuration = ["--config", str(root / "pyproject.toml"), "--no-cache"]
    for verb in (["check", "--ignore=I001"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *verb, *configuration, str(cardbox)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_ability_of_the_sdk_is_named(pages: Mapping[str, str]) -> None:
    protocols = [
        name
        for name in stellwerk.sdk.__all__
        if getattr(getattr(stellwerk.sdk, name), "_is_protocol", False) and name != "Connector"
    ]
    named = set(re.findall(r"^\| `(\w+)` \|", pages[PAGE], re.M))
    assert named == set(protocols)
    assert {ability.__name__ for ability in ABILITIES} <= named


def test_every_hook_is_named(pages: Mapping[str, str]) -> None:
    hooks = [name for name, value in vars(hookspecs).items() if _is_spec(value)]
    assert hooks == ["stellwerk_connector"]
    assert all(f"`{name}`" in pages[PAGE] for name in hooks)


def test_every_class_of_the_contract_is_named(pages: Mapping[str, str]) -> None:
    assert [name for name in testing.__all__ if name.endswith("Contract") and f"`{name}`" not in pages[PAGE]] == []


def _is_spec(value: Any) -> bool:
    return hasattr(value, "stellwerk_spec")
