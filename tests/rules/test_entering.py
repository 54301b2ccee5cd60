"""Who enters, on which terms, and why somebody does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stellwerk_rules.model import (
    AskTerms,
    Enter,
    EventKind,
    Origin,
    Permission,
    Presence,
    SetFields,
    Unsubscribe,
)
from stellwerk_toys.decisions import brought_in, codes, entered, fact

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.behaviour("enters-created")
def test_a_new_contact_who_said_yes_by_form_enters_and_is_asked(world: Any) -> None:
    decision = world.decide(world.crm(subscribe="yes", firstname="Ada"), EventKind.CREATED)
    enter = brought_in(decision)
    assert enter.ask == AskTerms(plus=False, options={"mailing": "K1"})
    assert (enter.explicit, enter.origin, enter.grant, enter.way_back) == (True, Origin.FORM, Permission.NONE, False)
    assert {name: one.value for name, one in enter.fields.items()} == {"FIRSTNAME": "Ada"}
    assert (enter.email, enter.peer_id) == ("ada@example.com", "c1")
    because = decision.changes[0].because
    assert (because.code, because.rule, because.line) == ("wish", "subscribe", 70)


def test_the_signals_kind_does_not_matter(world: Any) -> None:
    assert entered(world.decide(world.crm(subscribe="yes"), EventKind.CHANGED)) is not None


@pytest.mark.behaviour("enters-created")
def test_a_contact_enters_once_however_often_it_is_told(world: Any) -> None:
    brought_in(world.decide(world.crm(subscribe="yes"), EventKind.CREATED))
    for kind in (EventKind.CREATED, EventKind.CHANGED):
        again = world.decide(world.crm(subscribe="yes"), kind)
        assert again.changes == ()
        assert codes(again) == ["unchanged"]


def test_the_same_wish_always_has_the_same_mark(world: Any) -> None:
    first = brought_in(world.decide(world.crm(subscribe="yes")))
    world.remembered = type(world.remembered)()
    world.now += HOUR / 2
    second = world.decide(world.crm(subscribe="yes", said_at=world.now - HOUR * 1.5, email="ADA@example.com "))
    assert brought_in(second).wish == first.wish
    assert second.changes[0].key == f"enter:{first.wish}"


def test_another_time_address_or_contact_is_another_wish(world: Any) -> None:
    marks = set()
    for change in ({}, {"said_at": world.now}, {"email": "eve@example.com"}, {"id": "c2"}):
        world.remembered = type(world.remembered)()
        marks.add(brought_in(world.decide(world.crm(subscribe="yes", **change))).wish)
    assert len(marks) == 4


@pytest.mark.behaviour("answer-unset")
def test_without_an_answer_a_new_contact_counts_as_the_setting_says(world: Any) -> None:
    enter = brought_in(world.decide(world.crm()))
    assert (enter.explicit, enter.wished_at) == (False, world.now - HOUR)
    world.settings["no_answer"] = "no"
    world.remembered = type(world.remembered)()
    decision = world.decide(world.crm())
    assert (entered(decision), codes(decision)) == (None, ["no-answer"])


def test_without_an_answer_nobody_enters_until_somebody_agreed(world: Any) -> None:
    world.agreed = None
    decision = world.decide(world.crm())
    assert (entered(decision), codes(decision)) == (None, ["no-answer"])
    assert "until somebody agreed" in decision.skips[0].because.text


def test_why_a_new_contact_enters_is_told_with_the_answer_seen(world: Any) -> None:
    assert world.decide(world.crm()).changes[0].because.text == "a new contact; x_subscribe is not set"
    world.remembered = type(world.remembered)()
    decision = world.decide(world.crm(subscribe="yes", by=Origin.IMPORT))
    assert decision.changes[0].because.text == "a new contact; x_subscribe is yes"


def test_an_explicit_yes_is_asked_without_anybodys_agreement(world: Any) -> None:
    world.agreed = None
    assert brought_in(world.decide(world.crm(subscribe="yes"))).ask is not None


@pytest.mark.behaviour("asks-not-agreed")
def test_nothing_is_granted_until_somebody_agreed(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "single"})
    world.agreed = None
    decision = world.decide(world.crm(subscribe="yes"))
    assert brought_in(decision).grant is Permission.NONE
    assert [notice.code for notice in decision.notices] == ["grant-not-agreed"]


@pytest.mark.behaviour("asks-grant")
def test_without_double_opt_in_the_connections_permission_is_granted(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "single"})
    enter = brought_in(world.decide(world.crm(subscribe="yes")))
    assert (enter.ask, enter.grant) == (None, Permission.SINGLE)


def test_a_double_opt_in_is_never_granted_only_because_it_is_chosen(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "double"})
    assert brought_in(world.decide(world.crm(subscribe="yes"))).grant is Permission.NONE


def test_who_is_asked_is_not_granted_anything_besides(world: Any) -> None:
    world.settings.update({"contacts_may_skip_doi": True, "permission": "single"})
    enter = brought_in(world.decide(world.crm(subscribe="yes")))
    assert enter.ask is not None
    assert enter.grant is Permission.NONE


@pytest.mark.behaviour("answer-no-new")
@pytest.mark.parametrize("by", [Origin.FORM, Origin.PERSON, Origin.IMPORT])
def test_a_no_keeps_a_new_contact_out(world: Any, by: Origin) -> None:
    decision = world.decide(world.crm(subscribe="no", by=by), EventKind.CREATED)
    assert (decision.changes, decision.facts, codes(decision)) == ((), (), ["said-no"])
    assert decision.skips[0].because.text == "x_subscribe is no"


def test_an_answer_that_is_neither_yes_nor_no_brings_nobody_in(world: Any) -> None:
    assert codes(world.decide(world.crm(subscribe="maybe"))) == ["said-no"]


@pytest.mark.parametrize("by", [Origin.IMPORT, Origin.WORKFLOW, Origin.INTEGRATION, Origin.OTHER])
def test_a_new_contacts_yes_by_an_import_lets_it_in_but_is_no_wish(world: Any, by: Origin) -> None:
    contact = world.crm(subscribe="yes", by=by, said_at=world.now - 2 * HOUR, origin=Origin.IMPORT)
    enter = brought_in(world.decide(contact))
    assert (enter.explicit, enter.origin, enter.wished_at) == (False, Origin.IMPORT, world.now - 2 * HOUR)


def test_our_own_yes_is_no_wish(world: Any) -> None:
    contact = world.crm(subscribe="yes", by=Origin.PERSON)
    ours = {
        name: tuple(type(w)(value=w.value, at=w.at, origin=w.origin, ours=True) for w in several)
        for name, several in contact.history.items()
    }
    enter = brought_in(
        world.decide(
            type(contact)(**{name: getattr(contact, name) for name in contact.__struct_fields__} | {"history": ours})
        )
    )
    assert not enter.explicit


# --- older contacts ----------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("enters-older-change")
def test_an_ordinary_change_to_an_older_contact_brings_nobody_in(world: Any) -> None:
    old = world.crm(created_at=world.now - 20 * DAY, firstname="Ada")
    assert codes(world.decide(old)) == ["older"]


@pytest.mark.behaviour("enters-older-yes")
def test_an_older_contact_enters_by_an_explicit_yes(world: Any) -> None:
    old = world.crm(created_at=world.now - 20 * DAY, subscribe="yes", by=Origin.PERSON)
    assert brought_in(world.decide(old)).explicit


@pytest.mark.behaviour("answer-other")
@pytest.mark.behaviour("enters-older-yes-import")
@pytest.mark.parametrize("by", [Origin.IMPORT, Origin.WORKFLOW, Origin.OTHER])
def test_an_older_contacts_yes_by_an_import_brings_nobody_in(world: Any, by: Origin) -> None:
    assert codes(world.decide(world.crm(created_at=world.now - 20 * DAY, subscribe="yes", by=by))) == ["older"]


@pytest.mark.behaviour("enters-older-yes-before")
def test_a_wish_from_before_the_connection_brings_nobody_in(world: Any) -> None:
    contact = world.crm(created_at=world.now - 20 * DAY, subscribe="yes", said_at=world.now - 11 * DAY)
    assert codes(world.decide(contact)) == ["older"]


def test_a_wish_of_the_very_moment_the_connection_began_counts(world: Any) -> None:
    world.began_at = world.now - HOUR
    contact = world.crm(created_at=world.now - 20 * DAY, subscribe="yes", said_at=world.now - HOUR)
    assert brought_in(world.decide(contact)).explicit


def test_a_contact_created_at_the_very_moment_the_connection_began_is_new(world: Any) -> None:
    world.began_at = world.now - HOUR
    assert entered(world.decide(world.crm(created_at=world.began_at))) is not None


def test_a_contact_whose_creation_nobody_knows_is_not_new(world: Any) -> None:
    assert codes(world.decide(world.crm(created_at=None))) == ["older"]


@pytest.mark.behaviour("enters-not-begun")
def test_before_the_connection_began_nobody_enters(world: Any) -> None:
    world.began_at = None
    assert codes(world.decide(world.crm(subscribe="yes"))) == ["not-begun"]
    world.began_at = world.now - DAY
    assert entered(world.decide(world.crm(subscribe="yes"))) is not None


def test_a_rule_may_ignore_everybody(make_world: Callable[..., Any], world: Any) -> None:
    rules = [
        {"id": "one", "from": "crm", "to": "mail", "events": ["created"], "enter": {"who": "ignore"}, "consent": {}}
    ]
    assert codes(make_world(rules=rules, mirror=[]).decide(world.crm())) == ["ignored"]


def test_a_rule_without_an_answer_lets_every_new_contact_in(make_world: Callable[..., Any]) -> None:
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["created"], "enter": {"who": "new"}}
    world = make_world(rules=[rule | {"consent": {"grant": "single"}}], mirror=[])
    assert brought_in(world.decide(world.crm())).grant is Permission.SINGLE


# --- what has to come first --------------------------------------------------------------------------------------------


@pytest.mark.behaviour("enters-no-address")
@pytest.mark.parametrize("missing", [{"email": None}, {"email": ""}, {"id": None}])
def test_a_contact_without_an_address_waits_and_enters_with_it(world: Any, missing: dict[str, Any]) -> None:
    waiting = world.decide(world.crm(subscribe="yes", **missing))
    assert (entered(waiting), codes(waiting)) == (None, ["no-address"])
    assert brought_in(world.decide(world.crm(subscribe="yes"))).explicit


@pytest.mark.behaviour("crm-out")
def test_who_opted_out_at_the_crm_is_neither_asked_nor_granted(world: Any) -> None:
    decision = world.decide(world.crm(subscribe="yes", opted_out=True))
    assert (entered(decision), codes(decision)) == (None, ["opted-out-at-source"])


def test_a_claimed_opt_out_puts_entering_off_until_it_is_settled(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "claim", final=False)]
    assert codes(world.decide(world.crm(subscribe="yes"))) == ["opt-out-claimed"]
    world.facts.append(fact(world, "opt_out_denied", "claim"))
    assert brought_in(world.decide(world.crm(subscribe="yes"))).explicit


def test_a_yes_after_a_no_that_was_only_watched_takes_the_contact_out_and_asks(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "no:1", told_by="crm", final=False)]
    decision = world.decide(world.crm(subscribe="yes"))
    assert [type(one.change) for one in decision.changes] == [Unsubscribe, Enter]
    assert decision.changes[1].change.way_back
    assert [(one.key, one.final) for one in decision.facts] == [("no:1", True)]


def test_a_no_that_was_only_watched_outdoes_an_older_yes_and_what_is_no_yes(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "no:1", told_by="crm", final=False)]
    older = world.crm(subscribe="yes", said_at=world.now - 3 * DAY)
    assert codes(world.decide(older)) == ["opt-out-younger"]
    assert codes(world.decide(world.crm(subscribe="yes", by=Origin.IMPORT))) == ["opted-out"]
    assert codes(world.decide(world.crm())) == ["opted-out"]


# --- opt-outs and the way back -----------------------------------------------------------------------------------------


def test_a_suppressed_address_does_not_enter_without_an_explicit_yes(world: Any) -> None:
    world.facts = [fact(world, "opted_out")]
    assert codes(world.decide(world.crm())) == ["opted-out"]
    assert codes(world.decide(world.crm(subscribe="yes", by=Origin.IMPORT))) == ["opted-out"]


@pytest.mark.behaviour("out-yes-younger")
def test_a_younger_wish_leads_back_by_a_double_opt_in(world: Any) -> None:
    world.facts = [fact(world, "opted_out")]
    decision = world.decide(world.crm(subscribe="yes"))
    enter = brought_in(decision)
    assert (enter.way_back, enter.ask) == (True, AskTerms(options={"mailing": "K1"}))
    assert decision.changes[0].because.code == "way-back"


@pytest.mark.behaviour("out-yes-younger")
def test_the_way_back_is_a_double_opt_in_also_where_the_connection_grants(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "confirmed"})
    world.facts = [fact(world, "opted_out")]
    enter = brought_in(world.decide(world.crm(subscribe="yes")))
    assert (enter.ask, enter.grant) == (AskTerms(options={"mailing": "K1"}), Permission.NONE)


@pytest.mark.behaviour("out-no-mailing")
def test_without_a_mailing_to_send_nobody_comes_back(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "doi_mailing": ""})
    world.facts = [fact(world, "opted_out")]
    assert codes(world.decide(world.crm(subscribe="yes"))) == ["no-way-to-ask"]


def test_where_the_connection_asks_with_the_accounts_own_mailing_so_does_the_way_back(world: Any) -> None:
    world.settings["doi_mailing"] = ""
    world.facts = [fact(world, "opted_out")]
    assert brought_in(world.decide(world.crm(subscribe="yes"))).ask == AskTerms(options={})


def test_where_an_ask_takes_no_options_the_way_back_needs_none(make_world: Callable[..., Any]) -> None:
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["created"], "consent": {"ask": False}}
    world = make_world(rules=[rule | {"enter": {"who": "new", "answer": "subscribe"}}], mirror=[])
    world.facts = [fact(world, "opted_out")]
    assert brought_in(world.decide(world.crm(subscribe="yes"))).ask == AskTerms()


@pytest.mark.behaviour("out-yes-older")
def test_a_wish_older_than_the_opt_out_does_not_lead_back(world: Any) -> None:
    world.facts = [fact(world, "opted_out", age=HOUR)]
    decision = world.decide(world.crm(subscribe="yes"))
    assert codes(decision) == ["opt-out-younger"]
    assert decision.skips[0].because.rule == "subscribe"


def test_a_younger_wish_after_an_older_one_is_seen_although_the_field_reads_as_before(world: Any) -> None:
    world.facts = [fact(world, "opted_out", age=HOUR)]
    world.decide(world.crm(subscribe="yes", said_at=world.now - 2 * HOUR))
    world.now += 5 * HOUR
    assert brought_in(world.decide(world.crm(subscribe="yes", said_at=world.now))).way_back


def test_who_is_out_is_shown_so_at_the_crm(world: Any) -> None:
    world.facts = [fact(world, "opted_out")]
    shown = [one.change.fields["x_status"].value for one in world.decide(world.crm()).changes]
    assert shown == ["unsubscribed"]


# --- contacts that are only in the mail system -------------------------------------------------------------------------


@pytest.mark.behaviour("enters-only-in-mail")
def test_contacts_only_in_the_mail_system_are_ignored_and_not_remembered(world: Any) -> None:
    decision = world.decide(world.mail(permission=Permission.SINGLE), system="mail")
    assert codes(decision) == ["ignored"]
    assert decision.remembered.ids == {}


def test_contacts_only_in_the_mail_system_are_created_where_the_setting_says_so(world: Any) -> None:
    world.settings["only_in_mail"] = "create"
    decision = world.decide(world.mail(permission=Permission.DOUBLE, FIRSTNAME="Eve"), system="mail")
    enter = brought_in(decision)
    assert (decision.changes[0].system, enter.ask, enter.grant) == ("crm", None, Permission.NONE)
    assert decision.remembered.ids == {"mail": "m1"}
    assert entered(world.decide(world.mail(permission=Permission.DOUBLE), system="mail")) is None


def test_a_linked_contact_is_not_created_again(world: Any) -> None:
    world.settings["only_in_mail"] = "create"
    world.remembered = type(world.remembered)(ids={"crm": "c1", "mail": "m1"})
    decision = world.decide(world.mail(permission=Permission.SINGLE), system="mail")
    assert entered(decision) is None
    assert "ignored" not in codes(decision)


@pytest.mark.parametrize("presence", [one for one in Presence if one is not Presence.PRESENT])
def test_what_does_not_read_does_not_enter(world: Any, presence: Presence) -> None:
    decision = world.decide(world.crm(subscribe="yes", presence=presence))
    assert (decision.changes, codes(decision)) == ((), [f"reads-{presence.value}"])


def test_what_changed_with_a_yes_is_carried_where_the_contacts_id_could_not_be_read_when_it_was_made(
    world: Any,
) -> None:
    world.settings["double_opt_in"] = False
    (made,) = world.decide(world.crm(firstname="Ada")).changes
    world.make(made, world.mail(presence=Presence.ABSENT, id=None), remote_id=None)
    assert "mail" not in world.remembered.ids
    world.settings["double_opt_in"] = True
    decision = world.decide(world.crm(subscribe="yes", firstname="Augusta", said_at=world.now))
    entry, fields = (one.change for one in decision.changes)
    assert isinstance(entry, Enter)
    assert isinstance(fields, SetFields)
    assert {name: one.value for name, one in fields.fields.items()} == {"FIRSTNAME": "Augusta"}
