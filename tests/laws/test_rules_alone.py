"""Laws 1 to 5 as the rules alone keep them, at random moments of random contacts; no hub, no store."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_laws.known import BEGAN, NOON, Moment, moments, outs
from stellwerk_laws.variants import OVERRIDES, STAGES
from stellwerk_rules.comparing import BY_EVENT
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    Ask,
    Because,
    Change,
    ClearStage,
    Contact,
    Create,
    Decision,
    Enter,
    EventKind,
    Fact,
    FactKind,
    FieldValue,
    Known,
    MoveAddress,
    MoveStage,
    OptOut,
    Origin,
    Permission,
    Planned,
    Presence,
    SetFields,
    SetPeer,
    SetStage,
    Skip,
    Unlinked,
    Unsubscribe,
    Written,
)
from stellwerk_rules.prepare import Ready, prepare, resume_stage

EXAMPLES = 500
LAWS = settings(settings.get_profile("laws"), max_examples=EXAMPLES)
WISHING = (Origin.FORM, Origin.PERSON)


def entered(moment: Moment) -> list[Enter]:
    decision = evaluate(moment.plan, moment.event, moment.known, moment.settings)
    made = [*decision.changes, *(one for one, _ in decision.held)]
    return [one.change for one in made if isinstance(one.change, Enter)]


def planned(change: Change, system: str = "news") -> Planned:
    return Planned(system=system, change=change, key="k", because=Because(code="", text=""))


def written(moment: Moment, enter: Enter, target: Contact) -> tuple[Change, ...]:
    ready = prepare(moment.plan, planned(enter), target, moment.known, moment.settings, NOON)
    return ready.changes if isinstance(ready, Ready) else ()


def an_enter(moment: Moment) -> Enter:
    """What the same contact entered with while nothing stood against it: what may still wait in an outbox."""
    found = entered(replace(moment, known=replace(moment.known, facts=(), suppressed=False)))
    assume(found)
    return found[0]


def is_younger(moment: Moment, enter: Enter, out: Fact) -> bool:
    """By the shop's one clock, or by two hours, or by a day where the newsletter's clock was of an unknown zone."""
    told = [fact for fact in moment.known.facts if fact.kind is FactKind.NO_SET and fact.key == out.key]
    for fact in (*told, out):
        if fact.told_by == "shop":
            return enter.wished_at > fact.at
    return enter.wished_at > out.at + timedelta(hours=24 if out.unzoned else 2)


def comes_back_lawfully(moment: Moment, enter: Enter) -> None:
    """After an opt-out: a way back, by a mail, for a wish younger than all that stands; never while one is only claimed."""
    standing = outs(moment.known.facts)
    proved = [out for out in standing if out.final]
    assert proved or not standing, "entered while an opt-out is claimed"
    if proved:
        assert enter.way_back
        assert enter.ask is not None
        assert enter.grant is Permission.NONE
        assert enter.explicit
        assert all(is_younger(moment, enter, out) for out in proved)


# --- law 1 ------------------------------------------------------------------------------------------------------------


@LAWS
@given(moments)
def test_nobody_enters_after_an_opt_out_but_by_a_younger_wish(moment: Moment) -> None:
    for enter in entered(moment):
        assert not moment.contact.opted_out
        comes_back_lawfully(moment, enter)


@LAWS
@given(moments)
def test_an_opt_out_that_comes_in_between_stops_what_waits(moment: Moment) -> None:
    enter, target = an_enter(moment), moment.there
    for change in written(moment, enter, target):
        assert isinstance(change, Ask | Create | SetFields | SetPeer)
        comes_back_lawfully(moment, enter)
        if target.opted_out and not enter.way_back:
            assert target.permission not in (None, Permission.NONE)


@settings(LAWS, max_examples=2 * EXAMPLES)
@given(moments, st.sampled_from(list(Origin)))
def test_a_no_or_a_deletion_that_comes_in_between_takes_back_what_waits(moment: Moment, by: Origin) -> None:
    """Be it a way back, or the first yes of somebody new; and be the no an opt-out by the file, or a form's."""
    decision = evaluate(moment.plan, moment.event, moment.known, moment.settings)
    waiting = [one.change for one in decision.changes if isinstance(one.change, Enter)]
    assume(waiting and waiting[0].wished_at < NOON)
    no = Written(value="no", at=NOON, origin=by)
    fields, history = {**moment.contact.fields, "wants_news": "no"}, {**moment.contact.history, "wants_news": (no,)}
    said = replace(moment, known=_after(moment.known, decision))
    event = replace(said.event, id="e2", at=NOON, contact=replace(said.contact, fields=fields, history=history))
    answered = evaluate(said.plan, event, said.known, said.settings)
    assert _goes_out(replace(said, known=_after(said.known, answered)), waiting[0]) == []
    gone = Contact(id=said.contact.id, presence=Presence.ARCHIVED, read_at=NOON)
    deleted = replace(event, kind=EventKind.DELETED, contact=gone)
    left = evaluate(said.plan, deleted, said.known, said.settings)
    assert _goes_out(replace(said, known=_after(said.known, left)), waiting[0]) == []


def _after(known: Known, decision: Decision) -> Known:
    return replace(known, remembered=decision.remembered, facts=(*known.facts, *decision.facts))


def _goes_out(moment: Moment, enter: Enter) -> list[Change]:
    return [change for change in written(moment, enter, moment.there) if isinstance(change, Ask | Create)]


@LAWS
@given(moments)
def test_no_field_is_written_to_who_left_or_is_not_there(moment: Moment) -> None:
    target = moment.there
    change = SetFields(fields={"FIRST": FieldValue(value="Ada", owned=True)})
    ready = prepare(moment.plan, planned(change), target, moment.known, moment.settings, NOON)
    if isinstance(ready, Ready):
        assert target.presence is Presence.PRESENT
        assert not [out for out in outs(moment.known.facts) if not out.key.startswith("out:")]


@LAWS
@given(moments)
def test_a_wish_is_an_explicit_yes_of_a_form_or_a_person(moment: Moment) -> None:
    for enter in entered(moment):
        history = moment.contact.history["wants_news"]
        if enter.explicit:
            assert moment.contact.fields["wants_news"] == "yes"
            assert history[0].origin in WISHING
            assert not history[0].ours
        assert moment.contact.fields["wants_news"] != "no"
        if moment.contact.fields["wants_news"] is None:
            assert moment.file.silence_is_yes
        if moment.contact.created_at is not None and moment.contact.created_at < BEGAN:
            assert enter.explicit


# --- law 2 ------------------------------------------------------------------------------------------------------------


@settings(LAWS, max_examples=5 * EXAMPLES)
@given(moments)
def test_only_a_contact_unknown_there_is_granted_anything_and_no_more_than_was_agreed(
    moment: Moment,
) -> None:
    enter = an_enter(moment)
    for target in (Contact(presence=Presence.ABSENT, read_at=NOON), moment.there):
        for change in written(moment, enter, target):
            if isinstance(change, Create) and change.permission is not Permission.NONE:
                assert target.presence in (Presence.ABSENT, Presence.ANONYMOUS)
                assert moment.file.may_be_granted(change.permission.value)
                assert not moment.file.asks or unasked(moment)


def unasked(moment: Moment) -> bool:
    """Whether the contact's own value skips the mail, and was written by somebody who may say so."""
    name = OVERRIDES["ask_first"]
    history = moment.contact.history[name]
    by_form = not history or history[0].origin is Origin.FORM
    return (
        "ask_first" in moment.file.overrides
        and moment.contact.fields[name] == "no"
        and moment.file.may_go_unasked
        and (not by_form or moment.file.forms_may_skip)
    )


# --- law 3 ------------------------------------------------------------------------------------------------------------


@settings(LAWS, max_examples=5 * EXAMPLES)
@given(moments)
def test_nobody_is_asked_twice_for_one_wish_or_having_confirmed(moment: Moment) -> None:
    enter, target = an_enter(moment), moment.there
    asked = Fact(kind=FactKind.ASKED, key=enter.wish, at=NOON - timedelta(days=2), event="e0")
    twice = replace(moment, known=replace(moment.known, facts=(*moment.known.facts, asked)))
    assert not [change for change in written(twice, enter, target) if isinstance(change, Ask)]
    for change in written(moment, enter, target):
        if isinstance(change, Ask):
            assert target.permission not in (Permission.DOUBLE, Permission.DOUBLE_PLUS)
            assert not target.blocked
            assert change.mark == enter.wish
            _is_not_asked_too_often(moment, enter)


@LAWS
@given(moments, st.integers(1, 40))
def test_a_wish_read_again_later_is_the_same_wish(moment: Moment, days: int) -> None:
    later = replace(moment, contact=replace(moment.contact, read_at=NOON + timedelta(days=days)))
    assert [enter.wish for enter in entered(later)] == [enter.wish for enter in entered(moment)]


def _is_not_asked_too_often(moment: Moment, enter: Enter) -> None:
    facts = moment.known.facts
    ends = [number for number, fact in enumerate(facts) if fact.kind in (FactKind.CONFIRMED, FactKind.OPTED_OUT)]
    since = facts[ends[-1] + 1 if ends else 0 :]
    assert not ends or facts[ends[-1]].kind is not FactKind.CONFIRMED
    failed = {fact.key for fact in since if fact.kind is FactKind.ASK_FAILED}
    asks = [fact for fact in since if fact.kind in (FactKind.ASKED, FactKind.ASK_UNKNOWN) and fact.key not in failed]
    pending = [fact for fact in asks if NOON - fact.at < timedelta(days=moment.file.doi_valid_days)]
    if pending:
        assert enter.explicit
        assert NOON - pending[-1].at >= timedelta(hours=24)
    assert len([fact for fact in asks if NOON - fact.at < timedelta(days=30)]) < 3


# --- law 4 ------------------------------------------------------------------------------------------------------------


@settings(LAWS, max_examples=5 * EXAMPLES)
@given(moments)
def test_tracking_is_asked_for_only_by_a_yes_of_its_own(moment: Moment) -> None:
    said = "ask_tracking" in moment.file.overrides and moment.contact.fields[OVERRIDES["ask_tracking"]] == "yes"
    for enter in entered(moment):
        if enter.ask is not None and enter.ask.plus:
            assert moment.file.tracks or said
        for change in written(moment, enter, moment.there):
            if isinstance(change, Ask):
                assert enter.ask is not None
                assert change.terms.plus == enter.ask.plus


# --- law 5 ------------------------------------------------------------------------------------------------------------

stages = st.sampled_from([None, *STAGES])
moves = st.builds(
    MoveStage,
    source=stages,
    target=st.sampled_from(STAGES),
    reset=st.booleans(),
    fact=st.sampled_from([f"fact {number}" for number in range(5)]),
    any_source=st.booleans(),
)


@LAWS
@given(moments, moves, stages)
def test_a_stage_moves_from_its_source_for_a_fact_that_holds(
    moment: Moment, move: MoveStage, stage: str | None
) -> None:
    target = Contact(id="c1", email="ada@example.com", stage=stage, read_at=NOON)
    ready = prepare(moment.plan, planned(move, "shop"), target, moment.known, moment.settings, NOON)
    if not isinstance(ready, Ready):
        return
    assert move.any_source or stage == move.source
    clears = isinstance(ready.changes[0], ClearStage)
    assert ready.changes[-1] == SetStage(stage=move.target)
    assert len(ready.changes) == 1 + clears
    if stage is not None and STAGES.index(move.target) < STAGES.index(stage):
        assert clears
    assert not clears or move.reset
    standing = outs(moment.known.facts)
    confirmed = [fact.key for fact in moment.known.facts if fact.kind is FactKind.CONFIRMED]
    is_out = any(out.key == move.fact for out in standing)
    assert is_out or (confirmed and confirmed[-1] == move.fact and not [out for out in standing if out.final])


@LAWS
@given(moves, stages, stages)
def test_a_move_that_was_stopped_ends_and_never_overwrites_a_choice(
    move: MoveStage, now: str | None, before: str | None
) -> None:
    steps = resume_stage(move, now, before)
    if now is None:
        assert steps == (SetStage(stage=move.target),)
    elif now != before:
        assert isinstance(steps, Skip)


# --- law 6 ------------------------------------------------------------------------------------------------------------


@LAWS
@given(moments)
def test_what_was_decided_is_not_decided_again(moment: Moment) -> None:
    first = evaluate(moment.plan, moment.event, moment.known, moment.settings)
    known = replace(moment.known, remembered=first.remembered, facts=(*moment.known.facts, *first.facts))
    again = evaluate(moment.plan, replace(moment.event, id="e2"), known, moment.settings)
    fresh = [one.change for one in again.changes if not (isinstance(one.change, SetFields) and one.change.mirror)]
    assert (fresh, again.held, again.facts) == ([], (), ())


# --- a comparison -----------------------------------------------------------------------------------------------------


@settings(LAWS, max_examples=5 * EXAMPLES)
@given(moments)
def test_a_comparison_decides_nothing_that_mails_or_grants(moment: Moment) -> None:
    live = evaluate(moment.plan, moment.event, moment.known, moment.settings)
    decision = evaluate(moment.plan, replace(moment.event, compared=True), moment.known, moment.settings)
    made = [one.change for one in (*decision.changes, *(one for one, _ in decision.held))]
    for change in made:
        assert not isinstance(change, Ask | MoveAddress)
        assert not isinstance(change, Enter) or (change.ask is None and change.grant is Permission.NONE)
    if any(skip.because.code in BY_EVENT for skip in decision.skips):
        assert (made, decision.facts, decision.remembered) == ([], (), moment.known.remembered)
    assert {fact.key for fact in decision.facts} <= {fact.key for fact in live.facts}, (
        "it found out more than a look does"
    )


# --- of an unlinked contact -------------------------------------------------------------------------------------------


@LAWS
@given(moments, st.sampled_from([EventKind.CHANGED, EventKind.CREATED, EventKind.RESTORED]), st.booleans())
def test_of_an_unlinked_contact_only_an_opt_out_is_made_by_whatever_way_it_comes(
    moment: Moment, kind: EventKind, released: bool
) -> None:
    """Decided on while it is unlinked, or before: then it waits, and is refused."""
    apart = replace(moment.known, remembered=replace(moment.known.remembered, unlinked=Unlinked(by="Jo", at=BEGAN)))
    event = replace(moment.event, kind=kind, released=released)
    decision = evaluate(moment.plan, event, apart, moment.settings)
    assert decision.held == ()
    assert decision.remembered.unlinked == apart.remembered.unlinked
    assert all(isinstance(one.change, Unsubscribe | OptOut) for one in decision.changes)
    before = evaluate(moment.plan, event, moment.known, moment.settings)
    # What is carried on of consent is what would be: neither less nor more.
    assert decision.facts == before.facts
    assert [one for one in before.changes if isinstance(one.change, Unsubscribe | OptOut)] == list(decision.changes)
    for one in (*before.changes, *(one for one, _ in before.held)):
        target = moment.there if one.system == "news" else moment.contact
        ready = prepare(moment.plan, one, target, apart, moment.settings, NOON, released=released)
        assert isinstance(ready, Skip) or isinstance(one.change, Unsubscribe | OptOut)
