"""Phrases about one person: the history of their consent, and their erasure, in English and German."""

from __future__ import annotations

from collections.abc import Mapping

PERSON: Mapping[str, tuple[str, str]] = {
    "person": ("For this person", "Für diese Person"),
    "person-by-address": (
        "Addresses are not kept in clear text: for this, enter the address itself.",
        "Adressen werden nicht im Klartext aufbewahrt: Geben Sie dafür die Adresse selbst ein.",
    ),
    "person-address": ("E-mail address of the person", "E-Mail-Adresse der Person"),
    "person-address-needed": ("Please enter the whole e-mail address.", "Bitte geben Sie die ganze E-Mail-Adresse ein."),
    # The history of consent.
    "consent-show": ("Consent history", "Verlauf der Einwilligung"),
    "consent-of": ("Consent history of {address}", "Verlauf der Einwilligung von {address}"),
    "consent-why": (
        "What was asked, granted, confirmed and withdrawn, when, told by whom, by which event and under which words. Print this page, or save it as JSON.",
        "Was gefragt, erteilt, bestätigt und widerrufen wurde, wann, von wem gemeldet, durch welches Ereignis und unter welchen Worten. Drucken Sie diese Seite, oder sichern Sie sie als JSON.",
    ),
    "consent-save": ("Save as JSON", "Als JSON sichern"),
    "consent-none": (
        "Nothing is known of this address's consent at this connection.",
        "Zur Einwilligung dieser Adresse ist in dieser Verbindung nichts bekannt.",
    ),
    "consent-rests": ("{permission}: proved by no. {number}.", "{permission}: belegt durch Nr. {number}."),
    "consent-nothing-allowed": ("No permission is proved.", "Keine Berechtigung ist belegt."),
    "consent-opted-out": ("This address has opted out.", "Diese Adresse hat sich abgemeldet."),
    "consent-made": (
        "Made on {at} by {by}, connection {connection}. Configuration of today: {configuration}. The address stands in the history as {reference}.",
        "Erstellt am {at} von {by}, Verbindung {connection}. Heutige Konfiguration: {configuration}. Im Verlauf steht für die Adresse {reference}.",
    ),
    "consent-erased": ("Erased on request on {at} by {by}.", "Auf Verlangen gelöscht am {at} von {by}."),
    "consent-at": ("When, by the clock of {by}", "Wann, nach der Uhr von {by}"),
    "consent-recorded": ("Written down", "Niedergeschrieben"),
    "consent-event": ("By the event", "Durch das Ereignis"),
    "consent-configuration": ("Hash of the configuration", "Prüfsumme der Konfiguration"),
    "consent-word": ("On the word of", "Auf das Wort von"),
    "consent-word-by": ("{by}, {at}", "{by}, {at}"),
    "consent-sentence": ("Saved words", "Gespeicherte Worte"),
    "consent-sentence-lost": ("Only their hash was kept: {hash}", "Nur ihre Prüfsumme wurde gespeichert: {hash}"),
    "consent-this-hub": ("this hub", "diesem Hub"),
    "fact-kept": ("Permission came along from another address", "Berechtigung kam von einer anderen Adresse mit"),
    "fact-removed": ("Contact over there was deleted or has another address", "Kontakt dort wurde gelöscht oder hat eine andere Adresse"),
    # Erasure.
    "erase-ask": ("Erase this person", "Diese Person löschen"),
    "erase-what": ("What is done", "Was geschieht"),
    "erase-here": (
        "Here: what was decided and written of this person, what waits, and the link between both sides are deleted at once and cannot be brought back.",
        "Hier: Was über diese Person entschieden und geschrieben wurde, was wartet und die Verknüpfung beider Seiten wird sofort gelöscht und lässt sich nicht wiederherstellen.",
    ),
    "erase-there": (
        "{system}: nothing is changed there by this. Delete the contact there first, or it is read again when it changes.",
        "{system}: Dort ändert sich dadurch nichts. Löschen Sie den Kontakt zuerst dort, sonst wird er bei seiner nächsten Änderung wieder gelesen.",
    ),
    "erase-leads": (
        "A deletion for privacy in {system} deletes the contact in {target} too, and erases it here by itself.",
        "Eine Löschung aus Datenschutzgründen in {system} löscht den Kontakt auch in {target} und von selbst auch hier.",
    ),
    "erase-stays": (
        "What stays is a keyed hash of the address with its consent history, without clear text: who opted out is never mailed again, and what was allowed can still be proved.",
        "Was bleibt, ist eine Schlüsselsumme der Adresse mit ihrem Verlauf der Einwilligung, ohne Klartext: Wer sich abgemeldet hat, erhält nie wieder Post, und was erlaubt war, lässt sich weiter belegen.",
    ),
    "erase-named": (
        "The history names you and the hash, not the address.",
        "Der Verlauf nennt Sie und die Schlüsselsumme, nicht die Adresse.",
    ),
    "erase-again": ("Type the address once more to confirm", "Zur Bestätigung die Adresse noch einmal eingeben"),
    "erase-again-differs": ("The two addresses differ. Nothing was erased.", "Die beiden Adressen sind verschieden. Nichts wurde gelöscht."),
    "erase-do": ("Erase for good", "Endgültig löschen"),
    "erase-not": ("Do not erase", "Nicht löschen"),
    "erase-on-its-way": (
        "Something of this person is on its way or not decided yet, perhaps an opt-out. Nothing was erased; please try again in a few minutes.",
        "Von dieser Person ist noch etwas unterwegs oder nicht entschieden, vielleicht eine Abmeldung. Nichts wurde gelöscht; bitte versuchen Sie es in ein paar Minuten noch einmal.",
    ),
    "erase-done": (
        "Erased: {contacts} {contacts:contact|contacts}, {events} {events:event|events}, {changes} {changes:change|changes}, {reasons} {reasons:reason|reasons}.",
        "Gelöscht: {contacts} {contacts:Kontakt|Kontakte}, {events} {events:Ereignis|Ereignisse}, {changes} {changes:Änderung|Änderungen}, {reasons} {reasons:Begründung|Begründungen}.",
    ),
    "erase-nothing": ("Nothing personal was kept of this address.", "Von dieser Adresse war nichts Persönliches gespeichert."),
    "state-erased-now": ("Erased a person ({name}).", "Eine Person gelöscht ({name})."),
}  # fmt: skip
