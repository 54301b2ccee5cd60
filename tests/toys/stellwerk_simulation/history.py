"""What may happen in a history: people, vendors, operators, faults. Drawn from a seed, without looking at what it meets."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

PEOPLE = ("ada@x.test", "ben@x.test", "cem@x.test")
FAULTS = ("refused", "lost", "unheard", "late", "failed", "broken", "cut", "busy", "away", "token")
By: TypeAlias = Literal["form", "import", "person", "workflow"]


class Trouble(Struct, frozen=True, kw_only=True):
    """What goes wrong from here on: `calls` fail after so many others, the process ends after so many steps, webhooks are
    lost, or their answers, or come twice and in another order; `full`: the disk has no room until the step is over."""

    calls: tuple[tuple[int, str], ...] = ()
    crash: int | None = None
    lose: int = 0
    deaf: int = 0
    disorder: bool = False
    full: bool = False


class Write(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody writes fields of a contact at the CRM, which makes it where there is none."""

    who: int
    by: By
    values: dict[str, str]


class Confirm(Struct, frozen=True, kw_only=True, tag=True):
    """A click on the link of the last double opt-in mail."""

    who: int


class Leave(Struct, frozen=True, kw_only=True, tag=True):
    """A click on the link that unsubscribes."""

    who: int


class EditThere(Struct, frozen=True, kw_only=True, tag=True):
    """The contact changes a field of its profile at the newsletter."""

    who: int
    field: str
    value: str


class Bounce(Struct, frozen=True, kw_only=True, tag=True):
    """A mail comes back for good."""

    who: int


class Delete(Struct, frozen=True, kw_only=True, tag=True):
    """A person deletes the contact at the CRM."""

    who: int


class Restore(Struct, frozen=True, kw_only=True, tag=True):
    """A person takes the contact that was deleted last out of the recycle bin."""

    who: int


class Erase(Struct, frozen=True, kw_only=True, tag=True):
    """A person deletes the contact for privacy."""

    who: int


class Merge(Struct, frozen=True, kw_only=True, tag=True):
    """A person merges the contact `other` into `who`."""

    who: int
    other: int


class Wait(Struct, frozen=True, kw_only=True, tag=True):
    """Time passes, and the hub runs or not."""

    hours: float
    asleep: bool = False


class Hold(Struct, frozen=True, kw_only=True, tag=True):
    """An operator holds what mails or grants, while `meanwhile` happens, and lets it go on."""

    meanwhile: Write


class BackUp(Struct, frozen=True, kw_only=True, tag=True):
    """An operator makes a back-up of the database."""


class GoBack(Struct, frozen=True, kw_only=True, tag=True):
    """The database is replaced by the last back-up; an operator looks, and lets the hub go on."""


Deed: TypeAlias = (
    Write | Confirm | Leave | EditThere | Bounce | Delete | Restore | Erase | Merge | Wait | Hold | BackUp | GoBack
)


AT_ONCE = (Write, Confirm, Leave, EditThere, Delete, Erase)


class Step(Struct, frozen=True, kw_only=True):
    """A deed and the trouble that meets it. `hasty`: the next deed does not wait until this one has had its effects."""

    deed: Deed
    trouble: Trouble = Trouble()
    hasty: bool = False


class History(Struct, frozen=True, kw_only=True):
    """The settings of the connection, and what happens under them."""

    seed: int
    settings: dict[str, Any]
    steps: tuple[Step, ...]
    skew: float = 0.0
    """Seconds that the hub's clock is ahead of the world's."""

    def text(self) -> str:
        lines = [f"seed {self.seed}, skew {self.skew:.0f} s, settings {msgspec.json.encode(self.settings).decode()}"]
        for number, step in enumerate(self.steps):
            trouble = msgspec.json.encode({k: v for k, v in msgspec.structs.asdict(step.trouble).items() if v}).decode()
            lines.append(
                f"  {number:>2} {step.deed!r}"
                + (" (hasty)" if step.hasty else "")
                + ("" if trouble == "{}" else f"  trouble {trouble}")
            )
        return "\n".join(lines)


def drawn(seed: int) -> History:
    """The history of a seed."""
    dice = random.Random(seed)
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
    return Step(deed=_deed(dice), trouble=_trouble(dice) if troubled and dice.random() < 0.6 else Trouble())


def _trouble(dice: random.Random) -> Trouble:
    calls = tuple((dice.randrange(0, 12), dice.choice(FAULTS)) for _ in range(dice.choice((0, 1, 1, 2, 3))))
    return Trouble(
        calls=calls,
        crash=dice.randrange(1, 120) if dice.random() < 0.4 else None,
        lose=dice.choice((0, 0, 0, 0, 1, 3)),
        deaf=dice.choice((0, 0, 0, 1, 2)),
        disorder=dice.random() < 0.3,
        full=dice.random() < 0.08,
    )


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
