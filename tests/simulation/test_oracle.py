"""The oracle is small and knows nothing of how the product is built: what both share could be wrong in both."""

from __future__ import annotations

import ast
from pathlib import Path

import stellwerk_simulation

FOLDER = Path(stellwerk_simulation.__file__).parent
ORACLE = ("oracle.py", "people.py")
OWN = {"stellwerk_simulation.history", "stellwerk_simulation.people"}
LIBRARIES = {"__future__", "collections", "collections.abc", "typing", "msgspec"}
MOST_LINES = 299


def test_the_oracle_imports_nothing_of_the_product() -> None:
    trees = [ast.parse((FOLDER / name).read_text(encoding="utf-8")) for name in ORACLE]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    assert OWN <= imported <= OWN | LIBRARIES


def test_the_oracle_can_be_read_at_a_sitting() -> None:
    assert sum(len((FOLDER / name).read_text(encoding="utf-8").splitlines()) for name in ORACLE) <= MOST_LINES
