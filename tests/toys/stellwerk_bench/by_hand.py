"""The sample's way from the CRM to the mail system as somebody writes it by hand who needs only that: the peer of `decide`.

Fifteen fields, who may come in, how they are asked, and what came back from our own writing. No file, no reasons, no other
direction; with `because=True` it says in a sentence why, as an event is to be explainable here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from stellwerk_rules.model import Contact, Known

MOST_CHARACTERS = 255
GENDERS = {"male": "m", "female": "f", "diverse": "d"}
LOCALE = re.compile(r"([A-Za-z]{2})(?:[-_]([A-Za-z]{2}))?")
GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def text(value: str) -> str | None:
    return value.strip()[:MOST_CHARACTERS] or None


def date(value: str) -> str | None:
    german = GERMAN_DATE.fullmatch(value)
    return f"{german[3]}-{int(german[2]):02}-{int(german[1]):02}" if german else value


def locale(value: str) -> str | None:
    found = LOCALE.fullmatch(value)
    if found is None:
        return None
    return found[1].lower() + (f"_{found[2].upper()}" if found[2] else "")


FIELDS: tuple[tuple[str, str, Callable[[str], str | None]], ...] = (
    ("salutation", "SALUTATION", text),
    ("firstname", "FIRSTNAME", text),
    ("lastname", "LASTNAME", text),
    ("company", "ORGANIZATION", text),
    ("address", "ADDRESS", text),
    ("zip", "ZIP", text),
    ("city", "CITY", text),
    ("state", "STATE", text),
    ("country", "COUNTRY", text),
    ("date_of_birth", "BIRTHDAY", date),
    ("gender", "GENDER", GENDERS.get),
    ("hs_language", "LOCALE", locale),
    ("phone", "custom:Telephone", text),
    ("mobilephone", "custom:Mobile", text),
    ("jobtitle", "custom:Position", text),
)


def decided(contact: Contact, known: Known, settings: Mapping[str, Any], *, because: bool = False) -> dict[str, Any]:
    """`{do, fields, …}`: `enter`, `set` or `nothing`, the target's fields, and what is to be remembered of them."""
    digest, remembered = known.digest, known.remembered
    seen = remembered.seen.get("crm", {})
    going = remembered.going.get("mail", {})
    values: dict[str, str | None] = {}
    digests: dict[str, str] = {}
    for source, target, convert in FIELDS:
        if source not in contact.fields:
            continue
        value = contact.fields[source] or None
        now = digest(value or "")
        before = seen.get(source)
        if value is None if before is None else before.digest == now:
            continue
        changed = None if value is None else convert(value)
        if value is not None and changed is None:
            continue
        under_way = going.get(target)
        if under_way is not None and under_way.digest == digest(changed or ""):
            continue
        values[target] = changed
        digests[target] = digest(changed or "")
    if "mail" in remembered.ids:
        found: dict[str, Any] = {"do": "set" if values else "nothing", "fields": values, "remember": digests}
        if because:
            found["because"] = f"{', '.join(sorted(values))} changed at crm" if values else "nothing changed"
        return found
    return _entered(contact, known, settings, values, digests, because=because)


def _entered(
    contact: Contact,
    known: Known,
    settings: Mapping[str, Any],
    values: dict[str, str | None],
    digests: dict[str, str],
    *,
    because: bool,
) -> dict[str, Any]:
    answer = contact.fields.get("maileon_subscribe")
    history = contact.history.get("maileon_subscribe", ())
    wish = answer == "yes" and bool(history) and history[0].origin in ("form", "person") and not history[0].ours
    young = known.began_at is not None and contact.created_at is not None and contact.created_at >= known.began_at
    if answer == "no" or contact.opted_out or not contact.email:
        return {"do": "nothing", "because": "said no" if because else None}
    if not wish and (not young or known.suppressed or (answer is None and settings["no_answer"] != "yes")):
        return {"do": "nothing", "because": "no wish, and older" if because else None}
    if any(fact.kind == "asked" for fact in known.facts):
        return {"do": "nothing", "because": "asked before" if because else None}
    own = contact.fields.get("maileon_contact_doi")
    ask = settings["double_opt_in"] or known.suppressed
    if own is not None and settings["contacts_may_skip_doi"]:
        ask = own == "yes"
    found: dict[str, Any] = {
        "do": "enter",
        "email": contact.email.strip(),
        "fields": {name: value for name, value in values.items() if value is not None},
        "remember": digests,
        "ask": ask,
        "mailing": contact.fields.get("maileon_contact_doi_mailing_key") or settings["doi_mailing"],
        "plus": settings["double_opt_in_plus"] or contact.fields.get("maileon_contact_doi_plus") == "yes",
        "permission": "none" if ask else settings["permission"],
        "answered": known.digest(answer or ""),
    }
    if because:
        found["because"] = f"maileon_subscribe is {answer}, said by {history[0].origin}" if wish else "a new contact"
    return found
