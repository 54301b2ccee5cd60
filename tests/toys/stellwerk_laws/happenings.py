"""What may happen in a history: people, records that come and go, webhooks, faults, crashes, operators, time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from stellwerk_laws.variants import File
from stellwerk_toys.faults import Fault

PEOPLE = ("ada", "ben", "cleo")
"""Whose addresses there are; nobody has the last one from the beginning: it is where others move to."""

Then: TypeAlias = Literal["settle", "run", "hold", "twice", "shuffled", "dropped"]
By: TypeAlias = Literal["form", "import", "person", "workflow"]


class Write(Struct, frozen=True, kw_only=True):
    """Somebody writes fields of a contact at the shop; a form, an import and a person make the contact where there is none.

    A value of `…` becomes a text never used before.
    """

    who: int
    by: By
    values: Mapping[str, str | None]


class Confirm(Struct, frozen=True, kw_only=True):
    """A click on the link of the last mail that came, or of the first."""

    who: int
    first: bool = False


class Leave(Struct, frozen=True, kw_only=True):
    """Unsubscribes at the newsletter."""

    who: int


class SignsUpThere(Struct, frozen=True, kw_only=True):
    """Stands at the newsletter by a way that has nothing to do with the hub, with that permission."""

    who: int
    permission: str


class EditThere(Struct, frozen=True, kw_only=True):
    """Changes a field at the newsletter."""

    who: int
    field: str


class Returned(Struct, frozen=True, kw_only=True):
    """A mail of the newsletter comes back for good; `again`: of one that did, the newsletter tells once more."""

    who: int
    again: bool = False


class Shut(Struct, frozen=True, kw_only=True):
    """The newsletter stops sending to the address, or sends again."""

    who: int
    open_again: bool = False


class Claim(Struct, frozen=True, kw_only=True):
    """An authentic webhook that is not true."""

    who: int
    topic: Literal["goodbye", "yes"]


class Delete(Struct, frozen=True, kw_only=True):
    """A clerk deletes the contact at the shop."""

    who: int


class Restore(Struct, frozen=True, kw_only=True):
    """A clerk takes the contact out of the bin again, unless somebody else has the address by now."""

    who: int


class Erase(Struct, frozen=True, kw_only=True):
    """A clerk deletes the contact for privacy."""

    who: int


class Merge(Struct, frozen=True, kw_only=True):
    """A clerk makes one contact of two; `into` is the one that stays, with a new number or its own."""

    into: int
    who: int
    new_number: bool = True


class Move(Struct, frozen=True, kw_only=True):
    """The contact gets another address, where nobody has that one."""

    who: int
    to: int
    by: By = "person"


class Automation(Struct, frozen=True, kw_only=True):
    """A workflow sets a field of the contact to another value again and again; `by_hand` at that turn, if at all, a person does."""

    who: int
    field: str
    times: int
    seconds: float
    by_hand: int | None = None


class Disconnects(Struct, frozen=True, kw_only=True):
    """The customer ends the connection, unless an opt-out is on its way, and connects again after so many seconds."""

    away_seconds: float


class RotatesKey(Struct, frozen=True, kw_only=True):
    """The operator replaces `secret_key` and starts the hub anew; `sealed`: what is stored is sealed anew at once."""

    sealed: bool


class BacksUp(Struct, frozen=True, kw_only=True):
    """The operator stops the hub, copies its database and starts it again."""


class RestoresBackUp(Struct, frozen=True, kw_only=True):
    """The operator puts the last copy back, lets the hub read the reports, and says that it may go on."""


class Wait(Struct, frozen=True, kw_only=True):
    """Time passes, and the hub does what is due."""

    seconds: float


class Jump(Struct, frozen=True, kw_only=True):
    """Time passes, and the hub sleeps."""

    seconds: float


class CallFails(Struct, frozen=True, kw_only=True):
    """A call that is still to come fails."""

    fault: Fault
    calls_before: int


class FailsAfter(Struct, frozen=True, kw_only=True):
    """The next call with this effect has it, and then fails."""

    effect: str
    fault: Fault


class StopsAtWrite(Struct, frozen=True, kw_only=True):
    """The process ends at a write that is still to come: just before the commit or just after."""

    writes_before: int
    after: bool


class Freezes(Struct, frozen=True, kw_only=True):
    """The process stands still before a write that is still to come, and another one takes its accounts over meanwhile."""

    writes_before: int


class Unlinks(Struct, frozen=True, kw_only=True):
    """Somebody unlinks the contact on its page."""

    who: int


class Meanwhile(Struct, frozen=True, kw_only=True):
    """What people do between two calls of the hub; `told`: and the webhooks of it come in there too."""

    calls_before: int
    step: Write | Confirm | Leave | Claim | Unlinks
    told: bool = False


class Again(Struct, frozen=True, kw_only=True):
    """Every webhook so far comes again, in another order."""


class Syncs(Struct, frozen=True, kw_only=True):
    """A dry run, and what it said is carried out: whoever is older comes in, nobody is asked or granted anything.

    `cancels`: what went before is ended first, wherever it is.
    """

    cancels: bool = False


class Clicks(Struct, frozen=True, kw_only=True):
    """Somebody presses a button on the contact's page, whatever it offers; `not-sent` also says that no mail went out."""

    who: int
    what: Literal["sync-now", "ask-again", "not-sent"]


class LinksAgain(Struct, frozen=True, kw_only=True):
    """Somebody links the contact again on its page."""

    who: int


Step: TypeAlias = (
    Write
    | Confirm
    | Leave
    | SignsUpThere
    | EditThere
    | Returned
    | Shut
    | Claim
    | Delete
    | Restore
    | Erase
    | Merge
    | Move
    | Automation
    | Disconnects
    | RotatesKey
    | BacksUp
    | RestoresBackUp
    | Syncs
    | Wait
    | Jump
    | CallFails
    | FailsAfter
    | StopsAtWrite
    | Freezes
    | Meanwhile
    | Again
    | Clicks
    | Unlinks
    | LinksAgain
)


class Scripted(Struct, frozen=True):
    """A step, and what becomes of the webhooks that wait after it."""

    step: Step
    then: Then


Opening: TypeAlias = tuple[Scripted, ...]
"""How a history begins."""


class History(Struct, frozen=True, kw_only=True):
    """A file, what happens, and the seed of every shuffle. `older` is who stands at the shop before the connection begins."""

    file: File
    steps: tuple[Scripted, ...]
    seed: int
    older: tuple[Write, ...] = ()
