"""What was thought of later: more deeds, put into a history that was drawn as before.

Seeds below `LATER` are left as they are, so that a number once found means the same history for ever.
"""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from stellwerk_simulation.history import By, Deed, History, Merge, Move, OptOut, Save, Step, Sync, Watch, Write

LATER = 10_001


def with_later(history: History) -> History:
    dice = random.Random(f"later {history.seed}")
    settings = {**history.settings, **more_settings(dice)}
    steps = [_with_own_values(dice, step) for step in history.steps]
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        steps.insert(between(dice, steps), Step(deed=_deed(dice)))
    if dice.random() < 0.25:
        steps.insert(between(dice, steps, late=True), Step(deed=Merge(who=dice.choice((0, 1)), other=2)))
    older = tuple(_older(dice, who) for who in range(3) if dice.random() < 0.2)
    return replace(history, settings=settings, steps=tuple(steps), older=older)


def between(dice: random.Random, steps: list[Step], *, late: bool = False) -> int:
    """A place where the deed before has had its effects; a `late` one has little behind it."""
    first = max(1, len(steps) - 3) if late else 0
    return dice.choice([at for at in range(first, len(steps) + 1) if not at or not steps[at - 1].hasty])


def _older(dice: random.Random, who: int) -> Write:
    """Before the connection there is no property to answer with."""
    return Write(who=who, by=dice.choice(("form", "import")), values={"firstname": "Olga"})


def more_settings(dice: random.Random) -> dict[str, Any]:
    """Those that the first histories leave as the page has them."""
    return {
        "contacts_may_skip_doi": dice.random() < 0.4,
        "forms_may_skip_doi": dice.random() < 0.3,
        "ask_again": dice.random() < 0.3,
        "on_opt_out": dice.choice(("keep", "unsubscribe")),
        "on_moved": dice.choice(("ask_again", "keep_permission")),
        "on_moved_old": dice.choice(("keep", "unsubscribe", "delete")),
    }


def _with_own_values(dice: random.Random, step: Step) -> Step:
    """A contact that wants something else than the connection."""
    if not isinstance(step.deed, Write) or dice.random() > 0.2:
        return step
    own = {
        "maileon_contact_doi": dice.choice(("true", "false", "false")),
        "maileon_contact_doi_plus": dice.choice(("true", "false")),
        "maileon_contact_permission": dice.choice(("none", "single", "confirmed")),
    }
    chosen = dice.sample(sorted(own), dice.choice((1, 1, 2, 3)))
    return replace(step, deed=replace(step.deed, values={**step.deed.values, **{name: own[name] for name in chosen}}))


def _deed(dice: random.Random) -> Deed:
    who = dice.choice((0, 0, 0, 1, 2))
    by: By = dice.choice(("form", "import", "person"))
    match dice.choice(("save", "save", "out", "move", "move", "watch", "sync", "sync")):
        case "save":
            return Save(settings=_changed(dice))
        case "move":
            return Move(who=who, to=dice.choice((0, 1, 2, 3, 3, 3)), by=by)
        case "watch":
            said = {"maileon_subscribe": dice.choice(("true", "true", "false"))}
            return Watch(meanwhile=Write(who=who, by=by, values=said), state=dice.choice(("watches", "rests")))
        case "sync":
            name = Write(who=who, by=by, values={"firstname": "Xenia"})
            meanwhile = dice.choice((None, name, Merge(who=who, other=(who + 1) % 3)))
            return Sync(ask=dice.random() < 0.5, permission=dice.choice(("none", "single")), meanwhile=meanwhile)
    return OptOut(who=who, out=dice.random() < 0.7)


def _changed(dice: random.Random) -> dict[str, Any]:
    """One setting or two with another value."""
    kinds: dict[str, tuple[Any, ...]] = {
        "double_opt_in": (True, False),
        "double_opt_in_plus": (True, False),
        "permission": ("none", "single", "confirmed"),
        "no_answer": ("yes", "no"),
        "on_no": ("unsubscribe", "keep"),
        "form_no_unsubscribes": (True, False),
        "on_deleted": ("keep", "unsubscribe", "delete"),
        "timeline": ("note", "properties_only"),
        "contacts_may_skip_doi": (True, False),
        "forms_may_skip_doi": (True, False),
        "ask_again": (True, False),
        "on_opt_out": ("keep", "unsubscribe"),
    }
    return {name: dice.choice(kinds[name]) for name in dice.sample(sorted(kinds), dice.choice((1, 2)))}
