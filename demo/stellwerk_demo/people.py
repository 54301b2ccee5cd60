"""The people of the story: visitors with a form and a mailbox, and a marketer in the portal and on the hub's pages."""

from __future__ import annotations

from stellwerk_demo.browser import Browser, Page
from stellwerk_demo.scene import KEY, Scene

__all__ = ["Marketer", "Visitor"]


class Visitor:
    """Somebody with an address. Each visit is from a browser of its own unless `same_device`."""

    def __init__(self, scene: Scene, email: str, first: str, last: str) -> None:
        self.scene = scene
        self.email = email
        self.first = first
        self.last = last

    def submits_form(self, *, ticks: bool, company: str = "") -> None:
        """Fill in the newsletter form; `ticks` its box."""
        box = self.scene.property("maileon_subscribe")
        browser = Browser()
        page = browser.open(f"{self.scene.hubspot.url}/forms/{self.scene.cast.portal}/newsletter?subscribe={box}")
        values: dict[str, str | None] = {"email": self.email, "firstname": self.first, "lastname": self.last}
        if company:
            values["company"] = company
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

    def logs_in(self) -> Page:
        """From the hub's login page through the account choice and *Grant access* to the settings."""
        page = self.browser.open(self.scene.url + "/" + f"?lang={self.scene.cast.language}")
        page = self.browser.open(page.link("/login/"))
        page = self.browser.open(page.link(str(self.scene.cast.portal)))
        form = page.form("decision")
        return self.browser.submit(form, button=("decision", "grant"))

    def tests_key(self, page: Page, key: str = KEY) -> Page:
        form = page.form("action")
        field = next(name for name in form.values if name.endswith("api_key"))
        return self.browser.submit(form, {field: key}, button=("action", "test-key"))

    def saves(self, page: Page) -> Page:
        """Choose the settings of the story and save; tick the sentence when the page asks for it."""
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
        page = self.browser.submit(page.form("action", "setting.double_opt_in"), values, button=("action", "save"))
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
        page = self.browser.open(f"{self.scene.hubspot.url}/contacts/{self.scene.cast.portal}/record/0-1/{number}")
        form = page.form(*values)
        self.browser.submit(form, dict(values))
