"""Two brands in one portal, and two portals at one newsletter, against both vendors' twins: one account, separate consent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stellwerk_demo.browser import Browser
from stellwerk_demo.people import Marketer
from stellwerk_demo.scene import KEY, STATIC_TOKEN
from stellwerk_demo.vendors import HubSpotApi

pytestmark = pytest.mark.slow

HATS_KEY = "hats-key-0123456789"
BETA_TOKEN = "pat-eu1-beta-ag-of-the-second-portal"

ENVIRONMENT = {
    "HUBSPOT_TOKEN": STATIC_TOKEN, "BETA_TOKEN": BETA_TOKEN, "MAILEON_API_KEY": KEY, "HATS_KEY": HATS_KEY,
}  # fmt: skip
HATS = ("--account", "9002:Hats", "--key", f"9002={HATS_KEY}", "--doi-mailing", "9002=K9:Hats")


def connection(name: str, portal: str, token: str, key: str, mailing: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "crm": {"account": portal, "access_token": f"env:{token}"},
        "mail": {"api_key": f"env:{key}"},
        "settings": {"double_opt_in": True, "doi_mailing": mailing, "timeline": "note"},
        "agreed": {"by": "Jo Doe", "at": date(2026, 11, 23)},
        **more,
    }


def brands(file: Any) -> None:
    """One portal, a newsletter for each brand; the company says who belongs to which."""
    for one in file["provide"]["crm"]["properties"].values():
        one["name"] += "_{brand}"
    file["connections"] = [
        connection(
            name, "4711", "HUBSPOT_TOKEN", key, mailing, brand=name, only_if={"field": "company", "in": [name, "both"]}
        )
        for name, key, mailing in (("shoes", "MAILEON_API_KEY", "K1"), ("hats", "HATS_KEY", "K9"))
    ]


def portals(file: Any) -> None:
    """Two portals whose people read one newsletter."""
    file["connections"] = [
        connection("acme", "4711", "HUBSPOT_TOKEN", "MAILEON_API_KEY", "K1"),
        connection("beta", "4799", "BETA_TOKEN", "MAILEON_API_KEY", "K1"),
    ]
    file["systems"]["crm"]["poll_seconds"] = 1


class BetasMarketer(Marketer):
    """Works in the other portal."""

    def _portal(self, page: str) -> str:
        return f"{self.scene.hubspot.url}/{page}/4799"


def static(folder: Path) -> None:
    """An app with a static token, which is the app's own and brings its webhooks."""
    path = folder / "src" / "app" / "app-hsmeta.json"
    app = json.loads(path.read_text())
    app["config"]["auth"] = {"type": "static", "requiredScopes": app["config"]["auth"]["requiredScopes"]}
    path.write_text(json.dumps(app))


def shown(there: Any, who: Any, brand: str) -> str:
    name = f"maileon_status_{brand}"
    return str((there.crm.contact(who.email, [name]) or {}).get(name))


def keys(who: Any) -> list[str]:
    """With which mailings somebody was asked."""
    return sorted(mail.text.partition("(key ")[2][:2] for mail in who.mails("doi"))


def confirm(who: Any, key: str) -> None:
    (mail,) = [mail for mail in who.mails("doi") if f"(key {key})" in mail.text]
    Browser().open(mail.link("/confirm/"))


@pytest.mark.behaviour("several-brands")
def test_two_brands_in_one_portal_ask_each_for_itself_and_are_left_each_for_itself(town: Callable[..., Any]) -> None:
    there = town(brands, connected=False, project=static, environment=ENVIRONMENT, twins={"maileon": HATS})
    there.until("both boxes", lambda: all(there.crm.property(f"maileon_subscribe_{one}") for one in ("shoes", "hats")))
    there.quiet()
    ada, ben = there.visitor("Ada"), there.visitor("Ben")
    there.marketer.creates_contact(ada, company="shoes")
    number = there.marketer.creates_contact(ben, company="both")
    there.until("three mails", lambda: (keys(ada), keys(ben)) == (["K1"], ["K1", "K9"]))
    confirm(ben, "K1")
    confirm(ben, "K9")
    for brand in ("shoes", "hats"):
        there.until(f"subscribed to {brand}", lambda brand=brand: shown(there, ben, brand) == "subscribed")
    there.marketer.edits_contact(number, lastname="Both")
    hats = type(there.mail)(there.scene.maileon.url, HATS_KEY)
    for newsletter in (there.mail, hats):
        there.until(
            "the name", lambda at=newsletter: (at.contact(ben.email, ["LASTNAME"]) or {}).get("LASTNAME") == "Both"
        )
    there.scene.maileon.control(
        "POST", "/events", {"account": 9002, "email": ben.email, "event": "unsubscription", "method": "link"}
    )
    there.until("left hats", lambda: shown(there, ben, "hats") == "unsubscribed")
    there.quiet()
    assert [shown(there, ben, "shoes"), shown(there, ada, "hats")] == ["subscribed", ""]
    assert (keys(ada), keys(ben)) == (["K1"], ["K1", "K9"])
    assert hats.contact(ada.email) is None
    # One portal with one login and one rate, whoever uses it.
    assert there.database("select system, count(*) from account group by system order by system") == [
        ("crm", 1), ("mail", 2),
    ]  # fmt: skip
    assert "Traceback" not in there.scene.hub_log


@pytest.mark.behaviour("several-mailers")
def test_two_portals_at_one_newsletter_ask_an_address_once_and_an_opt_out_reaches_both(
    town: Callable[..., Any],
) -> None:
    there = town(
        portals, connected=False, project=static, environment=ENVIRONMENT,
        twins={"hubspot": ("--static-token", f"{BETA_TOKEN}=4799")},
    )  # fmt: skip
    beta = HubSpotApi(there.scene.hubspot.url, BETA_TOKEN)
    there.until("both boxes", lambda: there.crm.property("maileon_status") and beta.property("maileon_status"))
    there.quiet()

    def states(who: Any) -> list[str]:
        found = [api.contact(who.email, ["maileon_status"]) or {} for api in (there.crm, beta)]
        return [one.get("maileon_status", "") for one in found]

    who = there.visitor("Ida")
    who.submits_form(ticks=True)
    there.until("the mail", lambda: who.mails("doi"))
    BetasMarketer(there.scene).creates_contact(who)
    there.quiet()
    who.confirms()
    there.until("subscribed in both", lambda: states(who) == ["subscribed", "subscribed"])
    there.marketer.sends_newsletter()
    who.unsubscribes()
    there.until("unsubscribed in both", lambda: states(who) == ["unsubscribed", "unsubscribed"])
    there.quiet()
    assert len(who.mails("doi")) == 1
    assert there.database("select system, count(*) from account group by system order by system") == [
        ("crm", 2), ("mail", 1),
    ]  # fmt: skip
    assert "Traceback" not in there.scene.hub_log
