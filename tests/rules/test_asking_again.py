"""Whether a person may have a contact asked once more: a click is no wish, and one mail is sent for one wish at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules import laws
from stellwerk_rules.asking_again import ALLOWED, UNKNOWN, AskAgain, Wish, ask_again, asks_anybody
from stellwerk_rules.consent import Consent, fold
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.laws import lawful
from stellwerk_rules.model import AskTerms, Decision, Enter, Fact, FactKind, Origin, Permission
from stellwerk_rules.spec import Limits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIMITS = Limits()
WISH = Wish(at=NOON, mark="w")


def fact(kind: str, key: str, at: datetime, **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=at, event="e", **more)


def told(at: datetime, *facts: Fact, wish: Wish | None = WISH, asks: bool = True, **more: Any) -> AskAgain:
    return ask_again(wish, fold(facts, False, at, LIMITS, **more), LIMITS, at, wished_by="crm", asks=asks)


def test_a_yes_for_which_no_mail_went_out_allows_one_as_long_as_a_wish_is_valid() -> None:
    assert told(NOON + HOUR) == AskAgain(code=ALLOWED, seen=NOON, until=NOON + 7 * DAY)
    assert told(NOON + 7 * DAY).code == ALLOWED
    assert told(NOON + 7 * DAY + SECOND) == AskAgain(code="wish-too-old", seen=NOON)


def test_without_an_explicit_yes_nobody_is_asked() -> None:
    assert told(NOON, wish=None) == AskAgain(code="no-yes")


def test_a_mail_that_went_out_for_the_yes_is_the_only_one_and_a_new_yes_waits_a_day() -> None:
    asked = fact("asked", "w", NOON + HOUR)
    assert told(NOON + 2 * HOUR, asked) == AskAgain(code="already-asked", seen=NOON + HOUR, until=NOON + HOUR + DAY)
    assert told(NOON + 2 * DAY, asked) == AskAgain(code="already-asked", seen=NOON + HOUR)


def test_a_mail_that_went_out_after_the_yes_went_out_for_it_whatever_its_mark() -> None:
    """A merge gives the same yes another mark."""
    assert told(NOON + 2 * DAY, fact("asked", "other", NOON + HOUR)).code == "already-asked"
    assert told(NOON + 2 * DAY, fact("asked", "other", NOON - CLOCK_MARGIN)).code == "already-asked"
    assert told(NOON + 2 * DAY, fact("asked", "other", NOON - CLOCK_MARGIN - SECOND)).code == ALLOWED


def test_what_may_have_gone_out_is_a_persons_to_look_for_and_counts_again_once_tried_again() -> None:
    unknown = fact("ask_unknown", "w", NOON + HOUR)
    denied = fact("ask_failed", "w", NOON + 2 * HOUR)
    again = fact("ask_unknown", "w", NOON + 4 * HOUR)
    assert told(NOON + 2 * HOUR, unknown).code == UNKNOWN
    assert told(NOON + 3 * HOUR, unknown, denied).code == ALLOWED
    assert told(NOON + 5 * HOUR, unknown, denied, again).code == UNKNOWN


def test_a_mail_that_was_refused_leaves_the_yes_unanswered() -> None:
    assert told(NOON + 2 * HOUR, fact("ask_failed", "w", NOON + HOUR)).code == ALLOWED


def test_who_confirmed_is_not_asked() -> None:
    confirmed = fact("confirmed", "c", NOON + HOUR, permission=Permission.DOUBLE)
    assert told(NOON + 2 * HOUR, confirmed) == AskAgain(code="already-confirmed", seen=NOON + HOUR)


def test_an_opt_out_younger_than_the_yes_ends_it_and_one_that_is_older_does_not() -> None:
    younger = fact("opted_out", "o", NOON + HOUR, told_by="mail")
    older = fact("opted_out", "o", NOON - 3 * HOUR, told_by="mail")
    assert told(NOON + 2 * HOUR, younger) == AskAgain(code="opt-out-younger", seen=NOON + HOUR)
    assert told(NOON + 2 * HOUR, older).code == ALLOWED


def test_a_claimed_opt_out_is_settled_first() -> None:
    claimed = fact("opted_out", "o", NOON - 3 * HOUR, told_by="mail", final=False)
    assert told(NOON + 2 * HOUR, claimed) == AskAgain(code="opt-out-claimed", seen=NOON - 3 * HOUR)


def test_an_opt_out_of_which_only_the_list_is_left_counts() -> None:
    at = NOON + 2 * HOUR
    consent = fold((), True, at, LIMITS, NOON + HOUR)
    assert ask_again(WISH, consent, LIMITS, at, wished_by="crm") == AskAgain(code="opt-out-younger", seen=NOON + HOUR)


def test_settings_that_send_no_mail_send_none_here() -> None:
    assert told(NOON + HOUR, asks=False) == AskAgain(code="asks-nobody")


def test_a_yes_within_a_day_of_the_last_mail_may_be_asked_for_once_the_day_is_over() -> None:
    before = fact("asked", "older", NOON - HOUR)
    refused = told(NOON + HOUR, before)
    assert refused == AskAgain(code="asked-lately", seen=NOON - HOUR, until=NOON - HOUR + DAY)
    assert refused.until is not None
    assert told(refused.until, before).code == ALLOWED


def test_the_fourth_mail_within_thirty_days_waits_for_the_first_to_be_old() -> None:
    before = [fact("asked", f"w{days}", NOON - days * DAY) for days in (29, 20, 10)]
    refused = told(NOON + HOUR, *before)
    assert refused == AskAgain(code="asked-often", seen=NOON - 10 * DAY, until=NOON + DAY)
    assert told(NOON + DAY, *before).code == ALLOWED


def test_the_fourth_way_back_within_thirty_days_waits_too() -> None:
    ways = [
        one
        for number, days in enumerate((25, 15, 5))
        for one in (
            fact("opted_out", f"o{number}", NOON - days * DAY - 5 * HOUR, told_by="mail"),
            fact("asked", f"w{number}", NOON - days * DAY),
        )
    ]
    last = fact("opted_out", "last", NOON - 3 * HOUR, told_by="mail")
    refused = told(NOON + HOUR, *ways, last)
    assert refused == AskAgain(code="ways-back-used-up", seen=NOON - 3 * HOUR, until=NOON + 5 * DAY)
    assert told(NOON + 5 * DAY, *ways, last).code == ALLOWED


# --- for every history --------------------------------------------------------------------------------------------------

hours = st.integers(-40 * 24, 10 * 24).map(lambda number: NOON + number * HOUR)
kinds = st.sampled_from(
    ["asked", "asked", "ask_unknown", "ask_failed", "confirmed", "opted_out", "opt_out_denied", "no_set", "removed"]
)


@st.composite
def histories(draw: Any) -> tuple[Fact, ...]:
    made = [
        fact(
            draw(kinds),
            draw(st.sampled_from(["w", "v", "u", "t"])),
            at,
            told_by=draw(st.sampled_from(["mail", "crm", ""])),
            final=draw(st.booleans()),
        )
        for at in sorted(draw(st.lists(hours, max_size=8)))
    ]
    return tuple(made)


def as_it_enters(consent: Consent) -> Enter:
    return Enter(
        email="a@example.com", peer_id="1", wish=WISH.mark, wished_at=WISH.at, explicit=True, ask=AskTerms(),
        grant=Permission.NONE, fields={}, way_back=consent.opted_out,
    )  # fmt: skip


@given(histories(), st.integers(0, 10 * 24 * 60), st.booleans())
def test_whoever_may_be_asked_again_may_be_so_by_every_law_and_was_not_asked_since_the_yes(
    facts: tuple[Fact, ...], minutes: int, listed: bool
) -> None:
    at = NOON + timedelta(minutes=minutes)
    consent = fold(facts, listed, at, LIMITS, NOON - DAY if listed else None)
    answer = ask_again(WISH, consent, LIMITS, at, wished_by="crm")
    enter = as_it_enters(consent)
    refused = laws.may_enter(enter, consent, "crm") or laws.may_ask(enter, consent, at)
    assert (answer.code == ALLOWED) <= (refused is None)
    if answer.code == ALLOWED:
        assert at - WISH.at <= 7 * DAY
        assert not [ask for ask in consent.asks.values() if ask.mark == WISH.mark or ask.at >= WISH.at]
        assert not consent.claimed()
        assert consent.confirmation is None


@given(histories(), st.integers(0, 7 * 24 * 60))
def test_what_is_refused_is_refused_for_a_cause_that_stands(facts: tuple[Fact, ...], minutes: int) -> None:
    """And what no cause stands against is allowed: nobody is kept waiting for nothing."""
    at = NOON + timedelta(minutes=minutes)
    consent = fold(facts, False, at, LIMITS)
    answer = ask_again(WISH, consent, LIMITS, at, wished_by="crm")
    enter = as_it_enters(consent)
    lawless = lawful(enter, consent, to_mail=True, wished_by="crm", agreed=None, at=at) or laws.may_ask(
        enter, consent, at
    )
    mailed = any(ask.at >= WISH.at - CLOCK_MARGIN for ask in consent.asks.values())
    assert (answer.code == ALLOWED) is (lawless is None and not mailed and not consent.claimed())
    if answer.code in ("asked-lately", "asked-often", "already-asked", "ways-back-used-up") and answer.until:
        assert answer.until > at


@given(histories(), st.integers(0, 7 * 24 * 60))
def test_the_time_that_is_named_ends_what_it_is_named_for(facts: tuple[Fact, ...], minutes: int) -> None:
    at = NOON + timedelta(minutes=minutes)
    answer = ask_again(WISH, fold(facts, False, at, LIMITS), LIMITS, at, wished_by="crm")
    if answer.code not in ("asked-lately", "asked-often", "ways-back-used-up"):
        return
    assert answer.until is not None
    just_before = answer.until - SECOND
    before = ask_again(WISH, fold(facts, False, just_before, LIMITS), LIMITS, just_before, wished_by="crm")
    then = ask_again(WISH, fold(facts, False, answer.until, LIMITS), LIMITS, answer.until, wished_by="crm")
    assert before.code != ALLOWED
    assert (
        then.code in (ALLOWED, "wish-too-old", "asked-often")
        if answer.code == "asked-lately"
        else then.code != answer.code
    )


@pytest.mark.parametrize("mark", ["w", "other"])
def test_a_click_never_leads_to_a_second_mail_for_the_same_yes(mark: str) -> None:
    """However often it is pressed in a month: once asked, the yes is used."""
    asked = fact("asked", mark, NOON + HOUR)
    assert not [hour for hour in range(1, 30 * 24) if told(NOON + hour * HOUR, asked).code == ALLOWED]


# --- what is asked for is decided under the same question ---------------------------------------------------------------


def again(world: Any, **fields: Any) -> Decision:
    return world.decide(world.crm(**{"subscribe": "yes", **fields}), asked_again=True)


def entries(decision: Decision) -> list[Enter]:
    return [one.change for one in decision.changes if isinstance(one.change, Enter)]


def codes(decision: Decision) -> list[str]:
    return [skip.because.code for skip in decision.skips]


def test_the_same_yes_enters_once_more_with_the_same_mark_and_an_effect_of_its_own(world: Any) -> None:
    first = world.decide(world.crm(subscribe="yes"))
    second = again(world)
    assert [one.wish for one in entries(second)] == [one.wish for one in entries(first)]
    assert second.changes[0].key.startswith("again:")
    assert second.remembered.answered == first.remembered.answered
    assert codes(world.decide(world.crm(subscribe="yes"))) == ["unchanged"]


def test_a_yes_that_was_asked_is_not_asked_again(world: Any) -> None:
    (enter,) = entries(world.decide(world.crm(subscribe="yes")))
    world.facts.append(fact("asked", enter.wish, world.now))
    decision = again(world)
    assert (entries(decision), codes(decision)) == ([], ["already-asked"])
    assert decision.remembered.answered["x_subscribe"].wish == enter.wish


@pytest.mark.parametrize("origin", [Origin.WORKFLOW, Origin.IMPORT, Origin.OTHER])
def test_a_yes_of_no_person_is_none(world: Any, origin: Origin) -> None:
    world.decide(world.crm(by=origin, subscribe="yes"))
    assert codes(again(world, by=origin)) == ["no-yes"]


def test_nobody_without_a_yes_is_asked(world: Any) -> None:
    assert codes(world.decide(world.crm(), asked_again=True)) == ["no-yes"]


def test_a_yes_of_another_record_is_not_the_one_that_was_handled(world: Any) -> None:
    """After a merge the record has another id, and whose yes it was is not told."""
    world.decide(world.crm(subscribe="yes"))
    assert codes(again(world, id="c2")) == ["no-yes"]


@pytest.mark.parametrize("changed", [{"email": "new@example.com"}, {"id": "c2", "also_ids": ("c1",)}])
def test_a_move_and_a_merge_leave_the_handled_yes_without_a_mark(world: Any, changed: dict[str, Any]) -> None:
    """What the page offers is what the decision finds: the yes was said at another address, or of another record."""
    said = world.now - HOUR
    world.decide(world.crm(subscribe="yes", said_at=said))
    assert world.remembered.answered["x_subscribe"].wish is not None
    world.now += HOUR
    world.decide(world.crm(subscribe="yes", said_at=said, **changed))
    assert world.remembered.answered["x_subscribe"].wish is None
    assert codes(again(world, said_at=said, **changed)) == ["no-yes"]


def test_settings_that_ask_nobody_make_nothing_else_of_it(world: Any) -> None:
    """No permission is granted, and nobody is linked, for a mail that was asked for."""
    world.settings["double_opt_in"] = False
    world.settings["permission"] = "single"
    world.decide(world.crm(subscribe="yes"))
    decision = again(world)
    assert (entries(decision), codes(decision)) == ([], ["asks-nobody"])


def test_while_an_opt_out_is_claimed_nobody_is_asked_and_nothing_waits_for_it(world: Any) -> None:
    world.decide(world.crm(subscribe="yes"))
    world.facts.append(fact("opted_out", "o", world.now - 5 * DAY, told_by="mail", final=False))
    decision = again(world)
    assert codes(decision) == ["opt-out-claimed"]
    assert decision.remembered.answered["x_subscribe"].wish is not None


def test_whoever_opted_out_of_everything_at_the_crm_is_not_asked(world: Any) -> None:
    world.decide(world.crm(subscribe="yes"))
    decision = again(world, opted_out=True)
    assert entries(decision) == []


def test_a_sync_of_the_same_yes_keeps_its_mark(world: Any) -> None:
    (enter,) = entries(world.decide(world.crm(subscribe="yes")))
    world.decide(world.crm(subscribe="yes", firstname="Augusta"))
    assert world.remembered.answered["x_subscribe"].wish == enter.wish


def test_only_settings_that_may_ask_somebody_offer_it(world: Any) -> None:
    assert asks_anybody(world.plan, world.settings)
    assert not asks_anybody(world.plan, {**world.settings, "double_opt_in": False})
