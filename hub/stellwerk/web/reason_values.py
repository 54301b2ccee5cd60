"""Reasons with the values they saw, in German: the exact English words, read by their form. What has another form stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

_YES_NO = {"yes": "Ja", "no": "Nein", "true": "Ja", "false": "Nein", "blank": "leer"}
_ORIGINS = {
    "form": "ein Formular", "person": "einen Menschen", "import": "einen Import", "integration": "eine Integration",
    "workflow": "einen Workflow", "other": "etwas anderes",
}  # fmt: skip
_OVERRIDES = {
    "override-hidden": "Die Einstellung wirkt nicht, also auch nicht der eigene Wert des Kontakts",
    "override-not-for-contacts": "Das entscheidet nicht der Kontakt",
    "override-may-not-skip": "Der eigene Wert des Kontakts würde das Double-Opt-in überspringen, was diese Verbindung nicht erlaubt",
    "override-unknown": "Diesen Eintrag gibt es in der Liste dort nicht",
    "override-inactive": "Dieser Eintrag ist dort abgeschaltet",
    "override-grants-more": "Der eigene Wert des Kontakts würde mehr erteilen als die Verbindung",
}
_FORMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "said-no": ((r"(?P<field>\S+) is (?P<value>\w+)", "{field} steht auf {value}."),),
    "wish": ((r"(?P<field>\S+) is (?P<value>\w+), said by (?P<origin>\w+)", "{field} steht auf {value}, gesetzt durch {origin}."),),
    **dict.fromkeys(
        ("sync-now", "ask-again", "link-again"), ((r"asked for by (?P<by>.+?)(?:, to be read at \S+)?", "Angefordert von {by}."),)
    ),
    "unlinked": (
        (r"it was unlinked by (?P<by>.+) on (?P<at>.+) \(UTC\)", "Die Verknüpfung wurde am {at} (UTC) von {by} gelöst."),
    ),
    "no-answer": (
        (r"(?P<field>\S+) is not set, which counts as no", "{field} ist nicht gesetzt, und das zählt als Nein."),
        (r"(?P<field>\S+) is not set, which counts as no until somebody agreed", "{field} ist nicht gesetzt, und das zählt als Nein, bis jemand zugestimmt hat."),
    ),
    "older": (
        (r"created on (?P<created>\S+), the connection began on (?P<began>\S+), and no explicit yes",
         "Angelegt am {created}, die Verbindung begann am {began}, und kein ausdrückliches Ja."),
    ),
    "old-wish": ((r"the wish is older than (?P<days>\d+) days; a person decides", "Der Wunsch ist älter als {days} Tage; ein Mensch entscheidet."),),
    "stage-differs": (
        (r"the stage is (?P<value>.+), to be moved only from (?P<source>.+)", "Die Phase ist „{value}“, geändert wird nur von „{source}“ aus."),
    ),
    "stage-backward": ((r"(?P<target>.+) comes before (?P<value>.+), and the move has no reset", "„{target}“ liegt vor „{value}“, und das Zurücksetzen ist aus."),),
    "stage-gone": ((r"there is no stage (?P<target>.+) any more", "Die Phase „{target}“ gibt es dort nicht mehr."),),
    **{
        code: ((r"setting (?P<setting>\S+) \((?P<field>\S+) is (?P<value>.*)\): .+", "Einstellung {setting} ({field} steht auf {value}): " + sense + "."),)
        for code, sense in _OVERRIDES.items()
    },
}  # fmt: skip


def with_values(code: str, text: str) -> str | None:
    """The reason in German with the values it names; None where its words have no form that is known here."""
    for form, german in _FORMS.get(code, ()):
        found = re.fullmatch(form, text)
        if found is not None:
            return german.format(**{name: _said(name, value) for name, value in found.groupdict().items()})
    return None


def _said(name: str, value: str) -> str:
    if name == "origin":
        return _ORIGINS.get(value, value)
    return _YES_NO.get(value, value) if name in ("value", "source") else value
