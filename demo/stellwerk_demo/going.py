"""Contacts that become one, move to another address, or are deleted for good: consent stays with the address that gave it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.witness import Witness

__all__ = ["ComingAndGoing"]


class ComingAndGoing:
    """Eve is merged into Ada, Finn changes his address, Gus is deleted for privacy."""

    def __init__(self, witness: Witness, marketer: Marketer) -> None:
        self.witness = witness
        self.marketer = marketer
        self.scene = witness.scene
        self.ada = Visitor.named(self.scene, *self.scene.cast.names[:2])
        self.eve = Visitor.named(self.scene, "Eve", "Zweitname")
        self.finn = Visitor.named(self.scene, "Finn", "Altstadt")
        self.finn_now = Visitor(self.scene, "finn.neustadt@example.com", "Finn", "Altstadt")
        self.gus = Visitor.named(self.scene, "Gus", "Vergessen")
        self.people: Sequence[Visitor] = (self.ada, self.eve, self.finn, self.finn_now, self.gus)
        self.typed: Sequence[str] = ()
        self.steps: Sequence[Callable[[], None]] = (
            self.four_are_subscribed, self.eve_is_merged_into_ada, self.eve_leaves_and_ada_stays,
            self.finn_changes_his_address, self.gus_is_deleted_for_privacy,
        )  # fmt: skip

    def four_are_subscribed(self) -> None:
        watch = self.witness
        four = (self.ada, self.eve, self.finn, self.gus)
        for who in four:
            who.submits_form(ticks=True)
        for who in four:
            self._confirms(who)
        for who in four:
            self._is_subscribed(who)
        watch.quiet()

    def eve_is_merged_into_ada(self) -> None:
        watch = self.witness
        ada, eve = watch.at_crm(self.ada)["id"], watch.at_crm(self.eve)["id"]
        merged = self.marketer.merges(eve, into=ada)
        watch.check("Eve is merged into Ada, whose record has a new id", merged not in (ada, eve), merged)
        watch.seen(
            "Ada's contact in Maileon bears it as external id",
            lambda: watch.has(watch.at_mail(self.ada), "external_id", merged),
        )
        watch.note(f"because: {watch.because(self.ada, '[merged]')}")
        watch.quiet()
        for who in (self.ada, self.eve):
            contact = watch.at_mail(who)
            kept = contact is not None and contact["permission"] == "double"
            watch.check(f"{who.first}'s address keeps what it gave", kept, str(contact))
            watch.count_mails(who, 1)

    def eve_leaves_and_ada_stays(self) -> None:
        watch = self.witness
        before = len(watch.every_note(self.ada))
        self.marketer.sends_newsletter()
        self.eve.unsubscribes()
        watch.seen("Eve's address leaves", lambda: watch.mail.marker(self.eve.email) or None)
        watch.seen("Ada's timeline tells of it", lambda: watch.notes(self.ada, before + 1))
        watch.quiet()
        contact = watch.at_mail(self.ada)
        watch.check("Ada's own stays subscribed", contact["permission"] == "double", str(contact))
        record = watch.at_crm(self.ada)
        watch.check("and reads so in HubSpot", record[watch.status] == "subscribed", str(record))

    def finn_changes_his_address(self) -> None:
        watch = self.witness
        number = watch.at_crm(self.finn)["id"]
        self.marketer.edits_contact(number, email=self.finn_now.email)
        watch.one_mail(self.finn_now, "Finn's new address starts as a new contact: it is asked")
        watch.note(f"because: {watch.because(self.finn_now, '[new-address]')}")
        old, new = watch.at_mail(self.finn), watch.at_mail(self.finn_now)
        watch.check("the old address keeps its permission", old["permission"] == "double", str(old))
        watch.check("and is nobody's record any more", old["external_id"] == "", str(old))
        watch.check("the new one has none yet", new["permission"] == "none", str(new))
        watch.check("and is linked with the record", new["external_id"] == number, str(new))
        self.finn_now.confirms()
        watch.seen("he confirms", lambda: watch.shows(self.finn_now, watch.status, "subscribed"))
        watch.count_mails(self.finn, 1)

    def gus_is_deleted_for_privacy(self) -> None:
        watch = self.witness
        self.marketer.deletes_for_privacy(watch.at_crm(self.gus)["id"])
        watch.seen("Gus is deleted for privacy: Maileon has him no more", lambda: watch.at_mail(self.gus) is None)
        watch.quiet()
        told = watch.seen("the hub knows no contact of his any more", self._forgotten)
        watch.check("no reason names what was decided on him", "->" not in told, told)
        proof = self.scene.command("consent", self.gus.email)
        watch.check("what he confirmed can still be proved by his address", "confirmed" in proof, proof)
        watch.count_mails(self.gus, 1)

    def _confirms(self, who: Visitor) -> None:
        self.witness.seen(f"{who.first} signs up", lambda: who.mails("doi") or None)
        who.confirms()

    def _is_subscribed(self, who: Visitor) -> None:
        watch = self.witness
        watch.seen(f"{who.first} is subscribed", lambda: watch.shows(who, watch.status, "subscribed"))

    def _forgotten(self) -> str | None:
        told = self.scene.explain(self.gus.email)
        return told if "contact " not in told.split("consent at")[0] else None
