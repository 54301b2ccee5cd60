"""What the page of fields says, in English and German, by key."""

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, tuple[str, str]] = {
    "fields-why": (
        "Which field belongs to which, compared with both accounts. Below each field: its type, and how soon a change of it arrives. To change the table, ask whoever runs the hub.",
        "Welches Feld zu welchem gehört, mit beiden Konten verglichen. Unter jedem Feld: seine Art, und wie schnell eine Änderung ankommt. Ändern kann die Tabelle, wer den Hub betreibt.",
    ),
    "arrival-event": ("at once", "sofort"),
    "arrival-poll": ("within {minutes} min", "binnen {minutes} Min."),
    "arrival-none": ("changes are not heard of", "von Änderungen erfahren wir nicht"),
    "fields-table": ("Field by field", "Feld für Feld"),
    "fields-way": ("Goes", "Richtung"),
    "fields-special": ("Particulars", "Besonderheiten"),
    "fields-both": ("both ways, the newer value counts", "beide Richtungen, der neuere Wert zählt"),
    "fields-to": ("only to {system}", "nur zu {system}"),
    "fields-both-owner": ("both ways, the value in {system} counts", "beide Richtungen, der Wert in {system} zählt"),
    "fields-both-fill": (
        "both ways, only where the other side is empty",
        "beide Richtungen, nur wo die andere Seite leer ist",
    ),
    "fields-fill": ("Fills blanks only.", "Füllt nur Leeres."),
    "fields-convert": ("Converted on the way ({kind}).", "Wird unterwegs umgewandelt ({kind})."),
    "convert-date": ("Dates are rewritten for the other side.", "Das Datum wird für die andere Seite umgeschrieben."),
    "convert-lookup": (
        "Each value becomes its counterpart over there, by a list.",
        "Jeder Wert wird nach einer Liste zu seinem Gegenstück.",
    ),
    "convert-locale": (
        "The language is written as the other side writes it.",
        "Die Sprache wird so geschrieben wie auf der anderen Seite.",
    ),
    "convert-case": ("Upper and lower case are adjusted.", "Groß- und Kleinschreibung wird angepasst."),
    "convert-number": (
        "Numbers are rewritten for the other side.",
        "Zahlen werden für die andere Seite umgeschrieben.",
    ),
    "convert-yes_no": (
        "Yes and no are written as the other side writes them.",
        "Ja und Nein werden so geschrieben wie auf der anderen Seite.",
    ),
    "convert-country": (
        "The country is written as the other side writes it.",
        "Das Land wird so geschrieben wie auf der anderen Seite.",
    ),
    "convert-phone": ("The number is written in the international way.", "Die Nummer wird international geschrieben."),
    "convert-choices": (
        "Several choices are written as the other side writes them.",
        "Mehrere Auswahlwerte werden so geschrieben wie auf der anderen Seite.",
    ),
    "fields-missing": ("does not exist there", "gibt es dort nicht"),
    "fields-unasked": ("not compared", "nicht verglichen"),
    "fields-none": ("The hub's file names no fields.", "Die Datei des Hubs nennt keine Felder."),
    "fields-unmapped": ("Not carried over from {system}: {count}", "Aus {system} nicht übernommen: {count}"),
    "fields-show": ("Show them", "Anzeigen"),
    "fields-suggested": ("Could be carried too", "Könnte auch übernommen werden"),
    "fields-suggested-why": (
        "These fields seem to mean the same in both accounts, and their values can go both ways. Look at each line first. Whoever runs the hub adds it to integration.yaml under “fields:”, indented as the rows there, and restarts the hub.",
        "Diese Felder scheinen in beiden Konten dasselbe zu bedeuten, und ihre Werte können in beide Richtungen gehen. Sehen Sie sich jede Zeile zuerst an. Wer den Hub betreibt, fügt sie in integration.yaml unter „fields:“ ein, so weit eingerückt wie die Zeilen dort, und startet den Hub neu.",
    ),
    "fields-suggested-none": (
        "Nothing to suggest: no field that is not carried has a counterpart of its name and type on the other side. Create one there, for example a field called as in {first}, and it appears here with the line to add.",
        "Kein Vorschlag: Kein Feld, das nicht übernommen wird, hat auf der anderen Seite eines mit gleichem Namen und Typ. Legen Sie dort eines an, etwa eines, das so heißt wie in {first}, dann steht es hier mit der Zeile zum Einfügen.",
    ),
    "fields-suggested-unasked": (
        "Nothing to suggest now: one of the two accounts could not be asked for its fields.",
        "Zurzeit kein Vorschlag: Eines der beiden Konten konnte nicht nach seinen Feldern gefragt werden.",
    ),
    "kind-text": ("text", "Text"),
    "kind-yes_no": ("yes or no", "Ja oder Nein"),
    "kind-permission": ("permission", "Berechtigung"),
    "kind-status": ("status", "Status"),
    "kind-time": ("time", "Zeitpunkt"),
    "kind-number": ("number", "Zahl"),
    "kind-integer": ("whole number", "ganze Zahl"),
    "kind-date": ("date", "Datum"),
}
