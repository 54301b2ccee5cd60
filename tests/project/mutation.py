"""Mutation testing of rules/: small changes to the code, one at a time; a test must notice each.

`make mutation`, or `python tests/project/mutation.py [--every N] [module …]`. Survivors that change nothing observable are explained in
`mutation_survivors.txt` beside this file (one a line: `module:line: operator: why it changes nothing`). More than 5 % unexplained is a failure.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RULES = ROOT / "rules" / "stellwerk_rules"
TESTS = ROOT / "tests" / "rules"
EXPLAINED = HERE / "mutation_survivors.txt"
WITHOUT = {"__init__", "model", "contact", "change", "known", "spec"}  # declarations: nothing is decided there
SECONDS = 240
JOBS = 2
MOST_UNEXPLAINED = 0.05

COMPARE = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


class Mutant(NamedTuple):
    module: str
    line: int
    operator: str
    source: str

    @property
    def place(self) -> str:
        return f"{self.module}:{self.line}: {self.operator}"


def mutants(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text())
    declared = {id(one.value) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for one in node.keywords}
    for number, node in enumerate(ast.walk(tree)):
        # `frozen=True` and its like decide nothing; the types are checked with them.
        for operator in () if id(node) in declared else operators(node):
            changed = copy.deepcopy(tree)
            target = next(one for index, one in enumerate(ast.walk(changed)) if index == number)
            change(target, operator)
            line = node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)
            yield Mutant(path.stem, line, operator, ast.unparse(ast.fix_missing_locations(changed)))


def operators(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        yield f"{type(node.ops[0]).__name__} to {COMPARE[type(node.ops[0])].__name__}"
    elif isinstance(node, ast.BoolOp):
        yield "swap and/or"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "drop not"
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield "negate condition"
    elif (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, (ast.Add, ast.Sub))
        and not isinstance(node.left, (ast.Constant, ast.JoinedStr))
    ):
        yield "swap plus/minus"
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "flip constant"
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "one more"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
        yield f"{node.func.id} to {NAMES[node.func.id]}"
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "drop filter"


def change(node: ast.AST, operator: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = COMPARE[type(node.ops[0])]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    elif isinstance(node, ast.UnaryOp):
        node.operand = ast.UnaryOp(op=ast.Not(), operand=node.operand)
    elif isinstance(node, (ast.If, ast.IfExp)):
        node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)
    elif isinstance(node, ast.BinOp):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    elif isinstance(node, ast.Constant):
        node.value = (not node.value) if operator == "flip constant" else node.value + 1
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        node.func.id = NAMES[node.func.id]
    elif isinstance(node, ast.comprehension):
        node.ifs = []


def try_mutant(mutant: Mutant) -> int:
    """Run the rules' tests in this (forked) process with one module changed; 0 = nothing noticed."""
    import pytest

    class Finder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> object:
            if name != f"stellwerk_rules.{mutant.module}":
                return None
            return importlib.util.spec_from_loader(name, self, origin=mutant.place)

        def create_module(self, spec: object) -> None:
            return None

        def exec_module(self, module: object) -> None:
            exec(compile(mutant.source, f"<{mutant.place}>", "exec"), module.__dict__)

    sys.meta_path.insert(0, Finder())  # type: ignore[arg-type]
    os.environ["STELLWERK_MUTATION"] = "1"
    own = sorted(TESTS.glob(f"test_{mutant.module}.py"))
    rest = [path for path in sorted(TESTS.glob("test_*.py")) if path not in own]
    quiet = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "--no-header",
        "--tb=no",
        "-W",
        "ignore",
        "--assert=plain",
        "--timeout=60",
    ]
    # Most mutants fall to the tests of their own module; collecting the others would take longer than running these.
    for paths in (own, rest):
        if paths and pytest.main([*quiet, *map(str, paths)]) != 0:
            return 1
    return 0


def run(all_mutants: list[Mutant]) -> list[Mutant]:
    """The survivors. Each mutant runs in a child of its own, `JOBS` at a time, killed when it loops."""
    waiting = list(reversed(all_mutants))
    running: dict[int, tuple[Mutant, float]] = {}
    survivors: list[Mutant] = []
    done = 0
    while waiting or running:
        while waiting and len(running) < JOBS:
            mutant = waiting.pop()
            child = os.fork()
            if child == 0:
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                os._exit(0 if try_mutant(mutant) == 0 else 1)
            running[child] = (mutant, time.monotonic())
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            for one, (_, since) in running.items():
                if time.monotonic() - since > SECONDS:
                    os.kill(one, signal.SIGKILL)
            time.sleep(0.02)
            continue
        mutant, _ = running.pop(child)
        done += 1
        if status == 0:
            survivors.append(mutant)
            print(f"survived  {mutant.place}", flush=True)
        if done % 50 == 0:
            print(f"{done} of {len(all_mutants)} tried, {len(survivors)} survived", flush=True)
    return survivors


def main(arguments: list[str]) -> int:
    """`--every N` tries each N-th mutant only: a sample spread evenly over the code."""
    every = int(arguments[arguments.index("--every") + 1]) if "--every" in arguments else 1
    names = [one for one in arguments if not one.startswith("--") and not one.isdigit()]
    import hypothesis  # noqa: F401 - loaded once, inherited by every child
    import msgspec  # noqa: F401
    import pytest  # noqa: F401

    paths = [
        path for path in sorted(RULES.glob("*.py")) if path.stem not in WITHOUT and (not names or path.stem in names)
    ]
    everything = [mutant for path in paths for mutant in mutants(path)][::every]
    survivors = run(everything)
    explained = {
        line.split(": ", 2)[0] + ": " + line.split(": ", 2)[1] for line in lines(EXPLAINED) if line.count(": ") >= 2
    }
    unexplained = [mutant for mutant in survivors if mutant.place not in explained]
    share = len(unexplained) / max(1, len(everything))
    print(f"{len(everything)} mutants, {len(survivors)} survived, {len(unexplained)} of them unexplained ({share:.1%})")
    return int(share >= MOST_UNEXPLAINED)


def lines(path: Path) -> list[str]:
    return (
        [line for line in path.read_text().splitlines() if line and not line.startswith("#")] if path.exists() else []
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
