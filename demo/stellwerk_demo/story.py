"""Ada's story: every step done with what a person or a vendor has, and checked at the twins.

Reasons are what `stellwerk explain` says; the twins' control API is used for faults and for the moment of a kill alone.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

from stellwerk_demo.browser import Browser, Page
from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.scene import KEY, STATIC_TOKEN, Scene
from stellwerk_demo.vendors import HubSpotApi, MaileonApi, Unsure

__all__ = ["Story", "StoryError"]

T = TypeVar("T")
PATIENCE_SECONDS = 90.0
QUIET_SECONDS = 0.4
SAMPLE_STAGES = ("lead", "marketingqualifiedlead")


class StoryError(AssertionError):
    """A step did not come true; the message says which and what was seen."""


class Story:
    """Tell it with `tell()`. `say` prints one line of what was seen."""

    def __init__(self, scene: Scene, say: Callable[[str], None]) -> None:
        self.scene = scene
        self.say = say
        self.crm = HubSpotApi(scene.hubspot.url, STATIC_TOKEN)
        self.mail = MaileonApi(scene.maileon.url, KEY)
        self.marketer = Marketer(scene)
        first, second = scene.cast.names[:2], scene.cast.names[2:]
        self.ada = self._visitor(*first)
        self.ben, self.bea, self.cem = (self._visitor(*second[number : number + 2]) for number in (0, 2, 4))
        self.before, self.after = scene.cast.move
        self.subscribe = scene.property("maileon_subscribe")
        self.status = scene.property("maileon_status")
        self.permission = scene.property("maileon_permission")

    def tell(self) -> None:
        for step in (
            self.marketer_connects, self.everything_is_provided, self.form_asks_once, self.confirmation_moves_the_stage,
            self.changes_travel_without_echo, self.no_is_nothing, self.unsubscription_leads_back,
            self.nothing_reaches_the_unsubscribed, self.unticked_box_unsubscribes_nobody, self.way_back_and_out_again,
            self.everything_again_changes_nothing, self.killed_between_ask_and_receipt, self.killed_between_clear_and_set,
        ):  # fmt: skip
            step()

    # --- the steps -----------------------------------------------------------------------------------------------------

    def marketer_connects(self) -> None:
        """Login by OAuth, key stored and tested, settings saved with the tick."""
        page = self.marketer.logs_in()
        self._check("login through the consent screen leads to the settings", page.url.endswith("/settings"), page.url)
        page = self.marketer.tests_key(page, "not-the-key-of-anybody")
        self._check(
            "a wrong key is refused with a reason",
            "account-outcome" in page.html and "Acme Newsletter" not in page.text,
            page.text,
        )
        page = self._pressing(lambda: self.marketer.tests_key(page), lambda seen: "Acme Newsletter" in seen.text)
        self._check("the right key names its account", "Acme Newsletter" in page.text, page.text)
        page = self._pressing(lambda: self.marketer.saves(page), self.marketer.says_saved)
        self._check("saved, after the tick", self.marketer.says_saved(page), page.text)

    def everything_is_provided(self) -> None:
        """Property group and properties in HubSpot, custom fields and webhooks in Maileon."""
        group = self._seen("the property group stands in HubSpot", lambda: self.crm.property_group("maileon"))
        box = self._seen("with the property of the form's box", lambda: self.crm.property(self.subscribe))
        fields = self._seen("custom fields stand in Maileon", lambda: self.mail.custom_fields() or None)
        hooks = self._seen("two webhooks are registered", lambda: _two(self.mail.webhooks()))
        self._note(
            f"group {group['label']!r}, box {box['label']!r}, custom fields {', '.join(fields)}, webhooks {', '.join(hooks)}"
        )

    def form_asks_once(self) -> None:
        self.ada.submits_form(ticks=True)
        contact = self._seen("a form creates Ada; Maileon has her", lambda: self._at_mail(self.ada))
        self._quiet()
        mails = self.ada.mails("doi")
        self._check("exactly one DOI mail", len(mails) == 1, f"{len(mails)} mails")
        self._check("with the chosen mailing key", f"(key {self.scene.cast.mailing})" in mails[0].text, mails[0].text)
        record = self._at_crm(self.ada)
        self._check("permission none until she clicks", contact["permission"] == "none", contact["permission"])
        self._check("external id is the record's id", contact["external_id"] == record["id"], str(contact))
        self._seen("HubSpot shows pending", lambda: self._is(self.ada, self.status, "pending"))

    def confirmation_moves_the_stage(self) -> None:
        self.marketer.edits_contact(self._at_crm(self.ada)["id"], lifecyclestage=self.before)
        self._quiet()
        self.ada.confirms()
        self._seen(
            "she confirms: permission double", lambda: self._has(self._at_mail(self.ada), "permission", "double")
        )
        self._seen(f"stage {self.before} -> {self.after}", lambda: self._is(self.ada, "lifecyclestage", self.after))
        self._seen("status subscribed", lambda: self._is(self.ada, self.status, "subscribed"))
        self._seen("permission shown as double", lambda: self._is(self.ada, self.permission, "double"))
        self._seen("one timeline entry", lambda: self._notes(self.ada, 1))

    def changes_travel_without_echo(self) -> None:
        number = self._at_crm(self.ada)["id"]
        self.marketer.edits_contact(number, lastname="Byron", company="Analytical Engines")
        self._seen("her new name reaches Maileon", lambda: self._has(self._at_mail(self.ada), "LASTNAME", "Byron"))
        self._seen("and her company", lambda: self._has(self._at_mail(self.ada), "ORGANIZATION", "Analytical Engines"))
        self._quiet()
        for name in ("lastname", "company"):
            writers = [entry["sourceType"] for entry in self._history(self.ada, name)]
            self._check(f"no echo comes back to {name}", "INTEGRATION" not in writers, str(writers))

    def no_is_nothing(self) -> None:
        self.ben.submits_form(ticks=False)
        self._seen(
            "Ben leaves the box unticked; HubSpot has him", lambda: self.crm.contact(self.ben.email, [self.subscribe])
        )
        reason = self._because(self.ben, "[said-no]")
        self._check(
            "nothing reaches Maileon",
            self._sure(lambda: self.mail.contact(self.ben.email)) is None and not self.ben.mails("doi"),
            "",
        )
        self._note(f"because: {reason}")

    def unsubscription_leads_back(self) -> None:
        self.marketer.sends_newsletter()
        self.ada.unsubscribes()
        self._seen(
            "Ada unsubscribes: stage back through a reset", lambda: self._is(self.ada, "lifecyclestage", self.before)
        )
        self._was_cleared(self.ada)
        notes = self._seen("a second timeline entry", lambda: self._notes(self.ada, 2))
        self._check(
            "it shows msg_id and method", any("msg_id" in note and "link" in note for note in notes), str(notes)
        )
        self._seen("Subscribe now reads no", lambda: self._is(self.ada, self.subscribe, "false"))
        self._seen("status unsubscribed", lambda: self._is(self.ada, self.status, "unsubscribed"))
        self._seen("the marker stands in Maileon", lambda: self.mail.marker(self.ada.email) or None)

    def nothing_reaches_the_unsubscribed(self) -> None:
        self._quiet()
        self.marketer.edits_contact(self._at_crm(self.ada)["id"], phone="+49 30 1234567")
        reason = self._because(self.ada, "opted out")
        self._check(
            "her phone changes: nothing reaches Maileon",
            self._sure(lambda: self.mail.contact(self.ada.email)) is None,
            "",
        )
        self._note(f"because: {reason}")

    def unticked_box_unsubscribes_nobody(self) -> None:
        self.bea.submits_form(ticks=True)
        self._seen("Bea signs up", lambda: self.bea.mails("doi") or None)
        self.bea.confirms()
        self._seen("and confirms", lambda: self._is(self.bea, self.status, "subscribed"))
        self._quiet()
        self.bea.submits_form(ticks=False)
        self._seen("leaves a box unticked on another form", lambda: self._is(self.bea, self.subscribe, "false"))
        self._quiet()
        contact = self._at_mail(self.bea)
        self._check("and stays subscribed", contact["permission"] == "double", str(contact))

    def way_back_and_out_again(self) -> None:
        before = len(self.ada.mails("doi"))
        self.ada.submits_form(ticks=True)
        self._seen("Ada signs up again: one more DOI mail", lambda: _more(self.ada.mails("doi"), before))
        self._quiet()
        self._check("and only one", len(self.ada.mails("doi")) == before + 1, str(len(self.ada.mails("doi"))))
        self.ada.confirms()
        self._seen("she confirms again", lambda: self._is(self.ada, self.status, "subscribed"))
        self._seen(f"stage {self.after} again", lambda: self._is(self.ada, "lifecyclestage", self.after))
        self._quiet()
        first = self._first_unsubscription()
        self.scene.maileon.control("POST", "/webhooks", {"lose": 1.0})
        self.marketer.sends_newsletter()
        self.ada.unsubscribes()
        self.scene.maileon.control("POST", "/webhooks", self.scene.disorder("maileon"))
        self.scene.maileon.control("POST", "/webhooks/resend", {"numbers": [first]})
        self._seen(
            "and out within the hour, by a byte-identical webhook: status",
            lambda: self._is(self.ada, self.status, "unsubscribed"),
        )
        self._seen("stage back again", lambda: self._is(self.ada, "lifecyclestage", self.before))
        self._seen("four timeline entries in all", lambda: self._notes(self.ada, 4))
        self._seen("Subscribe reads no again", lambda: self._is(self.ada, self.subscribe, "false"))

    def everything_again_changes_nothing(self) -> None:
        self._quiet()
        before = self._picture()
        for twin in (self.scene.hubspot, self.scene.maileon):
            twin.control("POST", "/webhooks/resend", {"all": True, "shuffle": True, "times": 2})
        self._quiet(longer=2.0)
        after = self._picture()
        changed = [
            f"{key}: {before.get(key)} -> {after.get(key)}"
            for key in {*before, *after}
            if before.get(key) != after.get(key)
        ]
        self._check("all webhooks again, twice and shuffled: nothing changes", not changed, "; ".join(changed))

    def killed_between_ask_and_receipt(self) -> None:
        self.scene.maileon.control(
            "POST",
            "/faults",
            {"name": "kill", "match": {"method": "POST", "path": "/contacts/email/"}, "kind": "hold", "times": 1},
        )
        self.cem.submits_form(ticks=True)
        self._seen(
            "Cem signs up; the DOI call is applied and not yet answered", lambda: self._holds(self.scene.maileon)
        )
        self._kill_and_restart(self.scene.maileon)
        self._seen("hub killed and restarted: the story goes on", lambda: self._is(self.cem, self.status, "pending"))
        self._quiet()
        mails = self.cem.mails("doi")
        self._check("one mail", len(mails) == 1, f"{len(mails)} mails")

    def killed_between_clear_and_set(self) -> None:
        self.marketer.edits_contact(self._at_crm(self.cem)["id"], lifecyclestage=self.before)
        self._quiet()
        self.cem.confirms()
        self._seen("Cem confirms", lambda: self._is(self.cem, "lifecyclestage", self.after))
        self._quiet()
        match = {"path": "/crm/objects/", "body": '"lifecyclestage":\\s*""'}
        self.scene.hubspot.control("POST", "/faults", {"name": "kill", "match": match, "kind": "hold", "times": 1})
        self.marketer.sends_newsletter()
        self.cem.unsubscribes()
        self._seen("Cem unsubscribes; his stage is cleared and not yet set", lambda: self._holds(self.scene.hubspot))
        self._check(
            "the stage is blank now",
            self._at_crm(self.cem)["lifecyclestage"] == "",
            self._at_crm(self.cem)["lifecyclestage"],
        )
        self._kill_and_restart(self.scene.hubspot)
        self._seen(
            "hub killed and restarted: no blank stage", lambda: self._is(self.cem, "lifecyclestage", self.before)
        )
        self._seen("and one entry for it", lambda: self._notes(self.cem, 2))

    # --- seeing --------------------------------------------------------------------------------------------------------

    def _visitor(self, first: str, last: str) -> Visitor:
        local = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
        return Visitor(self.scene, f"{local}@example.com", first, last)

    @staticmethod
    def _pressing(press: Callable[[], Page], good: Callable[[Page], bool]) -> Page:
        """What a person does when a page says that the other side had an outage: press again, a few times."""
        page = press()
        for _ in range(3):
            if good(page):
                break
            page = press()
        return page

    def _at_mail(self, who: Visitor) -> Any:
        return self._sure(lambda: self.mail.contact(who.email, ["FIRSTNAME", "LASTNAME", "ORGANIZATION"], []))

    def _at_crm(self, who: Visitor) -> Any:
        names = ["lifecyclestage", "lastname", "company", self.subscribe, self.status, self.permission]
        return self._sure(lambda: self.crm.contact(who.email, names))

    def _is(self, who: Visitor, name: str, value: str) -> Any:
        return self._has(self._at_crm(who), name, value)

    @staticmethod
    def _has(contact: Any, name: str, value: str) -> Any:
        return contact if contact is not None and contact.get(name) == value else None

    def _notes(self, who: Visitor, count: int) -> list[str] | None:
        notes = self.crm.notes(who.email)
        return notes if len(notes) == count else None

    def _history(self, who: Visitor, name: str) -> list[dict[str, Any]]:
        return self._sure(lambda: self.crm.history(who.email, name))

    def _every_note(self, who: Visitor) -> list[str]:
        return self._sure(lambda: self.crm.notes(who.email))

    def _was_cleared(self, who: Visitor) -> None:
        values = [entry["value"] or "" for entry in self._history(who, "lifecyclestage")]
        self._check("its history shows the reset", values[:3] == [self.before, "", self.after], str(values))

    def _because(self, who: Visitor, words: str) -> str:
        def look() -> str | None:
            lines = self.scene.explain(who.email).splitlines()
            return next((line.strip() for line in reversed(lines) if words in line), None)

        return self._seen("stellwerk explain names the reason", look)

    def _first_unsubscription(self) -> int:
        rows = self.scene.maileon.control("GET", "/webhooks")["webhooks"]
        return int(
            next(
                row["number"]
                for row in rows
                if row["url"].endswith("/unsubscription") and self.ada.email in row["body"]
            )
        )

    def _holds(self, twin: Any) -> Any:
        held = twin.control("GET", "/holds")
        return (held["holds"] if isinstance(held, dict) else held) or None

    def _kill_and_restart(self, twin: Any) -> None:
        self.scene.kill_hub()
        twin.control("POST", "/holds/release")
        self.scene.start_hub()

    def _picture(self) -> dict[str, Any]:
        """All that the twins show of everybody: values, notes, mails."""
        picture: dict[str, Any] = {}
        for who in (self.ada, self.ben, self.bea):
            picture[f"crm {who.first}"] = self._at_crm(who)
            picture[f"history {who.first}"] = len(self._history(who, "lifecyclestage"))
            picture[f"notes {who.first}"] = sorted(self._every_note(who))
            picture[f"mail {who.first}"] = self._at_mail(who)
            picture[f"mails {who.first}"] = len(who.mails("doi"))
        return picture

    def _quiet(self, longer: float = 0.0) -> None:
        """Wait until the vendors have sent their webhooks and the hub has nothing left to do."""
        until = time.monotonic() + PATIENCE_SECONDS
        calm_since: float | None = None
        while time.monotonic() < until:
            busy = self._sending() or self._waiting()
            now = time.monotonic()
            calm_since = None if busy else calm_since or now
            if calm_since is not None and now - calm_since >= QUIET_SECONDS + longer:
                return
            time.sleep(0.05)

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

    def _seen(self, what: str, look: Callable[[], T | None]) -> T:
        """Look until something is seen; what a fault of the scene swallowed is looked for again."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                found = look()
            except Unsure:
                found = None
            if found:
                self.say(f"  ok  {what}")
                return found
            time.sleep(0.1)
        raise StoryError(f"not seen within {PATIENCE_SECONDS:.0f} s: {what}\n{self._evidence()}")

    def _sure(self, look: Callable[[], T]) -> T:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return look()
            except Unsure:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def _check(self, what: str, holds: bool, seen: str) -> None:
        if not holds:
            raise StoryError(f"not so: {what}\nseen: {seen[:2000]}\n{self._evidence()}")
        self.say(f"  ok  {what}")

    def _note(self, text: str) -> None:
        self.say(f"      {text}")

    def _evidence(self) -> str:
        parts = [
            f"--- explain {who.first}\n{self.scene.explain(who.email)[-3000:]}"
            for who in (self.ada, self.ben, self.bea, self.cem)
        ]
        return "\n".join([*parts, "--- hub log", self.scene.hub_log[-3000:]])


def _two(hooks: list[dict[str, Any]]) -> list[str] | None:
    events = sorted(hook["event"] for hook in hooks)
    return events if events == ["doi", "unsubscription"] else None


def _more(found: list[Any], than: int) -> list[Any] | None:
    return found if len(found) > than else None
