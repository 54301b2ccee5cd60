"""Each scope of the login says what does not work without it and who may grant it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stellwerk.sdk import Secret
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.oauth import OPTIONAL_SCOPES, scopes_of
from stellwerk_hubspot.settings import HubspotSystem

SYSTEM = HubspotSystem(client_id="c", client_secret=Secret("s"), app_id="1")
WITH_EVENTS = replace(SYSTEM, app_events="letters")


@pytest.mark.parametrize("system", [SYSTEM, WITH_EVENTS])
def test_every_scope_that_the_login_asks_for_is_explained_when_it_is_missing(system: HubspotSystem) -> None:
    asked = {*scopes_of(system), *OPTIONAL_SCOPES} - {"oauth"}
    found = HubspotConnector.lacking(system, ("oauth",))
    assert {scope.name for scope in found} == asked
    for scope in found:
        assert scope.without
        assert all(line.en != line.de for line in (*scope.without, scope.granted_by))


def test_what_a_scope_is_needed_for_is_told_as_it_is() -> None:
    told = {
        scope.name: " ".join(line.en for line in scope.without) for scope in HubspotConnector.lacking(WITH_EVENTS, ())
    }
    reading = told["crm.objects.contacts.read"]
    assert [word for word in ("sync", "comparison", "note") if word not in reading] == []
    assert "may not be listed" in told["crm.schemas.contacts.read"]
    assert told["timeline"].startswith("Where app events are chosen")


def test_a_login_that_brought_everything_lacks_nothing() -> None:
    assert HubspotConnector.lacking(WITH_EVENTS, (*scopes_of(WITH_EVENTS), *OPTIONAL_SCOPES)) == ()


def test_only_an_optional_one_may_be_missing_because_of_the_plan() -> None:
    told = {scope.name: scope.granted_by.en for scope in HubspotConnector.lacking(SYSTEM, ())}
    assert [name for name, words in told.items() if "plan" in words] == list(OPTIONAL_SCOPES)
