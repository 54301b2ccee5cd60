"""Every promise on the page about reliability names a proof that exists and a command that runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = "docs/reliability.md"


def promises(text: str) -> list[list[str]]:
    """The cells of each row of the table."""
    part = text.split("\n## Promises\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| ")
    ]
    return [row for row in rows if row[0] not in ("promise", "---")]


def test_every_proof_is_a_test_that_exists(pages: Mapping[str, str], root: Path) -> None:
    named = [proof for row in promises(pages[PAGE]) for proof in re.findall(r"`([^`]+)`", row[1])]
    assert len(named) > 15
    lost = []
    for proof in named:
        path, _, test = proof.partition("::")
        place = root / path
        if not place.is_file() or not re.search(rf"^(?:async )?def {test}\(", place.read_text("utf-8"), re.M):
            lost.append(proof)
    assert lost == []


def test_every_promise_has_a_proof_and_a_command_that_runs_it(pages: Mapping[str, str]) -> None:
    for promise, proofs, command in promises(pages[PAGE]):
        paths = [proof.partition("::")[0] for proof in re.findall(r"`([^`]+)`", proofs)]
        assert paths, promise
        if command == "`make crash`":
            assert paths == ["tests/end_to_end/test_crash.py"]
            continue
        run = re.fullmatch(r"`\.venv/bin/pytest ([^`]+)`", command)
        assert run is not None, promise
        assert [path for path in paths if not any(path.startswith(one) for one in run[1].split())] == [], promise
