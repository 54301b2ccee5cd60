"""Simulated histories: whatever people, operators and networks do, both sides end as what truly happened demands."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from stellwerk_simulation import program
from stellwerk_simulation.drawing import drawn
from stellwerk_simulation.history import Confirm, Leave, Move, Step, Trouble, Write
from stellwerk_simulation.player import Played, play
from stellwerk_simulation.program import Ran, shrunk
from stellwerk_simulation.summary import UNANSWERED

SEEDS = 30


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command of `make simulate`, with the sources that are tested here."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "stellwerk_simulation", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.slow
def test_in_every_drawn_history_both_sides_show_what_truly_happened() -> None:
    done = simulate("--seeds", str(SEEDS))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert f"{SEEDS} histories" in done.stdout
    assert "all as they must be" in done.stdout


def test_a_run_tells_what_was_reached_and_goes_on_after_a_history_that_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = {"Write": 3, "call busy": 1}
    played = Played(wrong=None, trail=(), calls=9, crashes=0, hours=24.0, reached=counted)
    wrong = replace(played, wrong="after step 0: ada@x.test: mails must be 1, is 2")

    def one(seed: int) -> Ran:
        return Ran(seed=seed, played=wrong if seed in (2, 4) else played)

    monkeypatch.setattr(program, "one", one)
    monkeypatch.setattr(program, "ProcessPoolExecutor", ThreadPoolExecutor)
    assert program.many(range(1, 7), processes=2, most=50) == 1
    told = capsys.readouterr().out
    assert "deeds: Write 18" in told
    assert "calls: call busy 6" in told
    assert "6 histories" in told
    assert "2 of 6 went wrong" in told
    assert told.count("seed 4: after step 0: ada@x.test: mails must be 1, is 2") == 2
    assert "by what differs: mails 2" in told


def test_two_connections_of_one_newsletter_have_settings_of_their_own_and_never_each_others_people() -> None:
    history = drawn(20_001)
    first = {**history.settings, "double_opt_in": True}
    second = {**history.settings, "double_opt_in": False, "permission": "single"}
    says = [Write(who=who, by="form", values={"maileon_subscribe": "true"}) for who in (0, 1)]
    steps = tuple(Step(deed=deed) for deed in (*says, Confirm(who=0), Leave(who=1)))
    both = play(replace(history, settings=first, second=second, steps=steps, older=()))
    assert (both.wrong, both.reached["two connections"]) == (None, 1)
    alone = play(replace(history, settings=first, second=None, steps=steps, older=()))
    assert alone.reached.get("two connections") is None
    assert alone.trail != both.trail


def test_the_history_of_a_seed_is_played_again_call_by_call() -> None:
    history = drawn(7)
    first, second = play(history), play(history)
    assert first.calls > 20
    assert first.trail == second.trail
    assert first == second


def test_what_nobody_told_the_oracle_of_is_a_difference() -> None:
    """The simulation's own eyes: a newsletter that lost somebody's permission does not pass for one that has it."""
    history = drawn(1)
    steps = (
        Step(deed=Write(who=0, by="form", values={"maileon_subscribe": "true"})),
        Step(deed=Confirm(who=0)),
    )
    history = replace(history, steps=steps, settings={**history.settings, "double_opt_in": True})
    assert play(history).wrong is None
    told_wrong = play(history, overheard=lambda oracle: setattr(oracle, "confirmed", lambda email: None))
    assert told_wrong.wrong is not None
    assert "permission" in told_wrong.wrong


def test_a_failing_history_is_shrunk_to_the_steps_and_troubles_that_matter() -> None:
    leaves = Step(deed=Leave(who=1), trouble=Trouble(crash=5, lose=2))
    history = drawn(3)
    history = replace(history, steps=(*history.steps, leaves, *history.steps))

    def fails(one: object) -> bool:
        steps = getattr(one, "steps", ())
        return any(isinstance(step.deed, Leave) and step.trouble.lose for step in steps if step.deed == leaves.deed)

    small = shrunk(history, fails)
    assert small.steps == (Step(deed=Leave(who=1), trouble=Trouble(lose=2)),)


def test_a_history_that_does_not_end_is_told_as_one_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def for_ever(self: object) -> Played:
        for _ in itertools.count():
            await asyncio.sleep(1.0)
        raise AssertionError

    monkeypatch.setattr("stellwerk_simulation.player._Player.play", for_ever)
    monkeypatch.setattr("stellwerk_simulation.player.MOST_SECONDS", 0.2)
    assert program.one(SEEDS).wrong == "TooLong: not over after 0.2 seconds on the clock on the wall"


def test_a_history_ends_and_says_so_where_somebody_stands_on_both_sides_and_is_not_in() -> None:
    """Maileon keeps the old address of a contact that moved on, and a new record has it that says no."""
    steps = (
        Write(who=0, by="person", values={"maileon_subscribe": "true", "firstname": "Olga"}),
        Move(who=0, to=1, by="form"),
        Write(who=0, by="person", values={"maileon_subscribe": "false"}),
        Confirm(who=0),
    )
    history = replace(drawn(SEEDS), steps=tuple(Step(deed=one) for one in steps))
    played = play(replace(history, settings={**history.settings, "on_no": "keep"}))
    assert played.wrong is None
    assert (played.reached[UNANSWERED], played.reached["Move"], played.reached.get("Confirm")) == (1, 1, None)
