"""What goes wrong between a connector and its remote, planned by the number of the call."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from random import Random
from typing import TypeVar

from stellwerk.sdk import AmbiguousError, DeliveryError, PauseError, ReauthorizeError, RetryableError

T = TypeVar("T")


class Fault(StrEnum):
    """`REFUSED` surely did nothing; `LOST` did nothing, `BROKEN` and `CUT` did it, and the caller cannot tell these three.

    `STOPPED_BEFORE` and `STOPPED_AFTER` end the caller's process, as far as a test can: `Stopped` is no `Exception`.
    """

    REFUSED = "refused"
    LIMITED = "limited"
    RESTING = "resting"
    UNKNOWN_KEY = "unknown_key"
    LOST = "lost"
    BROKEN = "broken"
    CUT = "cut"
    STOPPED_BEFORE = "stopped_before"
    STOPPED_AFTER = "stopped_after"


DID_IT = frozenset({Fault.BROKEN, Fault.CUT, Fault.STOPPED_AFTER})


class Stopped(BaseException):
    """The process is gone. Nothing that catches `Exception` may notice."""


class Faults:
    """`plan` has faults by call, counted from 1 over all systems of a world; `sometimes` lets a share of all calls fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.plan: dict[int, Fault] = {}
        self._share = 0.0
        self._kinds: tuple[Fault, ...] = ()
        self._dice = Random(0)

    def at_next(self, fault: Fault, calls_before: int = 0) -> None:
        """`fault` at the next call, or after so many others."""
        self.plan[self.calls + 1 + calls_before] = fault

    def sometimes(self, share: float, *kinds: Fault, seed: int = 0) -> None:
        """One of `kinds` in about `share` of the calls. By chance: a fault at each third call may meet the same call for ever."""
        self._share, self._kinds, self._dice = share, kinds, Random(seed)

    def none_any_more(self) -> None:
        self.plan.clear()
        self._share = 0.0

    def around(self, step: Callable[[], T]) -> T:
        """Do `step` as one call over there, with what is planned for it."""
        self.calls += 1
        fault = self.plan.pop(self.calls, None)
        if fault is None and self._dice.random() < self._share:
            fault = self._dice.choice(self._kinds)
        if fault is None:
            return step()
        if fault in DID_IT:
            step()
        raise _error(fault)


def _error(fault: Fault) -> BaseException:
    errors: dict[Fault, Callable[[], DeliveryError]] = {
        Fault.REFUSED: lambda: RetryableError("unreachable"),
        Fault.LIMITED: lambda: RetryableError("too-many", retry_after=7.0),
        Fault.RESTING: lambda: PauseError("rate-limit", seconds=7.0),
        Fault.UNKNOWN_KEY: lambda: ReauthorizeError("key-refused"),
        Fault.LOST: lambda: AmbiguousError("no-answer"),
        Fault.BROKEN: lambda: AmbiguousError("status-500"),
        Fault.CUT: lambda: AmbiguousError("answer-cut"),
    }
    return errors[fault]() if fault in errors else Stopped(fault.value)
