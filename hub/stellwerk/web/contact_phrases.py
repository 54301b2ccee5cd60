"""Phrases about what a person may do for one contact, in English and German."""

from __future__ import annotations

from collections.abc import Mapping

CONTACT: Mapping[str, tuple[str, str]] = {
    "contact-actions": ("For this contact", "Für diesen Kontakt"),
    # Sync now.
    "sync-now": ("Sync now", "Jetzt abgleichen"),
    "sync-now-what": (
        "The contact is read again at both systems and decided as after any change. It sends no mail, gives no permission and moves no lifecycle stage that the contact's next change would not bring as well.",
        "Der Kontakt wird in beiden Systemen neu gelesen und wie nach jeder Änderung entschieden. Das sendet keine Mail, erteilt keine Berechtigung und ändert keine Phase, was nicht auch die nächste Änderung des Kontakts brächte.",
    ),
    "sync-now-asked": (
        "Asked for. As soon as the contact is read, it says here what came of it.",
        "Angefordert. Sobald der Kontakt gelesen ist, steht hier, was daraus wurde.",
    ),
    "sync-now-unknown": (
        "Nothing is known of a contact by this name here. Please enter the whole e-mail address: by that the contact is looked for at both systems.",
        "Unter diesem Namen ist hier kein Kontakt bekannt. Bitte geben Sie die ganze E-Mail-Adresse ein: Damit wird der Kontakt in beiden Systemen gesucht.",
    ),
    "sync-now-last": ("Last asked for at {at}:", "Zuletzt angefordert am {at}:"),
    "sync-now-look": ("Look again", "Noch einmal nachsehen"),
    "reading-waiting": ("{system}: not read yet.", "{system}: noch nicht gelesen."),
    "reading-decided": ("{system}: read, and this followed: {changes}.", "{system}: gelesen, und daraus folgte: {changes}."),
    "reading-skipped": ("{system}: read, and there was nothing to do.", "{system}: gelesen, und es war nichts zu tun."),
    "reading-absent": ("{system}: no contact with this address there.", "{system}: Dort gibt es keinen Kontakt mit dieser Adresse."),
    "reading-dead": ("{system}: could not be read, and was given up.", "{system}: ließ sich nicht lesen und wurde aufgegeben."),
    "reading-erased": ("{system}: not read, since the person was erased.", "{system}: nicht gelesen, denn die Person wurde gelöscht."),
    # Ask again. "-until" is said where it ends by itself.
    "ask-again": ("Ask again", "Noch einmal fragen"),
    "ask-again-not-sent": ("It did not go out: ask again", "Sie ging nicht hinaus: noch einmal fragen"),
    "ask-again-asked": (
        "Asked for. The yes is read again and decided once more; a mail goes out only if that still comes to one. It says below what came of it.",
        "Angefordert. Das Ja wird neu gelesen und noch einmal entschieden; eine Mail geht nur hinaus, wenn es dabei bleibt. Unten steht, was daraus wurde.",
    ),
    "ask-again-not": (
        "Nobody was asked: that is not allowed for this contact now. The reason stands below.",
        "Niemand wurde gefragt: Bei diesem Kontakt ist das jetzt nicht erlaubt. Der Grund steht unten.",
    ),
    "ask-again-nobody": (
        "Nobody was asked: by this name no contact that can have said yes is known here, or more than one. Please enter the whole e-mail address.",
        "Niemand wurde gefragt: Unter diesem Namen ist hier kein Kontakt bekannt, der Ja gesagt haben kann, oder mehr als einer. Bitte geben Sie die ganze E-Mail-Adresse ein.",
    ),
    "ask-again-already": (
        "It was asked for already: something of this contact is still to be read or written. It says below what came of it.",
        "Das wurde schon angefordert: Von diesem Kontakt ist noch etwas zu lesen oder zu schreiben. Unten steht, was daraus wurde.",
    ),
    "contact-often": (
        "That was asked for often just now. Please try again in {seconds} seconds.",
        "Das wurde gerade oft angefordert. Bitte versuchen Sie es in {seconds} Sekunden noch einmal.",
    ),
    "asking-allowed": (
        "The contact said yes on {seen}, and no confirmation mail has gone out for it. One may be asked for until {until}: the yes is read again and decided once more.",
        "Der Kontakt hat am {seen} Ja gesagt, und dafür ging noch keine Bestätigungsmail hinaus. Bis {until} lässt sie sich anfordern: Das Ja wird neu gelesen und noch einmal entschieden.",
    ),
    "asking-ask-unknown": (
        "Whether the confirmation mail of {seen} went out is not known, so it is not repeated. Look at the mail system first: only if it was not sent may the contact be asked again.",
        "Ob die Bestätigungsmail vom {seen} hinausging, ist nicht bekannt, darum wird sie nicht wiederholt. Sehen Sie zuerst im Mailsystem nach: Nur wenn sie nicht gesendet wurde, darf der Kontakt noch einmal gefragt werden.",
    ),
    "asking-ask-unknown-until": (
        "Whether the confirmation mail of {seen} went out is not known, so it is not repeated. Look at the mail system first: only if it was not sent may the contact be asked again. Otherwise a new yes by the contact is answered from {until}.",
        "Ob die Bestätigungsmail vom {seen} hinausging, ist nicht bekannt, darum wird sie nicht wiederholt. Sehen Sie zuerst im Mailsystem nach: Nur wenn sie nicht gesendet wurde, darf der Kontakt noch einmal gefragt werden. Sonst wird ein neues Ja des Kontakts ab {until} beantwortet.",
    ),
    "asking-already-asked": (
        "Cannot be asked again: a confirmation mail went out on {seen}; a new one needs a new yes by the contact.",
        "Noch einmal fragen geht nicht: Am {seen} ging eine Bestätigungsmail hinaus; eine neue braucht ein neues Ja des Kontakts.",
    ),
    "asking-already-asked-until": (
        "Cannot be asked again: a confirmation mail went out on {seen}; a new one needs a new yes by the contact, at the earliest on {until}.",
        "Noch einmal fragen geht nicht: Am {seen} ging eine Bestätigungsmail hinaus; eine neue braucht ein neues Ja des Kontakts, frühestens am {until}.",
    ),
    "asking-already-confirmed": (
        "Cannot be asked again: this address confirmed on {seen}.",
        "Noch einmal fragen geht nicht: Diese Adresse hat am {seen} bestätigt.",
    ),
    "asking-opt-out-claimed": (
        "Cannot be asked again: an opt-out was told on {seen} and is not settled yet.",
        "Noch einmal fragen geht nicht: Am {seen} wurde eine Abmeldung gemeldet, und sie ist noch nicht geklärt.",
    ),
    "asking-opt-out-younger": (
        "Cannot be asked again: this address opted out on {seen}, which counts as younger than its yes; only a new yes by the contact leads back.",
        "Noch einmal fragen geht nicht: Diese Adresse hat sich am {seen} abgemeldet, und das gilt als jünger als ihr Ja; zurück führt nur ein neues Ja des Kontakts.",
    ),
    "asking-ways-back-used-up": (
        "Cannot be asked again: this address came back three times within 30 days; again from {until}.",
        "Noch einmal fragen geht nicht: Diese Adresse kam in 30 Tagen dreimal zurück; wieder ab {until}.",
    ),
    "asking-no-yes": (
        "Cannot be asked again: no explicit yes by this contact, in a form or by a person, is known that still stands.",
        "Noch einmal fragen geht nicht: Es ist kein ausdrückliches Ja dieses Kontakts bekannt, durch ein Formular oder einen Menschen, das noch gilt.",
    ),
    "asking-wish-too-old": (
        "Cannot be asked again: the contact said yes on {seen}, which is more than {days} days ago; a mail needs a new yes by the contact.",
        "Noch einmal fragen geht nicht: Der Kontakt hat am {seen} Ja gesagt, vor mehr als {days} Tagen; eine Mail braucht ein neues Ja des Kontakts.",
    ),
    "asking-asks-nobody": (
        "Cannot be asked again: the double opt-in process is switched off in the settings.",
        "Noch einmal fragen geht nicht: Das Double-Opt-in-Verfahren ist in den Einstellungen ausgeschaltet.",
    ),
    "asking-asked-lately": (
        "Cannot be asked again yet: the last confirmation mail went out on {seen}, and the next may go out from {until}.",
        "Noch einmal fragen geht noch nicht: Die letzte Bestätigungsmail ging am {seen} hinaus, die nächste darf ab {until} hinausgehen.",
    ),
    "asking-asked-often": (
        "Cannot be asked again yet: three confirmation mails within 30 days are unanswered; the next may go out from {until}.",
        "Noch einmal fragen geht noch nicht: Drei Bestätigungsmails in 30 Tagen sind unbeantwortet; die nächste darf ab {until} hinausgehen.",
    ),
    "asking-asked-by-another": (
        "Cannot be asked again: another connection of this mail account asked this address lately; a mail needs a new yes by the contact.",
        "Noch einmal fragen geht nicht: Eine andere Verbindung dieses Mailkontos hat diese Adresse kürzlich gefragt; eine Mail braucht ein neues Ja des Kontakts.",
    ),
    "asking-answered-elsewhere": (
        "Cannot be asked again: what another connection of this mail account knows of this address forbids a mail.",
        "Noch einmal fragen geht nicht: Was eine andere Verbindung dieses Mailkontos von dieser Adresse weiß, erlaubt keine Mail.",
    ),
    "asking-not-running": (
        "Cannot be asked again now: the connection does not run; start it under “Overview”.",
        "Noch einmal fragen geht jetzt nicht: Die Verbindung läuft nicht; starten Sie sie unter „Überblick“.",
    ),
    "asking-on-its-way": (
        "Need not be asked again: something of this contact is still to be read or written.",
        "Noch einmal fragen ist nicht nötig: Von diesem Kontakt ist noch etwas zu lesen oder zu schreiben.",
    ),
    "asking-held": (
        "Need not be asked again: it is held before it enters; release it under “Dead letters”, or discard it first.",
        "Noch einmal fragen ist nicht nötig: Er wird vor der Aufnahme zurückgehalten; geben Sie ihn unter „Aufgegeben“ frei, oder verwerfen Sie ihn zuerst.",
    ),
    "asking-unlinked": (
        "Cannot be asked again: this contact was unlinked on {seen}.",
        "Noch einmal fragen geht nicht: Die Verknüpfung dieses Kontakts wurde am {seen} gelöst.",
    ),
    # Unlink, and link again.
    "unlink-ask": ("Unlink …", "Verknüpfung lösen …"),
    "unlink-what": (
        "Nothing of this contact is carried between the two systems any more; opt-outs go on. You are asked before it is done.",
        "Von diesem Kontakt wird nichts mehr zwischen den beiden Systemen übertragen; Abmeldungen gehen weiter. Vorher werden Sie gefragt.",
    ),
    "unlink-title": ("Unlink this contact?", "Verknüpfung dieses Kontakts lösen?"),
    "unlink-becomes": ("What becomes of {who}", "Was mit {who} geschieht"),
    "unlink-stops": (
        "From now on nothing is carried between {one} and {other}: no field, no confirmation mail, no permission, no lifecycle stage, no timeline entry, no status. What still waits is not written any more.",
        "Ab jetzt wird zwischen {one} und {other} nichts mehr übertragen: kein Feld, keine Bestätigungsmail, keine Berechtigung, keine Phase, kein Timeline-Eintrag, kein Status. Was noch wartet, wird nicht mehr geschrieben.",
    ),
    "unlink-goes-on": (
        "Opt-outs and deletions for privacy go on in both directions.",
        "Abmeldungen und Löschungen aus Datenschutzgründen gehen in beide Richtungen weiter.",
    ),
    "unlink-stands": (
        "Nothing is deleted: in both systems the contact stays as it is, and whoever is subscribed stays subscribed.",
        "Nichts wird gelöscht: In beiden Systemen bleibt der Kontakt, wie er ist, und wer angemeldet ist, bleibt angemeldet.",
    ),
    "unlink-back": (
        "“Link again” on the contact’s page takes it back: blanks are filled, and nobody is mailed for it.",
        "„Wieder verknüpfen“ auf der Seite des Kontakts macht es rückgängig: Leere Felder werden gefüllt, und niemand bekommt dafür eine Mail.",
    ),
    "unlink-noted": (
        "The history keeps who unlinked a contact and when, without its address.",
        "Der Verlauf hält fest, wer die Verknüpfung wann gelöst hat, ohne die Adresse.",
    ),
    "unlink": ("Unlink", "Verknüpfung lösen"),
    "unlink-not": ("Do not unlink", "Nicht lösen"),
    "unlink-told-unlinked": (
        "Unlinked. From now on nothing of this contact is carried but opt-outs and deletions for privacy.",
        "Die Verknüpfung ist gelöst. Ab jetzt werden von diesem Kontakt nur noch Abmeldungen und Löschungen aus Datenschutzgründen übertragen.",
    ),
    "unlink-told-already": ("This contact is unlinked already.", "Die Verknüpfung dieses Kontakts ist schon gelöst."),
    "linking-nobody": (
        "By this name no contact is known here, or more than one. Please enter the whole e-mail address.",
        "Unter diesem Namen ist hier kein Kontakt bekannt oder mehr als einer. Bitte geben Sie die ganze E-Mail-Adresse ein.",
    ),
    "link-again": ("Link again", "Wieder verknüpfen"),
    "link-again-what": (
        "Linked again, the contact is read at both systems, and blanks are filled from the other side; what stands at both stays. It sends no mail, gives no permission, moves no lifecycle stage and writes no timeline entry. What the contact answered meanwhile counts as handled, and an opt-out stays.",
        "Beim Verknüpfen wird der Kontakt in beiden Systemen gelesen, und leere Felder werden von der anderen Seite gefüllt; was auf beiden Seiten steht, bleibt. Das sendet keine Mail, erteilt keine Berechtigung, ändert keine Phase und schreibt keinen Timeline-Eintrag. Was der Kontakt inzwischen geantwortet hat, gilt als erledigt, und eine Abmeldung bleibt.",
    ),
    "link-again-told-asked-for": (
        "Asked for. As soon as the contact is read, it is linked again, and it says here what came of it.",
        "Angefordert. Sobald der Kontakt gelesen ist, ist er wieder verknüpft, und hier steht, was daraus wurde.",
    ),
    "link-again-told-done": (
        "Not unlinked any more. There was nothing to read of it.",
        "Die Verknüpfung ist nicht mehr gelöst. Zu lesen war von dem Kontakt nichts.",
    ),
    "link-again-told-already": (
        "That was asked for already, or this contact is not unlinked.",
        "Das wurde schon angefordert, oder die Verknüpfung dieses Kontakts ist nicht gelöst.",
    ),
    "link-again-not-running": (
        "Not linked again: the connection does not run; start it under “Overview”.",
        "Nicht wieder verknüpft: Die Verbindung läuft nicht; starten Sie sie unter „Überblick“.",
    ),
    "finding-unlinked": (
        "Unlinked by {by} on {at}: nothing of this contact is carried any more but opt-outs and deletions for privacy.",
        "Die Verknüpfung wurde am {at} von {by} gelöst: Von diesem Kontakt werden nur noch Abmeldungen und Löschungen aus Datenschutzgründen übertragen.",
    ),
    "event-unlink": ("Unlink", "Verknüpfung lösen"),
    "event-link-again": ("Link again", "Wieder verknüpfen"),
    "state-unlinked-now": ("Unlinked a contact ({name}).", "Die Verknüpfung eines Kontakts gelöst ({name})."),
    "state-linked-again-now": ("Linked a contact again ({name}).", "Einen Kontakt wieder verknüpft ({name})."),
    "event-ask-again": ("Ask again", "Noch einmal fragen"),
    "state-asked-again-now": ("Wanted a contact asked once more ({name}).", "Wollte einen Kontakt noch einmal fragen lassen ({name})."),
    "state-ask-not-sent-now": (
        "Said that a confirmation mail did not go out ({name}).",
        "Gesagt, dass eine Bestätigungsmail nicht hinausging ({name}).",
    ),
    "event-sync-now": ("Sync now", "Jetzt abgleichen"),
    "outcome-requested": ("asked for", "angefordert"),
    "state-synced-now-now": ("Had a contact read again ({name}).", "Einen Kontakt neu lesen lassen ({name})."),
}  # fmt: skip
