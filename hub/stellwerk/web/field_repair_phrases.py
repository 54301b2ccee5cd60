"""Repairs about fields: what each code means and what to do. English and German."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk.web.repair_text import OPERATOR, RepairText

_FIELD_NAME = RepairText(
    ("A field cannot be called like this over there.", "So kann ein Feld drüben nicht heißen."), OPERATOR
)
_FIELD_REFUSED = RepairText(
    (
        "A field could not be created or changed over there.",
        "Ein Feld konnte drüben nicht angelegt oder geändert werden.",
    ),
    (
        "Read the other side's own words below, mend it there, then set up again.",
        "Lesen Sie unten die Worte der anderen Seite, beheben Sie es dort und richten Sie dann erneut ein.",
    ),
    "set-up",
)

FIELD_REPAIRS: Mapping[str, RepairText] = {
    "field-missing": RepairText(
        ("A field that is used does not exist over there.", "Ein benutztes Feld gibt es drüben nicht."),
        (
            "Create it there, then set up again; or have its row taken out of the hub's file.",
            "Legen Sie es dort an und richten Sie erneut ein; oder lassen Sie seine Zeile aus der Datei des Hubs nehmen.",
        ),
        "set-up",
    ),
    "field-unknown": RepairText(
        ("A field that is used has a name nobody knows over there.", "Ein benutztes Feld kennt drüben niemand."), OPERATOR
    ),
    "field-type-differs": RepairText(
        (
            "A field of that name is there, with another type. It is not written.",
            "Ein Feld dieses Namens gibt es, aber mit einem anderen Typ. Es wird nicht beschrieben.",
        ),
        (
            "Rename the field over there, then set up again; or choose another name in the hub's file.",
            "Benennen Sie das Feld drüben um und richten Sie erneut ein; oder wählen Sie in der Datei des Hubs einen anderen Namen.",
        ),
        "set-up",
    ),
    "field-read-only": RepairText(
        ("A field cannot be written over there.", "Ein Feld lässt sich drüben nicht beschreiben."), OPERATOR
    ),
    "field-gone": RepairText(
        (
            "{system} does not have one of our fields any more. Its values here and at the other side stay as they are.",
            "{system} hat eines unserer Felder nicht mehr. Die Werte hier und auf der anderen Seite bleiben, wie sie sind.",
        ),
        (
            "Bring it back over there; this closes by itself. What it concerns stands below.",
            "Stellen Sie es dort wieder her; dies schließt sich von selbst. Worum es geht, steht unten.",
        ),
    ),
    "field-left-out": RepairText(
        (
            "A field is not taken over there, or not with this value. Everything else of these contacts was written.",
            "Ein Feld wird drüben nicht angenommen, oder nicht mit diesem Wert. Alles andere dieser Kontakte wurde geschrieben.",
        ),
        (
            "Add the choice or bring the field back over there; the value goes along with the contact's next change.",
            "Ergänzen Sie drüben die Auswahl oder stellen Sie das Feld wieder her; der Wert geht mit der nächsten Änderung des Kontakts mit.",
        ),
    ),
    "field-name": _FIELD_NAME,
    "field-name-impossible": _FIELD_NAME,
    "field-refused": _FIELD_REFUSED,
    "field-not-created": _FIELD_REFUSED,
    "field-not-mended": _FIELD_REFUSED,
    "group-label-differs": RepairText(
        ("The group of our fields is called otherwise over there.", "Die Gruppe unserer Felder heißt drüben anders."),
        ("Harmless; nothing needs to be done.", "Harmlos; es ist nichts zu tun."),
    ),
}  # fmt: skip
