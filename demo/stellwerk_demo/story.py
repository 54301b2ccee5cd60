"""A story: acts told one after another in one scene, every step done with what a person or a vendor has, and checked.

Reasons are what `stellwerk explain` says; the twins' control API is used for faults and for the moment of a kill alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from stellwerk_demo.ada import AdasWay
from stellwerk_demo.going import ComingAndGoing
from stellwerk_demo.killed import Killed
from stellwerk_demo.opening import Opening
from stellwerk_demo.own_words import OwnWords
from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.scene import Scene
from stellwerk_demo.storm import Storm
from stellwerk_demo.witness import StoryError, Witness

__all__ = ["ADA", "PEOPLE", "Act", "MakeAct", "Story", "StoryError"]


class Act(Protocol):
    """A part of a story: `steps` in order; `people` are all who come in, `typed` is what else is personal in it."""

    people: Sequence[Visitor]
    typed: Sequence[str]
    steps: Sequence[Callable[[], None]]


MakeAct = Callable[[Witness, Marketer], Act]
ADA: tuple[MakeAct, ...] = (Opening, AdasWay, Killed)
PEOPLE: tuple[MakeAct, ...] = (Opening, OwnWords, ComingAndGoing, Storm)


class Story:
    """Tell it with `tell()`. `say` prints one line of what was seen."""

    def __init__(self, scene: Scene, say: Callable[[str], None], acts: Sequence[MakeAct] = ADA) -> None:
        self.witness = Witness(scene, say)
        marketer = Marketer(scene)
        self.acts = [act(self.witness, marketer) for act in acts]
        self.people = [who for act in self.acts for who in act.people]
        self.witness.meets(self.people)

    def tell(self) -> None:
        """Raises `StoryError` at the first step that does not come true."""
        for act in self.acts:
            for step in act.steps:
                step()
