"""What a line of the benchmark comes to: series of rounds, their median and spread, and whether an aim is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal

from msgspec import Struct

Better = Literal["higher", "lower"]


class Series(Struct, kw_only=True):
    """The rounds of one subject. `settings` says how it was set up; a peer's are those that its documentation advises."""

    subject: str
    rounds: list[float]
    settings: str = ""
    peer: bool = False
    absent: str = ""
    """Why there is no figure, where there is none."""

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """Largest less smallest, as a share of the median."""
        middle = self.median
        return (max(self.rounds) - min(self.rounds)) / middle if middle else 0.0


class Verdict(Struct, kw_only=True):
    """One aim of the design and what came of it. A loss says why."""

    aim: str
    found: str
    met: bool
    why: str = ""


class Line(Struct, kw_only=True):
    """All of one line: what was measured, in which unit, by which subjects, and what limits it."""

    name: str
    title: str
    what: str
    unit: str
    better: Better
    series: list[Series]
    verdicts: list[Verdict]
    limits: str
    """What the figure is limited by, with what shows it."""
    facts: dict[str, str] = {}
    scale: float = 1.0
    seconds: float = 0.0
    load_before: float = 0.0
    load_after: float = 0.0
    when: str = ""
    commit: str = ""
    cores: int = 1
    """Of the machine: a load average above it says that others worked, too."""


def interleaved(subjects: Sequence[tuple[str, Callable[[], float]]], rounds: int) -> dict[str, list[float]]:
    """Each subject once a round, the order turned by one each time: what else the machine does meets all alike."""
    found: dict[str, list[float]] = {name: [] for name, _ in subjects}
    for number in range(rounds):
        turned = [*subjects[number % len(subjects) :], *subjects[: number % len(subjects)]]
        for name, run in turned:
            found[name].append(run())
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def number(value: float) -> str:
    """With as many digits as mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
