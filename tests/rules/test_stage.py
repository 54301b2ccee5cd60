"""Stage moves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.model import Change, ClearStage, Contact, MoveStage, SetStage, Skip
from stellwerk_rules.stage import resume_stage, stage_steps

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAGES = ("subscriber", "lead", "mql", "customer")


def move(
    source: str | None = "lead", target: str = "mql", *, reset: bool = False, any_source: bool = False
) -> MoveStage:
    return MoveStage(source=source, target=target, reset=reset, fact="f", any_source=any_source)


def steps(wanted: MoveStage, now: str | None, stages: tuple[str, ...] = STAGES) -> tuple[Change, ...] | str:
    found = stage_steps(wanted, Contact(stage=now, read_at=NOON), stages)
    return found.because.code if isinstance(found, Skip) else found


@pytest.mark.behaviour("stage-source", "stage-backward")
@pytest.mark.parametrize(
    ("wanted", "now", "expected"),
    [
        (move(), "lead", (SetStage(stage="mql"),)),
        (move(), "mql", "stage-there"),
        (move(), "customer", "stage-differs"),
        (move(), None, "stage-differs"),
        (move(None), None, (SetStage(stage="mql"),)),
        (move(None), "", (SetStage(stage="mql"),)),
        (move(None), "lead", "stage-differs"),
        (move(None, any_source=True), "subscriber", (SetStage(stage="mql"),)),
        (move(None, any_source=True), None, (SetStage(stage="mql"),)),
        (move(None, any_source=True), "customer", "stage-backward"),
        (move("mql", "lead"), "mql", "stage-backward"),
        (move("mql", "lead", reset=True), "mql", (ClearStage(), SetStage(stage="lead"))),
        (move(reset=True), "lead", (ClearStage(), SetStage(stage="mql"))),
        (move(None, reset=True), None, (SetStage(stage="mql"),)),
        (move("own", "lead"), "own", (SetStage(stage="lead"),)),
        (move("mql", "own"), "mql", "stage-gone"),
        (move("mql", "own", reset=True), "mql", "stage-gone"),
        (move("own", "own"), "own", "stage-there"),
    ],
)
def test_a_stage_moves_only_from_where_it_may(
    wanted: MoveStage, now: str | None, expected: tuple[Change, ...] | str
) -> None:
    assert steps(wanted, now) == expected


@pytest.mark.behaviour("stage-other")
def test_what_was_seen_is_told() -> None:
    found = stage_steps(move(), Contact(stage="customer", read_at=NOON), STAGES)
    assert isinstance(found, Skip)
    assert found.because.text == "the stage is customer, to be moved only from lead"


def test_a_blank_stage_is_told_as_blank() -> None:
    for wanted, now in ((move(), None), (move(None), "lead")):
        found = stage_steps(wanted, Contact(stage=now, read_at=NOON), STAGES)
        assert isinstance(found, Skip)
        assert "blank" in found.because.text


@pytest.mark.behaviour("stage-interrupted")
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (None, (SetStage(stage="lead"),)),
        ("", (SetStage(stage="lead"),)),
        ("mql", (ClearStage(), SetStage(stage="lead"))),
        ("lead", "stage-there"),
        ("customer", "stage-chosen"),
    ],
)
def test_an_interrupted_move_goes_on_unless_somebody_chose_meanwhile(
    now: str | None, expected: tuple[Change, ...] | str
) -> None:
    found = resume_stage(move("mql", "lead", reset=True), now, "mql")
    assert (found.because.code if isinstance(found, Skip) else found) == expected


stages = st.sampled_from(STAGES)


@given(st.none() | stages, stages, st.booleans(), st.booleans(), st.none() | stages)
def test_a_move_that_was_made_leaves_nothing_to_do_and_never_a_blank(
    source: str | None, target: str, reset: bool, any_source: bool, now: str | None
) -> None:
    wanted = move(source, target, reset=reset, any_source=any_source)
    found = steps(wanted, now)
    if isinstance(found, tuple):
        assert found[-1] == SetStage(stage=target)
        assert steps(wanted, target) == "stage-there"


@given(stages, stages, st.none() | stages)
def test_wherever_a_move_is_stopped_it_ends_at_its_target_or_at_somebodys_choice(
    source: str, target: str, chosen: str | None
) -> None:
    wanted = move(source, target, reset=True)
    now = chosen
    found = resume_stage(wanted, now, source)
    for step in () if isinstance(found, Skip) else found:
        now = step.stage if isinstance(step, SetStage) else None
    assert now in (target, chosen)
    assert now is not None


def test_while_no_order_of_stages_is_known_a_move_is_tried() -> None:
    target = Contact(stage="mql", read_at=datetime(2026, 11, 24, tzinfo=UTC))
    assert stage_steps(move("mql", "own"), target, ()) == (SetStage(stage="own"),)
