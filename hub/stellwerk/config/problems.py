"""What an operator sees when integration.yaml is wrong: where, what, expected, how to mend.

Every code has a section in `docs/problems.md`; a code is never given another meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, TypeAlias

from msgspec import Struct

Path: TypeAlias = tuple[str | int, ...]
Severity: TypeAlias = Literal["error", "warning"]

CODES: tuple[str, ...] = (
    "syntax",
    "not-used-here",
    "duplicate-key",
    "unknown-key",
    "missing-key",
    "wrong-type",
    "not-allowed",
    "unknown-name",
    "wrong-kind",
    "literal-secret",
    "missing-secret",
    "weak-secret",
    "not-a-url",
    "unknown-connector",
    "unusable-connector",
    "missing-ability",
    "two-systems",
    "name-taken",
    "condition",
    "regular-expression",
    "breaks-a-law",
    "without-effect",
    "setting-value",
    "no-agreement",
)


class Problem(Struct, frozen=True, kw_only=True):
    """One finding. `line` and `column` count from 1; `path` is how the place is named inside the file.

    Messages name keys and types, never a value that could be a secret or an address.
    """

    code: str
    path: Path
    line: int
    column: int
    what: str
    expected: str = ""
    mend: str = ""
    severity: Severity = "error"
    file: str = "integration.yaml"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: "
        subject = f"{path_text(self.path)}: " if self.path else ""
        kind = "warning: " if self.severity == "warning" else ""
        lines = [f"{place}{kind}{subject}{self.what} [{self.code}]"]
        if self.expected:
            lines.append(f"    expected  {self.expected}")
        if self.mend:
            lines.append(f"    to mend   {self.mend}")
        return "\n".join(lines)


def path_text(path: Path) -> str:
    """`rules[0].consent.ask`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(written: str, names: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the names there are, or nothing when there are none."""
    known = sorted(names)
    close = get_close_matches(written, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"use one of: {', '.join(known)}" if known else ""


def one_of(names: Iterable[str]) -> str:
    """`one of: a, b`."""
    known = sorted(names)
    return f"one of: {', '.join(known)}" if known else "nothing: there is none"
