"""The people of the story: visitors with a form and a mailbox, and a marketer in the portal and on the hub's pages."""

from __future__ import annotations

import re
import unicodedata
import urllib.parse
from collections.abc import Mapping
from typing import Self

from stellwerk_demo.browser import Browser, Form, Page
from stellwerk_demo.scene import KEY, Scene

__all__ = ["Marketer", "Visitor"]


class Visitor:
    """Somebody with an address. Each visit is from a browser of its own unless `same_device`."""

    def __init__(self, scene: Scene, email: str, first: str, last: str) -> None:
        self.scene = scene
        self.email = email
        self.first = first
        self.last = last

    @classmethod
    def named(cls, scene: Scene, first: str, last: str) -> Self:
        """With an address made of the name."""
        local = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
        return cls(scene, f"{local}@example.com", first, last)

    def submits_form(self, *, ticks: bool, hidden: Mapping[str, str] = {}) -> None:
        """Fill in the newsletter form; `ticks` its box. `hidden` fields stand in it by a property's name in the file."""
        box = self.scene.property("maileon_subscribe")
        fields = {"subscribe": box, **{f"hidden.{self.scene.property(name)}": one for name, one in hidden.items()}}
        browser = Browser()
        address = f"{self.scene.hubspot.url}/forms/{self.scene.cast.portal}/newsletter"
        page = browser.open(f"{address}?{urllib.parse.urlencode(fields)}")
        values: dict[str, str | None] = {"email": self.email, "firstname": self.first, "lastname": self.last}
        form = page.form("email", box)
        if ticks:
            values[box] = form.boxes[box]
        done = browser.submit(form, values)
        if done.status != 200 or "Thank you" not in done.text:
            raise AssertionError(f"the form said: {done.text[:300]}")

    def mails(self, kind: str) -> list[Page]:
        """The mails this person got, newest first: `doi` or `regular`."""
        browser = Browser()
        outbox = browser.open(f"{self.scene.maileon.url}/outbox?to={self.email}")
        pages = [browser.open(target) for target, text in outbox.links if text.startswith("Mail ")]
        wanted = "/confirm/" if kind == "doi" else "/unsubscribe/"
        return [page for page in pages if any(wanted in target for target, _ in page.links)]

    def confirms(self) -> None:
        """Click the link in the newest confirmation mail."""
        newest = self.mails("doi")[0]
        Browser().open(newest.link("/confirm/"))

    def unsubscribes(self) -> None:
        """Click *Unsubscribe* in the newest newsletter, and the button behind it."""
        browser = Browser()
        page = browser.open(self.mails("regular")[0].link("/unsubscribe/"))
        browser.submit(page.form("confirm"), button=("confirm", "yes"))


class Marketer:
    """Works in the portal and on the hub's pages."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.browser = Browser()

    def logs_in(self, *, refusing: str | None = None) -> Page:
        """From the hub's login page through the account choice and *Grant access* to the settings; without one scope."""
        page = self.browser.open(self.scene.url + "/" + f"?lang={self.scene.cast.language}")
        page = self.browser.open(page.link("/login/"))
        page = self.browser.open(page.link(str(self.scene.cast.portal)))
        form = page.form("decision") if refusing is None else page.form("decision", "refuse")
        return self.browser.submit(form, {} if refusing is None else {"refuse": refusing}, button=("decision", "grant"))

    def tests_key(self, page: Page, key: str = KEY) -> Page:
        form = page.form("action")
        field = next(name for name in form.values if name.endswith("api_key"))
        return self.browser.submit(form, {field: key}, button=("action", "test-key"))

    def saves(self, page: Page) -> Page:
        """Choose the settings of the story and save."""
        cast = self.scene.cast
        before, after = cast.move
        values: dict[str, str | None] = {
            "setting.double_opt_in": "yes",
            "setting.doi_mailing": cast.mailing,
            "setting.no_answer": "yes",
            "setting.timeline": "note",
            "setting.on_confirmed.enabled": "yes",
            "setting.on_confirmed.source": before,
            "setting.on_confirmed.target": after,
            "setting.on_unsubscribed.enabled": "yes",
            "setting.on_unsubscribed.source": after,
            "setting.on_unsubscribed.target": before,
            "setting.on_unsubscribed.reset": "yes",
        }
        return self._saves(page, values)

    def changes_settings(self, **values: str) -> Page:
        """Open the settings, choose these and save. What came of it is on the page."""
        page = self.browser.open(f"{self.scene.url}/settings")
        return self._saves(page, {f"setting.{name}": value for name, value in values.items()})

    def _saves(self, page: Page, values: Mapping[str, str | None]) -> Page:
        """Save; tick the sentence when the page asks for it."""
        form = page.form("action", "setting.double_opt_in")
        page = self.browser.submit(form, dict(values), button=("action", "save"))
        for form in page.forms:
            if "agree" in form.boxes:
                return self.browser.submit(form, {"agree": form.boxes["agree"]}, button=("action", "save"))
        return page

    @staticmethod
    def says_saved(page: Page) -> bool:
        return "Saved." in page.text or "Gespeichert." in page.text

    def sends_newsletter(self) -> None:
        browser = Browser()
        page = browser.open(f"{self.scene.maileon.url}/newsletter")
        browser.submit(page.form("subject"), {"subject": "News"})

    def edits_contact(self, number: str, **values: str) -> None:
        """Change values on the contact's page in the portal."""
        page = self.browser.open(self._record(number))
        form = page.form(*values)
        self._done(self.browser.submit(form, dict(values)))

    def creates_contact(self, who: Visitor, **values: str) -> str:
        """Fill in the portal's form for a new contact; the record's id. Properties by their names in the file."""
        page = self.browser.open(self._portal("contacts"))
        typed = {"email": who.email, "firstname": who.first, "lastname": who.last}
        typed |= {self.scene.property(name): value for name, value in values.items()}
        return self._number(self.browser.submit(page.form(*typed), dict(typed)))

    def merges(self, other: str, into: str) -> str:
        """Merge the record `other` into another; the id that the merged record has."""
        return self._number(self._presses(into, "/merge", other=other))

    def deletes_for_privacy(self, number: str) -> None:
        self._done(self._presses(number, "/gdpr-delete"))

    def imports(self, name: str, content: str) -> Page:
        """Upload a CSV file on the portal's import page; the page tells what became of it."""
        page = self.browser.open(self._portal("imports"))
        form = page.form("file")
        return self._done(self.browser.upload(form, "file", name, content.encode()))

    def _presses(self, number: str, action: str, **values: str) -> Page:
        page = self.browser.open(self._record(number))
        form: Form = page.form(*values, action=action)
        return self.browser.submit(form, dict(values))

    def _portal(self, page: str) -> str:
        return f"{self.scene.hubspot.url}/{page}/{self.scene.cast.portal}"

    def _record(self, number: str) -> str:
        return f"{self._portal('contacts')}/record/0-1/{number}"

    def _number(self, page: Page) -> str:
        found = re.search(r"/record/0-1/(\d+)$", self._done(page).url)
        if found is None:
            raise AssertionError(f"the portal shows no record: {page.url}")
        return found[1]

    @staticmethod
    def _done(page: Page) -> Page:
        if page.status != 200:
            raise AssertionError(f"the portal said: {page.text[:300]}")
        return page
