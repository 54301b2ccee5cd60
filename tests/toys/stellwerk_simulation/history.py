"""What may happen in a history: people, vendors, operators, faults."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

PEOPLE = ("ada@x.test", "ben@x.test", "cem@x.test", "new@x.test")
SECOND = (1, 2)
"""Who stands at the portal of a second connection, where there is one; all others at the first."""

FIELDS = {"firstname": "FIRSTNAME"}
"""Carried fields of a contact: as the CRM calls them, and as the newsletter does."""

FAULTS = ("refused", "lost", "unheard", "late", "failed", "broken", "cut", "busy", "away", "token")
By: TypeAlias = Literal["form", "import", "person", "workflow"]


class Trouble(Struct, frozen=True, kw_only=True):
    """What goes wrong from here on: `calls` fail after so many others, the process ends after so many steps, and the next one
    `again`; webhooks are lost, or their answers, or come twice and in another order; `full`: the disk has no room until
    the step is over."""

    calls: tuple[tuple[int, str], ...] = ()
    crash: int | None = None
    again: int | None = None
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


class OptOut(Struct, frozen=True, kw_only=True, tag=True):
    """Opts out of all mail at the CRM, or, where not `out`, takes that back."""

    who: int
    out: bool = True


class Move(Struct, frozen=True, kw_only=True, tag=True):
    """The contact at the CRM gets another address, which nobody there has."""

    who: int
    to: int
    by: By = "person"


class Save(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody changes these settings on the page of the connection that `who` belongs to."""

    settings: dict[str, Any]
    who: int = 0


class Watch(Struct, frozen=True, kw_only=True, tag=True):
    """The connection watches or rests while `meanwhile` happens, and runs again; then a person writes `then`, or a name."""

    meanwhile: Write
    then: dict[str, str] | None = None
    state: Literal["watches", "rests"] = "watches"


class Unlink(Struct, frozen=True, kw_only=True, tag=True):
    """A person takes the contact of `who` out of what is carried, which is hers `meanwhile`, and links it again."""

    who: int
    meanwhile: Write | EditThere | Confirm | Leave


class Sync(Struct, frozen=True, kw_only=True, tag=True):
    """A person looks at what a sync of the connection of `who` would do, and starts it. `meanwhile` happens while it runs."""

    ask: bool = False
    permission: Literal["none", "single", "confirmed"] = "none"
    meanwhile: Write | Merge | None = None
    who: int = 0


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
    Write
    | Confirm
    | Leave
    | EditThere
    | Bounce
    | Delete
    | Restore
    | Erase
    | Merge
    | OptOut
    | Move
    | Save
    | Watch
    | Sync
    | Unlink
    | Wait
    | Hold
    | BackUp
    | GoBack
)


class Step(Struct, frozen=True, kw_only=True):
    """A deed and the trouble that meets it. `hasty`: the next deed does not wait until this one has had its effects."""

    deed: Deed
    trouble: Trouble = Trouble()
    hasty: bool = False


UNSAID = {
    "contacts_may_skip_doi": False,
    "forms_may_skip_doi": False,
    "ask_again": False,
    "on_opt_out": "keep",
    "on_moved": "ask_again",
    "on_moved_old": "keep",
}
"""What the settings page says where nobody chose."""


class History(Struct, frozen=True, kw_only=True):
    """The settings of the connection, what happens under them, and who stood at the CRM before."""

    seed: int
    settings: dict[str, Any]
    steps: tuple[Step, ...]
    older: tuple[Write, ...] = ()
    skew: float = 0.0
    """Seconds that the hub's clock is ahead of the world's."""

    second: dict[str, Any] | None = None
    """Settings of a second connection, between a portal of its own and the same newsletter."""

    @property
    def connections(self) -> tuple[dict[str, Any], ...]:
        return (self.settings,) if self.second is None else (self.settings, self.second)

    def connection_of(self, who: int) -> int:
        """The number of the one she belongs to."""
        return int(self.second is not None and who in SECOND)

    def text(self) -> str:
        lines = [f"seed {self.seed}, skew {self.skew:.0f} s, settings {msgspec.json.encode(self.settings).decode()}"]
        if self.second is not None:
            lines.append(f"  second connection {msgspec.json.encode(self.second).decode()}")
        lines += [f"  before {one!r}" for one in self.older]
        for number, step in enumerate(self.steps):
            trouble = msgspec.json.encode({k: v for k, v in msgspec.structs.asdict(step.trouble).items() if v}).decode()
            lines.append(
                f"  {number:>2} {step.deed!r}"
                + (" (hasty)" if step.hasty else "")
                + ("" if trouble == "{}" else f"  trouble {trouble}")
            )
        return "\n".join(lines)
