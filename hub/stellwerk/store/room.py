"""Whether the database's disk had room lately: a full one is shown to people, and log lines about it do not pile up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from stellwerk.errors import StoreFull
from stellwerk.store.writer import Answer

LATELY_SECONDS = 60.0
"""Where there is hardly any room, one write finds some and the next does not."""

log = logging.getLogger("stellwerk")


class Room:
    """What the writes of one process found."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._refused: float | None = None
        self._written = True

    @property
    def none(self) -> bool:
        """A write was refused for lack of room within the last minute, or none went through since."""
        refused = self._refused
        return refused is not None and (not self._written or self._clock() - refused < LATELY_SECONDS)

    def note(self, answers: Sequence[Answer]) -> None:
        """What became of a group; told to the log when it begins and when it is over."""
        before = self.none
        if any(isinstance(error, StoreFull) for _, error in answers):
            self._refused, self._written = self._clock(), False
            if not before:
                log.error(
                    "the disk of %s is full: nothing new is taken in until there is room; nothing that was is lost",
                    self._name,
                )
        elif self._refused is not None and not all(error for _, error in answers):
            self._written = True
            if not self.none:
                self._refused = None
                log.warning("the disk of %s has room again; what waited goes on", self._name)
