"""The twin is a program of its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import stellwerk_hubspot.twin as package

FOLDER = Path(package.__file__).parent
MODULES = sorted(FOLDER.rglob("*.py"))
ALLOWED = {"msgspec", "litestar", "uvicorn", "jinja2", "httpx"}


def imported(path: Path) -> list[tuple[str, int]]:
    """Every module an import statement names, with the level of relative ones, at any depth of the file."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.level))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_twin_imports_nothing_of_ours_outside_its_folder(path: Path) -> None:
    depth = len(path.relative_to(FOLDER).parts)
    for name, level in imported(path):
        assert level <= depth, f"{path.name} reaches out of twin/ with {'.' * level}{name}"
        assert level or not name.startswith("stellwerk"), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_twin_imports_third_parties_from_a_short_list(path: Path) -> None:
    import sys

    for name, level in imported(path):
        top = name.partition(".")[0]
        assert level or top in ALLOWED or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_the_twin_imports_httpx_in_one_module() -> None:
    assert [path.name for path in MODULES if ("httpx", 0) in imported(path)] == ["webhooks.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_twin_keeps_modules_under_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
