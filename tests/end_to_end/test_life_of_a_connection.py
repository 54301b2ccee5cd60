"""The life of a connection against both twins: settings foreseen, a marketer's own address tried, disconnected, connected again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stellwerk_demo.people import Visitor

pytestmark = pytest.mark.slow


@pytest.mark.behaviour("end-page-again")
def test_settings_are_foreseen_an_address_is_tried_and_a_connection_ends_and_comes_back(
    town: Callable[..., Any],
) -> None:
    here = town()
    browser, url = here.marketer.browser, here.scene.url
    asked = here.visitor("Vera")
    asked.submits_form(ticks=True)
    here.until("Vera's record", lambda: here.record(asked))

    # Tried: the whole way, by the button alone and the click in the mail.
    own = Visitor(here.scene, "mara@marketers.example", "Mara", "Marketer")
    page = browser.open(f"{url}/try")
    page = browser.submit(page.form("email"), {"email": own.email}, button=("action", "create"))
    assert "Created in HubSpot. Now it goes its way." in page.text
    here.until("the mail to the marketer", lambda: own.mails("doi"))
    here.until("the step that asks for the click", lambda: stands(browser, url, "now", "You confirmed"))
    assert stands(browser, url, "done", "HubSpot told us of the contact")
    assert stands(browser, url, "done", "The contact is in Maileon")
    own.confirms()
    here.until("every step", lambda: stands(browser, url, "done", "HubSpot shows how it stands"))
    assert here.status(own) == "subscribed"

    # Foreseen, as soon as the vendor's search knows the new contacts: with double opt-in off nobody would be mailed.
    def foreseen() -> str | None:
        form = browser.open(f"{url}/settings").form("action", "setting.double_opt_in")
        page = browser.submit(form, {"setting.double_opt_in": "no"}, button=("action", "foresee"))
        return page.text if "contacts in HubSpot:" in page.text else None

    told = here.until("what the settings would have done", foreseen)
    assert "0 would get a mail that asks for confirmation. (With the settings so far: " in told

    # Disconnected: nothing of ours is left over there.
    here.quiet()
    page = browser.open(f"{url}/disconnect")
    assert "the app is uninstalled there" in page.text
    page = browser.submit(page.form("sure"), {"sure": "yes"})
    assert "The connection has ended" in page.text
    here.until("no webhook of ours at Maileon", lambda: here.mail.webhooks() == [] or None)
    here.until("the credentials gone", lambda: here.database("select id from account where state = 'gone'")[1:] or None)

    # Connected again: the same connection goes on with what it knew.
    page = here.marketer.logs_in()
    again = next(form for form in page.forms if any(name == "connection" for name, _ in form.buttons))
    ended = next(value for _, value in again.buttons if value != "new")
    page = browser.submit(again, button=("connection", ended))
    assert "It runs again after Save" in page.text
    page = here.marketer.tests_key(page)
    page = here.marketer.saves(page)
    assert here.marketer.says_saved(page), page.text
    assert here.database("select id, state from connection") == [(ended, "runs")]
    assert here.mail.webhooks() != []
    later = here.subscriber("Wanda")
    assert here.status(later) == "subscribed"


def stands(browser: Any, url: str, how: str, words: str) -> bool:
    """Whether this step of the tried address stands so."""
    return f'<li class="how-{how}"><strong>{words}' in browser.open(f"{url}/try").html
