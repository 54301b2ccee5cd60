"""A seed's history, drawn without looking at what it meets."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import msgspec

from stellwerk_simulation.faults import trouble
from stellwerk_simulation.history import (
    BackUp,
    Bounce,
    By,
    Confirm,
    Deed,
    Delete,
    EditThere,
    Erase,
    GoBack,
    History,
    Hold,
    Leave,
    Restore,
    Step,
    Trouble,
    Wait,
    Write,
)
from stellwerk_simulation.later import LATER, with_later
from stellwerk_simulation.latest import LATEST, RESTORED, UNLINKED, with_latest, with_restores, with_unlinking

AT_ONCE = (Write, Confirm, Leave, EditThere, Delete, Erase)


def drawn(seed: int) -> History:
    """The history of a seed."""
    history = _drawn(seed, random.Random(seed))
    if seed >= LATER:
        history = with_later(history)
    if seed >= LATEST:
        history = with_latest(history, _settings)
    if seed >= RESTORED:
        history = with_restores(history)
    return with_unlinking(history) if seed >= UNLINKED else history


def _drawn(seed: int, dice: random.Random) -> History:
    troubled = dice.random() < 0.75
    steps = _in_haste(dice, [_step(dice, troubled) for _ in range(dice.randrange(4, 14))])
    skew = dice.choice((0.0, 0.0, 0.0, -45.0, 20.0, 45.0))
    return History(seed=seed, settings=_settings(dice), steps=steps, skew=skew)


def _in_haste(dice: random.Random, steps: list[Step]) -> tuple[Step, ...]:
    """Now and then several people act at once; each waits for what she did before herself."""
    acting: set[int] = set()
    for number, (step, following) in enumerate(pairwise(steps)):
        acting.add(getattr(step.deed, "who", -1))
        both = isinstance(step.deed, AT_ONCE) and isinstance(following.deed, AT_ONCE)
        if both and following.deed.who not in acting and dice.random() < 0.5:
            steps[number] = msgspec.structs.replace(step, hasty=True)
        else:
            acting.clear()
    return tuple(steps)


def calmed(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Without the haste that can no longer be, since what followed was left out."""
    following = (*steps[1:], Step(deed=BackUp()))[: len(steps)]
    return tuple(
        msgspec.structs.replace(one, hasty=False)
        if one.hasty and (not isinstance(two.deed, AT_ONCE) or getattr(one.deed, "who", None) == two.deed.who)
        else one
        for one, two in zip(steps, following, strict=True)
    )


def _settings(dice: random.Random) -> dict[str, Any]:
    doi = dice.random() < 0.75
    return {
        "double_opt_in": doi,
        "double_opt_in_plus": dice.random() < 0.3,
        "doi_mailing": "K1",
        "permission": dice.choice(("none", "none", "single", "confirmed")),
        "no_answer": dice.choice(("yes", "no")),
        "on_confirmed": {
            "enabled": dice.random() < 0.7,
            "source": "lead",
            "target": "marketingqualifiedlead",
            "reset": False,
        },
        "on_unsubscribed": {
            "enabled": dice.random() < 0.7,
            "source": "marketingqualifiedlead",
            "target": "lead",
            "reset": True,
        },
        "timeline": dice.choice(("note", "note", "properties_only")),
        "on_no": dice.choice(("unsubscribe", "unsubscribe", "keep")),
        "form_no_unsubscribes": dice.random() < 0.3,
        "on_deleted": dice.choice(("keep", "unsubscribe", "delete")),
    }


def _step(dice: random.Random, troubled: bool) -> Step:
    return Step(deed=_deed(dice), trouble=trouble(dice) if troubled and dice.random() < 0.6 else Trouble())


def _deed(dice: random.Random) -> Deed:
    who = dice.choice((0, 0, 0, 1, 2))
    kinds = list(_WEIGHTS)
    kind = dice.choices(kinds, weights=[_WEIGHTS[one] for one in kinds])[0]
    match kind:
        case "yes":
            by: By = dice.choice(("form", "form", "person"))
            return Write(who=who, by=by, values={"maileon_subscribe": "true", **_fields(dice)})
        case "write":
            return _write(dice, who)
        case "confirm":
            return Confirm(who=who)
        case "leave":
            return Leave(who=who)
        case "there":
            return EditThere(who=who, field="FIRSTNAME", value=_name(dice))
        case "bounce":
            return Bounce(who=who)
        case "delete":
            return Delete(who=who)
        case "restore":
            return Restore(who=who)
        case "erase":
            return Erase(who=who)
        case "hold":
            return Hold(meanwhile=_write(dice, who))
        case "back up":
            return BackUp()
        case "go back":
            return GoBack()
        case "wait":
            return Wait(hours=dice.choice((0.5, 2.0, 5.0)))
    return Wait(hours=dice.choice((2.0, 25.0, 60.0)), asleep=True)


_WEIGHTS = {
    "yes": 6,
    "write": 6,
    "confirm": 6,
    "leave": 3,
    "there": 2,
    "bounce": 1,
    "delete": 1,
    "restore": 1,
    "erase": 1,
    "hold": 1,
    "back up": 1,
    "go back": 1,
    "wait": 1,
    "sleep": 1,
}


def _write(dice: random.Random, who: int) -> Write:
    answer = dice.choice(({}, {"maileon_subscribe": "true"}, {"maileon_subscribe": "false"}))
    by: By = dice.choice(("form", "import", "person", "workflow"))
    return Write(who=who, by=by, values={**answer, **_fields(dice)} or {"firstname": _name(dice)})


def _fields(dice: random.Random) -> dict[str, str]:
    return {"firstname": _name(dice)} if dice.random() < 0.5 else {}


def _name(dice: random.Random) -> str:
    return dice.choice(("Ada", "Augusta", "Byron", "Cem", "Zoë"))
