"""Repairs for people: what each code means, what to do, and which button helps. English and German."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk.web.field_repair_phrases import FIELD_REPAIRS
from stellwerk.web.keeping_up_phrases import KEEPING_UP
from stellwerk.web.repair_text import OPERATOR, RepairText
from stellwerk.web.scope_phrases import SCOPE_REPAIRS

_ACCESS_ENDED = (
    "Access to {system} has ended, so work with it has stopped. Nothing is lost: it goes on where it stopped.",
    "Der Zugang zu {system} ist erloschen, daher ruht die Arbeit damit. Nichts geht verloren: Es geht dort weiter, wo es aufgehört hat.",
)
_LOG_IN = ("Log in once more.", "Melden Sie sich noch einmal an.")
_APP = RepairText(
    ("{system} does not accept this hub's own values.", "{system} nimmt die eigenen Werte dieses Hubs nicht an."),
    OPERATOR,
)
_LOGIN = RepairText(_ACCESS_ENDED, _LOG_IN, "login")
_BUG = RepairText(
    (
        "A fault on our side stopped some of the work.",
        "Ein Fehler auf unserer Seite hat einen Teil der Arbeit gestoppt.",
    ),
    (
        "Tell whoever runs this hub. Afterwards replay it under “Dead letters”.",
        "Sagen Sie es dem Betreiber dieses Hubs. Danach können Sie es unter „Aufgegeben“ wiederholen.",
    ),
    "letters",
)

REPAIRS: Mapping[str, RepairText] = {
    **FIELD_REPAIRS,
    **KEEPING_UP,
    **SCOPE_REPAIRS,
    # An account cannot be used.
    **dict.fromkeys(("unauthorized", "bad-refresh-token", "bad-hub", "invalid-grant", "access-denied"), _LOGIN),
    **dict.fromkeys(("bad-client-secret", "bad-client-id", "bad-redirect-uri"), _APP),
    "forbidden": RepairText(
        ("{system} does not allow this hub to do that.", "{system} erlaubt diesem Hub das nicht."),
        (
            "Log in as somebody who may, or have the right granted there.",
            "Melden Sie sich als jemand an, der das darf, oder lassen Sie das Recht dort erteilen.",
        ),
        "login",
    ),
    "key-refused": RepairText(
        (
            "{system} does not take the key any more: it is mistyped, expired or switched off. Work with it has stopped.",
            "{system} nimmt den Schlüssel nicht mehr an: vertippt, abgelaufen oder abgeschaltet. Die Arbeit damit ruht.",
        ),
        ("Enter a working key in the settings.", "Tragen Sie in den Einstellungen einen gültigen Schlüssel ein."),
        "key",
    ),
    "key-pre-encoded": RepairText(
        (
            "The key was encoded for another program.",
            "Der Schlüssel wurde für ein anderes Programm umgewandelt.",
        ),
        (
            "Enter it in the settings as {system} shows it.",
            "Tragen Sie ihn in den Einstellungen so ein, wie {system} ihn zeigt.",
        ),
        "key",
    ),
    "right-missing": RepairText(
        ("The key may not do everything that is needed.", "Der Schlüssel darf nicht alles, was nötig ist."),
        (
            "Switch all rights of the key on at {system}, then test it in the settings.",
            "Schalten Sie bei {system} alle Rechte des Schlüssels ein und testen Sie ihn dann in den Einstellungen.",
        ),
        "key",
    ),
    "other-account": RepairText(
        (
            "The access belongs to another account than this connection's.",
            "Der Zugang gehört zu einem anderen Konto als dem dieser Verbindung.",
        ),
        (
            "Log in to the right account, or enter its key.",
            "Melden Sie sich beim richtigen Konto an oder tragen Sie dessen Schlüssel ein.",
        ),
        "login",
    ),
    "not-connected": RepairText(
        ("Nobody has connected {system} yet.", "{system} hat noch niemand verbunden."), _LOG_IN, "login"
    ),
    "token-revoked": RepairText(
        ("The login at {system} was revoked.", "Die Anmeldung bei {system} wurde widerrufen."), _LOG_IN, "login"
    ),
    "app-uninstalled": RepairText(
        ("The app was removed at {system}.", "Die App wurde bei {system} entfernt."),
        ("Log in once more to install it.", "Melden Sie sich noch einmal an, um sie zu installieren."),
        "login",
    ),
    **dict.fromkeys(
        ("key-expired", "key-deactivated"),
        RepairText(
            ("The key has expired or was switched off at {system}.", "Der Schlüssel ist bei {system} abgelaufen oder abgeschaltet."),
            (
                "Give it a later date there or switch it on, then enter it once more.",
                "Geben Sie ihm dort ein späteres Datum oder schalten Sie ihn ein und tragen Sie ihn dann noch einmal ein.",
            ),
            "key",
        ),
    ),
    "key-cut-off": RepairText(
        ("A part of the key is missing.", "Ein Teil des Schlüssels fehlt."),
        ("Copy it once more, whole.", "Kopieren Sie ihn noch einmal, und zwar ganz."),
        "key",
    ),
    "account-blocked": RepairText(
        ("{system} has blocked the account.", "{system} hat das Konto gesperrt."),
        ("Ask {system} why.", "Fragen Sie bei {system} nach dem Grund."),
    ),
    "clock-off": RepairText(
        (
            "The clocks of {system} and of this hub differ by more than a minute.",
            "Die Uhren von {system} und diesem Hub weichen um mehr als eine Minute voneinander ab.",
        ),
        OPERATOR,
    ),
    "app-not-deployed": RepairText(
        (
            "What was written to {system} did not come back as news: it does not tell this hub of changes at once.",
            "Was nach {system} geschrieben wurde, kam nicht als Neuigkeit zurück: Änderungen werden diesem Hub nicht sofort gemeldet.",
        ),
        OPERATOR,
    ),
    # What is not as it should be over there.
    **dict.fromkeys(
        ("pick-unknown", "pick-inactive"),
        RepairText(
            (
                "Something chosen in the settings is not offered over there any more, or is switched off.",
                "Etwas in den Einstellungen Gewähltes wird drüben nicht mehr angeboten oder ist abgeschaltet.",
            ),
            ("Choose another, or switch it on there.", "Wählen Sie etwas anderes, oder schalten Sie es dort ein."),
            "settings",
        ),
    ),
    "webhooks-not-removed": RepairText(
        ("On disconnecting, webhooks of ours stayed over there.", "Beim Trennen blieben unsere Webhooks drüben stehen."),
        ("Remove them there by hand.", "Entfernen Sie sie dort von Hand."),
    ),
    "app-stays-installed": RepairText(
        ("The app could not remove itself over there.", "Die App konnte sich drüben nicht selbst entfernen."),
        ("Remove it there by hand.", "Entfernen Sie sie dort von Hand."),
    ),
    "opt-outs-wait": RepairText(
        ("Opt-outs are still on their way to the former account, so it stays for now.", "Abmeldungen sind noch auf dem Weg zum früheren Konto, daher bleibt es vorerst."),
        OPERATOR,
    ),
    "left-the-file": RepairText(
        ("This connection is gone from the hub's file, so it rests.", "Diese Verbindung fehlt in der Datei des Hubs, daher ruht sie."), OPERATOR
    ),
    "left-behind": RepairText(
        ("Something of ours stayed in an account that was left.", "In einem verlassenen Konto blieb etwas von uns zurück."),
        ("Remove webhooks and app there by hand.", "Entfernen Sie dort Webhooks und App von Hand."),
    ),
    "no-answer-at-all": RepairText(
        ("{system} does not answer. Nothing is lost: what waits goes out once it does.", "{system} antwortet nicht. Nichts geht verloren: Was wartet, geht hinaus, sobald es antwortet."),
        ("Nothing; this closes by itself.", "Nichts; dies schließt sich von selbst."),
    ),
    "restored": RepairText(
        ("The database was restored. Nobody is mailed or granted anything until a person says so.", "Die Datenbank wurde wiederhergestellt. Niemand erhält eine Mail oder Berechtigung, bis ein Mensch zustimmt."),
        OPERATOR,
    ),
    # What is held.
    "stands-twice": RepairText(
        (
            "An address stands twice over there and is linked to neither.",
            "Eine Adresse steht drüben zweimal und ist mit keinem der beiden verbunden.",
        ),
        (
            "Make one contact of the two there. Then release what is held; a contact that had come in before goes on with its next change.",
            "Machen Sie dort aus beiden einen Kontakt. Geben Sie dann Zurückgehaltenes frei; mit einem Kontakt, der schon da war, geht es bei seiner nächsten Änderung weiter.",
        ),
        "held",
    ),
    "too-many-asks": RepairText(
        (
            "More people were to be asked within an hour than is allowed. The others are held; nobody else waits for them.",
            "Es sollten in einer Stunde mehr Menschen gefragt werden als erlaubt. Die übrigen sind zurückgehalten; sonst wartet niemand darauf.",
        ),
        (
            "Was the import meant? Then release what is held, else discard it.",
            "War der Import so gemeint? Dann geben Sie Zurückgehaltenes frei, sonst verwerfen Sie es.",
        ),
        "held",
    ),
    "too-many-removals": RepairText(
        (
            "More contacts were to be deleted within an hour than is allowed. The others are held.",
            "Es sollten in einer Stunde mehr Kontakte gelöscht werden als erlaubt. Die übrigen sind zurückgehalten.",
        ),
        (
            "Was that meant? Then release what is held, else discard it.",
            "War das so gemeint? Dann geben Sie Zurückgehaltenes frei, sonst verwerfen Sie es.",
        ),
        "held",
    ),
    "field-keeps-changing": RepairText(
        (
            "A field of a contact was written five times within ten minutes, and no person and no form had set it: something automatic keeps changing it. It is not written any more.",
            "Ein Feld eines Kontakts wurde in zehn Minuten fünfmal geschrieben, und weder ein Mensch noch ein Formular hatte es gesetzt: Etwas Automatisches ändert es immer wieder. Es wird nicht mehr geschrieben.",
        ),
        (
            "Find the workflow that changes the field, at either side, and end it; then release what is held.",
            "Suchen Sie den Workflow, der das Feld ändert, auf beiden Seiten, und beenden Sie ihn; geben Sie dann Zurückgehaltenes frei.",
        ),
        "held",
    ),
    "webhooks-not-registered": RepairText(
        (
            "The webhooks could not be set up, so news arrives late or not at all.",
            "Die Webhooks konnten nicht eingerichtet werden, daher kommt Neues spät oder gar nicht an.",
        ),
        (
            "Have webhooks switched on for the account and set up again, or copy the URLs from the settings.",
            "Lassen Sie Webhooks für das Konto freischalten und richten Sie erneut ein, oder kopieren Sie die URLs aus den Einstellungen.",
        ),
        "set-up",
    ),
    "foreign-webhook": RepairText(
        (
            "Another program hears this account's webhooks too. Is the former integration still running?",
            "Ein anderes Programm erhält die Webhooks dieses Kontos ebenfalls. Läuft die frühere Integration noch?",
        ),
        (
            "Fine, if you know it. If it does the same as this connection, switch one of the two off; until then this one can watch.",
            "In Ordnung, wenn Sie es kennen. Tut es dasselbe wie diese Verbindung, schalten Sie eines von beiden ab; bis dahin kann diese hier beobachten.",
        ),
        "watch",
    ),
    # One contact or some of them.
    "mark-unreadable": RepairText(
        (
            "Whether a mail that asks for confirmation went out cannot be found out. It is not sent again.",
            "Ob eine Mail mit der Bitte um Bestätigung hinausging, lässt sich nicht feststellen. Sie wird nicht noch einmal gesendet.",
        ),
        (
            "Look the contact up over there; ask again by setting the answer to yes once more.",
            "Sehen Sie drüben nach dem Kontakt; erneut gefragt wird, wenn die Angabe noch einmal auf Ja gesetzt wird.",
        ),
        "letters",
    ),
    "opt-out-unsettled": RepairText(
        (
            "Somebody was said to have left, and nothing proves or denies it. Nothing is sent to them meanwhile.",
            "Jemand soll sich abgemeldet haben, und nichts belegt oder widerlegt es. Solange wird ihm nichts gesendet.",
        ),
        ("Look the contact up in the mail system.", "Sehen Sie im Mailsystem nach dem Kontakt."),
    ),
    "opt-out-claimed": RepairText(
        (
            "An opt-out was claimed; what concerns this contact waits until it is proved or denied.",
            "Eine Abmeldung wurde gemeldet; was diesen Kontakt betrifft, wartet, bis sie belegt oder widerlegt ist.",
        ),
        ("Nothing; it is looked at again by itself.", "Nichts; es wird von selbst noch einmal nachgesehen."),
    ),
    "never-confirmed": RepairText(
        (
            "The last twenty who were asked with one mailing have not confirmed within two days. Perhaps the mail does not arrive.",
            "Die letzten zwanzig, die mit einem Mailing gefragt wurden, haben zwei Tage lang nicht bestätigt. Vielleicht kommt die Mail nicht an.",
        ),
        (
            "Sign up with an address of your own. Does no mail come, or no link in it? Mend the mailing, or choose another. The first who confirms closes this.",
            "Melden Sie sich mit einer eigenen Adresse an. Kommt keine Mail, oder keine mit Link? Berichtigen Sie das Mailing oder wählen Sie ein anderes. Wer als Erster bestätigt, schließt dies.",
        ),
        "settings",
    ),
    "no-way-to-ask": RepairText(
        (
            "Somebody who left says yes again. Only a double opt-in leads back, and there is none to send: they stay out.",
            "Jemand, der sich abgemeldet hat, sagt wieder Ja. Zurück führt nur ein Double-Opt-in, und es gibt keines zu senden: Der Kontakt bleibt draußen.",
        ),
        (
            "Choose a double opt-in mailing; their next yes is asked with it. This closes by itself then.",
            "Wählen Sie ein DOI-Mailing; ihr nächstes Ja wird damit erfragt. Dann schließt sich dies von selbst.",
        ),
        "settings",
    ),
    "app-event-unavailable": RepairText(
        (
            "Timeline entries were written in another way than the settings say; {system} does not let this app do it otherwise.",
            "Timeline-Einträge wurden anders geschrieben, als die Einstellungen sagen; {system} lässt diese App es nicht anders tun.",
        ),
        (
            "Choose the other way in the settings, or ask whoever runs this hub. Nothing is lost.",
            "Wählen Sie in den Einstellungen die andere Art, oder fragen Sie den Betreiber dieses Hubs. Nichts geht verloren.",
        ),
        "settings",
    ),
    "stage-gone": RepairText(
        (
            "A stage that a setting names is not there any more; contacts are not moved to it. Everything else goes on.",
            "Eine Phase, die eine Einstellung nennt, gibt es nicht mehr; Kontakte kommen nicht dorthin. Alles andere geht weiter.",
        ),
        ("Choose another stage in the settings and save.", "Wählen Sie in den Einstellungen eine andere Phase und speichern Sie."),
        "settings",
    ),
    "stage-not-taken": RepairText(
        (
            "A lifecycle stage was accepted and not taken over there.",
            "Eine Lifecycle-Phase wurde drüben angenommen und nicht übernommen.",
        ),
        ("Look at the rules for stages over there.", "Prüfen Sie drüben die Regeln für Phasen."),
        "settings",
    ),
    "stage-clear-refused": RepairText(
        (
            "Contacts over there must have a stage, so that a reset cannot work. Nothing was changed.",
            "Kontakte müssen drüben eine Phase haben, daher geht das Zurücksetzen nicht. Nichts wurde geändert.",
        ),
        ("Switch the reset off, or move forward only.", "Schalten Sie das Zurücksetzen ab oder gehen Sie nur vorwärts."),
        "settings",
    ),
    "stage-interrupted": RepairText(
        (
            "A lifecycle stage was cleared and could not be set yet.",
            "Eine Lifecycle-Phase wurde geleert und konnte noch nicht gesetzt werden.",
        ),
        (
            "Nothing; it is the first thing written when the account works again.",
            "Nichts; sie wird als Erstes gesetzt, sobald das Konto wieder geht.",
        ),
    ),
    "old-wish": RepairText(
        (
            "Somebody's wish waited so long that no mail was sent for it.",
            "Ein Wunsch hat so lange gewartet, dass dafür keine Mail gesendet wurde.",
        ),
        ("Release or discard what is held.", "Geben Sie Zurückgehaltenes frei oder verwerfen Sie es."),
        "held",
    ),
    "sync-failed": RepairText(
        (
            "A sync ended early: the contacts of the other side could not be listed.",
            "Ein Abgleich endete vorzeitig: Die Kontakte der anderen Seite ließen sich nicht auflisten.",
        ),
        (
            "Mend what the words below name, then start the sync again. Nobody is brought in twice.",
            "Beheben Sie, was unten steht, und starten Sie den Abgleich neu. Niemand wird zweimal aufgenommen.",
        ),
    ),
    "asks-for-rest": RepairText(
        (
            "{system} has long answered nothing but that it is called too often. After each rest it is tried again.",
            "{system} antwortet seit längerem nur, dass es zu oft aufgerufen wird. Nach jeder Pause wird es erneut versucht.",
        ),
        (
            "See whether something else uses up the calls of this account, or have its limit raised. Nothing is lost, and this closes by itself.",
            "Prüfen Sie, ob etwas anderes die Aufrufe dieses Kontos verbraucht, oder lassen Sie sein Limit erhöhen. Nichts geht verloren, und dies schließt sich von selbst.",
        ),
    ),
    "poll-fails": RepairText(
        (
            "{system} cannot be asked for changes. What its webhooks tell still arrives.",
            "{system} lässt sich nicht nach Änderungen fragen. Was seine Webhooks melden, kommt weiter an.",
        ),
        ("Nothing; it is tried again, and this closes by itself.", "Nichts; es wird erneut versucht, und dies schließt sich von selbst."),
    ),
    "poll-part-fails": RepairText(
        (
            "{system} does not answer some of what it is asked regularly; the rest is asked and goes on.",
            "{system} beantwortet manches nicht, wonach es regelmäßig gefragt wird; alles andere wird gefragt und geht weiter.",
        ),
        (
            "Nothing if it passes: it is tried again, and this closes by itself. Else ask the provider; what it concerns stands below.",
            "Nichts, wenn es vorübergeht: Es wird erneut versucht, und dies schließt sich von selbst. Sonst fragen Sie den Anbieter; worum es geht, steht unten.",
        ),
    ),
    "connector-failed": _BUG,
    "bug": _BUG,
    "unreadable": _BUG,
}  # fmt: skip

OTHER = RepairText(
    (
        "The other side did not accept a change, and it was given up.",
        "Die andere Seite hat eine Änderung nicht angenommen, und sie wurde aufgegeben.",
    ),
    (
        "Read what it said below, mend it there, then replay it under “Dead letters”.",
        "Lesen Sie unten, was sie gesagt hat, beheben Sie es dort und wiederholen Sie es dann unter „Aufgegeben“.",
    ),
    "letters",
)
"""For a code of a connector's own."""


def repair_text(code: str) -> RepairText:
    return REPAIRS.get(code, _APP if code.startswith("bad-") else OTHER)
