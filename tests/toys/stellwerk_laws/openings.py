"""How a history may begin where a fault must meet one certain write or call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import example
from msgspec.structs import replace

from stellwerk_laws.happenings import (
    CallFails,
    Claim,
    Confirm,
    EditThere,
    FailsAfter,
    History,
    Meanwhile,
    Opening,
    Scripted,
    SignsUpThere,
    StopsAtWrite,
    Wait,
    Write,
)
from stellwerk_laws.variants import made
from stellwerk_toys.faults import Fault

Property = TypeVar("Property", bound=Callable[..., None])


def each(*begins: Opening, **values: Any) -> Callable[[Property], Property]:
    """Play each of these, under the usual file and with these settings, at every run of a property."""
    usual = made(lambda options: options[0])
    file = replace(usual, values={**usual.values, **values})

    def with_each(of: Property) -> Property:
        for one in begins:
            of = example(History(file=file, steps=one, seed=0))(of)
        return of

    return with_each


IS_IN = (
    Scripted(Write(who=0, by="form", values={"wants_news": "yes", "name": "…", "town": "…"}), "settle"),
    Scripted(Confirm(who=0), "settle"),
)
WRITES_IN_A_ROW = tuple(
    (
        *IS_IN,
        Scripted(CallFails(fault=Fault.LIMITED, calls_before=number), "hold"),
        Scripted(Write(who=0, by="person", values={"name": "…"}), "run"),
        Scripted(Write(who=0, by="person", values={"town": "…"}), "settle"),
    )
    for number in (1, 2)
)
"""The second while the first waits for another try."""

TWO_WISHES = (
    Scripted(FailsAfter(effect="doi", fault=Fault.STOPPED_AFTER), "hold"),
    Scripted(Write(who=0, by="form", values={"wants_news": "yes"}), "run"),
    Scripted(Write(who=0, by="person", values={"wants_news": None}), "run"),
    Scripted(Write(who=0, by="form", values={"wants_news": "yes"}), "run"),
)
"""The second while nobody knows what became of the first."""

FAILS_TWICE = tuple(
    (
        *IS_IN,
        Scripted(Write(who=0, by="person", values={"name": "…"}), "settle"),
        Scripted(CallFails(fault=Fault.REFUSED, calls_before=number), "hold"),
        Scripted(CallFails(fault=Fault.REFUSED, calls_before=number + 2), "hold"),
        Scripted(Write(who=0, by="person", values={"name": "…"}), "settle"),
    )
    for number in range(4)
)
"""After one of its kind went through, so that it is not taken for the account's trouble."""

CHANGES_AND_STOPS = tuple(
    (
        *IS_IN,
        Scripted(StopsAtWrite(writes_before=number, after=True), "hold"),
        Scripted(Write(who=0, by="person", values={"name": "…"}), "settle"),
    )
    for number in range(1, 5)
)
"""Around the writes that decide on it."""

POLLS_AND_STOPS = tuple(
    (
        *IS_IN,
        Scripted(EditThere(who=0, field="FIRST"), "hold"),
        Scripted(StopsAtWrite(writes_before=number, after=True), "hold"),
        Scripted(Wait(seconds=3600.0), "settle"),
    )
    for number in range(4)
)
"""Around the writes that take in what a poll found."""

JOINS_BY_ITSELF = (
    *IS_IN,
    Scripted(Write(who=0, by="person", values={"wants_news": "no"}), "settle"),
    Scripted(Wait(seconds=3 * 3600.0), "settle"),
    Scripted(SignsUpThere(who=0, permission="full"), "settle"),
    Scripted(Write(who=0, by="person", values={"town": "…"}), "settle"),
)
CLAIMED_MEANWHILE = tuple(
    (
        Scripted(Write(who=0, by="form", values={"wants_news": "yes", "name": "…"}), "settle"),
        Scripted(Wait(seconds=25 * 3600.0), "settle"),
        Scripted(Write(who=0, by="person", values={"wants_news": None}), "settle"),
        Scripted(Meanwhile(calls_before=number, step=Claim(who=0, topic="goodbye"), told=True), "hold"),
        Scripted(Write(who=0, by="form", values={"wants_news": "yes"}), "settle"),
    )
    for number in range(1, 4)
)
"""An opt-out is told of between the decision and the call, and does not show yet where the contact is read."""
