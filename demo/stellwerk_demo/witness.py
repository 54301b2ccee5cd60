"""Somebody who watches a scene: looks until something is seen, and says each thing that was seen.

Vendors are looked at through their documented APIs and pages, the hub through its commands and `/metrics`; the twins' control
API tells alone whether they still have something to send.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from stellwerk_demo.browser import Browser
from stellwerk_demo.people import Visitor
from stellwerk_demo.scene import KEY, STATIC_TOKEN, Scene
from stellwerk_demo.vendors import HubSpotApi, MaileonApi, Unsure

__all__ = ["StoryError", "Witness"]

T = TypeVar("T")
PATIENCE_SECONDS = 90.0
QUIET_SECONDS = 0.4


class StoryError(AssertionError):
    """A step did not come true; the message says which and what was seen."""


class Witness:
    """`say` prints one line of what was seen; `watched` are the people whose traces an unfulfilled step shows."""

    def __init__(self, scene: Scene, say: Callable[[str], None]) -> None:
        self.scene = scene
        self.say = say
        self.crm = HubSpotApi(scene.hubspot.url, STATIC_TOKEN)
        self.mail = MaileonApi(scene.maileon.url, KEY)
        self.watched: list[Visitor] = []
        self.subscribe = scene.property("maileon_subscribe")
        self.status = scene.property("maileon_status")
        self.permission = scene.property("maileon_permission")

    # --- looking at the vendors ----------------------------------------------------------------------------------------

    def at_mail(self, who: Visitor) -> Any:
        return self.sure(lambda: self.mail.contact(who.email, ["FIRSTNAME", "LASTNAME", "ORGANIZATION"], []))

    def at_crm(self, who: Visitor) -> Any:
        names = ["lifecyclestage", "lastname", "company", "email", self.subscribe, self.status, self.permission]
        return self.sure(lambda: self.crm.contact(who.email, names))

    def shows(self, who: Visitor, name: str, value: str) -> Any:
        """The contact at HubSpot once its property has this value."""
        return self.has(self.at_crm(who), name, value)

    @staticmethod
    def has(contact: Any, name: str, value: str) -> Any:
        return contact if contact is not None and contact.get(name) == value else None

    def notes(self, who: Visitor, count: int) -> list[str] | None:
        notes = self.crm.notes(who.email)
        return notes if len(notes) == count else None

    def every_note(self, who: Visitor) -> list[str]:
        return self.sure(lambda: self.crm.notes(who.email))

    def history(self, who: Visitor, name: str) -> list[dict[str, Any]]:
        return self.sure(lambda: self.crm.history(who.email, name))

    def one_mail(self, who: Visitor, what: str) -> None:
        """Wait for a confirmation mail, and that no second one follows it."""
        self.seen(what, lambda: who.mails("doi") or None)
        self.quiet()
        self.count_mails(who, 1)

    def count_mails(self, who: Visitor, count: int) -> None:
        mails = who.mails("doi")
        self.check("exactly one DOI mail" if count == 1 else f"{count} DOI mails", len(mails) == count, str(len(mails)))

    # --- looking at the hub --------------------------------------------------------------------------------------------

    def because(self, who: Visitor, words: str) -> str:
        """The youngest line of `stellwerk explain` with these words."""

        def look() -> str | None:
            lines = self.scene.explain(who.email).splitlines()
            return next((line.strip() for line in reversed(lines) if words in line), None)

        return self.seen("stellwerk explain names the reason", look)

    def quiet(self, longer: float = 0.0, patience: float = PATIENCE_SECONDS) -> None:
        """Wait until the vendors have sent their webhooks and the hub has nothing left to do; `patience` bounds it."""
        began = time.monotonic()
        until = began + patience
        calm_since: float | None = None
        while time.monotonic() < until:
            busy = self._sending() or self._waiting()
            now = time.monotonic()
            calm_since = None if busy else calm_since or now
            if calm_since is not None and now - calm_since >= QUIET_SECONDS + longer:
                return
            # Ever more rarely: the hub's counting would slow down what is waited for.
            time.sleep(min(0.05 + (now - began) / 50, 0.3))

    def _sending(self) -> bool:
        crm, mail = (twin.control("GET", "/idle") for twin in (self.scene.hubspot, self.scene.maileon))
        return bool(crm["pending"] or mail["webhooks_pending"] or mail["anonymising"])

    def _waiting(self) -> bool:
        text = Browser().open(f"{self.scene.url}/metrics").html
        rows = (
            line.rsplit(" ", 1) for line in text.splitlines() if 'state="waiting"' in line or 'state="sent"' in line
        )
        return any(int(value) > 0 for _, value in rows)

    # --- telling -------------------------------------------------------------------------------------------------------

    def seen(self, what: str, look: Callable[[], T | None], patience: float = PATIENCE_SECONDS) -> T:
        """Look until something is seen; what a fault of the scene swallowed is looked for again."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            try:
                found = look()
            except Unsure:
                found = None
            if found:
                self.say(f"  ok  {what}")
                return found
            time.sleep(0.1)
        raise StoryError(f"not seen within {patience:.0f} s: {what}\n{self._evidence()}")

    def sure(self, look: Callable[[], T]) -> T:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return look()
            except Unsure:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def check(self, what: str, holds: bool, seen: str) -> None:
        if not holds:
            raise StoryError(f"not so: {what}\nseen: {seen[:2000]}\n{self._evidence()}")
        self.say(f"  ok  {what}")

    def note(self, text: str) -> None:
        self.say(f"      {text}")

    def meets(self, people: Sequence[Visitor]) -> None:
        """These are part of the story from now on."""
        self.watched += [who for who in people if who not in self.watched]

    def _evidence(self) -> str:
        parts = [f"--- explain {who.first}\n{self.scene.explain(who.email)[-3000:]}" for who in self.watched]
        return "\n".join([*parts, "--- hub log", self.scene.hub_log[-3000:]])
