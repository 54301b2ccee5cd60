"""Histories on harder ground: records that merge, move, go and come back; operators who leave, restore and change keys."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_laws import steps
from stellwerk_laws.happenings import (
    Again,
    Automation,
    BacksUp,
    Confirm,
    Delete,
    Disconnects,
    EditThere,
    Erase,
    History,
    Leave,
    LinksAgain,
    Meanwhile,
    Merge,
    Move,
    Opening,
    Restore,
    RestoresBackUp,
    RotatesKey,
    Scripted,
    Step,
    Syncs,
    Unlinks,
    Write,
)
from stellwerk_laws.variants import File, files

who = st.sampled_from([0, 0, 0, 1, 1, 2])
pairs = st.sampled_from([(0, 1), (0, 1), (1, 0), (0, 2), (2, 0)])
moves = st.builds(
    Move,
    who=st.sampled_from([0, 0, 0, 1, 2]),
    to=st.sampled_from([2, 2, 2, 0, 1]),
    by=st.sampled_from(["person", "person", "import", "form"]),
)
merges = st.builds(lambda pair, new: Merge(into=pair[0], who=pair[1], new_number=new), pairs, st.booleans())
deletes = st.builds(Delete, who=who)
restores = st.builds(Restore, who=who)
erases = st.builds(Erase, who=who)
disconnects = st.builds(Disconnects, away_seconds=st.sampled_from([60.0, 3 * 86_400.0, 32 * 86_400.0]))
automations = st.builds(
    Automation,
    who=st.sampled_from([0, 0, 0, 1]),
    field=st.sampled_from(["name", "name", "town"]),
    times=st.integers(5, 9),
    seconds=st.sampled_from([30.0, 30.0, 90.0, 300.0]),
    by_hand=st.sampled_from([None, None, 0, 2, 6]),
)
unlinks = st.builds(Unlinks, who=who)
links_again = st.builds(LinksAgain, who=who)
unlinks_meanwhile = st.builds(
    Meanwhile, calls_before=st.integers(0, 6), step=st.builds(Unlinks, who=st.sampled_from([0, 0, 1]))
)
syncs = st.builds(Syncs, cancels=st.sampled_from([False, False, True]))
rotations = st.builds(RotatesKey, sealed=st.booleans())
back_ups = st.builds(BacksUp)
comes_from_a_back_up = st.builds(RestoresBackUp)
elsewhere: st.SearchStrategy[Step] = st.one_of(
    st.builds(Confirm, who=st.sampled_from([1, 2])),
    st.builds(Leave, who=st.sampled_from([1, 2])),
    steps.sign_ups(answer="yes").map(lambda one: Write(who=2, by=one.by, values=one.values)),
)

SIGNS_UP = tuple(
    Scripted(Write(who=who, by="form", values={"wants_news": "yes", "name": "…", "stage": "visitor"}), "settle")
    for who in (0, 1, 2)
)
IS_IN = (SIGNS_UP[0], Scripted(Confirm(who=0), "settle"))
ARE_IN = (*IS_IN, SIGNS_UP[1], Scripted(Confirm(who=1), "settle"))
LEFT = (*IS_IN, Scripted(Leave(who=0), "settle"))
NO = Scripted(Write(who=0, by="person", values={"wants_news": "no"}), "settle")

IS_KNOWN = Scripted(Write(who=0, by="import", values={"name": "…"}), "settle")
MERGED: tuple[Opening, ...] = (
    (IS_KNOWN, SIGNS_UP[1], Scripted(Confirm(who=1), "settle"), Scripted(Merge(into=0, who=1), "settle")),
    (*ARE_IN, Scripted(Merge(into=0, who=1), "settle")),
    (*ARE_IN, Scripted(Leave(who=1), "settle"), Scripted(Merge(into=1, who=0), "settle")),
    (*IS_IN, SIGNS_UP[1], Scripted(Merge(into=1, who=0, new_number=False), "shuffled")),
)
MOVED: tuple[Opening, ...] = (
    (*IS_IN, Scripted(Move(who=0, to=2), "settle")),
    (*LEFT, Scripted(Move(who=0, to=2, by="import"), "settle")),
    (SIGNS_UP[0], Scripted(Move(who=0, to=2), "settle"), Scripted(Confirm(who=2), "settle")),
)
GONE: tuple[Opening, ...] = (
    (*IS_IN, Scripted(Erase(who=0), "settle")),
    (*LEFT, Scripted(Erase(who=0), "settle"), SIGNS_UP[0]),
    (*IS_IN, Scripted(Delete(who=0), "settle"), Scripted(Restore(who=0), "settle")),
    (SIGNS_UP[0], Scripted(Delete(who=0), "hold"), Scripted(Restore(who=0), "settle")),
)
CHANGES_ELSEWHERE: tuple[Opening, ...] = tuple(
    (*opening, Scripted(Write(who=2, by="person", values={"name": "…", "town": "…"}), "settle")) for opening in MOVED
)
"""What becomes of the values of a contact that has moved."""

MOVED_BY_FORM: Opening = (*IS_IN, Scripted(Move(who=0, to=2, by="form"), "settle"))
BACK_AND_CHANGED: Opening = (
    *IS_IN,
    Scripted(Delete(who=0), "settle"),
    Scripted(Restore(who=0), "settle"),
    Scripted(Write(who=0, by="person", values={"name": "…"}), "settle"),
)
ASKED_AND_GONE: tuple[Opening, ...] = (
    (SIGNS_UP[0], Scripted(Delete(who=0), "settle"), SIGNS_UP[0]),
    (SIGNS_UP[0], Scripted(Delete(who=0), "settle"), Scripted(Restore(who=0), "settle")),
    (SIGNS_UP[0], Scripted(Erase(who=0), "settle"), SIGNS_UP[0]),
)
"""Somebody who was asked and has not answered."""

GONE_BEFORE_IT_WAS_HEARD: Opening = (
    Scripted(SIGNS_UP[0].step, "hold"),
    Scripted(Delete(who=0), "settle"),
    Scripted(Restore(who=0), "settle"),
    Scripted(Write(who=0, by="person", values={"town": "…"}), "settle"),
)
"""A yes from before a deletion, of which nobody was told in time."""

RESTORED_AND_ASKED: tuple[Opening, ...] = (
    (Scripted(BacksUp(), "settle"), SIGNS_UP[0], Scripted(RestoresBackUp(), "settle"), Scripted(Again(), "settle")),
    (SIGNS_UP[1], Scripted(BacksUp(), "settle"), SIGNS_UP[0], Scripted(RestoresBackUp(), "hold"), SIGNS_UP[1]),
    (Scripted(BacksUp(), "settle"), Scripted(SIGNS_UP[0].step, "hold"), Scripted(RestoresBackUp(), "settle")),
)
"""Somebody who was asked after the back-up was made, and before; or who is told of while it is held."""

OPERATED: tuple[Opening, ...] = (
    (*IS_IN, Scripted(Disconnects(away_seconds=3 * 86_400.0), "settle")),
    (*LEFT, Scripted(Disconnects(away_seconds=32 * 86_400.0), "settle"), SIGNS_UP[0]),
    (*LEFT, Scripted(RotatesKey(sealed=True), "settle"), SIGNS_UP[0]),
    (Scripted(BacksUp(), "settle"), *IS_IN, Scripted(RestoresBackUp(), "settle")),
    (*IS_IN, Scripted(BacksUp(), "settle"), Scripted(Leave(who=0), "settle"), Scripted(RestoresBackUp(), "settle")),
    (
        SIGNS_UP[0],
        Scripted(BacksUp(), "settle"),
        Scripted(Confirm(who=0), "settle"),
        Scripted(RestoresBackUp(), "settle"),
    ),
)
AUTOMATED: tuple[Opening, ...] = (
    (*IS_IN, Scripted(Automation(who=0, field="name", times=7, seconds=30.0), "settle")),
    (*IS_IN, Scripted(Automation(who=0, field="name", times=9, seconds=30.0, by_hand=6), "settle")),
    (*IS_IN, Scripted(Automation(who=0, field="name", times=9, seconds=90.0, by_hand=2), "settle")),
)
APART, BACK = Scripted(Unlinks(who=0), "settle"), Scripted(LinksAgain(who=0), "settle")
CHANGED = (
    Scripted(Write(who=0, by="person", values={"name": "…", "town": "…"}), "settle"),
    Scripted(EditThere(who=0, field="TOWN"), "settle"),
)
UNLINKED: tuple[Opening, ...] = (
    (*IS_IN, APART, *CHANGED),
    (*IS_IN, APART, *CHANGED, BACK, *CHANGED),
    (*IS_IN, APART, Scripted(Leave(who=0), "settle"), BACK),
    (*IS_IN, APART, NO, BACK, SIGNS_UP[0]),
    (SIGNS_UP[0], APART, Scripted(Confirm(who=0), "settle"), *CHANGED, BACK),
    (*IS_IN, Scripted(CHANGED[0].step, "hold"), Scripted(Unlinks(who=0), "settle")),
    (
        *ARE_IN,
        APART,
        Scripted(Merge(into=1, who=0), "settle"),
        Scripted(Write(who=1, by="person", values={"name": "…"}), "settle"),
    ),
    (*ARE_IN, APART, Scripted(Merge(into=0, who=1), "settle"), *CHANGED),
    (
        *IS_IN,
        APART,
        Scripted(Move(who=0, to=2), "settle"),
        Scripted(Write(who=2, by="person", values={"name": "…"}), "settle"),
    ),
    (*IS_IN, APART, Scripted(Delete(who=0), "settle"), Scripted(Restore(who=0), "settle"), *CHANGED),
    (*IS_IN, APART, Scripted(Erase(who=0), "settle"), SIGNS_UP[0]),
    (*IS_IN, APART, Scripted(Delete(who=0), "settle"), SIGNS_UP[0]),
)
"""Somebody is unlinked, and whatever may become of it then."""

WHILE_IT_IS_WRITTEN: tuple[Opening, ...] = tuple(
    (*begins, Scripted(Meanwhile(calls_before=number, step=Unlinks(who=0)), "hold"), one)
    for number in range(8)
    for begins, one in (
        ((), SIGNS_UP[0]),
        (IS_IN, CHANGED[0]),
        ((SIGNS_UP[0],), Scripted(Confirm(who=0), "settle")),
        (IS_IN, Scripted(Leave(who=0), "settle")),
    )
)
"""Between the calls by which something is read and written."""

RECORDS: tuple[tuple[int, st.SearchStrategy[Step]], ...] = (
    (4, merges),
    (4, moves),
    (3, deletes),
    (4, restores),
    (4, erases),
    (4, elsewhere),
)
OPERATORS: tuple[tuple[int, st.SearchStrategy[Step]], ...] = (
    (2, disconnects),
    (2, rotations),
    (2, back_ups),
    (4, comes_from_a_back_up),
)


@st.composite
def files_that_act(draw: st.DrawFn) -> File:
    """Files where a deletion and a new address mostly have consequences."""
    file: File = draw(files())
    chosen = {
        "on_move": draw(st.sampled_from(["keep_permission", "keep_permission", "ask_again"])),
        "on_removal": draw(st.sampled_from(["delete", "unsubscribe", "keep"])),
    }
    return replace(file, values={**file.values, **chosen})


def of_records() -> st.SearchStrategy[History]:
    """Whose records merge, move, go and come back."""
    return steps.histories(
        *RECORDS, file=files_that_act(), begins=(*MERGED, *MOVED, MOVED[0], MOVED[0], *GONE) * 2, most=7
    )


def of_unlinked() -> st.SearchStrategy[History]:
    """Of contacts that are unlinked and linked again, while records and operators go on."""
    return steps.histories(
        (8, unlinks),
        (5, links_again),
        (3, steps.edits),
        (2, steps.yeses),
        (2, unlinks_meanwhile),
        (1, syncs),
        (1, steps.clicks),
        (1, disconnects),
        *((1, strategy) for _, strategy in RECORDS),
        file=files_that_act(),
        begins=(*UNLINKED, *MERGED[:2], *MOVED[:1]) * 2,
        most=7,
    )


def of_automations() -> st.SearchStrategy[History]:
    """Of workflows that never leave a field alone."""
    return steps.histories((6, automations), (2, merges), (1, moves), begins=AUTOMATED * 8, most=4)


def of_operators() -> st.SearchStrategy[History]:
    """Of a hub that is left, restored and given other keys, also in the midst of the former."""
    return steps.histories(*OPERATORS, (2, merges), (2, moves), (2, erases), begins=OPERATED * 2, most=6)


@st.composite
def of_syncs(draw: st.DrawFn) -> History:
    """Of contacts that are older than the connection, brought in again and again while everything else goes on."""
    history = draw(
        steps.histories(
            (12, syncs), (3, steps.stops), (3, steps.leaves), (2, merges), (2, moves), (1, deletes), (1, erases)
        )
    )
    older = draw(st.lists(steps.sign_ups().filter(lambda one: one.by != "workflow"), min_size=1, max_size=3))
    begins = (Scripted(Syncs(), draw(steps.thens)), *history.steps)
    return replace(history, older=tuple(older), steps=begins)
