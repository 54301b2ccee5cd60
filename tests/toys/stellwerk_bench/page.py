"""docs/performance.md and its figures, made of docs/performance.json alone: the page cannot say what was not measured.

`python -m stellwerk_bench.page` writes them; a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from stellwerk_bench.figures import Line, Series, Verdict, number
from stellwerk_bench.plot import bars

DOCS = Path(__file__).parents[3] / "docs"
FIGURES = DOCS / "performance.json"
PAGE = DOCS / "performance.md"
PLOTS = DOCS / "images"

HEAD = """# Performance

What `make bench` measured, side by side in one run; this page is made from [performance.json](performance.json) by
`python -m stellwerk_bench.page`, and a test compares the two. Words are in the [glossary](glossary.md).

- Subjects of one line take turns within one run: each once a round, so that whatever else the machine does meets all of them.
  Given are the **median** of the rounds and the **spread**, the largest less the smallest as a share of it. Read the ratios.
- Everything runs on this one machine, over loopback: hub, both twins, peers and whoever calls them share its cores.
- A peer is set up as its own documentation advises for production; how stands beside it.
- Peers are installed into `.bench-peers/` by `make bench` alone, and need `npm` and `venv`; one that cannot be had is shown without a
  figure and with the reason.
- `make bench` takes about an hour on two idle cores; `make bench BENCH=decide SCALE=0.1` looks at one line at a tenth of its size.
- An aim that was not met says why. None of them is a condition of a test.
"""


class Results(Struct, kw_only=True):
    """All that the page says. `commit` and the load averages tell how a line came about."""

    machine: dict[str, str] = {}
    lines: list[Line] = []


def load() -> Results:
    """What was measured so far."""
    if not FIGURES.exists():
        return Results()
    return msgspec.json.decode(FIGURES.read_bytes(), type=Results)


def keep(results: Results) -> None:
    """Write figures, page and plots."""
    FIGURES.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    PAGE.write_text(page(results), "utf-8")
    for name, content in plots(results).items():
        (PLOTS / name).write_text(content, "utf-8")


def page(results: Results) -> str:
    """The page as Markdown."""
    machine = "\n".join(f"| {name} | {value} |" for name, value in results.machine.items())
    parts = [
        HEAD,
        "## All lines\n",
        _overview(results.lines),
        "## The machine\n",
        f"| what | |\n| --- | --- |\n{machine}\n",
    ]
    parts += [_section(line) for line in results.lines]
    return "\n".join(parts)


def plots(results: Results) -> dict[str, str]:
    """SVG by file name."""
    return {_plot(line): bars(line) for line in results.lines}


def _plot(line: Line) -> str:
    return f"performance-{line.name}.svg"


def _overview(lines: list[Line]) -> str:
    rows = [
        f"| [{line.title}](#{_anchor(line.title)}) | {one.aim} | {one.found} | {'yes' if one.met else '**no**'} |"
        for line in lines
        for one in line.verdicts
    ]
    return "\n".join(["| what | aim | found | met |", "| --- | --- | --- | --- |", *rows, ""])


def _anchor(title: str) -> str:
    kept = "".join(one for one in title.lower() if one.isalnum() or one in " -")
    return kept.replace(" ", "-")


def _section(line: Line) -> str:
    scale = "" if line.scale == 1.0 else f" at {line.scale:g} of the full size"
    parts = [
        f"## {line.title}\n",
        f"{line.what[0].upper()}{line.what[1:]}. In {line.unit}; {line.better} is better.\n",
        f"![{_described(line)}](images/{_plot(line)})\n",
        "\n".join(["| subject | median | spread | rounds | set up as |", "| --- | ---: | ---: | ---: | --- |", *map(_row, line.series)]),
        "",
        *(_verdict(one) for one in line.verdicts),
        f"**What limits it:** {line.limits}.\n",
    ]  # fmt: skip
    if line.facts:
        parts.append(
            "\n".join(["| beside it | |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in line.facts.items()), ""])
        )
    parts.append(
        f"`make bench BENCH={line.name}`{scale}, {line.when}, commit {line.commit}, took {line.seconds:.0f} s; load average"
        f" {line.load_before:.1f} before and {line.load_after:.1f} after.{_busy(line)}\n"
    )
    return "\n".join(parts)


def _busy(line: Line) -> str:
    """A line that others disturbed says so: then only its ratios mean something, and those little."""
    if line.load_before <= line.cores:
        return ""
    return f" **Others worked on these {line.cores} cores meanwhile**: repeat it on an idle machine before you believe a figure."


def _described(line: Line) -> str:
    """The plot for those who do not see it."""
    bars_ = "; ".join(f"{one.subject} {number(one.median)}" for one in line.series if one.rounds)
    return f"Bars of {line.unit}: {bars_}"


def _row(one: Series) -> str:
    if not one.rounds:
        return f"| {one.subject} | – | – | 0 | {one.absent} |"
    return f"| {one.subject} | {number(one.median)} | {one.spread:.0%} | {len(one.rounds)} | {one.settings} |"


def _verdict(one: Verdict) -> str:
    word = "Met" if one.met else "Not met"
    why = "" if one.met or not one.why else f" {one.why}"
    return f"- **{word}**: {one.aim}. Found: {one.found}.{why}\n"


if __name__ == "__main__":
    keep(load())
    sys.exit(0)
