"""Abilities to read: contacts, evidence of opt-outs, reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from stellwerk.sdk.signal import Ref, Signal, Unread
from stellwerk_rules.model import Contact, OptOutEvidence

__all__ = ["Batched", "ConsentSource", "Doubles", "Finder", "Lister", "Reader", "Reporter", "Sampler", "Unzoned"]


@runtime_checkable
class Reader(Protocol):
    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        """One contact for each ref, same order, in batches as large as the remote takes.

        What a batch does not return is read singly before it counts as `Presence.ABSENT`. `history` names the fields whose
        history is needed (expensive), `ADDRESS` among them where the address's is. An id that a merge ended reads as the
        contact that took it in. Raises `DeliveryError`.
        """
        ...


@runtime_checkable
class Batched(Protocol):
    read_batch: ClassVar[int]
    """How many contacts one call of the remote reads; 1 where each is a call of its own. Without it: as many as wait.

    Where reading is dear, the hub takes fewer contacts at once, so that the first of them is written soon.
    """


@runtime_checkable
class Finder(Protocol):
    async def find(self, email: str, /) -> str | None:
        """The id of the contact that has this address as one besides its own, where `read` by address does not show it.

        Asked only where reading found nobody. Raises `DeliveryError`.
        """
        ...


@runtime_checkable
class Doubles(Protocol):
    async def stands_twice(self, email: str, /) -> bool:
        """Whether several living contacts have this address, each of which reads by its id as if it were the only one.

        By the address they read as `Presence.TWICE`. Raises `DeliveryError`.
        """
        ...


@runtime_checkable
class Lister(Protocol):
    async def page(self, cursor: str | None, /) -> tuple[Sequence[Ref], str | None]:
        """Ids of some of all contacts there, and the cursor of what follows; None for the first page, None after the last.

        A cursor stays good for days and across restarts. Who is there from the first page to the last stands on one of them;
        contacts that come or go meanwhile move nobody to another page. Raises `DeliveryError`.
        """
        ...


@runtime_checkable
class Sampler(Protocol):
    async def newest(self, count: int, /) -> Sequence[str]:
        """Ids of the contacts that were created last, the newest first, at most `count`. Raises `DeliveryError`."""
        ...


@runtime_checkable
class ConsentSource(Protocol):
    async def opt_outs(self, *, email: str | None, contact_id: str | None, since: datetime | None) -> OptOutEvidence:
        """The evidence for an opt-out of this address or contact, report entries from `since` on. Raises `DeliveryError`."""
        ...


@runtime_checkable
class Unzoned(Protocol):
    prints_no_zone: ClassVar[bool]
    """Its times bear no zone, and none is documented: until `Services.zone_seen` they may be wrong by a day."""


@runtime_checkable
class Reporter(Protocol):
    poll_seconds: float

    async def poll(self, cursor: str | None, /) -> tuple[Sequence[Signal | Unread], str, bool]:
        """Signals since `cursor` (None: from now), the next cursor, and whether more wait. Overlaps rather than skips.

        What was not understood comes as `Unread`, and is kept as a dead letter: nothing that was pulled vanishes.
        """
        ...
