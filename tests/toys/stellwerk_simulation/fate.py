"""How a process ends: at a chosen one of its steps, without a last word."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable


class Gone(BaseException):
    """The process this task belonged to has ended. Nothing that catches `Exception` may notice."""


class Fate:
    """Every call, read, write and commit of a process is a step; `crash_at` is the number of the one it does not survive."""

    def __init__(self, dice: random.Random, end: Callable[[], None], reached: Counter[str]) -> None:
        self._dice = dice
        self._end = end
        self.reached = reached
        self.steps = 0
        self.crash_at: int | None = None
        self.dead = False

    async def turn(self) -> None:
        """A step at which others come first, as the dice say."""
        if self.dead or self.strikes("between two steps"):
            raise Gone
        for _ in range(self._dice.choice((1, 1, 2, 4))):
            await asyncio.sleep(0)
        if self.dead:
            raise Gone

    def strikes(self, where: str) -> bool:
        """One step more; whether the process ended at it."""
        self.steps += 1
        if self.crash_at is not None and self.steps >= self.crash_at and not self.dead:
            self.crash_at = None
            self.dead = True
            self.reached[f"process ended {where}"] += 1
            self._end()
        return self.dead
