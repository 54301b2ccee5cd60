"""Strategies for histories, drawn without looking at the state they meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from stellwerk_laws.happenings import (
    Again,
    By,
    CallFails,
    Claim,
    Clicks,
    Confirm,
    Delete,
    EditThere,
    FailsAfter,
    Freezes,
    History,
    Jump,
    Leave,
    Meanwhile,
    Opening,
    Returned,
    Scripted,
    Shut,
    SignsUpThere,
    Step,
    StopsAtWrite,
    Then,
    Wait,
    Write,
)
from stellwerk_laws.variants import OVERRIDES, STAGES, File, files
from stellwerk_toys.faults import Fault

who = st.sampled_from([0, 0, 0, 1])
answers = st.sampled_from(["yes", "yes", "yes", "no", None])
writers: st.SearchStrategy[By] = st.sampled_from(["form", "form", "person", "import", "workflow"])
hours = st.sampled_from([1.0, 40.0, 600.0, 3 * 3600.0, 25 * 3600.0, 8 * 86_400.0, 31 * 86_400.0])
overriding: st.SearchStrategy[Mapping[str, str]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            OVERRIDES["ask_first"]: st.sampled_from(["yes", "no", "no"]),
            OVERRIDES["ask_tracking"]: st.sampled_from(["yes", "yes", "no", "rubbish"]),
            OVERRIDES["level"]: st.sampled_from(["none", "single", "double", "double_plus", "rubbish"]),
            OVERRIDES["letter"]: st.sampled_from(["spring", "welcome-de"]),
        },
    ),
)


@st.composite
def sign_ups(draw: st.DrawFn, by: By | None = None, answer: str | None = None) -> Write:
    """A contact is made, or says something once more."""
    said = answer or draw(answers)
    values: dict[str, Any] = {} if said is None else {"wants_news": said}
    values |= dict.fromkeys(draw(st.sets(st.sampled_from(["name", "town", "secret_wish"]))), "…")
    if draw(st.booleans()):
        values["language"] = draw(st.sampled_from(["de", "en"]))
    if draw(st.integers(0, 2)):
        values["stage"] = draw(st.sampled_from(["visitor", "visitor", "guest", "regular"]))
    source: By = draw(writers) if by is None else by
    return Write(who=draw(who), by=source, values={**values, **draw(overriding)})


edits = st.builds(
    Write,
    who=who,
    by=st.sampled_from(["person", "person", "import", "workflow", "form"]),
    values=st.one_of(
        st.sampled_from([{"name": "…"}, {"town": "…"}, {"town": None}, {"name": None}, {"secret_wish": "…"}]),
        st.builds(lambda answer: {"wants_news": answer}, st.sampled_from(["yes", "yes", "no", "no", None])),
        st.builds(lambda stage: {"stage": stage}, st.sampled_from([*STAGES[:3], None])),
        st.builds(dict, overriding),
        st.just({"no_mail": "yes"}),
    ),
)
confirms = st.builds(Confirm, who=who, first=st.sampled_from([False, False, True]))
leaves = st.builds(Leave, who=who)
yeses = sign_ups(answer="yes")
there = st.one_of(
    st.builds(EditThere, who=who, field=st.sampled_from(["FIRST", "TOWN", "LANG", "SECRET"])),
    st.builds(SignsUpThere, who=who, permission=st.sampled_from(["nothing", "one", "two", "full", "odd"])),
)
returned = st.builds(Returned, who=who, again=st.booleans())
shut = st.builds(Shut, who=who, open_again=st.booleans())
claims = st.builds(Claim, who=who, topic=st.sampled_from(["goodbye", "goodbye", "yes"]))
faults = st.builds(
    CallFails,
    fault=st.sampled_from(
        [Fault.REFUSED, Fault.LIMITED, Fault.LOST, Fault.BROKEN, Fault.CUT, Fault.STOPPED_BEFORE, Fault.STOPPED_AFTER]
    ),
    calls_before=st.integers(0, 8),
)
fails_after = st.builds(
    FailsAfter,
    effect=st.sampled_from(
        ["doi", "doi", "create", "update", "clear", "clear", "stage", "note", "unsubscribe", "fields"]
    ),
    fault=st.sampled_from([Fault.CUT, Fault.STOPPED_AFTER, Fault.STOPPED_AFTER]),
)
stops = st.builds(StopsAtWrite, writes_before=st.integers(0, 14), after=st.booleans())
freezes = st.builds(Freezes, writes_before=st.integers(0, 14))
meanwhile = st.builds(
    Meanwhile,
    calls_before=st.integers(0, 6),
    step=st.one_of(yeses, edits, confirms, leaves, claims),
    told=st.booleans(),
)
staged = st.builds(
    Write,
    who=who,
    by=st.sampled_from(["person", "workflow"]),
    values=st.builds(lambda stage: {"stage": stage}, st.sampled_from([*STAGES[:3], None])),
)
waits = st.builds(Wait, seconds=hours)
deletes = st.builds(Delete, who=who)
again = st.builds(Again)
clicks = st.builds(Clicks, who=who, what=st.sampled_from(["sync-now", "ask-again", "ask-again", "not-sent"]))

thens: st.SearchStrategy[Then] = st.sampled_from(
    ["settle", "settle", "settle", "settle", "run", "hold", "twice", "shuffled", "dropped"]
)

USUAL: tuple[tuple[int, st.SearchStrategy[Step]], ...] = (
    (3, yeses),
    (2, sign_ups()),
    (4, edits),
    (5, confirms),
    (4, leaves),
    (1, there),
    (1, claims),
    (1, faults),
    (3, fails_after),
    (2, stops),
    (1, freezes),
    (1, meanwhile),
    (3, waits),
    (1, again),
)


def steps(*more: tuple[int, st.SearchStrategy[Step]]) -> st.SearchStrategy[Step]:
    """The usual mix with `more` of something."""
    weighted = [strategy for weight, strategy in (*USUAL, *more) for _ in range(weight)]
    return st.integers(0, len(weighted) - 1).flatmap(lambda number: weighted[number])


GOES_BACK = (
    Scripted(FailsAfter(effect="clear", fault=Fault.STOPPED_AFTER), "hold"),
    Scripted(Write(who=0, by="form", values={"wants_news": "yes", "stage": "visitor"}), "settle"),
    Scripted(Confirm(who=0), "settle"),
    Scripted(Leave(who=0), "settle"),
)
IS_ASKED = (
    Scripted(FailsAfter(effect="doi", fault=Fault.STOPPED_AFTER), "hold"),
    Scripted(Write(who=0, by="form", values={"wants_news": "yes", "stage": "visitor"}), "settle"),
)
IS_ASKED_FROZEN = tuple((Scripted(Freezes(writes_before=number), "hold"), IS_ASKED[1]) for number in range(5, 11))
"""Around the writes between which the mail goes out."""

IS_ASKED_UNHEARD = (Scripted(FailsAfter(effect="doi", fault=Fault.CUT), "hold"), IS_ASKED[1])
IS_ASKED_LATE = tuple(
    (
        Scripted(CallFails(fault=Fault.LIMITED, calls_before=3), "hold"),
        Scripted(FailsAfter(effect="doi", fault=Fault.CUT), "hold"),
        Scripted(Freezes(writes_before=number), "hold"),
        IS_ASKED[1],
        Scripted(Wait(seconds=600.0), "settle"),
    )
    for number in (8, 9, 10)
)
"""Refused, and frozen before that is written down; who takes over asks, and hears no answer."""

BOTH_CHANGE = (
    Scripted(Write(who=0, by="form", values={"wants_news": "yes", "name": "…", "town": "…"}), "settle"),
    Scripted(Confirm(who=0), "settle"),
    Scripted(Write(who=0, by="person", values={"name": "…"}), "hold"),
    Scripted(EditThere(who=0, field="FIRST"), "settle"),
)
SAYS_NO = (
    Scripted(Write(who=0, by="form", values={"name": "…"}), "settle"),
    Scripted(Wait(seconds=600.0), "settle"),
    Scripted(Write(who=0, by="person", values={"wants_news": "no"}), "settle"),
    Scripted(Write(who=0, by="import", values={"wants_news": "yes"}), "settle"),
)
LEAVES_AND_STOPS = tuple(
    (
        Scripted(Write(who=0, by="form", values={"wants_news": "yes", "stage": "visitor"}), "settle"),
        Scripted(StopsAtWrite(writes_before=number, after=True), "hold"),
        Scripted(Leave(who=0), "settle"),
    )
    for number in range(1, 8)
)
"""Around the writes that take an opt-out in."""

IS_BACK = (
    Scripted(Write(who=0, by="form", values={"wants_news": "yes", "stage": "visitor"}), "settle"),
    Scripted(Confirm(who=0), "settle"),
    Scripted(Write(who=0, by="person", values={"no_mail": "yes"}), "settle"),
    Scripted(Again(), "settle"),
    Scripted(Write(who=0, by="person", values={"stage": "regular"}), "settle"),
)
COMES_BACK = (
    *BOTH_CHANGE[:2],
    Scripted(Returned(who=0), "settle"),
    Scripted(Wait(seconds=3600.0), "settle"),
    Scripted(Returned(who=0, again=True), "settle"),
    Scripted(Wait(seconds=3600.0), "settle"),
)
"""A mail comes back, and that is told twice."""

BOTH_CHANGE_LATER = (*BOTH_CHANGE[:3], Scripted(Jump(seconds=3 * 3600.0), "hold"), BOTH_CHANGE[3])


OPENINGS: tuple[Opening, ...] = ((), (), (), (), (), GOES_BACK, IS_ASKED, BOTH_CHANGE, BOTH_CHANGE_LATER)


@st.composite
def openings(draw: st.DrawFn, *more: Opening) -> Opening:
    """How a history begins: mostly with somebody who signs up and whatever comes before and after, at times with more."""
    whole = draw(st.sampled_from([*OPENINGS, *more]))
    return whole or (
        Scripted(draw(st.one_of(yeses, yeses, sign_ups(), fails_after, there)), draw(thens)),
        Scripted(draw(sign_ups(by="form", answer="yes")), draw(thens)),
        Scripted(draw(st.one_of(confirms, confirms, leaves, fails_after, edits)), draw(thens)),
    )


@st.composite
def histories(
    draw: st.DrawFn,
    *more: tuple[int, st.SearchStrategy[Step]],
    file: st.SearchStrategy[File] | None = None,
    most: int = 9,
    begins: tuple[Opening, ...] = (),
) -> History:
    """A file and a history, with `more` of some steps."""
    further = draw(st.lists(st.builds(Scripted, steps(*more), thens), min_size=2, max_size=most))
    return History(
        file=draw(files() if file is None else file),
        steps=(*draw(openings(*begins)), *further),
        seed=draw(st.integers(0, 99)),
    )
