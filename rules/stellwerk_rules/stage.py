"""Stage moves: only from the stage they name, only while their fact holds, and never half."""

from __future__ import annotations

from stellwerk_rules.model import Because, Change, ClearStage, Contact, MoveStage, SetStage, Skip

STAGE_GONE = "stage-gone"
"""Code of a skip, and of the repair, where the stage to be set is not there any more."""

ANY_STAGE = "any"
"""Written as the source of a move that may start from every stage."""


def stage_steps(move: MoveStage, target: Contact, stages: tuple[str, ...]) -> tuple[Change, ...] | Skip:
    """The writes of `move` for a contact whose stage was read just now; `stages` is the order there, earliest first.

    `ClearStage` always stands directly before its `SetStage`.
    """
    now = target.stage or None
    if now == move.target:
        return _skip("stage-there", f"the stage is {move.target} already")
    if stages and move.target not in stages:
        return _skip(STAGE_GONE, f"there is no stage {move.target} any more")
    if not move.any_source and now != move.source:
        return _skip("stage-differs", f"the stage is {now or 'blank'}, to be moved only from {move.source or 'blank'}")
    if now is None:
        return (SetStage(stage=move.target),)
    if move.reset:
        return (ClearStage(), SetStage(stage=move.target))
    if now in stages and move.target in stages and stages.index(move.target) < stages.index(now):
        return _skip("stage-backward", f"{move.target} comes before {now}, and the move has no reset")
    return (SetStage(stage=move.target),)


def resume_stage(move: MoveStage, stage_now: str | None, cleared_from: str | None) -> tuple[Change, ...] | Skip:
    """What is left of a move that was stopped after its clearing may have been sent.

    Blank: the set. The old stage still: both. Anything else is somebody's choice and stays.
    """
    if not stage_now:
        return (SetStage(stage=move.target),)
    if stage_now == cleared_from:
        return (ClearStage(), SetStage(stage=move.target))
    if stage_now == move.target:
        return _skip("stage-there", f"the stage is {move.target} already")
    return _skip("stage-chosen", f"somebody chose {stage_now} meanwhile")


def _skip(code: str, text: str) -> Skip:
    return Skip(because=Because(code=code, text=text))
