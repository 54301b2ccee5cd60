"""The ability to write: deliveries, receipts, marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Struct

from stellwerk_rules.model import Change, Permission

__all__ = ["Cautious", "Delivery", "LeftOut", "MarkState", "Outcome", "Receipt", "Sized", "Target"]


class Delivery(Struct, frozen=True, kw_only=True):
    """A change on its way. `id` is the contact's id at the remote (None before it has one), `key` its effect key.

    `created_at` is when the change was decided (marks are looked for from there on).
    """

    key: str
    id: str | None
    email: str | None
    change: Change
    created_at: datetime


class Outcome(StrEnum):
    """What becomes of a delivery."""

    DONE = "done"
    NOT_NEEDED = "not_needed"
    RETRY = "retry"
    REJECTED = "rejected"
    OPTED_OUT = "opted_out"
    AMBIGUOUS = "ambiguous"
    REAUTHORIZE = "reauthorize"
    PAUSE = "pause"


class LeftOut(Struct, frozen=True, kw_only=True):
    """A field that a write went on without, because the remote does not take its value, or the field, and never will.

    `code` is stable and says why, `text` more for a person; neither holds the value.
    """

    field: str
    code: str
    text: str = ""


class Receipt(Struct, frozen=True, kw_only=True):
    """What the remote answered to one delivery.

    `id` is the contact's id there, if the answer tells; `at` the time of the write by the remote's clock, if it tells.
    `seconds` goes with retry and pause. `whole` says the batch failed as one and may be bisected. `answer` is redacted.
    `permission` is what the contact's permission read right after the write, where the connector read it back.
    `left_out` are fields that the rest was written without. `instead` is the code of a repair, where something else than what
    was wanted had to be done in its place; `text` says what, and how to get what was wanted.
    """

    outcome: Outcome
    code: str = "done"
    text: str = ""
    id: str | None = None
    at: datetime | None = None
    seconds: float | None = None
    whole: bool = False
    answer: str | None = None
    permission: Permission | None = None
    left_out: tuple[LeftOut, ...] = ()
    instead: str = ""


@runtime_checkable
class Cautious(Protocol):
    """Its `create` touches nobody who is there already or has left: what a sync creates need not be looked up first.

    Of such a contact the receipt is `not_needed` or `opted_out`; where the call does not say which of several it was, `retry`
    with `seconds` for all of them. Each is then looked up before it is tried again.
    """

    creates_only_new: ClassVar[Literal[True]]


@runtime_checkable
class Sized(Protocol):
    @classmethod
    def most_characters(cls, field: str, /) -> int | None:
        """How long a text this field takes, by its own name; None: as long as it likes. Longer ones are cut, and it is said."""
        ...


class MarkState(StrEnum):
    """Whether a mark was found at the remote."""

    FOUND = "found"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


@runtime_checkable
class Target(Protocol):
    batch_sizes: ClassVar[Mapping[str, int]]
    """By the change's tag (`set_fields`, …): how many fit into one call of `apply`. A tag that is missing cannot be applied."""

    marked: ClassVar[frozenset[str]]
    """Tags whose write is not idempotent but carries a mark. All others may be repeated."""

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        """Write changes of one tag, distinct contacts; one receipt each, same order. Never raises for a remote's answer."""
        ...

    async def find_mark(self, delivery: Delivery, /) -> tuple[MarkState, Receipt | None]:
        """Whether this delivery's mark can be read back; with FOUND the receipt it would have had. Raises `DeliveryError`."""
        ...
