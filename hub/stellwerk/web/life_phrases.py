"""Phrases of the pages about the life of a connection: how it ends, moves to another account, and who may look after it."""

from __future__ import annotations

from collections.abc import Mapping

LIFE: Mapping[str, tuple[str, str]] = {
    # Disconnect.
    "parting": ("Disconnect", "Trennen"),
    "parting-link": ("Disconnect …", "Trennen …"),
    "parting-link-why": (
        "Ends this connection. First you are shown what that does; nothing happens before you say so.",
        "Beendet diese Verbindung. Zuerst wird gezeigt, was das bewirkt; ohne Ihr Ja geschieht nichts.",
    ),
    "parting-what": ("What this will do", "Was dann geschieht"),
    "parting-stops": (
        "From that moment on nothing is read, written or mailed.",
        "Ab dann wird nichts mehr gelesen, geschrieben oder versendet.",
    ),
    "parting-waiting": ("{count} {count:change that waits is|changes that wait are} not written any more.", "{count} {count:wartende Änderung wird|wartende Änderungen werden} nicht mehr geschrieben."),
    "parting-shared": (
        "{system} ({account}): another connection uses this account, so nothing is removed there.",
        "{system} ({account}): Eine andere Verbindung nutzt dieses Konto, dort wird daher nichts entfernt.",
    ),
    "parting-login": (
        "{system} ({account}): no other connection uses this account, so the app is uninstalled there and our access ends.",
        "{system} ({account}): Keine andere Verbindung nutzt dieses Konto, daher wird die App dort deinstalliert, und unser Zugriff endet.",
    ),
    "parting-webhooks": (
        "{system} ({account}): our webhooks are removed there, and the access data stored here are deleted.",
        "{system} ({account}): Unsere Webhooks werden dort entfernt, und die hier hinterlegten Zugangsdaten werden gelöscht.",
    ),
    "parting-credentials": (
        "{system} ({account}): what served us there is removed, and the access data stored here are deleted.",
        "{system} ({account}): Was uns dort gedient hat, wird entfernt, und die hier hinterlegten Zugangsdaten werden gelöscht.",
    ),
    "parting-by-hand": (
        "{system} ({account}): the access data stored here are deleted. What was set up there has to be removed there by hand.",
        "{system} ({account}): Die hier hinterlegten Zugangsdaten werden gelöscht. Was dort eingerichtet wurde, ist dort von Hand zu entfernen.",
    ),
    "parting-tokens": ("{count} API {count:token ends|tokens end}.", "{count} {count:API-Token endet|API-Tokens enden}."),
    "parting-stays": (
        "Contacts, their fields and their consent stay on both sides as they are.",
        "Kontakte, ihre Felder und ihre Einwilligung bleiben auf beiden Seiten, wie sie sind.",
    ),
    "parting-suppressed": (
        "Who has opted out stays opted out here, for good, also when you connect again.",
        "Wer sich abgemeldet hat, bleibt hier abgemeldet, auf Dauer und auch, wenn Sie wieder verbinden.",
    ),
    "parting-erased": (
        "Everything else that is kept here of your contacts is erased on {day}. Connect the same accounts again before, and it goes on with it.",
        "Alles andere, was hier von Ihren Kontakten aufbewahrt wird, wird am {day} gelöscht. Verbinden Sie dieselben Konten vorher wieder, geht es damit weiter.",
    ),
    "parting-confirm": ("Are you sure?", "Sind Sie sicher?"),
    "parting-sure": ("Yes, disconnect these two accounts.", "Ja, diese beiden Konten trennen."),
    "parting-sure-needed": ("Please tick that you are sure; nothing was done.", "Bitte setzen Sie den Haken; es ist nichts geschehen."),
    "parting-opt-outs": (
        "{count} {count:opt-out is|opt-outs are} still on the way to where {count:it|they} must be known. Better wait some minutes; opt-outs go out first.",
        "{count} {count:Abmeldung ist|Abmeldungen sind} noch auf dem Weg dorthin, wo {count:sie bekannt sein muss|sie bekannt sein müssen}. Warten Sie besser ein paar Minuten; Abmeldungen gehen zuerst hinaus.",
    ),
    "parting-opt-outs-wait": (
        "Opt-outs are still on their way, so nothing was done. Wait some minutes, or tick that you take care of them yourself.",
        "Abmeldungen sind noch unterwegs, daher ist nichts geschehen. Warten Sie ein paar Minuten, oder setzen Sie den Haken, dass Sie sich selbst darum kümmern.",
    ),
    "parting-anyway": (
        "Disconnect anyway: I will unsubscribe these people over there by hand.",
        "Trotzdem trennen: Ich melde diese Personen dort von Hand ab.",
    ),
    "parting-do": ("Disconnect", "Trennen"),
    "parting-not": ("Keep the connection", "Verbindung behalten"),
    "parted": ("Disconnected", "Getrennt"),
    "parted-now": (
        "The connection has ended, and you are logged out. What is to be removed over there is being removed now.",
        "Die Verbindung ist beendet, und Sie sind abgemeldet. Was drüben zu entfernen ist, wird jetzt entfernt.",
    ),
    "parted-again": (
        "Until {day} you can log in and connect again: your settings and everything that is known of your contacts are still there.",
        "Bis zum {day} können Sie sich anmelden und wieder verbinden: Ihre Einstellungen und alles, was über Ihre Kontakte bekannt ist, sind noch da.",
    ),
    "connection-again": ("Connect {connection} again", "{connection} wieder verbinden"),
    "connections-ended": (
        "This was disconnected. Connected again, it goes on with the settings and contacts it had.",
        "Dies wurde getrennt. Wieder verbunden geht es mit den bisherigen Einstellungen und Kontakten weiter.",
    ),
    "connections-kept": ("kept until {day}", "aufbewahrt bis {day}"),
    "settings-again": (
        "These are the settings from before it was disconnected. It runs again after Save, and goes on with what it knew.",
        "Dies sind die Einstellungen von vor der Trennung. Nach dem Speichern läuft sie wieder und macht mit dem weiter, was sie wusste.",
    ),
    # People.
    "people-why": (
        "Who logs in needs the right to install apps in {system}. A colleague without it is invited by a link: for seven days, to look or also to change.",
        "Zum Anmelden braucht man in {system} das Recht, Apps zu installieren. Wer es nicht hat, wird mit einem Link eingeladen: für sieben Tage, zum Ansehen oder auch zum Ändern.",
    ),
    "people-invite": ("Invite somebody", "Jemanden einladen"),
    "people-name": ("Name", "Name"),
    "people-name-help": ("The history names who did what by it.", "Unter diesem Namen steht im Verlauf, wer was getan hat."),
    "people-name-needed": ("Please say who it is for.", "Bitte geben Sie an, für wen es ist."),
    "people-rights-help": (
        "Nobody who is invited can invite others, make API tokens or disconnect.",
        "Eingeladene können weder andere einladen noch API-Tokens anlegen oder trennen.",
    ),
    "people-do": ("Make the link", "Link anlegen"),
    "people-link": ("Link", "Link"),
    "people-made": (
        "Send this link to {name}, and to nobody else: who has it is let in. It is not shown again.",
        "Senden Sie diesen Link an {name} und an niemanden sonst: Wer ihn hat, kommt hinein. Er wird nicht noch einmal gezeigt.",
    ),
    "people-list": ("Invitations", "Einladungen"),
    "people-none": ("Nobody was invited yet.", "Es wurde noch niemand eingeladen."),
    "people-by": ("Invited by {user} on {at}.", "Eingeladen von {user} am {at}."),
    "people-used": ("Link last followed {at}.", "Link zuletzt geöffnet {at}."),
    "people-unused": ("Link not followed yet.", "Link noch nicht geöffnet."),
    "people-revoked": ("Revoked: the link and whoever came by it are let in no more.", "Widerrufen: Link und Eingeladene kommen nicht mehr hinein."),
    "people-gone": ("There is no such invitation any more.", "Diese Einladung gibt es nicht mehr."),
    "invited": ("You are invited", "Sie sind eingeladen"),
    "invited-by": ("{user} invites {name} to look after this connection:", "{user} lädt {name} ein, sich um diese Verbindung zu kümmern:"),
    "invited-view": ("You can look at everything and change nothing.", "Sie können alles ansehen und nichts ändern."),
    "invited-change": ("You can look at everything and change its settings.", "Sie können alles ansehen und die Einstellungen ändern."),
    "invited-until": ("Until {at}.", "Bis {at}."),
    "invited-accept": ("Go to the connection", "Zur Verbindung"),
    "invited-ended": (
        "This invitation does not work any more, or never did. Please ask for a new one.",
        "Diese Einladung gilt nicht mehr oder hat nie gegolten. Bitte lassen Sie sich neu einladen.",
    ),
    "state-invited-now": ("Invited {name}.", "{name} eingeladen."),
    "state-uninvited-now": ("Revoked the invitation of {name}.", "Einladung von {name} widerrufen."),
    "state-token-made-now": ("Made the API token {name}.", "API-Token {name} erstellt."),
    "state-token-revoked-now": ("Revoked the API token {name}.", "API-Token {name} widerrufen."),
    "state-repair-ended-now": ("Took the repair {name} off the list.", "Reparatur {name} von der Liste genommen."),
    "error-not-logged-in": (
        "You are not logged in here any more: a login is good for twelve hours, an invitation for seven days. Please log in, or ask for a new invitation.",
        "Sie sind hier nicht mehr angemeldet: Eine Anmeldung gilt zwölf Stunden, eine Einladung sieben Tage. Bitte melden Sie sich an, oder lassen Sie sich neu einladen.",
    ),
    "error-no-operator": (
        "The page over all connections is open for an hour after its link was followed. Whoever runs the hub makes a new link by “stellwerk operator-link”.",
        "Die Seite über alle Verbindungen ist nach dem Öffnen ihres Links eine Stunde lang offen. Der Betreiber macht einen neuen Link mit „stellwerk operator-link“.",
    ),
    "error-full": (
        "The disk of this hub is full, so nothing can be saved. What you did just now was not done; nothing that was saved before is lost. Please tell whoever runs the hub to make room, then try again.",
        "Die Festplatte dieses Hubs ist voll, daher kann nichts gespeichert werden. Was Sie eben getan haben, wurde nicht ausgeführt; nichts vorher Gespeichertes ist verloren. Bitte sagen Sie dem Betreiber, dass er Platz schaffen muss, und versuchen Sie es dann noch einmal.",
    ),
    "disk-full": (
        "The disk of this hub is full: nothing can be saved, decided or sent at the moment. Nothing that was taken in is lost, and it goes on by itself once there is room. Please tell whoever runs the hub to make room.",
        "Die Festplatte dieses Hubs ist voll: Zurzeit lässt sich nichts speichern, entscheiden oder senden. Nichts, was angenommen wurde, ist verloren, und es geht von selbst weiter, sobald Platz ist. Bitte sagen Sie dem Betreiber, dass er Platz schaffen muss.",
    ),
    "error-not-allowed": (
        "Your invitation does not reach that far. Please ask whoever invited you.",
        "So weit reicht Ihre Einladung nicht. Bitte fragen Sie, wer Sie eingeladen hat.",
    ),
    "settings-view": (
        "You can look at the settings and not change them.",
        "Sie können die Einstellungen ansehen, aber nicht ändern.",
    ),
    # Try it.
    "try": ("Try it with my address", "Mit meiner Adresse ausprobieren"),
    "try-link": ("Try it with my address", "Mit meiner Adresse ausprobieren"),
    "try-why": (
        "Your own address goes the whole way that every contact goes, and each step lights up here.",
        "Ihre eigene Adresse geht den ganzen Weg, den jeder Kontakt geht, und jeder Schritt leuchtet hier auf.",
    ),
    "try-email": ("Your e-mail address", "Ihre E-Mail-Adresse"),
    "try-email-help": (
        "Best one that {system} does not know yet, such as you+test@example.com.",
        "Am besten eine, die {system} noch nicht kennt, zum Beispiel ihr-name+test@example.com.",
    ),
    "try-email-wrong": ("Please enter one e-mail address.", "Bitte geben Sie eine E-Mail-Adresse ein."),
    "try-create": ("Create it in {system} and watch", "In {system} anlegen und zusehen"),
    "try-watch": ("Only watch: I fill in my own form", "Nur zusehen: Ich fülle mein eigenes Formular aus"),
    "try-leaves": (
        "It leaves what every contact leaves: a contact in {source} and in {target}, and one more in their figures. Nothing of it is removed by itself; delete it there when you are done.",
        "Es hinterlässt, was jeder Kontakt hinterlässt: einen Kontakt in {source} und in {target} und eins mehr in deren Zahlen. Nichts davon wird von selbst entfernt; löschen Sie es dort, wenn Sie fertig sind.",
    ),
    "try-rests": (
        "This connection does not run or has stopped what mails, so it would not go the whole way. Let it run first.",
        "Diese Verbindung läuft nicht, oder was Mails sendet ist angehalten; es ginge nicht den ganzen Weg. Lassen Sie sie zuerst laufen.",
    ),
    "try-created": ("Created in {system}. Now it goes its way.", "In {system} angelegt. Jetzt geht es seinen Weg."),
    "try-stood": (
        "{system} knew this address already, so nothing was created. Shown is how far it has come.",
        "{system} kannte diese Adresse schon, daher wurde nichts angelegt. Gezeigt wird, wie weit sie gekommen ist.",
    ),
    "try-failed": ("It could not be created: {reason}", "Es ließ sich nicht anlegen: {reason}"),
    "try-often": ("That was tried very often. Please wait an hour.", "Das wurde sehr oft versucht. Bitte warten Sie eine Stunde."),
    "try-way": ("The way of {email}", "Der Weg von {email}"),
    "try-again": ("Look again", "Noch einmal nachsehen"),
    "try-arrived": (
        "Everything arrived: the whole way works.",
        "Alles ist angekommen: Der ganze Weg funktioniert.",
    ),
    "try-live": ("Each step lights up by itself as it happens.", "Jeder Schritt leuchtet von selbst auf, sobald er geschehen ist."),
    "try-end": ("Stop watching", "Nicht mehr zusehen"),
    "try-all": ("Every step in full, under Activity", "Jeder Schritt im Einzelnen, unter Aktivität"),
    "way-told": ("{source} told us of the contact", "{source} hat uns den Kontakt gemeldet"),
    "way-decided": ("It was decided what that means", "Es wurde entschieden, was das bedeutet"),
    "way-brought-in": ("The contact is in {target}", "Der Kontakt ist in {target}"),
    "way-confirmed": ("You confirmed by the link in the mail", "Sie haben über den Link in der Mail bestätigt"),
    "way-shown": ("{source} shows how it stands", "{source} zeigt, wie es steht"),
    "how-done": ("done", "erledigt"),
    "how-now": ("waiting", "wird erwartet"),
    "how-stopped": ("stopped", "angehalten"),
    "how-later": ("later", "später"),
    "way-told-now": (
        "If nothing comes within a minute, look whether the app is deployed and subscribed there.",
        "Kommt innerhalb einer Minute nichts, sehen Sie nach, ob die App dort ausgerollt ist und meldet.",
    ),
    "way-confirmed-now": ("The mail is on its way. Open it and follow the link.", "Die Mail ist unterwegs. Öffnen Sie sie und folgen Sie dem Link."),
    # The operator's page.
    "operator-page": ("All connections", "Alle Verbindungen"),
    "operator-link-why": (
        "This is for whoever runs this hub. The link works once; what it opens stays open for an hour.",
        "Das ist für den Betreiber dieses Hubs. Der Link gilt einmal; was er öffnet, bleibt eine Stunde offen.",
    ),
    "operator-follow": ("Show all connections", "Alle Verbindungen zeigen"),
    "operator-ended": (
        "This link was used already, is older than ten minutes, or is none. Get a new one with: stellwerk operator-link",
        "Dieser Link wurde schon benutzt, ist älter als zehn Minuten oder ist keiner. Einen neuen gibt: stellwerk operator-link",
    ),
    "operator-held": (
        "Everything that mails or grants a permission is held in the whole hub since {at}, by {user}.",
        "Alles, was Mails sendet oder Berechtigungen erteilt, ist im ganzen Hub angehalten seit {at}, durch {user}.",
    ),
    "operator-connections": ("Connections ({count})", "Verbindungen ({count})"),
    "operator-connection": ("Connection", "Verbindung"),
    "operator-repairs": ("To mend", "Zu beheben"),
    "operator-state": ("State", "Zustand"),
    "operator-not-begun": ("Not begun.", "Noch nicht begonnen."),
    "operator-stopped-since": ("mails stopped since {at}", "Mails angehalten seit {at}"),
    "operator-waiting": ("{waiting} waiting, {held} held, {dead} given up", "{waiting} wartend, {held} zurückgehalten, {dead} aufgegeben"),
    "operator-opt-out": ("oldest opt-out: {minutes} min", "älteste Abmeldung: {minutes} min"),
    "operator-none": ("There is no connection yet.", "Es gibt noch keine Verbindung."),
    "operator-accounts": ("Accounts", "Konten"),
    "operator-count": ("{system}: {count} connected.", "{system}: {count} verbunden."),
    "operator-most": (
        "The app may be installed in {most} accounts, unless that was raised there.",
        "Die App darf in {most} Konten installiert sein, falls das dort nicht erhöht wurde.",
    ),
    "operator-wait": ("{count} {count:waits|wait} for a person.", "{count} {count:wartet|warten} auf einen Menschen."),
    "operator-stop": ("In an emergency", "Im Notfall"),
    "operator-stop-why": (
        "Nobody is mailed or given a permission by any connection from that moment on. Opt-outs and field values go on.",
        "Ab dann erhält über keine Verbindung jemand eine Mail oder eine Berechtigung. Abmeldungen und Feldwerte laufen weiter.",
    ),
    "operator-stopped": (
        "Stopped in the whole hub. Nobody is mailed or given a permission until you let it go on.",
        "Im ganzen Hub angehalten. Niemand erhält eine Mail oder Berechtigung, bis Sie fortfahren lassen.",
    ),
    "operator-went-on": ("It goes on; what waited is looked at again first.", "Es geht weiter; was gewartet hat, wird zuerst noch einmal angesehen."),
    "operator-not-held": ("Nothing was held.", "Es war nichts angehalten."),
    # Before Save.
    "foresight": ("What these settings would have done", "Was diese Einstellungen bewirkt hätten"),
    "foresight-do": ("Show what this would do", "Zeigen, was das bewirkt"),
    "foresight-why": (
        "Worked out from your last contacts, as if each were created now and the other side did not know it. Nobody was mailed, and nothing is saved.",
        "Ausgerechnet an Ihren letzten Kontakten, als würde jeder gerade angelegt und die andere Seite kennte ihn nicht. Niemand erhielt eine Mail, und nichts ist gespeichert.",
    ),
    "foresight-unread": (
        "Your last contacts cannot be read at the moment, so this cannot be told.",
        "Ihre letzten Kontakte lassen sich gerade nicht lesen, daher ist das nicht zu sagen.",
    ),
    "foresight-nobody": ("There is no contact in {system} yet to try it on.", "In {system} gibt es noch keinen Kontakt zum Ausprobieren."),
    "foresight-of": ("Of the last {count} {count:contact|contacts} in {system}:", "{count:Vom letzten Kontakt|Von den letzten Kontakten} in {system} ({count}):"),
    "foresight-mailed": ("{count} would get a mail that asks for confirmation.", "Eine Mail mit der Bitte um Bestätigung: {count}."),
    "foresight-granted": ("{count} would get a permission without being asked.", "Eine Berechtigung ohne Rückfrage: {count}."),
    "foresight-created": ("{count} would be brought in without mail and without permission.", "Aufgenommen ohne Mail und ohne Berechtigung: {count}."),
    "foresight-skipped": ("{count} would be left out.", "Außen vor: {count}."),
    "foresight-so-far": ("(With the settings so far: {count}.)", "(Mit den bisherigen Einstellungen: {count}.)"),
    "foresight-changed": ("For {count} of them something changes.", "Davon ändert sich etwas für: {count}."),
    "foresight-same": ("Compared with the settings so far nothing changes for them.", "Gegenüber den bisherigen Einstellungen ändert sich für sie nichts."),
    "foresight-check": ("Please look at this before you save:", "Bitte vor dem Speichern ansehen:"),
    "foresight-rows": ("Contact by contact", "Kontakt für Kontakt"),
    "foresight-contact": ("Contact", "Kontakt"),
    "foresight-before": ("So far", "Bisher"),
    "foresight-after": ("With these settings", "Mit diesen Einstellungen"),
    "foresight-because": ("Because", "Grund"),
    "outlook-mailed": ("gets a mail", "erhält eine Mail"),
    "outlook-granted": ("gets “{permission}”", "erhält „{permission}“"),
    "outlook-created": ("brought in", "wird aufgenommen"),
    "outlook-skipped": ("left out", "bleibt außen vor"),
    # Another account.
    "moving": ("This is another account: {account}", "Das ist ein anderes Konto: {account}"),
    "moving-new": (
        "After Save this connection no longer works with {before}. It begins anew with the other account, and our webhooks move there.",
        "Nach dem Speichern arbeitet diese Verbindung nicht mehr mit {before}. Sie beginnt mit dem anderen Konto neu, und unsere Webhooks ziehen dorthin um.",
    ),
    "moving-before": (
        "Contacts in the account of before stay there as they are; what is known here of who is who is set aside and erased after 30 days.",
        "Kontakte im bisherigen Konto bleiben dort, wie sie sind; was hier über ihre Zuordnung bekannt ist, wird beiseitegelegt und nach 30 Tagen gelöscht.",
    ),
    "moving-sync": (
        "Contacts that exist already do not come into the other account by themselves: an initial sync brings them in, and mails nobody unless you ask for it.",
        "Kontakte, die es schon gibt, kommen nicht von selbst in das andere Konto: Eine Erstübertragung bringt sie hinein und schreibt niemanden an, außer Sie verlangen es.",
    ),
    "moving-carry": (
        "Who opted out before stays opted out with {account} too",
        "Wer sich bisher abgemeldet hat, bleibt es auch bei {account}",
    ),
    "moving-carry-why": (
        "Leave this ticked unless the account of before was only for trying.",
        "Lassen Sie den Haken stehen, außer das bisherige Konto war nur zum Ausprobieren.",
    ),
    "moving-yes": ("Yes, move this connection from {before} to {account}.", "Ja, diese Verbindung von {before} zu {account} umziehen."),
    "moving-not": ("Stay with {before}", "Bei {before} bleiben"),
    "moving-needed": (
        "This belongs to another account. Please read what that means and tick it; nothing was saved.",
        "Das gehört zu einem anderen Konto. Bitte lesen Sie, was das bedeutet, und setzen Sie den Haken; es wurde nichts gespeichert.",
    ),
    "moving-opt-outs-wait": (
        "Opt-outs are still on their way to the account of before, so nothing was saved. Wait some minutes, or tick that you take care of them yourself.",
        "Abmeldungen sind noch auf dem Weg zum bisherigen Konto, daher wurde nichts gespeichert. Warten Sie ein paar Minuten, oder setzen Sie den Haken, dass Sie sich selbst darum kümmern.",
    ),
    "moving-anyway": (
        "Do not wait for {count} {count:opt-out: I will unsubscribe this person|opt-outs: I will unsubscribe these people} over there by hand.",
        "Auf {count} {count:Abmeldung nicht warten: Ich melde diese Person|Abmeldungen nicht warten: Ich melde diese Personen} dort von Hand ab.",
    ),
    "moved": (
        "The connection has another account now. Contacts that existed before come in only with an initial sync.",
        "Die Verbindung hat jetzt ein anderes Konto. Kontakte von vorher kommen nur mit einer Erstübertragung hinein.",
    ),
    "state-other-account-now": ("Moved to another account.", "Zu einem anderen Konto umgezogen."),
}  # fmt: skip
