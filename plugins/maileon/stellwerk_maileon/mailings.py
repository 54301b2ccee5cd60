"""What an account has to choose from: DOI mailings, and fields (sections 5 and 11.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from stellwerk.sdk import FieldSpec, Option, RejectedError
from stellwerk_maileon.mailinglist import INACTIVE, StoredMailing
from stellwerk_maileon.session import Session
from stellwerk_maileon.wire import CUSTOM, MARK_FIELD, STANDARD_FIELDS

DOI_MAILINGS = "doi_mailings"

Kind = Literal["text", "yes_no", "number", "integer", "date"]

_KINDS: dict[str, Kind] = {
    "boolean": "yes_no",
    "integer": "integer",
    "float": "number",
    "double": "number",
    "date": "date",
}

# Reference, section 5.1: what its other standard fields are called elsewhere.
_ALSO: Mapping[str, tuple[str, ...]] = {
    "ORGANIZATION": ("Company", "Company name", "Organisation", "Firma", "Unternehmen"),
    "BIRTHDAY": ("Date of birth", "Birth date", "Geburtstag", "Geburtsdatum"),
    "NAMEDAY": ("Name day", "Namenstag"),
    "HNR": ("House number", "Hausnummer"),
    "ADDRESS": ("Street address",),
    "ZIP": ("Postal code", "Zip code", "Postleitzahl"),
    "TITLE": ("Academic title", "Titel"),
}
_SPELT_ITS_OWN_WAY = frozenset({"GENDER", "LOCALE"})


async def options(session: Session, name: str) -> Sequence[Option]:
    """DOI mailings by key, in Maileon's order; one without a key cannot be asked for and is left out.

    Whether the list is complete is not established, so an unknown key must only warn. Raises `DeliveryError`.
    """
    if name != DOI_MAILINGS:
        raise RejectedError("list-unknown", f"Maileon has no list {name}")
    found: list[Option] = []
    page, more = 1, True
    while more:
        mailings, more = await session.client.doi_mailings(page)
        for mailing in mailings:
            option = await _option(session, mailing)
            if option is not None:
                found.append(option)
        page += 1
    return found


async def _option(session: Session, mailing: StoredMailing) -> Option | None:
    key = await session.client.doi_key(mailing.id)
    if key is None:
        return None
    name = mailing.name or await session.client.mailing_name(mailing.id)
    state = mailing.state or await session.client.mailing_state(mailing.id)
    return Option(value=key, label=name or key, active=(state or "").lower() not in INACTIVE)


async def fields(session: Session) -> Sequence[FieldSpec]:
    """Standard fields that can be written, then the account's custom fields with their kinds. Raises `DeliveryError`."""
    custom = await session.client.custom_fields()
    standard: list[FieldSpec] = [
        FieldSpec(
            name=name,
            kind="date" if kind == "date" else "text",
            suggested=name not in _SPELT_ITS_OWN_WAY,
            also=_ALSO.get(name, ()),
        )
        for name, kind in STANDARD_FIELDS.items()
    ]
    return [
        *standard,
        *(
            FieldSpec(name=CUSTOM + name, kind=_KINDS.get(type_, "text"), label=name, suggested=name != MARK_FIELD)
            for name, type_ in custom.items()
        ),
    ]
