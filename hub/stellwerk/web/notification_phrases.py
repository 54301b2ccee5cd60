"""Phrases of notifications: the page of who is told of repairs, and what they are told, in English and German."""

from __future__ import annotations

from collections.abc import Mapping

NOTIFICATIONS: Mapping[str, tuple[str, str]] = {
    "page-notifications": ("Notifications", "Benachrichtigungen"),
    "told-link": ("Who is told of repairs", "Wer davon erfährt"),
    "told-why": (
        "People named here are told when something has to be mended, and again when it is. Several repairs come in one message, at most one every ten minutes. It names no contact.",
        "Wer hier steht, erfährt, wenn etwas zu beheben ist, und noch einmal, wenn es behoben ist. Mehreres kommt in einer Nachricht, höchstens alle zehn Minuten eine. Kein Kontakt wird darin genannt.",
    ),
    "told-no-mail-server": (
        "This hub sends no e-mail: whoever runs it has named no mail server (hub.smtp in its file). A webhook works all the same.",
        "Dieser Hub versendet keine E-Mails: Der Betreiber hat keinen Mailserver genannt (hub.smtp in seiner Datei). Ein Webhook geht trotzdem.",
    ),
    "told-add": ("Tell somebody", "Jemanden benachrichtigen"),
    "told-name": ("Name of the person", "Name der Person"),
    "told-name-needed": ("Please name the person.", "Bitte nennen Sie die Person."),
    "told-kind": ("How", "Wie"),
    "told-kind-email": ("E-mail", "E-Mail"),
    "told-kind-webhook": ("Webhook", "Webhook"),
    "told-to": ("E-mail address, or URL of the webhook", "E-Mail-Adresse oder URL des Webhooks"),
    "told-to-help": (
        "A webhook is sent JSON by POST, signed with a secret of its own. It must begin with https:// and lead to the public internet.",
        "Ein Webhook erhält JSON per POST, unterschrieben mit einem eigenen Geheimnis. Er muss mit https:// beginnen und ins öffentliche Internet führen.",
    ),
    "told-to-help-internal": (
        "A webhook is sent JSON by POST, signed with a secret of its own. Whoever runs this hub lets it lead inside the network too.",
        "Ein Webhook erhält JSON per POST, unterschrieben mit einem eigenen Geheimnis. Der Betreiber dieses Hubs lässt ihn auch ins interne Netz führen.",
    ),
    "told-language": ("Told in {language}.", "Benachrichtigt auf {language}."),
    "told-do": ("Add", "Hinzufügen"),
    "told-made": ("{name} is told from now on.", "{name} wird ab jetzt benachrichtigt."),
    "told-secret": (
        "Secret of the webhook. Copy it now: it is not shown again.",
        "Geheimnis des Webhooks. Kopieren Sie es jetzt: Es wird nicht noch einmal gezeigt.",
    ),
    "told-list": ("Who is told", "Wer benachrichtigt wird"),
    "told-none": ("Nobody is told yet.", "Noch wird niemand benachrichtigt."),
    "told-by": ("Added by {user} on {at}.", "Hinzugefügt von {user} am {at}."),
    "told-never": ("Nothing was sent yet.", "Noch wurde nichts gesendet."),
    "told-last-sent": ("Last told on {at}.", "Zuletzt benachrichtigt am {at}."),
    "told-last-waiting": ("A message is on its way.", "Eine Nachricht ist unterwegs."),
    "told-last-again": (
        "The message of {at} has not arrived yet and is tried again: {reason}",
        "Die Nachricht vom {at} ist noch nicht angekommen und wird erneut versucht: {reason}",
    ),
    "told-last-failed": (
        "The message of {at} was given up: {reason}",
        "Die Nachricht vom {at} wurde aufgegeben: {reason}",
    ),
    "told-test": ("Send a test message", "Testnachricht senden"),
    "told-tested": (
        "A test message is on its way. Load this page again in a few seconds to see how it fared.",
        "Eine Testnachricht ist unterwegs. Laden Sie diese Seite in ein paar Sekunden neu, um zu sehen, wie es ihr ergangen ist.",
    ),
    "told-test-often": (
        "Ten test messages an hour are enough. Please try again later.",
        "Zehn Testnachrichten in der Stunde genügen. Bitte versuchen Sie es später noch einmal.",
    ),
    "told-remove": ("Remove", "Entfernen"),
    "told-removed": ("Removed: nothing more is sent there.", "Entfernt: Dorthin wird nichts mehr gesendet."),
    "told-gone": ("There is no such person here any more.", "Diese Person steht hier nicht mehr."),
    "told-wrong-no-mail-server": (
        "This hub has no mail server, so it cannot send e-mail.",
        "Dieser Hub hat keinen Mailserver und kann keine E-Mail senden.",
    ),
    "told-wrong-not-an-address": ("Please enter one e-mail address.", "Bitte geben Sie eine einzelne E-Mail-Adresse ein."),
    "told-wrong-not-a-url": (
        "Please enter the URL of a webhook, beginning with https:// and without a name or password in it.",
        "Bitte geben Sie die URL eines Webhooks ein, die mit https:// beginnt und weder Name noch Passwort enthält.",
    ),
    "told-wrong-inside": (
        "This leads inside the hub's own network, which whoever runs it does not allow.",
        "Das führt in das eigene Netz des Hubs, was der Betreiber nicht erlaubt.",
    ),
    "told-wrong-too-many": ("Twenty are told already. Please remove somebody first.", "Zwanzig werden schon benachrichtigt. Bitte entfernen Sie zuerst jemanden."),
    # Why a message has not arrived.
    "untold-no-mail-server": ("this hub has no mail server any more.", "dieser Hub hat keinen Mailserver mehr."),
    "untold-mail-unreachable": ("the mail server cannot be reached.", "der Mailserver ist nicht zu erreichen."),
    "untold-mail-not-trusted": ("the mail server's certificate is not trusted.", "dem Zertifikat des Mailservers wird nicht vertraut."),
    "untold-mail-login": ("the mail server refused the hub's login.", "der Mailserver hat die Anmeldung des Hubs abgelehnt."),
    "untold-mail-refused": ("the mail server refused the message.", "der Mailserver hat die Nachricht abgelehnt."),
    "untold-hook-inside": (
        "the name leads inside the hub's own network, which whoever runs it does not allow.",
        "der Name führt in das eigene Netz des Hubs, was der Betreiber nicht erlaubt.",
    ),
    "untold-hook-unreachable": ("nobody answers at the webhook.", "am Webhook antwortet niemand."),
    "untold-hook-not-trusted": ("the webhook's certificate is not trusted.", "dem Zertifikat des Webhooks wird nicht vertraut."),
    "untold-hook-late": ("the webhook did not answer in time.", "der Webhook hat nicht rechtzeitig geantwortet."),
    "untold-hook-refused": ("the webhook answered with an error.", "der Webhook hat mit einem Fehler geantwortet."),
    # What is told.
    "letter-test-subject": ("{title}: a test message", "{title}: eine Testnachricht"),
    "letter-test": (
        "This is a test message. {name} will be told here when something has to be mended.",
        "Dies ist eine Testnachricht. {name} erfährt hier, wenn etwas zu beheben ist.",
    ),
    "letter-opened-subject": ("{title}: {count} to be mended", "{title}: {count} zu beheben"),
    "letter-mended-subject": ("{title}: {count} mended", "{title}: {count} behoben"),
    "letter-opened": ("To be mended:", "Zu beheben:"),
    "letter-mended": ("Mended:", "Behoben:"),
    "letter-left": ("Still open in all: {count}", "Insgesamt noch offen: {count}"),
    "letter-where": ("Details and what to do: {url}", "Näheres und was zu tun ist: {url}"),
    "letter-why": (
        "Sent to {name}, whom {by} has named for this. The page “Notifications” ends it.",
        "Gesendet an {name}, dafür benannt von {by}. Die Seite „Benachrichtigungen“ beendet es.",
    ),
    "state-recipient-added-now": ("{name} is told of repairs.", "{name} wird benachrichtigt, wenn etwas zu beheben ist."),
    "state-recipient-removed-now": ("{name} is told of repairs no more.", "{name} wird nicht mehr benachrichtigt."),
}  # fmt: skip
