"""An event decided as a whole: values both ways, echoes, what the other kinds of events do, and when history is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate, wants_history
from stellwerk_rules.model import (
    AddEntry,
    Contact,
    Decision,
    Enter,
    EventKind,
    FactKind,
    Known,
    Origin,
    Permission,
    Presence,
    Remembered,
    Seen,
    SetFields,
)
from stellwerk_toys.decisions import codes, fact

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def written(decision: Decision, system: str) -> dict[str, Any]:
    """Values on their way to `system` that are no state shown."""
    return {
        name: value.value
        for planned in decision.changes
        if planned.system == system and isinstance(planned.change, SetFields) and not planned.change.mirror
        for name, value in planned.change.fields.items()
    }


@pytest.fixture
def linked(world: Any) -> Any:
    """Brought in and linked, with a name that both sides agree on, and its state shown."""
    world.decide(world.crm(subscribe="yes", firstname="Ada"))
    digest = world.known().digest
    world.remembered = replace(
        world.remembered,
        ids={"crm": "c1", "mail": "m1"},
        seen={
            "crm": {**world.remembered.seen["crm"], "firstname": Seen(digest=digest("Ada"))},
            "mail": {"FIRSTNAME": Seen(digest=digest("Ada"))},
        },
        going={"crm": {"x_status": Seen(digest=digest("subscribed")), "x_permission": Seen(digest=digest("double"))}},
    )
    world.facts = [fact(world, "confirmed", "w1")]
    return world


def crm(world: Any, **more: Any) -> Contact:
    given = {"subscribe": "yes", "firstname": "Ada", "created_at": world.now - DAY, **more}
    found: Contact = world.crm(**given)
    return found


def mail(world: Any, **more: Any) -> Contact:
    found: Contact = world.mail(**{"permission": Permission.DOUBLE, "FIRSTNAME": "Ada", "peer_id": "c1", **more})
    return found


# --- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("fields-there")
def test_a_changed_value_travels_to_the_mail_system(linked: Any) -> None:
    decision = linked.decide(crm(linked, firstname="Adda"))
    assert written(decision, "mail") == {"FIRSTNAME": "Adda"}
    (planned,) = decision.changes
    assert (planned.because.code, planned.because.rule, planned.because.line) == ("changed", "subscribe", 70)
    assert planned.because.text == "FIRSTNAME changed at crm"


@pytest.mark.behaviour("fields-back")
def test_a_changed_value_travels_back_also_without_a_rule_that_says_so(linked: Any) -> None:
    decision = linked.decide(mail(linked, FIRSTNAME="Adda"), system="mail")
    assert written(decision, "crm") == {"firstname": "Adda"}
    assert decision.changes[0].because.rule is None


def test_a_rule_for_the_way_back_is_named_and_says_which(make_world: Callable[..., Any], linked: Any) -> None:
    forward = {"id": "f", "from": "crm", "to": "mail", "events": ["changed"], "fields": "all"}
    back = {"id": "b", "from": "mail", "to": "crm", "events": ["changed"], "fields": ["firstname"]}
    world = make_world(rules=[forward, back], mirror=[])
    world.remembered = linked.remembered
    decision = world.decide(mail(linked, FIRSTNAME="Adda", LASTNAME="L"), system="mail")
    assert written(decision, "crm") == {"firstname": "Adda"}
    assert decision.changes[0].because.rule == "b"


def test_a_rule_whose_condition_fails_lets_nothing_travel(make_world: Callable[..., Any], linked: Any) -> None:
    rule = {"id": "f", "from": "crm", "to": "mail", "events": ["changed"], "fields": "all"}
    world = make_world(rules=[rule | {"only_if": {"field": "city", "is": "Ulm"}}], mirror=[])
    world.remembered = linked.remembered
    decision = world.decide(crm(linked, firstname="Adda"))
    assert (decision.changes, codes(decision)) == ((), ["unchanged"])


def test_a_rule_carries_values_only_to_its_own_target(make_world: Callable[..., Any], linked: Any) -> None:
    rule = {"id": "f", "from": "crm", "to": "mail", "events": ["changed"], "fields": "all"}
    rows = [{"names": {"crm": "firstname", "mail": "FIRSTNAME", "shop": "name"}}]
    world = make_world(systems=["crm", "mail", "shop"], rules=[rule], fields=rows, mirror=[])
    world.remembered = replace(linked.remembered, ids={"crm": "c1", "mail": "m1", "shop": "s1"})
    assert [planned.system for planned in world.decide(crm(linked, firstname="Adda")).changes] == ["mail"]


@pytest.mark.behaviour("fields-unnamed")
def test_what_the_file_does_not_name_does_not_travel(linked: Any) -> None:
    contact = crm(linked)
    decision = linked.decide(replace(contact, fields={**contact.fields, "phone": "1", "annualrevenue": "7"}))
    assert (decision.changes, codes(decision)) == ((), ["unchanged"])


@pytest.mark.behaviour("answer-our-no")
def test_our_own_writing_coming_back_is_an_echo(linked: Any) -> None:
    linked.decide(crm(linked, firstname="Adda"))
    decision = linked.decide(mail(linked, FIRSTNAME="Adda"), system="mail")
    assert (decision.changes, codes(decision)) == ((), ["echo"])


def test_an_event_that_changes_nothing_says_so(linked: Any) -> None:
    for decision in (linked.decide(crm(linked)), linked.decide(mail(linked), system="mail")):
        assert (decision.changes, codes(decision)) == ((), ["unchanged"])


def test_what_was_decided_is_remembered_as_on_its_way(linked: Any) -> None:
    decision = linked.decide(crm(linked, firstname="Adda"))
    assert decision.remembered.going["mail"]["FIRSTNAME"].digest == linked.known().digest("Adda")


def test_a_value_that_does_not_convert_is_told_once(linked: Any) -> None:
    first = linked.decide(crm(linked, date_of_birth="soon"))
    assert [notice.code for notice in first.notices] == ["field-not-a-date"]
    assert written(first, "mail") == {}
    assert linked.decide(crm(linked, date_of_birth="soon")).notices == ()


@pytest.mark.behaviour("out-change")
def test_nothing_reaches_the_mail_system_for_an_address_that_is_out(linked: Any) -> None:
    linked.facts.append(fact(linked, "opted_out", "E1", HOUR))
    decision = linked.decide(crm(linked, firstname="Adda"))
    assert written(decision, "mail") == {}
    assert codes(decision) == ["opted-out"]
    assert decision.skips[0].because.rule == "subscribe"


def test_values_wait_for_the_way_back_and_go_along_with_it(linked: Any) -> None:
    linked.facts.append(fact(linked, "opted_out", "E1", 5 * HOUR))
    decision = linked.decide(crm(linked, firstname="Adda", said_at=linked.now))
    (enter,) = [planned.change for planned in decision.changes]
    assert isinstance(enter, Enter)
    assert enter.fields["FIRSTNAME"].value == "Adda"


def test_fields_go_both_ways_for_whoever_opted_out_at_the_crm_alone(linked: Any) -> None:
    linked.facts.append(fact(linked, "opted_out", "out:c1:first", HOUR, told_by="crm"))
    assert written(linked.decide(crm(linked, firstname="Adda")), "mail") == {"FIRSTNAME": "Adda"}
    assert written(linked.decide(mail(linked, LASTNAME="King"), system="mail"), "crm") == {"lastname": "King"}


def test_nothing_comes_back_from_a_contact_that_is_being_emptied(linked: Any) -> None:
    leaving = mail(linked, FIRSTNAME=None, permission=Permission.NONE, opted_out=True)
    decision = linked.decide(leaving, system="mail")
    assert written(decision, "crm") == {}
    assert "opted-out" in codes(decision)
    linked.facts.append(fact(linked, "opted_out", "claim", HOUR, final=False))
    assert written(linked.decide(mail(linked, FIRSTNAME=None), system="mail"), "crm") == {}


def test_the_marker_of_somebody_who_came_back_stops_no_values(linked: Any) -> None:
    decision = linked.decide(mail(linked, FIRSTNAME="Adda", opted_out=True), system="mail")
    assert written(decision, "crm") == {"firstname": "Adda"}


def test_an_unlinked_contact_sends_no_values(world: Any) -> None:
    decision = world.decide(world.crm(created_at=world.now - 20 * DAY, firstname="Ada"))
    assert (decision.changes, codes(decision)) == ((), ["older"])


def test_a_value_that_changes_while_its_contact_is_on_its_way_in_follows_it(world: Any) -> None:
    world.decide(world.crm(subscribe="yes", firstname="Ada"))
    decision = world.decide(world.crm(subscribe="yes", firstname="Adda"))
    assert written(decision, "mail") == {"FIRSTNAME": "Adda"}


def test_values_of_a_linked_contact_still_travel_beside_a_new_wish(linked: Any) -> None:
    linked.facts = []
    decision = linked.decide(crm(linked, firstname="Adda", said_at=linked.now))
    assert [type(planned.change) for planned in decision.changes] == [Enter, SetFields]


def test_values_of_a_held_wish_do_not_travel_alone(world: Any) -> None:
    decision = world.decide(world.crm(subscribe="yes", said_at=world.now - 8 * DAY, firstname="Ada"))
    assert written(decision, "mail") == {}


def test_every_delivery_of_values_has_a_key_of_its_own(linked: Any) -> None:
    keys = {linked.decide(crm(linked, firstname=name)).changes[0].key for name in ("Adda", "Ada", "Adda")}
    assert len(keys) == 3


# --- rules that set, tell or move for ordinary changes -----------------------------------------------------------------


def other(make_world: Callable[..., Any], linked: Any, **verbs: Any) -> Any:
    rule = {"id": "r", "from": "crm", "to": "mail", "events": ["created", "changed"], **verbs}
    world = make_world(rules=[rule], mirror=[])
    world.remembered = linked.remembered
    return world


def test_a_fixed_value_is_set_until_it_stands_there(make_world: Callable[..., Any], linked: Any) -> None:
    world = other(make_world, linked, set={"TAG": "x"})
    assert written(world.decide(crm(linked)), "mail") == {"TAG": "x"}
    assert codes(world.decide(crm(linked))) == ["unchanged"]
    world.remembered = replace(
        linked.remembered, seen={**linked.remembered.seen, "mail": {"TAG": Seen(digest=world.known().digest("x"))}}
    )
    assert codes(world.decide(crm(linked))) == ["unchanged"]


def test_an_empty_fixed_value_empties(make_world: Callable[..., Any], linked: Any) -> None:
    assert written(other(make_world, linked, set={"TAG": ""}).decide(crm(linked)), "mail") == {"TAG": None}


def test_a_change_is_told_on_the_timeline_once_for_each_event(make_world: Callable[..., Any], linked: Any) -> None:
    world = other(make_world, linked, timeline={"text": {"en": "a", "de": "b"}, "show": ["why"]})
    first = world.decide(crm(linked), details={"why": "so"})
    (entry,) = [planned.change for planned in first.changes]
    assert isinstance(entry, AddEntry)
    assert (entry.form, entry.shown, entry.at) == ("note", (("why", "so"),), linked.now)
    assert world.decide(crm(linked)).changes[0].key != first.changes[0].key


def test_a_new_contact_is_one_fact_until_it_has_entered(make_world: Callable[..., Any], linked: Any) -> None:
    world = other(make_world, linked, timeline={"text": {"en": "a", "de": "b"}})
    world.remembered = Remembered(ids={"mail": "m1"})
    keys = {world.decide(crm(linked, updated_at=None)).changes[0].key for _ in range(2)}
    assert len(keys) == 1


def test_only_a_fact_of_the_ledger_moves_a_stage(make_world: Callable[..., Any], linked: Any) -> None:
    world = other(make_world, linked, stage="settings.on_confirmed")
    assert codes(world.decide(crm(linked))) == ["stage-off"]
    world.settings["on_confirmed"] = {"enabled": True}
    assert codes(world.decide(crm(linked))) == ["stage-off"]
    world.settings["on_confirmed"] = type(linked.settings["on_confirmed"])(enabled=True, target="mql")
    assert codes(world.decide(crm(linked))) == ["stage-without-fact"]


# --- other kinds of events ---------------------------------------------------------------------------------------------


def test_what_is_noted_has_its_own_time_so_that_one_of_before_a_back_up_is_known_as_that(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"})
    when = world.now - timedelta(hours=2)
    decision = world.decide(world.mail(), EventKind.BOUNCED, "mail", occurred_at=when)
    assert [one.change.at for one in decision.changes if isinstance(one.change, AddEntry)] == [when]


@pytest.mark.behaviour("bounced")
def test_a_bounce_is_told_on_the_timeline_and_shown(linked: Any) -> None:
    decision = linked.decide(mail(linked, permission=Permission.SINGLE, FIRSTNAME="Adda"), EventKind.BOUNCED, "mail")
    assert [type(planned.change) for planned in decision.changes] == [AddEntry, SetFields]
    assert written(decision, "crm") == {}
    assert decision.facts == ()


@pytest.mark.parametrize(
    ("details", "once"),
    [(({"entry": "b1"}, {"entry": "b1"}), True), (({"entry": "b1"}, {"entry": "b2"}), False), (({}, {}), False)],
)
def test_a_bounce_is_one_fact_by_the_name_that_its_system_gives_it(
    linked: Any, details: tuple[dict[str, str], ...], once: bool
) -> None:
    keys = set()
    for number, told in enumerate(details):
        event = linked.event(mail(linked), EventKind.BOUNCED, "mail")
        event = replace(event, id=f"e{number}", details=told)
        decision = evaluate(linked.plan, event, linked.known(), linked.settings)
        keys |= {planned.key for planned in decision.changes if isinstance(planned.change, AddEntry)}
    assert len(keys) == (1 if once else 2)


@pytest.mark.behaviour("blocked")
def test_a_block_is_shown(linked: Any) -> None:
    decision = linked.decide(mail(linked, blocked=True), EventKind.BLOCKED, "mail")
    (planned,) = decision.changes
    assert isinstance(planned.change, SetFields)
    assert planned.change.fields["x_status"].value == "blocked"


def test_a_signal_that_nothing_follows_from_says_so(linked: Any) -> None:
    assert codes(linked.decide(mail(linked), EventKind.ASKED, "mail")) == ["unchanged"]


def test_the_same_event_on_the_same_knowledge_is_the_same_decision(linked: Any) -> None:
    event = linked.event(crm(linked, firstname="Adda"))
    once, twice = (evaluate(linked.plan, event, linked.known(), linked.settings) for _ in range(2))
    assert once == twice


# --- when history is read ----------------------------------------------------------------------------------------------


def wants(world: Any, contact: Contact, known: Known | None = None) -> bool:
    return wants_history(world.plan, contact, known or world.known(), world.settings)


def test_history_is_read_for_an_answer_that_was_not_handled(world: Any) -> None:
    assert wants(world, world.crm(subscribe="yes"))
    world.decide(world.crm(subscribe="yes"))
    assert not wants(world, world.crm(subscribe="yes"))
    assert wants(world, world.crm(subscribe="no"))


def test_history_is_read_again_for_the_answer_of_who_was_let_go(world: Any) -> None:
    world.decide(world.crm(subscribe="yes"))
    contact = world.crm(subscribe="yes")
    assert wants_history(world.plan, contact, world.known(), world.settings, released=True)
    assert not wants_history(world.plan, contact, world.known(), world.settings)


def test_history_is_read_for_a_contacts_own_settings(world: Any) -> None:
    assert wants(world, world.crm(contact_doi="no"))
    world.decide(world.crm(created_at=world.now - 20 * DAY, contact_doi="no"))
    assert wants(world, world.crm(contact_doi="no"))
    world.decide(world.crm(subscribe="yes", contact_doi="no"))
    assert not wants(world, world.crm(subscribe="yes", contact_doi="no"))


def test_history_is_not_read_where_nothing_is_said(world: Any) -> None:
    assert not wants(world, world.crm(firstname="Ada"))
    assert not wants(world, world.mail(FIRSTNAME="Ada"))


def test_history_is_read_for_a_yes_at_an_address_that_is_out(linked: Any) -> None:
    assert not wants(linked, crm(linked))
    assert wants(linked, crm(linked), replace(linked.known(), suppressed=True))
    linked.facts.append(fact(linked, "opted_out"))
    assert wants(linked, crm(linked))
    linked.decide(crm(linked, subscribe="no", by=Origin.FORM))
    assert not wants(linked, crm(linked, subscribe="no"))


def test_without_an_answer_in_the_file_no_history_is_read_for_it(make_world: Callable[..., Any]) -> None:
    world = make_world(rules=[])
    assert not wants(world, world.crm(subscribe="yes"))
    rule = {"id": "one", "from": "crm", "to": "mail", "events": ["created"], "consent": {}}
    assert not wants(make_world(rules=[rule]), world.crm(subscribe="yes"), replace(world.known(), suppressed=True))


def test_reading_without_history_does_not_forget_when_an_answer_was_given(world: Any) -> None:
    world.decide(world.crm(subscribe="yes", said_at=world.now - HOUR))
    world.decide(replace(world.crm(subscribe="yes"), history={}))
    assert world.remembered.answered["x_subscribe"].at == world.now - HOUR


# --- a whole way -------------------------------------------------------------------------------------------------------


def test_adas_way_in_out_and_back(world: Any) -> None:
    """Each step leaves what the next needs; nothing is done twice."""
    decision = world.decide(world.crm(subscribe="yes", firstname="Ada"), EventKind.CREATED)
    world.make(decision.changes[0], Contact(presence=Presence.ABSENT, read_at=world.now))
    (asked,) = world.facts
    world.now += HOUR
    seen = mail(world, mark=asked.key)
    confirmed = world.decide(seen, EventKind.CONFIRMED, "mail")
    for planned in confirmed.changes:
        world.make(planned, world.crm(subscribe="yes", stage="lead"), remote_id="c1")
    assert codes(world.decide(seen, EventKind.CONFIRMED, "mail")) == ["already-handled"]
    world.now += HOUR
    changed = world.decide(world.crm(subscribe="yes", said_at=world.now - 3 * HOUR, firstname="Adda"))
    world.make(changed.changes[0], seen)
    assert world.decide(mail(world, FIRSTNAME="Adda"), system="mail").changes == ()
    assert [one.kind for one in world.facts] == [FactKind.ASKED, FactKind.CONFIRMED]
