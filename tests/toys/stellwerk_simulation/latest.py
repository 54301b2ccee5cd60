"""What was thought of last: the later deeds meet trouble too, who starts again may end again, two portals share a newsletter,
somebody is unlinked for a while.

Seeds below `LATEST` are left as they are, so that a number once found means the same history for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from stellwerk_simulation.faults import trouble
from stellwerk_simulation.history import (
    Confirm,
    Delete,
    EditThere,
    History,
    Leave,
    Merge,
    Move,
    OptOut,
    Restore,
    Save,
    Step,
    Sync,
    Trouble,
    Unlink,
    Watch,
    Write,
)
from stellwerk_simulation.later import between, more_settings

LATEST = 20_001
RESTORED = 21_001
"""From this seed on whoever was deleted is often restored, and may have left meanwhile."""

UNLINKED = 40_001
"""From this seed on somebody is unlinked for a while."""

TROUBLED = 0.6


def with_latest(history: History, settings: Callable[[random.Random], dict[str, Any]]) -> History:
    """`settings` draws what a page says, for the second connection."""
    dice = random.Random(f"latest {history.seed}")
    calm = all(step.trouble == Trouble() for step in history.steps)
    steps = tuple(step if calm else _with_trouble(dice, step) for step in history.steps)
    if dice.random() < 0.5:
        return replace(history, steps=steps)
    second = {**settings(dice), **more_settings(dice)}
    return replace(history, steps=tuple(_anywhere(dice, step) for step in steps), second=second)


def with_restores(history: History) -> History:
    dice = random.Random(f"restored {history.seed}")
    steps: list[Step] = []
    for step in history.steps:
        steps.append(step)
        if isinstance(step.deed, Delete) and not step.hasty and dice.random() < 0.7:
            who = step.deed.who
            steps += [Step(deed=Leave(who=who))] if dice.random() < 0.5 else []
            steps.append(Step(deed=Restore(who=who)))
    return replace(history, steps=tuple(steps))


def with_unlinking(history: History) -> History:
    dice = random.Random(f"unlinked {history.seed}")
    calm = all(step.trouble == Trouble() for step in history.steps)
    steps = list(history.steps)
    for _ in range(dice.choice((1, 2, 3))):
        who = dice.choice((0, 0, 0, 1, 2))
        step = Step(deed=Unlink(who=who, meanwhile=_meanwhile(dice, who)))
        steps.insert(between(dice, steps), step if calm else _with_trouble(dice, step))
    return replace(history, steps=tuple(steps))


def _meanwhile(dice: random.Random, who: int) -> Write | EditThere | Confirm | Leave:
    match dice.choice(("name", "answer", "answer", "there", "confirm", "leave")):
        case "name":
            return Write(who=who, by=dice.choice(("form", "import", "person")), values={"firstname": "Nora"})
        case "answer":
            says = {"maileon_subscribe": dice.choice(("true", "false"))}
            return Write(who=who, by=dice.choice(("form", "import", "person")), values=says)
        case "there":
            return EditThere(who=who, field="FIRSTNAME", value="Ida")
        case "confirm":
            return Confirm(who=who)
    return Leave(who=who)


def _with_trouble(dice: random.Random, step: Step) -> Step:
    if isinstance(step.deed, Merge | Move | OptOut | Save | Sync | Unlink | Watch) and dice.random() < TROUBLED:
        step = replace(step, trouble=trouble(dice))
    if step.trouble.crash is not None and dice.random() < 0.4:
        step = replace(step, trouble=replace(step.trouble, again=dice.randrange(1, 60)))
    return step


def _anywhere(dice: random.Random, step: Step) -> Step:
    """Settings and syncs are of the one connection or the other; merges are of people of one portal."""
    match step.deed:
        case Save() | Sync():
            return replace(step, deed=replace(step.deed, who=dice.choice((0, 1))))
        case Merge():
            return replace(step, deed=Merge(who=1, other=2))
    return step
