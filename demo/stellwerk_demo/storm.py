"""A CSV import of 3,000 meets the brake, and a form sign-up passes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from stellwerk_demo.browser import Browser
from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.witness import Witness

__all__ = ["Storm"]

PEOPLE = 3_000
CAUSE = "too-many-asks"
LONG_SECONDS = 400.0


class Storm:
    """What an import may mail within an hour is the file's `doi_mails_per_hour`; the scene's file says fewer than 3,000."""

    def __init__(self, witness: Witness, marketer: Marketer) -> None:
        self.witness = witness
        self.marketer = marketer
        self.scene = witness.scene
        self.limit = self.scene.cast.mails_per_hour or 1_000
        self.ida = Visitor.named(self.scene, "Ida", "Zwischendurch")
        self.imported = [f"lead{number}@import.example" for number in range(PEOPLE)]
        self.people: Sequence[Visitor] = (self.ida,)
        self.typed: Sequence[str] = self.imported[:: PEOPLE // 30]
        self.steps: Sequence[Callable[[], None]] = (
            self.import_meets_the_brake, self.form_passes, self.rest_is_held, self.person_discards,
        )  # fmt: skip

    def import_meets_the_brake(self) -> None:
        watch = self.witness
        rows = [f"{address},Lead,Number {number}" for number, address in enumerate(self.imported)]
        page = self.marketer.imports("leads.csv", "\n".join(["email,firstname,lastname", *rows, ""]))
        watch.check(f"{PEOPLE} people are imported from a CSV file", f"{PEOPLE} created" in page.text, page.text)
        watch.seen("the import meets the brake", lambda: self._held() or None, LONG_SECONDS)

    def form_passes(self) -> None:
        watch = self.witness
        left = PEOPLE - self.limit - self._held()
        self.ida.submits_form(ticks=True)
        watch.seen("meanwhile Ida signs up by a form, and gets her mail", lambda: self.ida.mails("doi") or None)
        watch.note(f"{left} of the import were still to come when she did")
        self.ida.confirms()
        watch.seen("and confirms", lambda: watch.shows(self.ida, watch.status, "subscribed"), LONG_SECONDS)

    def rest_is_held(self) -> None:
        watch = self.witness
        watch.quiet(patience=LONG_SECONDS)
        held = self._held()
        watch.check(f"{PEOPLE - self.limit} wait for a person", held == PEOPLE - self.limit, str(held))
        watch.note(self.scene.command("held", "list").strip().replace("\n", "\n      "))
        mails = self._mails()
        watch.check(f"{self.limit} of them were mailed, as the file allows", mails == self.limit, str(mails))
        watch.count_mails(self.ida, 1)

    def person_discards(self) -> None:
        watch = self.witness
        connection = self._groups()[0]["connection"]
        told = self.scene.command("held", "discard", connection, CAUSE, "--origin", "import", "--reason", "old list")
        watch.check("a person discards them", told.strip() == f"{PEOPLE - self.limit} discarded", told)
        watch.check("nothing is held any more", not self._groups(), str(self._groups()))
        mails = self._mails()
        watch.check("and nobody else was mailed", mails == self.limit, str(mails))

    def _groups(self) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = json.loads(self.scene.command("held", "list", "--json"))
        return groups

    def _held(self) -> int:
        return sum(one["count"] for one in self._groups() if (one["code"], one["origin"]) == (CAUSE, "import"))

    def _mails(self) -> int:
        """How many of the imported have got a mail, as Maileon's outbox shows."""
        page = Browser().open(f"{self.scene.maileon.url}/outbox")
        return page.text.count("@import.example")
