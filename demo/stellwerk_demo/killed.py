"""The hub is killed between a call and its receipt: the story goes on, with one mail and no blank stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.witness import Witness

__all__ = ["Killed"]


class Killed:
    """Cem's way, while the hub is killed with -9 at the two moments that matter most."""

    def __init__(self, witness: Witness, marketer: Marketer) -> None:
        self.witness = witness
        self.marketer = marketer
        self.scene = witness.scene
        self.cem = Visitor.named(self.scene, *self.scene.cast.names[6:8])
        self.before, self.after = self.scene.cast.move
        self.people: Sequence[Visitor] = (self.cem,)
        self.typed: Sequence[str] = ()
        self.steps: Sequence[Callable[[], None]] = (
            self.killed_between_ask_and_receipt,
            self.killed_between_clear_and_set,
        )

    def killed_between_ask_and_receipt(self) -> None:
        watch = self.witness
        self.scene.maileon.control(
            "POST",
            "/faults",
            {"name": "kill", "match": {"method": "POST", "path": "/contacts/email/"}, "kind": "hold", "times": 1},
        )
        self.cem.submits_form(ticks=True)
        watch.seen(
            "Cem signs up; the DOI call is applied and not yet answered", lambda: self._holds(self.scene.maileon)
        )
        self._kill_and_restart(self.scene.maileon)
        watch.seen(
            "hub killed and restarted: the story goes on", lambda: watch.shows(self.cem, watch.status, "pending")
        )
        watch.quiet()
        mails = self.cem.mails("doi")
        watch.check("one mail", len(mails) == 1, f"{len(mails)} mails")

    def killed_between_clear_and_set(self) -> None:
        watch = self.witness
        self.marketer.edits_contact(watch.at_crm(self.cem)["id"], lifecyclestage=self.before)
        watch.quiet()
        self.cem.confirms()
        watch.seen("Cem confirms", lambda: watch.shows(self.cem, "lifecyclestage", self.after))
        watch.quiet()
        match = {"path": "/crm/objects/", "body": '"lifecyclestage":\\s*""'}
        self.scene.hubspot.control("POST", "/faults", {"name": "kill", "match": match, "kind": "hold", "times": 1})
        self.marketer.sends_newsletter()
        self.cem.unsubscribes()
        watch.seen("Cem unsubscribes; his stage is cleared and not yet set", lambda: self._holds(self.scene.hubspot))
        watch.check(
            "the stage is blank now",
            watch.at_crm(self.cem)["lifecyclestage"] == "",
            watch.at_crm(self.cem)["lifecyclestage"],
        )
        self._kill_and_restart(self.scene.hubspot)
        watch.seen(
            "hub killed and restarted: no blank stage", lambda: watch.shows(self.cem, "lifecyclestage", self.before)
        )
        watch.seen("and one entry for it", lambda: watch.notes(self.cem, 2))

    def _holds(self, twin: Any) -> Any:
        held = twin.control("GET", "/holds")
        return (held["holds"] if isinstance(held, dict) else held) or None

    def _kill_and_restart(self, twin: Any) -> None:
        self.scene.kill_hub()
        twin.control("POST", "/holds/release")
        self.scene.start_hub()
