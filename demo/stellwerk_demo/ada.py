"""Ada's way: she signs up, confirms, leaves, comes back, leaves again; and all of it told twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.witness import Witness

__all__ = ["AdasWay"]


class AdasWay:
    """Ada all the way in, out, in and out again; Ben and Bea beside her."""

    def __init__(self, witness: Witness, marketer: Marketer) -> None:
        self.witness = witness
        self.marketer = marketer
        self.scene = witness.scene
        names = self.scene.cast.names
        self.ada, self.ben, self.bea = (Visitor.named(self.scene, *names[at : at + 2]) for at in (0, 2, 4))
        self.before, self.after = self.scene.cast.move
        self.people: Sequence[Visitor] = (self.ada, self.ben, self.bea)
        self.typed: Sequence[str] = ("Byron", "Analytical Engines", "+49 30 1234567", "1234567")
        self.steps: Sequence[Callable[[], None]] = (
            self.form_asks_once, self.confirmation_moves_the_stage, self.changes_travel_without_echo, self.no_is_nothing,
            self.unsubscription_leads_back, self.nothing_reaches_the_unsubscribed, self.unticked_box_unsubscribes_nobody,
            self.way_back_and_out_again, self.everything_again_changes_nothing,
        )  # fmt: skip

    def form_asks_once(self) -> None:
        watch = self.witness
        self.ada.submits_form(ticks=True)
        contact = watch.seen("a form creates Ada; Maileon has her", lambda: watch.at_mail(self.ada))
        watch.quiet()
        mails = self.ada.mails("doi")
        watch.check("exactly one DOI mail", len(mails) == 1, f"{len(mails)} mails")
        watch.check("with the chosen mailing key", f"(key {self.scene.cast.mailing})" in mails[0].text, mails[0].text)
        record = watch.at_crm(self.ada)
        watch.check("permission none until she clicks", contact["permission"] == "none", contact["permission"])
        watch.check("external id is the record's id", contact["external_id"] == record["id"], str(contact))
        watch.seen("HubSpot shows pending", lambda: watch.shows(self.ada, watch.status, "pending"))

    def confirmation_moves_the_stage(self) -> None:
        watch = self.witness
        self.marketer.edits_contact(watch.at_crm(self.ada)["id"], lifecyclestage=self.before)
        watch.quiet()
        self.ada.confirms()
        watch.seen(
            "she confirms: permission double", lambda: watch.has(watch.at_mail(self.ada), "permission", "double")
        )
        watch.seen(f"stage {self.before} -> {self.after}", lambda: watch.shows(self.ada, "lifecyclestage", self.after))
        watch.seen("status subscribed", lambda: watch.shows(self.ada, watch.status, "subscribed"))
        watch.seen("permission shown as double", lambda: watch.shows(self.ada, watch.permission, "double"))
        watch.seen("one timeline entry", lambda: watch.notes(self.ada, 1))

    def changes_travel_without_echo(self) -> None:
        watch = self.witness
        number = watch.at_crm(self.ada)["id"]
        self.marketer.edits_contact(number, lastname="Byron", company="Analytical Engines")
        watch.seen("her new name reaches Maileon", lambda: watch.has(watch.at_mail(self.ada), "LASTNAME", "Byron"))
        watch.seen("and her company", lambda: watch.has(watch.at_mail(self.ada), "ORGANIZATION", "Analytical Engines"))
        watch.quiet()
        for name in ("lastname", "company"):
            writers = [entry["sourceType"] for entry in watch.history(self.ada, name)]
            watch.check(f"no echo comes back to {name}", "INTEGRATION" not in writers, str(writers))

    def no_is_nothing(self) -> None:
        watch = self.witness
        self.ben.submits_form(ticks=False)
        watch.seen(
            "Ben leaves the box unticked; HubSpot has him", lambda: watch.crm.contact(self.ben.email, [watch.subscribe])
        )
        reason = watch.because(self.ben, "[said-no]")
        watch.check(
            "nothing reaches Maileon",
            watch.sure(lambda: watch.mail.contact(self.ben.email)) is None and not self.ben.mails("doi"),
            "",
        )
        watch.note(f"because: {reason}")

    def unsubscription_leads_back(self) -> None:
        watch = self.witness
        self.marketer.sends_newsletter()
        self.ada.unsubscribes()
        watch.seen(
            "Ada unsubscribes: stage back through a reset", lambda: watch.shows(self.ada, "lifecyclestage", self.before)
        )
        self._was_cleared(self.ada)
        notes = watch.seen("a second timeline entry", lambda: watch.notes(self.ada, 2))
        watch.check(
            "it shows msg_id and method", any("msg_id" in note and "link" in note for note in notes), str(notes)
        )
        watch.seen("Subscribe now reads no", lambda: watch.shows(self.ada, watch.subscribe, "false"))
        watch.seen("status unsubscribed", lambda: watch.shows(self.ada, watch.status, "unsubscribed"))
        watch.seen("the marker stands in Maileon", lambda: watch.mail.marker(self.ada.email) or None)

    def nothing_reaches_the_unsubscribed(self) -> None:
        watch = self.witness
        watch.quiet()
        self.marketer.edits_contact(watch.at_crm(self.ada)["id"], phone="+49 30 1234567")
        reason = watch.because(self.ada, "opted out")
        watch.check(
            "her phone changes: nothing reaches Maileon",
            watch.sure(lambda: watch.mail.contact(self.ada.email)) is None,
            "",
        )
        watch.note(f"because: {reason}")

    def unticked_box_unsubscribes_nobody(self) -> None:
        watch = self.witness
        self.bea.submits_form(ticks=True)
        watch.seen("Bea signs up", lambda: self.bea.mails("doi") or None)
        self.bea.confirms()
        watch.seen("and confirms", lambda: watch.shows(self.bea, watch.status, "subscribed"))
        watch.quiet()
        self.bea.submits_form(ticks=False)
        watch.seen("leaves a box unticked on another form", lambda: watch.shows(self.bea, watch.subscribe, "false"))
        watch.quiet()
        contact = watch.at_mail(self.bea)
        watch.check("and stays subscribed", contact["permission"] == "double", str(contact))

    def way_back_and_out_again(self) -> None:
        watch = self.witness
        before = len(self.ada.mails("doi"))
        self.ada.submits_form(ticks=True)
        watch.seen("Ada signs up again: one more DOI mail", lambda: _more(self.ada.mails("doi"), before))
        watch.quiet()
        watch.check("and only one", len(self.ada.mails("doi")) == before + 1, str(len(self.ada.mails("doi"))))
        self.ada.confirms()
        watch.seen("she confirms again", lambda: watch.shows(self.ada, watch.status, "subscribed"))
        watch.seen(f"stage {self.after} again", lambda: watch.shows(self.ada, "lifecyclestage", self.after))
        watch.quiet()
        first = self._first_unsubscription()
        self.scene.maileon.control("POST", "/webhooks", {"lose": 1.0})
        self.marketer.sends_newsletter()
        self.ada.unsubscribes()
        self.scene.maileon.control("POST", "/webhooks", self.scene.webhook_disorder)
        self.scene.maileon.control("POST", "/webhooks/resend", {"numbers": [first]})
        watch.seen(
            "and out within the hour, by a byte-identical webhook: status",
            lambda: watch.shows(self.ada, watch.status, "unsubscribed"),
        )
        watch.seen("stage back again", lambda: watch.shows(self.ada, "lifecyclestage", self.before))
        watch.seen("four timeline entries in all", lambda: watch.notes(self.ada, 4))
        watch.seen("Subscribe reads no again", lambda: watch.shows(self.ada, watch.subscribe, "false"))

    def everything_again_changes_nothing(self) -> None:
        watch = self.witness
        watch.quiet()
        before = self._picture()
        for twin in (self.scene.hubspot, self.scene.maileon):
            twin.control("POST", "/webhooks/resend", {"all": True, "shuffle": True, "times": 2})
        watch.quiet(longer=2.0)
        after = self._picture()
        changed = [
            f"{key}: {before.get(key)} -> {after.get(key)}"
            for key in {*before, *after}
            if before.get(key) != after.get(key)
        ]
        watch.check("all webhooks again, twice and shuffled: nothing changes", not changed, "; ".join(changed))

    def _was_cleared(self, who: Visitor) -> None:
        watch = self.witness
        values = [entry["value"] or "" for entry in watch.history(who, "lifecyclestage")]
        watch.check("its history shows the reset", values[:3] == [self.before, "", self.after], str(values))

    def _first_unsubscription(self) -> int:
        rows = self.scene.maileon.control("GET", "/webhooks")["webhooks"]
        return int(
            next(
                row["number"]
                for row in rows
                if row["url"].endswith("/unsubscription") and self.ada.email in row["body"]
            )
        )

    def _picture(self) -> dict[str, Any]:
        """All that the twins show of everybody: values, notes, mails."""
        watch = self.witness
        picture: dict[str, Any] = {}
        for who in (self.ada, self.ben, self.bea):
            picture[f"crm {who.first}"] = watch.at_crm(who)
            picture[f"history {who.first}"] = len(watch.history(who, "lifecyclestage"))
            picture[f"notes {who.first}"] = sorted(watch.every_note(who))
            picture[f"mail {who.first}"] = watch.at_mail(who)
            picture[f"mails {who.first}"] = len(who.mails("doi"))
        return picture


def _more(found: list[Any], than: int) -> list[Any] | None:
    return found if len(found) > than else None
