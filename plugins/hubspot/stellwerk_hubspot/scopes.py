"""What each scope is for: which of our work stands still without it, and who may grant it (reference page, sections 3.1 and 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stellwerk.sdk import Scope, Words
from stellwerk_hubspot.oauth import OPTIONAL_SCOPES, scopes_of
from stellwerk_hubspot.settings import HubspotSystem

__all__ = ["lacking"]

GRANTED_BY = Words(
    en="A super admin of the portal can grant it, or somebody with App Marketplace access.",
    de="Erteilen kann es ein Super-Admin des Portals oder jemand mit Zugang zum App-Marktplatz.",
)
ADDED_BY_PLAN = Words(
    en="A super admin of the portal can grant it, or somebody with App Marketplace access. If HubSpot does not offer it at the login, the portal's plan does not have it.",
    de="Erteilen kann es ein Super-Admin des Portals oder jemand mit Zugang zum App-Marktplatz. Bietet HubSpot es bei der Anmeldung nicht an, gehört es nicht zum Tarif des Portals.",
)

_WITHOUT: Mapping[str, tuple[Words, ...]] = {
    "crm.objects.contacts.read": (
        Words(en="No contact is read: nobody enters.", de="Kein Kontakt wird gelesen: Niemand wird aufgenommen."),
        Words(en="No change in HubSpot is carried over.", de="Keine Änderung in HubSpot wird übernommen."),
        Words(
            en="Neither the initial sync nor a comparison finds anybody, and no note is written.",
            de="Weder der erste Abgleich noch ein Vergleich findet jemanden, und keine Notiz wird geschrieben.",
        ),
    ),
    "crm.objects.contacts.write": (
        Words(
            en="Neither fields nor status nor the lifecycle stage are written to contacts.",
            de="Weder Felder noch Status noch Lifecycle-Phase werden an Kontakte geschrieben.",
        ),
        Words(en="No note is written to a contact.", de="Keine Notiz wird an einen Kontakt geschrieben."),
    ),
    "crm.schemas.contacts.read": (
        Words(
            en="Fields and lifecycle stages of the portal may not be listed on these pages.",
            de="Felder und Lifecycle-Phasen des Portals lassen sich auf diesen Seiten womöglich nicht auflisten.",
        ),
    ),
    "crm.schemas.contacts.write": (
        Words(
            en="The properties that this integration needs cannot be created.",
            de="Die Eigenschaften, die diese Integration braucht, lassen sich nicht anlegen.",
        ),
    ),
    "timeline": (
        Words(
            en="Where app events are chosen: timeline entries are written as notes instead.",
            de="Wo App-Ereignisse gewählt sind: Timeline-Einträge werden stattdessen als Notizen geschrieben.",
        ),
    ),
    "communication_preferences.read_write": (
        Words(
            en="Whoever unsubscribes is not opted out of marketing e-mail in HubSpot too, whatever the settings say.",
            de="Wer sich abmeldet, wird nicht auch in HubSpot von Marketing-E-Mails abgemeldet, was immer die Einstellungen sagen.",
        ),
    ),
}


def lacking(system: HubspotSystem, granted: Sequence[str]) -> tuple[Scope, ...]:
    """Those that the login asks for and `granted` does not have; `oauth` alone lets nobody do anything."""
    return tuple(
        Scope(name=name, without=_WITHOUT[name], granted_by=ADDED_BY_PLAN if name in OPTIONAL_SCOPES else GRANTED_BY)
        for name in (*scopes_of(system), *OPTIONAL_SCOPES)
        if name not in granted and name in _WITHOUT
    )
