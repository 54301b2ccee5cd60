"""Writes docs/behaviour.md: every situation, what happens in it, and the tests that prove it.

Situations stand in `situations.yaml`; a test names those that it proves by `@pytest.mark.behaviour("ID", …)`.

    python tests/docs/behaviour.py           writes the page
    python tests/docs/behaviour.py --json    tells what it would be: {page, unproved, unlisted}
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "behaviour.md"
LISTED = Path(__file__).with_name("situations.yaml")
MARK = "behaviour"
WAYS = {"there": "HubSpot → Maileon", "back": "Maileon → HubSpot", "both": "both"}
HEAD = """# What happens when

Every situation that is decided, what Stellwerk does in it, and the tests that prove it. This page is made of the tests:
`python tests/docs/behaviour.py` writes it anew, and a test fails while it is not what that would write, or while a situation has no
test. "…" goes on from the row above. Words are in the [glossary](glossary.md).

The names of the tests are sentences; in the file behind the link their words are joined by `_`. Rules are tested for a `crm` and a
`mail` system whatever they are called, and many of the others with two toys: the *shop* plays HubSpot, the *newsletter* Maileon, the
*diary* the timeline. `stellwerk demo --script` plays the most of it with the twins of both vendors.
"""


@dataclass(frozen=True)
class Situation:
    """`way` is there, back or both; `part` is the heading it stands under."""

    id: str
    part: str
    way: str
    when: str
    then: str


Proofs = Mapping[str, Sequence[str]]
"""Node ids of tests, without parameters, by the situation they prove."""


def situations(text: str) -> list[Situation]:
    """In the order of the list. Raises `ValueError` for a row that is none."""
    found = []
    for part, rows in YAML(typ="safe").load(text).items():
        for name, row in rows.items():
            ways = [way for way in WAYS if way in row]
            if len(ways) != 1 or row.keys() != {*ways, "then"}:
                raise ValueError(f"{name}: one of {', '.join(WAYS)}, and then")
            found.append(Situation(name, part, ways[0], row[ways[0]], row["then"]))
    return found


class Marked:
    """A plugin of pytest that notes which collected test proves what."""

    def __init__(self) -> None:
        self.proofs: dict[str, list[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            test = item.nodeid.partition("[")[0]
            for name in (name for mark in item.iter_markers(MARK) for name in mark.args):
                proofs = self.proofs.setdefault(name, [])
                if test not in proofs:
                    proofs.append(test)


def collected() -> Proofs:
    """What pytest collects of the files that have such marks."""
    mark = f"mark.{MARK}("
    files = sorted(str(path) for path in (ROOT / "tests").rglob("test_*.py") if mark in path.read_text("utf-8"))
    marked, said = Marked(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *files], [marked])
    if code != pytest.ExitCode.OK:
        raise SystemExit(said.getvalue())
    return marked.proofs


def unproved(listed: Sequence[Situation], proofs: Proofs) -> list[str]:
    return [one.id for one in listed if not proofs.get(one.id)]


def unlisted(listed: Sequence[Situation], proofs: Proofs) -> list[str]:
    return sorted(proofs.keys() - {one.id for one in listed})


def page(listed: Sequence[Situation], proofs: Proofs) -> str:
    lines = [HEAD]
    part = ""
    for one in listed:
        if one.part != part:
            part = one.part
            lines += [
                f"\n## {part}\n",
                "| direction | situation | what happens | proved by |",
                "| --- | --- | --- | --- |",
            ]
        tests = "; ".join(linked(test) for test in proofs.get(one.id, ()))
        lines.append(f"| {WAYS[one.way]} | {one.when} | {one.then} | {tests} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def linked(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


def main(arguments: Sequence[str]) -> int:
    listed, proofs = situations(LISTED.read_text("utf-8")), collected()
    if "--json" in arguments:
        told = {
            "page": page(listed, proofs),
            "unproved": unproved(listed, proofs),
            "unlisted": unlisted(listed, proofs),
        }
        print(json.dumps(told))
    else:
        PAGE.write_text(page(listed, proofs), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
