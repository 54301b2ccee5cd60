"""Phrases of the page of the initial sync, in English and German."""

from __future__ import annotations

from collections.abc import Mapping

SYNC: Mapping[str, tuple[str, str]] = {
    "sync-why": (
        "Here contacts that are older than the connection are brought in, and those that are in are compared anew.",
        "Hier werden Kontakte aufgenommen, die älter sind als die Verbindung, und bereits aufgenommene neu verglichen.",
    ),
    "sync-offered": (
        "Contacts that were there before stay out until you bring them in:",
        "Kontakte von vorher bleiben draußen, bis Sie sie aufnehmen:",
    ),
    "sync-first": ("First a dry run", "Zuerst ein Probelauf"),
    "sync-first-why": (
        "It looks at every contact, says what would become of it, and writes nothing.",
        "Er sieht jeden Kontakt an, sagt, was aus ihm würde, und schreibt nichts.",
    ),
    "sync-terms": ("Whoever comes in", "Wer aufgenommen wird,"),
    "sync-terms-none": (
        "is not mailed",
        "bekommt keine Mail",
    ),
    "sync-terms-help": (
        "“Is not mailed” grants no permission either. Whoever has opted out at {mail} is left alone in any case.",
        "„Bekommt keine Mail“ heißt auch: keine Berechtigung. Wer sich bei {mail} abgemeldet hat, bleibt in jedem Fall unberührt.",
    ),
    "sync-terms-ask": ("gets one double opt-in mail", "bekommt eine Double-Opt-in-Mail"),
    "sync-terms-grant": ("is granted: {permission}", "erhält die Berechtigung: {permission}"),
    "sync-dry-run": ("Dry run", "Probelauf"),
    "sync-dry-run-anew": ("Another dry run", "Neuer Probelauf"),
    "sync-sync": ("Sync", "Abgleich"),
    "sync-state-running": ("{kind}: under way", "{kind}: läuft"),
    "sync-state-stopped": ("{kind}: stopped", "{kind}: angehalten"),
    "sync-state-done": ("{kind}: done", "{kind}: fertig"),
    "sync-state-cancelled": ("{kind}: cancelled", "{kind}: abgebrochen"),
    "sync-state-failed": ("{kind}: ended early", "{kind}: vorzeitig beendet"),
    "sync-since": ("Begun {at} by {by}.", "Begonnen {at} von {by}."),
    "sync-seen": (
        "{contacts} {contacts:contact|contacts} looked at.",
        "{contacts} {contacts:Kontakt|Kontakte} angesehen.",
    ),
    "sync-seen-of": (
        "{contacts} of {total} {total:contact|contacts} looked at.",
        "{contacts} von {total} Kontakten angesehen.",
    ),
    "sync-under-way": ("{count} {count:change|changes} on the way.", "{count} {count:Änderung|Änderungen} unterwegs."),
    "sync-look": ("Look again", "Neu ansehen"),
    "sync-stop": ("Stop", "Anhalten"),
    "sync-resume": ("Go on", "Fortsetzen"),
    "sync-cancel": ("Cancel", "Abbrechen"),
    "sync-cancel-why": (
        "Who is in stays in; who is not stays out until another sync.",
        "Wer aufgenommen ist, bleibt es; wer nicht, bleibt draußen bis zu einem weiteren Abgleich.",
    ),
    "sync-became": ("What became of the contacts", "Was aus den Kontakten wurde"),
    "sync-would-become": ("What would become of the contacts", "Was aus den Kontakten würde"),
    "sync-what-mailed": ("get a mail", "bekommen eine Mail"),
    "sync-what-granted": ("are granted a permission", "erhalten eine Berechtigung"),
    "sync-what-created": ("come in without a mail", "kommen ohne Mail hinzu"),
    "sync-what-changed": ("are changed", "werden geändert"),
    "sync-what-held": ("are held for a person", "werden für eine Person zurückgehalten"),
    "sync-what-skipped": ("stay as they are", "bleiben, wie sie sind"),
    "sync-count": ("Contacts", "Kontakte"),
    "sync-what": ("What", "Was"),
    "sync-reason": ("Why", "Warum"),
    "sync-each": ("Each contact", "Jeder Kontakt"),
    "sync-all": ("All", "Alle"),
    "sync-contact": ("Contact", "Kontakt"),
    "sync-unless": (
        "New, unless {mail} holds an opt-out of this address or has it already.",
        "Neu, außer {mail} kennt eine Abmeldung dieser Adresse oder hat sie schon.",
    ),
    "sync-more": ("Further contacts", "Weitere Kontakte"),
    "sync-none": ("No contact.", "Kein Kontakt."),
    "sync-start-heading": ("Do it", "Ausführen"),
    "sync-start": ("Start", "Starten"),
    "sync-start-why": (
        "Nobody is mailed or granted anything. What happens meanwhile goes first.",
        "Niemand bekommt eine Mail oder eine Berechtigung. Was inzwischen geschieht, geht vor.",
    ),
    "sync-number-mails": (
        "How many mails may go out? Type the number from above.",
        "Wie viele Mails dürfen hinaus? Geben Sie die Zahl von oben ein.",
    ),
    "sync-number-grants": (
        "How many may be granted the permission? Type the number from above.",
        "Wie viele dürfen die Berechtigung erhalten? Geben Sie die Zahl von oben ein.",
    ),
    "sync-number-why": (
        "Never more than this, even if more contacts have come meanwhile.",
        "Nie mehr als so viele, auch wenn inzwischen weitere Kontakte dazugekommen sind.",
    ),
    "sync-done-dry-run": ("The dry run has begun.", "Der Probelauf hat begonnen."),
    "sync-done-start": ("The sync has begun.", "Der Abgleich hat begonnen."),
    "sync-done-stop": ("Stopped: nothing more is sent.", "Angehalten: Es wird nichts mehr gesendet."),
    "sync-done-resume": ("It goes on.", "Es geht weiter."),
    "sync-done-cancel": ("Cancelled.", "Abgebrochen."),
    "sync-refused-not-running": (
        "The connection does not run, so a sync would write nothing. Let it run first.",
        "Die Verbindung läuft nicht, ein Abgleich würde also nichts schreiben. Lassen Sie sie zuerst laufen.",
    ),
    "sync-refused-other-number": (
        "That is another number than the dry run counted ({counted}). Nothing was started.",
        "Das ist eine andere Zahl, als der Probelauf gezählt hat ({counted}). Es wurde nichts gestartet.",
    ),
    "sync-refused-no-connection": ("The connection was ended meanwhile.", "Die Verbindung wurde inzwischen beendet."),
    "sync-refused-not-set-up": ("The connection is not set up yet.", "Die Verbindung ist noch nicht eingerichtet."),
    "sync-refused-nothing-to-sync": (
        "The hub's file brings nobody in, so there is nothing to sync.",
        "Die Datei des Hubs nimmt niemanden auf, es gibt also nichts abzugleichen.",
    ),
    "sync-refused-cannot-be-listed": (
        "The contacts of this system cannot be listed.",
        "Die Kontakte dieses Systems lassen sich nicht auflisten.",
    ),
    "sync-refused-going-on": ("A sync is going on already.", "Ein Abgleich ist schon im Gange."),
    "sync-refused-no-permission": ("There is no such permission.", "Diese Berechtigung gibt es nicht."),
    "sync-refused-ask-or-grant": (
        "Whoever is asked is granted nothing: choose one of the two.",
        "Wer gefragt wird, dem wird nichts erteilt: Wählen Sie eines von beiden.",
    ),
    "sync-refused-not-agreed": (
        "Nobody has agreed to this permission yet. Agree on the settings page first.",
        "Dieser Berechtigung hat noch niemand zugestimmt. Stimmen Sie zuerst auf der Seite Einstellungen zu.",
    ),
    "sync-refused-no-dry-run": ("Do a dry run first.", "Machen Sie zuerst einen Probelauf."),
    "sync-refused-dry-run-used": (
        "There was a sync since that dry run. Do another one.",
        "Seit diesem Probelauf gab es einen Abgleich. Machen Sie einen neuen.",
    ),
    "sync-refused-dry-run-outdated": (
        "The settings were changed since that dry run. Do another one.",
        "Seit diesem Probelauf wurden die Einstellungen geändert. Machen Sie einen neuen.",
    ),
    "sync-refused-dry-run-old": (
        "That dry run is older than a day. Do another one.",
        "Dieser Probelauf ist älter als ein Tag. Machen Sie einen neuen.",
    ),
    "sync-refused-none-going-on": ("No sync is going on any more.", "Es ist kein Abgleich mehr im Gange."),
}
