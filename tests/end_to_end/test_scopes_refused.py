"""A login that does not bring an optional scope, over HTTP against HubSpot's twin: what the pages say, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stellwerk_demo.browser import Page

pytestmark = pytest.mark.slow

SCOPE = "communication_preferences.read_write"
HEADING = "HubSpot did not grant everything that this login asked for"


@pytest.fixture
def there(shared_town: Any) -> Iterator[Any]:
    yield shared_town
    shared_town.scene.hubspot.control("POST", f"/portals/{shared_town.scene.cast.portal}", {"plan_lacks": []})
    shared_town.marketer.logs_in()


def settings(there: Any) -> Page:
    page: Page = there.marketer.browser.open(f"{there.scene.url}/settings")
    return page


def overview(there: Any) -> Page:
    page: Page = there.marketer.browser.open(f"{there.scene.url}/overview")
    return page


def refuses(there: Any) -> Page:
    """The person leaves the optional scope out on HubSpot's page."""
    page: Page = there.marketer.logs_in(refusing=SCOPE)
    return page


def has_a_small_plan(there: Any) -> Page:
    """The portal's plan does not have it: HubSpot drops it without a word."""
    there.scene.hubspot.control("POST", f"/portals/{there.scene.cast.portal}", {"plan_lacks": [SCOPE]})
    page: Page = there.marketer.logs_in()
    return page


@pytest.mark.behaviour("trouble-scope-refused")
@pytest.mark.parametrize("login", [refuses, has_a_small_plan])
def test_a_scope_that_the_login_did_not_bring_is_named_with_what_fails_without_it(
    there: Any, login: Callable[[Any], Page]
) -> None:
    assert HEADING not in settings(there).text
    page = login(there)
    assert "Overview" in page.text
    assert "HubSpot did not grant everything at the login, so a part does not work." in page.text
    for shown in (page, settings(there)):
        assert f"Missing: {SCOPE}" in shown.text
        assert "is not opted out of marketing e-mail in HubSpot too" in shown.text
        assert "A super admin of the portal can grant it" in shown.text
        assert there.scene.url.split("//")[1].split(":")[1] in shown.link("/login/")
    assert HEADING in settings(there).text


def test_everything_else_works_and_another_login_ends_it(there: Any) -> None:
    refuses(there)
    who = there.subscriber("Narrow")
    assert there.status(who) == "subscribed"
    page = there.marketer.logs_in()
    assert f"Missing: {SCOPE}" not in page.text
    assert HEADING not in settings(there).text
    assert there.database("select count(*) from repair where code = 'scope-not-granted' and closed is null") == [(0,)]


def test_who_can_do_without_is_not_asked_again_at_the_next_login(there: Any) -> None:
    refuses(there)
    page = overview(there)
    number = there.database("select id from repair where code = 'scope-not-granted' and closed is null")[0][0]
    form = next(one for one in page.forms if ("action", f"repaired:{number}") in one.buttons)
    there.marketer.browser.submit(form, button=("action", f"repaired:{number}"))
    page = refuses(there)
    assert "so a part does not work" not in page.text
    assert f"Missing: {SCOPE}" not in settings(there).text


def test_it_is_said_in_german_too(there: Any) -> None:
    refuses(there)
    page = there.marketer.browser.open(f"{there.scene.url}/settings?lang=de")
    for words in (
        "HubSpot hat nicht alles erteilt, worum diese Anmeldung bat",
        f"Es fehlt: {SCOPE}",
        "wird nicht auch in HubSpot von Marketing-E-Mails abgemeldet",
        "Super-Admin",
    ):
        assert words in page.text, words
    there.marketer.browser.open(f"{there.scene.url}/settings?lang=en")
