"""Contacts that are taken out: said no, opted out of all mail, deleted, erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    Contact,
    Decision,
    DeleteContact,
    EventKind,
    Fact,
    FactKind,
    Former,
    Origin,
    Presence,
    Remembered,
    Unsubscribe,
)
from stellwerk_toys.decisions import codes

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def taken_out(decision: Decision) -> list[object]:
    return [one.change for one in decision.changes if isinstance(one.change, Unsubscribe | DeleteContact)]


@pytest.fixture
def subscriber(world: Any) -> Any:
    return subscribed(world)


def subscribed(world: Any) -> Any:
    """Linked, entered, confirmed, with the answer yes handled two hours ago."""
    world.decide(world.crm(subscribe="yes", said_at=world.now - 2 * HOUR))
    world.remembered = Remembered(
        ids={"crm": "c1", "mail": "m1"}, seen=world.remembered.seen, entered=True, answered=world.remembered.answered
    )
    world.facts = [Fact(kind=FactKind.CONFIRMED, key="w1", at=world.now - HOUR, event="e", told_by="mail")]
    return world


@pytest.mark.behaviour("answer-other")
@pytest.mark.behaviour("answer-no-person")
@pytest.mark.parametrize("by", [Origin.PERSON, Origin.IMPORT, Origin.WORKFLOW, Origin.INTEGRATION, Origin.OTHER])
def test_a_no_that_no_form_set_is_an_opt_out_and_unsubscribes(subscriber: Any, by: Origin) -> None:
    decision = subscriber.decide(subscriber.crm(subscribe="no", by=by))
    assert taken_out(decision) == [Unsubscribe(email="ada@example.com")]
    (found,) = decision.facts
    assert (found.kind, found.final, found.told_by, found.at) == (
        FactKind.OPTED_OUT,
        True,
        "crm",
        subscriber.now - HOUR,
    )
    assert found.key.startswith("no:")
    assert (decision.changes[0].system, decision.changes[0].because.rule) == ("mail", "said-no")


@pytest.mark.behaviour("answer-no-form")
def test_a_box_left_unticked_on_a_form_unsubscribes_nobody_and_says_why(subscriber: Any) -> None:
    decision = subscriber.decide(subscriber.crm(subscribe="no", by=Origin.FORM))
    assert (decision.changes, decision.facts, codes(decision)) == ((), (), ["unchanged"])
    assert decision.skips[0].because.nearest == "said-no: field subscribe is no, wanted: not set by form"


@pytest.mark.behaviour("answer-no-form")
def test_a_form_that_is_a_preference_centre_unsubscribes(subscriber: Any) -> None:
    subscriber.settings["form_no_unsubscribes"] = True
    assert len(taken_out(subscriber.decide(subscriber.crm(subscribe="no", by=Origin.FORM)))) == 1


@pytest.mark.behaviour("answer-no-out")
def test_a_no_is_handled_once(subscriber: Any) -> None:
    contact = subscriber.crm(subscribe="no", by=Origin.PERSON)
    first = subscriber.decide(contact)
    again = subscriber.decide(contact)
    assert (again.changes, again.facts) == ((), ())
    assert first.changes[0].key == f"unsubscribe:{first.facts[0].key.removeprefix('no:')}"


@pytest.mark.behaviour("answer-no-kept")
def test_a_no_where_existing_subscribers_are_kept_changes_nothing(subscriber: Any) -> None:
    subscriber.settings["on_no"] = "keep"
    decision = subscriber.decide(subscriber.crm(subscribe="no", by=Origin.PERSON))
    assert (decision.changes, decision.facts, codes(decision)) == ((), (), ["kept"])


@pytest.mark.behaviour("answer-no-out")
def test_a_no_of_somebody_who_is_out_already_unsubscribes_nobody_again(subscriber: Any) -> None:
    subscriber.facts.append(Fact(kind=FactKind.OPTED_OUT, key="E1", at=subscriber.now, event="e", told_by="mail"))
    decision = subscriber.decide(subscriber.crm(subscribe="no", by=Origin.PERSON))
    assert taken_out(decision) == []
    assert "opted-out" in codes(decision)
    assert [one.at for one in decision.facts] == [subscriber.now - HOUR]  # a yes before it leads back no more


def test_a_deletion_of_somebody_who_is_out_already_is_no_opt_out_of_its_own(subscriber: Any) -> None:
    subscriber.settings["on_deleted"] = "unsubscribe"
    subscriber.facts.append(Fact(kind=FactKind.OPTED_OUT, key="E1", at=subscriber.now, event="e", told_by="mail"))
    archived = Contact(id="c1", presence=Presence.ARCHIVED, read_at=subscriber.now)
    decision = subscriber.decide(archived, EventKind.DELETED)
    assert (taken_out(decision), decision.facts) == ([], ())
    assert "opted-out" in codes(decision)


def test_a_no_of_somebody_who_was_asked_back_and_has_not_answered_opts_out_anew(subscriber: Any) -> None:
    out = Fact(kind=FactKind.OPTED_OUT, key="E1", at=subscriber.now - HOUR, event="e", told_by="mail")
    subscriber.facts += [out, Fact(kind=FactKind.ASKED, key="w2", at=subscriber.now - HOUR / 2, event="e")]
    decision = subscriber.decide(subscriber.crm(subscribe="no", by=Origin.PERSON, said_at=subscriber.now))
    assert taken_out(decision) == [Unsubscribe(email="ada@example.com")]
    assert [fact.kind for fact in decision.facts] == [FactKind.OPTED_OUT]


def test_a_new_contacts_no_is_no_change_of_mind(world: Any) -> None:
    decision = world.decide(world.crm(subscribe="no", by=Origin.PERSON), EventKind.CHANGED)
    assert (decision.changes, decision.facts) == ((), ())


def test_a_no_written_after_the_contacts_creation_is_one_even_when_it_is_seen_first(world: Any) -> None:
    contact = world.crm(subscribe="no", by=Origin.PERSON, created_at=world.now - DAY)
    assert len(taken_out(world.decide(contact, EventKind.CREATED))) == 1


def test_a_no_within_the_clock_margin_of_the_creation_belongs_to_it(world: Any) -> None:
    created = world.now - HOUR - timedelta(seconds=120)
    assert taken_out(world.decide(world.crm(subscribe="no", by=Origin.PERSON, created_at=created))) == []
    world.remembered = Remembered()
    created -= timedelta(seconds=1)
    assert len(taken_out(world.decide(world.crm(subscribe="no", by=Origin.PERSON, created_at=created)))) == 1


def test_an_older_contacts_no_counts_when_it_is_seen_first(world: Any) -> None:
    contact = world.crm(subscribe="no", by=Origin.PERSON, created_at=world.now - 20 * DAY)
    assert len(taken_out(world.decide(contact))) == 1


def test_a_contact_brought_in_long_ago_and_seen_anew_says_no_as_well(world: Any) -> None:
    contact = world.crm(subscribe="no", by=Origin.PERSON, created_at=None)
    assert len(taken_out(world.decide(contact))) == 1


def test_the_time_of_a_no_is_the_contacts_or_the_events_where_no_history_tells(world: Any) -> None:
    def at(**more: Any) -> tuple[Any, str]:
        world.remembered, world.facts = Remembered(), []
        contact = world.crm(subscribe="no", created_at=world.now - 20 * DAY, history={}, **more)
        (found,) = world.decide(contact).facts
        return found.at, found.told_by

    assert at(updated_at=world.now - HOUR) == (world.now - HOUR, "crm")
    assert at(updated_at=None) == (world.now, "")


@pytest.mark.behaviour("answer-yes-again")
def test_back_to_yes_needs_a_double_opt_in(subscriber: Any) -> None:
    subscriber.settings.update({"double_opt_in": False, "permission": "single"})
    subscriber.decide(subscriber.crm(subscribe="no", by=Origin.PERSON))
    subscriber.now += HOUR
    decision = subscriber.decide(subscriber.crm(subscribe="yes", by=Origin.PERSON, said_at=subscriber.now))
    (enter,) = [one.change for one in decision.changes]
    assert (enter.way_back, enter.ask is not None) == (True, True)


# --- the CRM's own opt-out ---------------------------------------------------------------------------------------------


@pytest.mark.behaviour("crm-out-subscriber")
def test_the_crms_own_opt_out_is_an_opt_out_of_the_address_and_told_once(subscriber: Any) -> None:
    (found,) = subscriber.decide(subscriber.crm(subscribe="yes", opted_out=True)).facts
    assert (found.kind, found.told_by, found.at) == (FactKind.OPTED_OUT, "crm", subscriber.now)
    assert found.key == "out:c1:after:w1"
    assert subscriber.decide(subscriber.crm(subscribe="yes", opted_out=True)).facts == ()


def test_the_crms_own_opt_out_is_timed_by_us_where_it_does_not_tell(world: Any) -> None:
    (found,) = world.decide(world.crm(opted_out=True, updated_at=None)).facts
    assert (found.at, found.told_by, found.key) == (world.now, "", "out:c1:first")


@pytest.fixture
def follower(make_world: Callable[..., Any], file: dict[str, Any]) -> Any:
    """A subscriber where the file says that the CRM's own opt-out unsubscribes."""
    out = {"id": "out", "from": "crm", "to": "mail", "events": ["unsubscribed"], "contact": "unsubscribe"}
    made = make_world(rules=[*file["rules"], out])
    made.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    return subscribed(made)


@pytest.mark.behaviour("crm-out-unsubscribes")
def test_the_crms_own_opt_out_unsubscribes_where_a_rule_says_so(follower: Any) -> None:
    decision = follower.decide(follower.crm(subscribe="yes", opted_out=True))
    (planned,) = (one for one in decision.changes if isinstance(one.change, Unsubscribe))
    assert (planned.system, planned.change, planned.because.rule) == (
        "mail",
        Unsubscribe(email="ada@example.com"),
        "out",
    )
    told = [(found.key.partition(":")[0], found.at, found.told_by) for found in decision.facts]
    assert told == [("out", follower.now, "crm"), ("no", follower.now, "crm")]


@pytest.mark.behaviour("crm-out-unsubscribes")
def test_the_crms_own_opt_out_unsubscribes_once(follower: Any) -> None:
    follower.decide(follower.crm(subscribe="yes", opted_out=True))
    again = follower.decide(follower.crm(subscribe="yes", opted_out=True, firstname="Ada"))
    assert (taken_out(again), again.facts) == ([], ())


def test_the_crms_own_opt_out_of_whoever_is_out_already_unsubscribes_nobody(follower: Any) -> None:
    follower.facts = [Fact(kind=FactKind.OPTED_OUT, key="E1", at=follower.now - HOUR, event="e", told_by="mail")]
    decision = follower.decide(follower.crm(subscribe="no", by=Origin.INTEGRATION, opted_out=True))
    assert taken_out(decision) == []
    assert "opted-out" in codes(decision)


def test_a_no_that_comes_with_the_crms_own_opt_out_unsubscribes_once_and_is_timed_by_the_answer(follower: Any) -> None:
    decision = follower.decide(follower.crm(subscribe="no", by=Origin.PERSON, opted_out=True))
    (planned,) = (one for one in decision.changes if isinstance(one.change, Unsubscribe))
    assert planned.because.rule == "said-no"
    assert [found.at for found in decision.facts if found.key.startswith("no:")] == [follower.now - HOUR]


def test_after_the_crms_own_opt_out_was_carried_out_only_a_double_opt_in_leads_back(follower: Any) -> None:
    follower.settings.update({"double_opt_in": False, "permission": "single"})
    follower.decide(follower.crm(subscribe="yes", opted_out=True))
    follower.now += DAY
    decision = follower.decide(follower.crm(subscribe="yes", said_at=follower.now))
    (enter,) = [one.change for one in decision.changes]
    assert (enter.way_back, enter.ask is not None) == (True, True)


@pytest.mark.behaviour("crm-out-subscriber")
def test_without_such_a_rule_the_crms_own_opt_out_leaves_the_contact_over_there(subscriber: Any) -> None:
    decision = subscriber.decide(subscriber.crm(subscribe="yes", opted_out=True))
    assert taken_out(decision) == []


@pytest.mark.behaviour("crm-out-lifted")
def test_lifting_the_crms_own_opt_out_alone_leads_nobody_back(world: Any) -> None:
    world.decide(world.crm(opted_out=True))
    world.now += DAY
    assert "opted-out" in codes(world.decide(world.crm()))
    decision = world.decide(world.crm(subscribe="yes", said_at=world.now))
    assert [one.change.way_back for one in decision.changes] == [True]


def test_a_marker_of_the_mail_system_is_not_the_crms_opt_out(subscriber: Any) -> None:
    assert subscriber.decide(subscriber.mail(opted_out=True), system="mail").facts == ()


# --- deleted and erased ------------------------------------------------------------------------------------------------


def gone(world: Any, kind: EventKind = EventKind.DELETED, presence: Presence = Presence.ARCHIVED) -> Decision:
    decision: Decision = world.decide(
        Contact(id="c1", email="ada@example.com", presence=presence, read_at=world.now), kind
    )
    return decision


@pytest.mark.behaviour("deleted-keep")
def test_a_deleted_contact_stays_in_the_mail_system_by_default(subscriber: Any) -> None:
    assert codes(gone(subscriber)) == ["kept"]


@pytest.mark.behaviour("deleted-not-believed")
@pytest.mark.parametrize("presence", [Presence.PRESENT, Presence.TWICE])
def test_a_deletion_is_not_believed_while_the_contact_reads(subscriber: Any, presence: Presence) -> None:
    subscriber.settings["on_deleted"] = "delete"
    decision = gone(subscriber, presence=presence)
    assert (decision.changes, codes(decision)) == ((), ["still-there"])


@pytest.mark.behaviour("deleted-delete")
def test_a_deletion_deletes_where_the_setting_says_so(subscriber: Any) -> None:
    subscriber.settings["on_deleted"] = "delete"
    decision = gone(subscriber)
    assert taken_out(decision) == [DeleteContact(email="ada@example.com", origin=Origin.OTHER, removal=True)]
    assert decision.facts == ()


@pytest.mark.behaviour("deleted-unsubscribe")
def test_a_deletion_that_unsubscribes_is_an_opt_out(subscriber: Any) -> None:
    subscriber.settings["on_deleted"] = "unsubscribe"
    decision = gone(subscriber)
    assert taken_out(decision) == [Unsubscribe(email="ada@example.com")]
    assert [one.kind for one in decision.facts] == [FactKind.OPTED_OUT]


@pytest.mark.behaviour("deleted-unsubscribe")
def test_it_is_one_since_the_deletion_and_not_since_the_answer_before_it(subscriber: Any) -> None:
    """A yes said meanwhile, at another CRM of the mail account say, is the older one."""
    subscriber.settings["on_deleted"] = "unsubscribe"
    answered = subscriber.now - 30 * DAY
    contact = subscriber.crm(subscribe="yes", said_at=answered, updated_at=answered, presence=Presence.ARCHIVED)
    told = subscriber.now - HOUR
    for occurred, at, by in ((told, told, "crm"), (None, subscriber.now, "")):
        event = subscriber.event(contact, EventKind.DELETED, occurred_at=occurred)
        decision = evaluate(subscriber.plan, event, subscriber.known(), subscriber.settings)
        assert [(one.at, one.told_by) for one in decision.facts] == [(at, by)]


@pytest.mark.behaviour("deleted-unsubscribe")
def test_a_second_deletion_of_who_came_back_is_an_opt_out_of_its_own(subscriber: Any) -> None:
    subscriber.settings["on_deleted"] = "unsubscribe"
    contact = subscriber.crm(subscribe="no", said_at=subscriber.now - DAY, presence=Presence.ARCHIVED)

    def deleted(at: datetime) -> tuple[Decision, Fact]:
        event = subscriber.event(contact, EventKind.DELETED, occurred_at=at)
        decision = evaluate(subscriber.plan, event, subscriber.known(), subscriber.settings)
        (found,) = decision.facts
        return decision, found

    first, out = deleted(subscriber.now - 2 * HOUR)
    back = Fact(kind=FactKind.CONFIRMED, key="w2", at=subscriber.now - HOUR, event="e", told_by="mail")
    subscriber.facts = [*subscriber.facts, out, back]
    second, again = deleted(subscriber.now)
    assert out.key != again.key
    assert {one.key for one in first.changes}.isdisjoint(one.key for one in second.changes)


@pytest.mark.behaviour("erased")
def test_an_erased_contact_is_deleted(subscriber: Any) -> None:
    assert taken_out(gone(subscriber, EventKind.ERASED, Presence.ABSENT)) == [DeleteContact(email="ada@example.com")]


def test_a_deletion_that_no_rule_speaks_of_is_skipped(make_world: Callable[..., Any]) -> None:
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["deleted"], "contact": "delete"}
    world = make_world(rules=[rule | {"only_if": {"setting": "ask_again", "is": True}}], mirror=[])
    decision = gone(world)
    assert codes(decision) == ["no-rule"]
    assert decision.skips[0].because.nearest == "one: setting ask_again is no, wanted: yes"


def test_where_no_consent_is_kept_unsubscribing_is_only_a_change(make_world: Callable[..., Any]) -> None:
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["deleted"], "contact": "unsubscribe"}
    decision = gone(make_world(rules=[rule], mirror=[]))
    assert (taken_out(decision), decision.facts) == ([Unsubscribe(email="ada@example.com")], ())


@pytest.mark.behaviour("deleted-not-believed")
def test_a_deletion_is_not_believed_where_the_contact_does_not_read_archived(subscriber: Any) -> None:
    subscriber.settings["on_deleted"] = "delete"
    decision = gone(subscriber, presence=Presence.ABSENT)
    assert (decision.changes, codes(decision)) == ((), ["not-archived"])


def test_of_an_erased_contact_that_was_never_known_nothing_is_deleted(world: Any) -> None:
    decision = world.decide(Contact(id="c9", presence=Presence.ABSENT, read_at=world.now), EventKind.ERASED)
    assert (decision.changes, codes(decision), decision.remembered.erased) == ((), ["not-linked"], False)


def test_an_erased_contact_is_forgotten_and_a_deleted_one_comes_back_only_by_a_wish(subscriber: Any) -> None:
    assert gone(subscriber, EventKind.ERASED, Presence.ABSENT).remembered.erased
    subscriber.remembered = Remembered(ids={"crm": "c1"})
    after = gone(subscriber).remembered
    assert (after.by_wish, after.erased) == (True, False)


def test_a_secondary_address_goes_with_the_contact_that_took_it_in(subscriber: Any) -> None:
    subscriber.remembered = Remembered(ids={"mail": "m2"}, within="c1")
    decision = gone(subscriber, EventKind.ERASED)
    assert (taken_out(decision), decision.remembered.ids) == ([DeleteContact(email="ada@example.com")], {"mail": "m2"})


def test_a_contact_that_moved_just_before_it_went_is_taken_out_at_the_address_it_has_there(subscriber: Any) -> None:
    subscriber.settings["on_deleted"] = "unsubscribe"
    contact = Contact(id="c1", email="new@example.com", presence=Presence.ARCHIVED, read_at=subscriber.now)
    known = subscriber.known(former=Former(address="old"))
    event = subscriber.event(contact, EventKind.DELETED)
    decision = evaluate(subscriber.plan, event, known, subscriber.settings)
    assert taken_out(decision) == [Unsubscribe()]
    assert (decision.facts, [one.kind for one in decision.former_facts]) == ((), [FactKind.OPTED_OUT])
