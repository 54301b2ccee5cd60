"""What the pages say that integration.yaml does not: every phrase in English and German, by key."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from stellwerk.web.contact_phrases import CONTACT
from stellwerk.web.field_phrases import FIELDS
from stellwerk.web.inside_phrases import INSIDE
from stellwerk.web.language import Language
from stellwerk.web.letter_phrases import LETTERS
from stellwerk.web.life_phrases import LIFE
from stellwerk.web.notification_phrases import NOTIFICATIONS
from stellwerk.web.person_phrases import PERSON
from stellwerk.web.recipe_phrases import RECIPE
from stellwerk.web.scope_phrases import SCOPES
from stellwerk.web.sync_phrases import SYNC

PHRASES: Mapping[str, tuple[str, str]] = {
    **CONTACT,
    **FIELDS,
    **INSIDE,
    **LETTERS,
    **LIFE,
    **NOTIFICATIONS,
    **PERSON,
    **SCOPES,
    **SYNC,
    **RECIPE,
    # The frame of every page.
    "language-en": ("English", "English"),
    "language-de": ("Deutsch", "Deutsch"),
    "languages": ("Language", "Sprache"),
    "log-out": ("Log out", "Abmelden"),
    "skip": ("Skip to content", "Zum Inhalt springen"),
    "logged-in-as": ("Logged in as", "Angemeldet als"),
    "times-of": ("Times as in {zone}.", "Zeiten wie in {zone}."),
    "back": ("Back to the start", "Zur Startseite"),
    # Login.
    "log-in-with": ("Login with {system}", "Anmelden mit {system}"),
    "log-in-why": (
        "You choose an account there and grant access. The same login brings you back to your settings at any time.",
        "Dort wählen Sie ein Konto und gewähren den Zugriff. Dieselbe Anmeldung führt jederzeit zurück zu Ihren Einstellungen.",
    ),
    "log-in-without": (
        "This needs the right to install apps in {system}. Without it, ask a colleague who has it to invite you by a link, under People.",
        "Dazu braucht man in {system} das Recht, Apps zu installieren. Ohne dieses lassen Sie sich von jemandem, der es hat, unter Personen mit einem Link einladen.",
    ),
    "log-in-nowhere": (
        "Nobody can log in here: the file of this hub names no system to log in with.",
        "Hier kann sich niemand anmelden: Die Datei dieses Hubs nennt kein System zum Anmelden.",
    ),
    "go-inside": ("To your connection", "Zu Ihrer Verbindung"),
    "login-problem": ("That did not work", "Das hat nicht geklappt"),
    "login-not-begun": (
        "This login was not begun in this browser, or it has been used already, or it took more than ten minutes. Please begin again.",
        "Diese Anmeldung wurde nicht in diesem Browser begonnen, schon benutzt, oder sie hat länger als zehn Minuten gedauert. Bitte beginnen Sie neu.",
    ),
    "login-refused": (
        "Access was not granted at {system}, so nothing was connected. You can try again whenever you like.",
        "Der Zugriff wurde bei {system} nicht gewährt, es wurde nichts verbunden. Sie können es jederzeit erneut versuchen.",
    ),
    "login-error": (
        "{system} did not complete the login. Please try again.",
        "{system} hat die Anmeldung nicht abgeschlossen. Bitte versuchen Sie es noch einmal.",
    ),
    "login-expired": (
        "The code from {system} has been used already or is too old. Please log in again.",
        "Der Code von {system} ist schon benutzt oder zu alt. Bitte melden Sie sich noch einmal an.",
    ),
    "login-unreachable": (
        "{system} does not answer at the moment. Please try again in a few minutes.",
        "{system} antwortet gerade nicht. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
    ),
    "login-app-refused": (
        "{system} does not accept this hub. That is not your fault: whoever runs the hub must mend it (reason: {code}).",
        "{system} nimmt diesen Hub nicht an. Das liegt nicht an Ihnen: Der Betreiber muss es beheben (Grund: {code}).",
    ),
    # Connections.
    "connections": ("Your connections", "Ihre Verbindungen"),
    "connections-why": (
        "This account has more than one connection. Which one do you want to see?",
        "Zu diesem Konto gibt es mehr als eine Verbindung. Welche möchten Sie sehen?",
    ),
    "connection-open": ("Open {connection}", "{connection} öffnen"),
    "connection-id": ("Whoever runs the hub calls it {connection}", "Beim Betreiber heißt sie {connection}"),
    "connection-new": ("Set up another connection", "Weitere Verbindung einrichten"),
    "connection-switch": ("Other connections", "Andere Verbindungen"),
    # Settings: the frame.
    "settings": ("Settings", "Einstellungen"),
    "settings-first": (
        "Until you save, nobody is mailed and nothing is changed.",
        "Bis Sie speichern, wird niemand angeschrieben und nichts geändert.",
    ),
    "settings-first-key": ("Test the key of your {system} account", "Schlüssel Ihres {system}-Kontos testen"),
    "settings-first-choose": ("Choose what shall happen", "Wählen, was geschehen soll"),
    "settings-first-save": ("Save", "Speichern"),
    "connected-with": ("{system} account: {account}", "{system}-Konto: {account}"),
    "login-lasts": (
        "Without a Save this login is forgotten after {days} days.",
        "Ohne Speichern wird diese Anmeldung nach {days} Tagen vergessen.",
    ),
    "from-file": (
        "This connection is called {connection} and stands in the hub's file, integration.yaml. It is shown here and changed only there.",
        "Diese Verbindung heißt {connection} und steht in der Datei des Hubs, integration.yaml. Hier wird sie nur gezeigt, geändert wird sie dort.",
    ),
    "without-script": (
        "Your browser runs no scripts, so all settings are shown. Those whose condition does not hold keep their value and have no effect.",
        "Ihr Browser führt keine Skripte aus, daher sind alle Einstellungen zu sehen. Solche, deren Bedingung nicht erfüllt ist, behalten ihren Wert und wirken nicht.",
    ),
    "problems": ("Please look at this, nothing was saved yet:", "Bitte prüfen, es wurde noch nichts gespeichert:"),
    "save": ("Save", "Speichern"),
    "save-reminder": ("Changes count only after Save.", "Änderungen gelten erst nach dem Speichern."),
    "saved": ("Saved. The connection is running.", "Gespeichert. Die Verbindung läuft."),
    "saved-next": ("What now:", "Wie es weitergeht:"),
    "saved-differs": (
        "{meaning} In full: {subject}: {text} More under Overview.",
        "{meaning} Im Wortlaut: {subject}: {text} Mehr im Überblick.",
    ),
    "saved-not-provided": (
        "The settings are saved, but not everything could be set up: {reason} It is tried again by itself.",
        "Die Einstellungen sind gespeichert, aber es konnte nicht alles eingerichtet werden: {reason} Es wird von selbst noch einmal versucht.",
    ),
    "changed-meanwhile": (
        "This connection was saved in the meantime, by somebody else or in another tab. Nothing of yours was saved; what you typed is still here. Look at it, then save again.",
        "Diese Verbindung wurde inzwischen gespeichert, von jemand anderem oder in einem anderen Tab. Von Ihnen wurde nichts gespeichert; was Sie eingegeben haben, steht noch da. Bitte prüfen und noch einmal speichern.",
    ),
    "state-changed-meanwhile": (
        "Somebody else changed this connection in the meantime. Nothing was done; look at it, then try again.",
        "Diese Verbindung wurde inzwischen von jemand anderem geändert. Es wurde nichts getan; bitte prüfen und noch einmal versuchen.",
    ),
    "stands-now": ("Saved in the meantime: {value}.", "Inzwischen gespeichert: {value}."),
    "connected-already": (
        "These two accounts are connected already.",
        "Diese beiden Konten sind schon verbunden.",
    ),
    "account-waits": (
        "Work with {system} has stopped until somebody mends this: {reason}",
        "Die Arbeit mit {system} ruht, bis jemand dies behebt: {reason}",
    ),
    # The other system's account.
    "account": ("{system} account", "{system}-Konto"),
    "access": ("access data", "Zugangsdaten"),
    "key-test": ("Test {key}", "{key} testen"),
    "key-change": ("Change {key}", "{key} ändern"),
    "key-stored": ("stored, not shown", "hinterlegt, wird nicht gezeigt"),
    "key-tested": (
        "Tested for the account {account}. It is stored when you save.",
        "Getestet für das Konto {account}. Gespeichert wird mit Speichern.",
    ),
    "key-tried-often": (
        "This was tried very often. Please wait {seconds} seconds, then try again.",
        "Das wurde sehr oft versucht. Bitte warten Sie {seconds} Sekunden und versuchen Sie es dann noch einmal.",
    ),
    "key-good": (
        "{system} accepts it. Account: {account}.",
        "{system} nimmt ihn an. Konto: {account}.",
    ),
    "key-lacks": (
        "It belongs to the account {account}, but {system} does not let it do everything. Missing: {rights}. Please switch these rights on at {system}.",
        "Er gehört zum Konto {account}, aber {system} erlaubt ihm nicht alles. Es fehlt: {rights}. Bitte schalten Sie diese Rechte bei {system} ein.",
    ),
    "key-needed-for": ("Please enter the {key} of your {system} account.", "Bitte geben Sie den {key} Ihres {system}-Kontos ein."),
    "key-unusable": ("This cannot be a valid value.", "Das kann kein gültiger Wert sein."),
    "right-there": ("granted", "vorhanden"),
    "right-missing": ("missing", "fehlt"),
    "rights": ("Rights", "Rechte"),
    # Why a remote did not do what was asked, by the code of the error.
    "remote-key-refused": (
        "{system} does not know this key. It may be mistyped, expired or switched off.",
        "{system} kennt diesen Schlüssel nicht. Er ist vielleicht vertippt, abgelaufen oder abgeschaltet.",
    ),
    "remote-key-pre-encoded": (
        "This looks like a key that was encoded for another tool (Base64). Please paste it as {system} shows it.",
        "Das sieht nach einem Schlüssel aus, der für ein anderes Programm umgewandelt wurde (Base64). Bitte fügen Sie ihn so ein, wie {system} ihn zeigt.",
    ),
    "remote-key-cut-off": (
        "This key is too short; a part of it is missing. Please copy it once more.",
        "Dieser Schlüssel ist zu kurz; ein Teil fehlt. Bitte kopieren Sie ihn noch einmal.",
    ),
    "remote-key-expired": (
        "{system} says that this key has expired. Please give it a later date there, or make a new one.",
        "{system} sagt, dieser Schlüssel ist abgelaufen. Bitte geben Sie ihm dort ein späteres Datum oder legen Sie einen neuen an.",
    ),
    "remote-key-deactivated": (
        "{system} says that this key is switched off. Please switch it on there.",
        "{system} sagt, dieser Schlüssel ist abgeschaltet. Bitte schalten Sie ihn dort ein.",
    ),
    "remote-account-blocked": (
        "{system} has blocked the account. Please ask its support.",
        "{system} hat das Konto gesperrt. Bitte fragen Sie dort nach.",
    ),
    "remote-right-missing": (
        "{system} knows this key, but it may not even read. Please switch its rights on there.",
        "{system} kennt diesen Schlüssel, aber er darf nicht einmal lesen. Bitte schalten Sie dort seine Rechte ein.",
    ),
    "remote-not-connected": (
        "Nobody has connected this {system} account yet.",
        "Dieses {system}-Konto hat noch niemand verbunden.",
    ),
    "remote-other-account": (
        "The access belongs to another {system} account.",
        "Der Zugang gehört zu einem anderen {system}-Konto.",
    ),
    "remote-unauthorized": (
        "{system} no longer grants access. Please log in again.",
        "{system} gewährt keinen Zugriff mehr. Bitte melden Sie sich noch einmal an.",
    ),
    "remote-bad-refresh-token": (
        "{system} no longer grants access. Please log in again.",
        "{system} gewährt keinen Zugriff mehr. Bitte melden Sie sich noch einmal an.",
    ),
    "remote-missing-scopes": (
        "{system} no longer allows all that is needed. Please log in again and grant access.",
        "{system} erlaubt nicht mehr alles, was nötig ist. Bitte melden Sie sich noch einmal an und gewähren Sie Zugriff.",
    ),
    "remote-forbidden": (
        "{system} does not allow this.",
        "{system} erlaubt das nicht.",
    ),
    "remote-unreachable": (
        "{system} cannot be reached at the moment. Please try again in a few minutes.",
        "{system} ist gerade nicht zu erreichen. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
    ),
    "remote-no-answer": (
        "{system} did not answer in time. Please try again in a few minutes.",
        "{system} hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
    ),
    "remote-unreadable-answer": (
        "{system} gave an answer that makes no sense. Please try again later.",
        "{system} hat eine unverständliche Antwort gegeben. Bitte versuchen Sie es später noch einmal.",
    ),
    "remote-rate-limit": (
        "{system} takes no more calls at the moment. Please try again in a minute.",
        "{system} nimmt gerade keine weiteren Anfragen an. Bitte versuchen Sie es in einer Minute noch einmal.",
    ),
    "remote-daily-limit": (
        "{system} takes no more calls today.",
        "{system} nimmt heute keine weiteren Anfragen an.",
    ),
    "remote-other": (
        "{system} did not accept this (reason: {code}).",
        "{system} hat das nicht angenommen (Grund: {code}).",
    ),
    # Settings: the fields.
    "yes": ("Yes", "Ja"),
    "no": ("No", "Nein"),
    "permission-none": ("None", "Keine"),
    "permission-single": ("Single opt-in", "Single Opt-in"),
    "permission-confirmed": ("Confirmed opt-in", "Bestätigtes Opt-in"),
    "permission-double": ("Double opt-in", "Double Opt-in"),
    "permission-double_plus": ("Double opt-in plus", "Double Opt-in plus"),
    "permission-other": ("Other", "Andere"),
    "pick-none": ("(none)", "(nichts)"),
    "pick-or-typed": ("Choose from the list, or type.", "Aus der Liste wählen oder eintippen."),
    "pick-inactive": ("{label} (not active)", "{label} (nicht aktiv)"),
    "pick-unlisted": ("{value} (not in the list)", "{value} (nicht in der Liste)"),
    "pick-unknown": (
        "{system} does not list this at the moment, or not as active. It is kept as it is; please check it.",
        "{system} führt das gerade nicht oder nicht als aktiv. Es bleibt, wie es ist; bitte prüfen Sie es.",
    ),
    "list-unread": (
        "The list could not be read from {system} just now. You can type the value.",
        "Die Liste konnte bei {system} gerade nicht gelesen werden. Sie können den Wert eintippen.",
    ),
    "stage-source": ("Source Lifecycle Stage", "Bisherige Lifecycle-Phase"),
    "stage-target": ("Target Lifecycle Stage", "Neue Lifecycle-Phase"),
    "stage-reset": ("Reset Before Updating", "Vor dem Ändern zurücksetzen"),
    "stage-reset-help": (
        "Needed when the new stage is earlier than the old one. The reset shows in the contact's history and may start workflows there.",
        "Nötig, wenn die neue Phase vor der alten liegt. Das Zurücksetzen erscheint im Verlauf des Kontakts und kann dort Workflows auslösen.",
    ),
    "stage-none": ("(no stage)", "(ohne Phase)"),
    "stage-any": ("(any stage)", "(jede Phase)"),
    "stage-choose": ("(please choose)", "(bitte wählen)"),
    "stage-source-help": (
        "Empty: only contacts without a stage. “any”: contacts in every stage.",
        "Leer: nur Kontakte ohne Phase. „any“: Kontakte in jeder Phase.",
    ),
    "not-a-number": ("A whole number, please.", "Bitte eine ganze Zahl."),
    # Webhooks.
    "webhooks": ("Webhooks", "Webhooks"),
    "webhooks-why": (
        "These are set up at {system} when you save. Should that fail, copy them there by hand.",
        "Diese werden beim Speichern bei {system} eingerichtet. Falls das misslingt, tragen Sie sie dort von Hand ein.",
    ),
    "webhooks-later": (
        "The URLs are shown here after the first Save.",
        "Die URLs stehen hier nach dem ersten Speichern.",
    ),
    "webhook-seen": ("Last called {at}.", "Zuletzt aufgerufen {at}."),
    "webhook-unseen": ("Not yet seen.", "Noch nicht gesehen."),
    "topic-doi": ("Double Opt-in Confirmation", "Bestätigung des Double-Opt-in"),
    "topic-unsubscription": ("Unsubscription", "Abmeldung"),
    "topic-bounce": ("Bounce", "Unzustellbarkeit"),
    # The tick.
    "agreement": ("Consent", "Einwilligung"),
    "agree-mail": (
        "I agree that every contact that is created in {source} from now on is sent a mail through {target} that asks for confirmation, unless the contact has said no.",
        "Ich bin einverstanden, dass ab jetzt jeder Kontakt, der in {source} angelegt wird, über {target} eine Mail mit der Bitte um Bestätigung erhält, außer er hat Nein gesagt.",
    ),
    "agree-mail-own": (
        "I agree that contacts created in {source} from now on are sent a mail through {target} that asks for confirmation where their own properties say so.",
        "Ich bin einverstanden, dass Kontakte, die ab jetzt in {source} angelegt werden, über {target} eine Mail mit der Bitte um Bestätigung erhalten, wo ihre eigenen Eigenschaften es verlangen.",
    ),
    "agree-grant": (
        "I agree that contacts created in {source} from now on get the permission “{permission}” in {target} without being asked again, and I state that they have given it.",
        "Ich bin einverstanden, dass Kontakte, die ab jetzt in {source} angelegt werden, in {target} ohne weitere Rückfrage die Berechtigung „{permission}“ erhalten, und erkläre, dass sie diese erteilt haben.",
    ),
    "agree-unanswered": (
        "This includes contacts who have given no answer.",
        "Das gilt auch für Kontakte, die keine Angabe gemacht haben.",
    ),
    "agree-count": (
        "In the last {days} days {count} {count:contact was|contacts were} created in {source}. With these settings {count:it|they} would have been mailed or given the permission.",
        "In den letzten {days} Tagen {count:wurde|wurden} in {source} {count} {count:Kontakt|Kontakte} angelegt. Mit diesen Einstellungen {count:hätte er|hätten sie} eine Mail oder die Berechtigung erhalten.",
    ),
    "agree-nobody": (
        "In the last {days} days no contact was created in {source}. Those that come from now on are meant.",
        "In den letzten {days} Tagen wurde in {source} kein Kontakt angelegt. Gemeint sind die, die ab jetzt kommen.",
    ),
    "agree-uncounted": (
        "How many contacts were created in {source} in the last {days} days could not be found out.",
        "Wie viele Kontakte in den letzten {days} Tagen in {source} angelegt wurden, ließ sich nicht ermitteln.",
    ),
    "agree-needed": (
        "Please read the sentence under “Consent” and tick it: these settings send mails or grant permissions.",
        "Bitte lesen Sie den Satz unter „Einwilligung“ und setzen Sie den Haken: Diese Einstellungen versenden Mails oder erteilen Berechtigungen.",
    ),
    "agree-where": (
        "Where did these contacts confirm?",
        "Wo haben diese Kontakte bestätigt?",
    ),
    "agree-where-needed": (
        "Please say where these contacts confirmed: a permission that was confirmed twice is never taken on trust.",
        "Bitte geben Sie an, wo diese Kontakte bestätigt haben: Eine doppelt bestätigte Berechtigung wird nie einfach angenommen.",
    ),
    "agreed": ("Agreed by {user} on {day}.", "Zugestimmt von {user} am {day}."),
    # Errors.
    "error-400": (
        "This request cannot be understood. Please go back and try again.",
        "Diese Anfrage ist nicht zu verstehen. Bitte gehen Sie zurück und versuchen Sie es noch einmal.",
    ),
    "error-403": (
        "This form does not belong to your session; it may have been open too long. Please load the page again.",
        "Dieses Formular gehört nicht zu Ihrer Sitzung; vielleicht war es zu lange offen. Bitte laden Sie die Seite neu.",
    ),
    "error-404": (
        "There is nothing here. The address may be mistyped, or the link too old.",
        "Hier ist nichts. Vielleicht ist die Adresse vertippt oder der Link zu alt.",
    ),
    "error-405": (
        "This cannot be done here. Please begin at the start.",
        "Das geht hier nicht. Bitte beginnen Sie auf der Startseite.",
    ),
    "error-413": (
        "That is too much at once. Please enter less and try again.",
        "Das ist zu viel auf einmal. Bitte geben Sie weniger ein und versuchen Sie es noch einmal.",
    ),
    "error-429": (
        "Too many tries. Please wait a minute, then try again.",
        "Zu viele Versuche. Bitte warten Sie eine Minute und versuchen Sie es dann noch einmal.",
    ),
    "error-500": (
        "Something went wrong on our side. It has been written down; please try again.",
        "Bei uns ist etwas schiefgegangen. Es ist vermerkt; bitte versuchen Sie es noch einmal.",
    ),
    "error-503": (
        "The hub cannot save anything at the moment. Please try again in a few minutes.",
        "Der Hub kann gerade nichts speichern. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
    ),
}  # fmt: skip


class Count(int):
    """A number in a phrase. `{count:event waits|events wait}` is the word for one and the word for all other numbers."""

    def __format__(self, words: str) -> str:
        one, bar, many = words.partition("|")
        return super().__format__(words) if not bar else one if self == 1 else many


def phrase(language: Language, key: str, /, **values: object) -> str:
    """The phrase in that language with its places filled. Raises `KeyError` for one that does not exist.

    It is markup, with all else escaped, where one of the values is.
    """
    english, german = PHRASES[key]
    text = german if language == "de" else english
    counted = {name: Count(value) if type(value) is int else value for name, value in values.items()}
    marked = any(isinstance(value, Markup) for value in values.values())
    return (escape(text) if marked else text).format(**counted)
