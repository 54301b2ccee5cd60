"""Phrases about what a person may do for one contact, in English and German."""

from __future__ import annotations

from collections.abc import Mapping

CONTACT: Mapping[str, tuple[str, str]] = {
    "contact-actions": ("For this contact", "Für diesen Kontakt"),
    # Sync now.
    "sync-now": ("Sync now", "Jetzt abgleichen"),
    "sync-now-what": (
        "The contact is read again at both systems and decided as after any change. Nobody is mailed, given a permission or moved who would not be so by the next change anyway.",
        "Der Kontakt wird in beiden Systemen neu gelesen und wie nach jeder Änderung entschieden. Niemand erhält dadurch eine Mail, eine Berechtigung oder eine Phase, der sie nicht mit der nächsten Änderung ohnehin erhielte.",
    ),
    "sync-now-asked": (
        "Asked for. As soon as the contact is read, it says here what came of it.",
        "Angefordert. Sobald der Kontakt gelesen ist, steht hier, was daraus wurde.",
    ),
    "sync-now-unknown": (
        "Nothing is known of a contact by this name here. Please enter the whole e-mail address: by that the contact is looked for at both systems.",
        "Unter diesem Namen ist hier kein Kontakt bekannt. Bitte geben Sie die ganze E-Mail-Adresse ein: Damit wird der Kontakt in beiden Systemen gesucht.",
    ),
    "sync-now-last": ("Last asked for at {at} (UTC):", "Zuletzt angefordert um {at} (UTC):"),
    "sync-now-look": ("Look again", "Noch einmal nachsehen"),
    "reading-waiting": ("{system}: not read yet.", "{system}: noch nicht gelesen."),
    "reading-decided": ("{system}: read, and this followed: {changes}.", "{system}: gelesen, und daraus folgte: {changes}."),
    "reading-skipped": ("{system}: read, and there was nothing to do.", "{system}: gelesen, und es war nichts zu tun."),
    "reading-dead": ("{system}: could not be read, and was given up.", "{system}: ließ sich nicht lesen und wurde aufgegeben."),
    "reading-erased": ("{system}: not read, since the person was erased.", "{system}: nicht gelesen, denn die Person wurde gelöscht."),
    "event-sync-now": ("Sync now", "Jetzt abgleichen"),
    "outcome-requested": ("asked for", "angefordert"),
    "state-synced-now-now": ("Had a contact read again ({name}).", "Einen Kontakt neu lesen lassen ({name})."),
}  # fmt: skip
