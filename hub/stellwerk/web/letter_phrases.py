"""Phrases of the page of dead letters: what replaying would come to, in English and German."""

from __future__ import annotations

from collections.abc import Mapping

LETTERS: Mapping[str, tuple[str, str]] = {
    "letters-preview": ("What would happen?", "Was würde geschehen?"),
    "letters-preview-all": ("What would happen to all?", "Was würde mit allen geschehen?"),
    "letters-preview-of": ("What today's rules would decide", "Was die heutigen Regeln entschieden"),
    "letters-preview-why": (
        "Worked out with both systems as they are now. Nothing was changed and nobody was mailed.",
        "Gerechnet mit beiden Systemen, wie sie jetzt sind. Nichts wurde geändert, niemand erhielt eine Mail.",
    ),
    "letters-preview-none": ("Nothing of this can be replayed.", "Nichts davon lässt sich wiederholen."),
    "letters-preview-more": (
        "{count} more {count:was|were} not looked at; the oldest are shown.",
        "{count} {count:weiterer wurde|weitere wurden} nicht angesehen; gezeigt werden die ältesten.",
    ),
    "letters-preview-often": (
        "That was asked often just now. Please try again in {seconds} seconds.",
        "Das wurde gerade oft gefragt. Bitte versuchen Sie es in {seconds} Sekunden noch einmal.",
    ),
    "letters-replay-this": ("Replay this one", "Dieses wiederholen"),
    "letters-release-this": ("Release this one", "Dieses freigeben"),
    "letters-would-be-held": ("It would be held:", "Es würde zurückgehalten:"),
    "foretold-decided": ("Would be decided and written", "Würde entschieden und geschrieben"),
    "foretold-goes-out-again": ("Would go out as it is", "Ginge so hinaus, wie es ist"),
    "foretold-skipped": ("Nothing would be done", "Es geschähe nichts"),
    "foretold-held": ("Would be held for a person", "Würde für einen Menschen zurückgehalten"),
    "foretold-watched": ("Would only be shown: the connection watches", "Würde nur gezeigt: Die Verbindung beobachtet"),
    "foretold-rested": ("Nothing would be written: the connection rests", "Nichts würde geschrieben: Die Verbindung ruht"),
    "foretold-cannot-be-told": ("Cannot be told", "Lässt sich nicht sagen"),
    "unread-names-nobody": ("It names no contact.", "Es nennt keinen Kontakt."),
    "unread-unknown-kind": ("It is of a kind that is not known here.", "Es ist von einer Art, die hier nicht bekannt ist."),
    "unread-not-as-described": (
        "It is not written as its vendor describes it.",
        "Es ist nicht so geschrieben, wie sein Hersteller es beschreibt.",
    ),
}  # fmt: skip
