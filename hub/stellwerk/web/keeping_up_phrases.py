"""Repairs about two sides that do not keep up with each other: what each code means and what to do. English and German."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk.web.repair_text import RepairText

KEEPING_UP: Mapping[str, RepairText] = {
    "opt-out-late": RepairText(
        (
            "Somebody opted out, and the other side does not know it yet. We send them nothing; the other side may.",
            "Jemand hat sich abgemeldet, und die andere Seite weiß es noch nicht. Wir senden nichts mehr; die andere Seite vielleicht schon.",
        ),
        (
            "Mend what is shown of the account that waits. If it lasts, unsubscribe the contact over there by hand; this closes by itself.",
            "Beheben Sie, was beim wartenden Konto steht. Dauert es länger, melden Sie den Kontakt drüben von Hand ab; dies schließt sich von selbst.",
        ),
    ),
    "bad-request": RepairText(
        ("A change was refused over there as it is.", "Eine Änderung wurde drüben so nicht angenommen."),
        (
            "Look at what was given up: it names the contact and what was answered. Mend the cause, then replay it.",
            "Sehen Sie nach, was aufgegeben wurde: Dort stehen der Kontakt und die Antwort. Beheben Sie die Ursache, und wiederholen Sie es dann.",
        ),
        "letters",
    ),
}  # fmt: skip
