"""What contacts say of themselves: more is always theirs to ask for, less only where the connection lets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.witness import Witness

__all__ = ["OwnWords"]


class OwnWords:
    """Cleo asks for more, Dan for less; then less is allowed: Dora by a person's hand, Dirk by a hidden form field."""

    def __init__(self, witness: Witness, marketer: Marketer) -> None:
        self.witness = witness
        self.marketer = marketer
        self.scene = witness.scene
        self.cleo = Visitor.named(self.scene, "Cleo", "Plusquam")
        self.dan = Visitor.named(self.scene, "Dan", "Ohnezahl")
        self.dora = Visitor.named(self.scene, "Dora", "Handmann")
        self.dirk = Visitor.named(self.scene, "Dirk", "Heimlich")
        self.people: Sequence[Visitor] = (self.cleo, self.dan, self.dora, self.dirk)
        self.typed: Sequence[str] = ()
        self.steps: Sequence[Callable[[], None]] = (
            self.plus_is_asked_for, self.no_question_is_skipped, self.contacts_may_skip,
            self.a_person_skips_for_a_contact, self.a_hidden_field_skips_nothing,
        )  # fmt: skip

    def plus_is_asked_for(self) -> None:
        watch, plus = self.witness, self.scene.cast.mailing_plus
        own = {"maileon_contact_doi_plus": "true", "maileon_contact_doi_mailing_key": plus}
        self.cleo.submits_form(ticks=True, hidden=own)
        watch.one_mail(self.cleo, "Cleo with Contact DOI Process Plus = yes gets a mail")
        mail = self.cleo.mails("doi")[0].text
        watch.check("it is the plus mailing", f"(key {plus})" in mail, mail)
        watch.check("and asks for personal tracking", "personal tracking" in mail, mail)
        self.cleo.confirms()
        watch.seen(
            "she confirms: permission double_plus",
            lambda: watch.has(watch.at_mail(self.cleo), "permission", "double_plus"),
        )
        watch.seen("shown in HubSpot", lambda: watch.shows(self.cleo, watch.permission, "double_plus"))

    def no_question_is_skipped(self) -> None:
        watch = self.witness
        self.marketer.creates_contact(self.dan, maileon_subscribe="true", maileon_contact_doi="false")
        watch.one_mail(self.dan, "Dan with Contact DOI Process = no, even by a person, gets the DOI all the same")
        mail = self.dan.mails("doi")[0].text
        watch.check("the connection's own mailing", f"(key {self.scene.cast.mailing})" in mail, mail)
        watch.check("which asks for no tracking", "personal tracking" not in mail, mail)
        contact = watch.at_mail(self.dan)
        watch.check("permission none until he clicks", contact["permission"] == "none", str(contact))
        watch.note(f"because: {watch.because(self.dan, '[override-may-not-skip]')}")

    def contacts_may_skip(self) -> None:
        page = self.marketer.changes_settings(contacts_may_skip_doi="yes", permission="single")
        saved = self.marketer.says_saved(page)
        self.witness.check("saved: contacts may skip double opt-in, permission single", saved, page.text)

    def a_person_skips_for_a_contact(self) -> None:
        watch = self.witness
        self.marketer.creates_contact(self.dora, maileon_subscribe="true", maileon_contact_doi="false")
        watch.seen(
            "a person creates Dora with Contact DOI Process = no: permission single",
            lambda: watch.has(watch.at_mail(self.dora), "permission", "single"),
        )
        watch.seen("shown in HubSpot", lambda: watch.shows(self.dora, watch.permission, "single"))
        watch.seen("status subscribed", lambda: watch.shows(self.dora, watch.status, "subscribed"))
        watch.quiet()
        watch.check("and no mail", not self.dora.mails("doi"), str(len(self.dora.mails("doi"))))
        proof = self.scene.command("consent", self.dora.email)
        watch.check("stellwerk consent names who agreed, and to which words", "agreed on" in proof, proof)

    def a_hidden_field_skips_nothing(self) -> None:
        watch = self.witness
        self.dirk.submits_form(ticks=True, hidden={"maileon_contact_doi": "false"})
        watch.one_mail(self.dirk, "Dirk with the same value from a hidden form field gets the DOI")
        contact = watch.at_mail(self.dirk)
        watch.check("and no permission", contact["permission"] == "none", str(contact))
        watch.note(f"because: {watch.because(self.dirk, '[override-may-not-skip]')}")
