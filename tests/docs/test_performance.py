"""docs/performance.md says what performance.json gives, and nothing else. No test measures anything."""

from __future__ import annotations

import importlib.util

import pytest

from stellwerk_bench import __main__ as bench
from stellwerk_bench.figures import Line, Series, Verdict, interleaved
from stellwerk_bench.page import PAGE, PLOTS, load, page, plots

MEND = "run: PYTHONPATH=tests/toys .venv/bin/python -m stellwerk_bench.page"


def test_the_page_is_what_the_figures_give() -> None:
    assert PAGE.read_text("utf-8") == page(load()), MEND


def test_the_plots_are_what_the_figures_give_and_no_other_is_kept() -> None:
    kept = {path.name: path.read_text("utf-8") for path in PLOTS.glob("performance-*.svg")}
    assert kept == plots(load()), MEND


def test_every_line_is_on_the_page_in_its_order() -> None:
    assert [line.name for line in load().lines] == list(bench.LINES)


@pytest.mark.parametrize("name", bench.LINES)
def test_every_line_has_a_module_of_its_own(name: str) -> None:
    assert importlib.util.find_spec(f"stellwerk_bench.{name}") is not None


def test_whoever_loses_says_why() -> None:
    lost = [(line.name, one.aim) for line in load().lines for one in line.verdicts if not one.met and not one.why]
    assert lost == []


def test_subjects_take_turns_and_none_is_always_first() -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = interleaved([("a", lambda: run("a")), ("b", lambda: run("b"))], 2)
    assert order == ["a", "b", "b", "a"]
    assert found == {"a": [1.0, 4.0], "b": [2.0, 3.0]}


def test_a_page_shows_what_is_met_what_is_not_and_who_could_not_be_run() -> None:
    line = Line(
        name="decide",
        title="Deciding",
        what="something",
        unit="things/s",
        better="higher",
        series=[
            Series(subject="ours", rounds=[1.0, 3.0, 2.0], settings="as it is"),
            Series(subject="theirs", rounds=[], peer=True, absent="could not be installed"),
        ],
        verdicts=[
            Verdict(aim="fast", found="2", met=True, why="never shown"),
            Verdict(aim="faster", found="2", met=False, why="It is slow."),
        ],
        limits="one core",
    )
    results = load()
    results.lines = [line]
    text = page(results)
    assert "| ours | 2.00 | 100% | 3 | as it is |" in text
    assert "| theirs | – | – | 0 | could not be installed |" in text
    assert "- **Met**: fast. Found: 2.\n" in text
    assert "- **Not met**: faster. Found: 2. It is slow.\n" in text
