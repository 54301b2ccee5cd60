"""What became of the contacts of a bulk call (reference, section 6.4)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stellwerk_maileon import elements
from stellwerk_maileon.elements import Element
from stellwerk_maileon.problem import WireError

REASONS: Mapping[int, tuple[str, str]] = {
    1: ("external-id-missing", "give the contact an external id"),
    2: ("address-missing", "give the contact an address"),
    3: ("address-syntax", "correct the address"),
    4: ("external-id-taken", "another contact at Maileon has this external id: take it away there or join the two"),
    5: ("address-taken", "another contact at Maileon has this address: join the two there"),
    6: ("address-line-too-long", "shorten the street to 255 characters"),
    7: ("city-too-long", "shorten the city to 255 characters"),
    8: ("firstname-too-long", "shorten the first name to 255 characters"),
    9: ("fullname-too-long", "shorten the full name to 255 characters"),
    10: ("house-number-too-long", "shorten the house number to 255 characters"),
    11: ("lastname-too-long", "shorten the last name to 255 characters"),
    12: ("organization-too-long", "shorten the organization to 255 characters"),
    13: ("region-too-long", "shorten the region to 255 characters"),
    14: ("state-too-long", "shorten the state to 255 characters"),
    15: ("title-too-long", "shorten the title to 255 characters"),
    16: ("zip-too-long", "shorten the postal code to 255 characters"),
    17: ("birthday-pattern", "write the birthday as YYYY-MM-DD, or give its row a converter"),
    18: ("nameday-pattern", "write the name day as YYYY-MM-DD, or give its row a converter"),
    19: ("gender-value", "use m, f or d, or give the row a table"),
    20: ("locale-pattern", "write the language as de or de_DE, or give its row a converter"),
    21: (
        "custom-field-not-declared",
        "the custom field was removed at Maileon: create it there or save the connection once more",
    ),
    22: ("boolean-value", "use yes or no, or give the row a converter"),
    23: ("float-value", "use a number with a decimal point, or give the row a converter"),
    24: ("double-value", "use a number with a decimal point, or give the row a converter"),
    25: ("integer-value", "use a whole number of 32 bits, or give the field another type"),
    26: ("text-too-long", "shorten the value of the custom field to 255 characters"),
    27: ("time-pattern", "write the time as YYYY-MM-DD HH:MM:SS, or give the row a converter"),
}
"""By Maileon's code: our name for the reason, and what a person does about it."""

UNKNOWN = ("invalid", "look at the contact in Maileon: its code is none that is documented")


class Fault(Struct, frozen=True, kw_only=True):
    """Why one contact was refused; `field` is Maileon's name of the field, where it told one."""

    code: int | None
    field: str | None = None

    @property
    def reason(self) -> str:
        return REASONS.get(self.code or 0, UNKNOWN)[0]

    @property
    def mend(self) -> str:
        """What a person does about it."""
        return REASONS.get(self.code or 0, UNKNOWN)[1]


class Invalid(Struct, frozen=True, kw_only=True):
    """A contact that was refused."""

    email: str | None
    external_id: str | None
    faults: tuple[Fault, ...]


class BulkReport(Struct, frozen=True, kw_only=True):
    """`marked` counts the contacts skipped for their unsubscription marker; which ones, the report does not say."""

    success: bool
    new: int
    existing: int
    marked: int
    invalid_count: int
    invalid: tuple[Invalid, ...]


def read(body: bytes) -> BulkReport:
    """Raises `WireError` for anything but a report. The nesting of the errors is read leniently: clients differ on it."""
    root = elements.parse(body, "report")
    invalid = tuple(_invalid(contact) for contact in root.iterfind("invalid_contacts/*"))
    return BulkReport(
        success=elements.is_true(elements.token(root, "success") or "true"),
        new=_count(root, "count_new_contacts"),
        existing=_count(root, "count_existing_contacts"),
        marked=_count(root, "count_unsubscribed_contacts"),
        invalid_count=max(_count(root, "count_invalid_contacts"), len(invalid)),
        invalid=invalid,
    )


def _count(root: Element, name: str) -> int:
    text = elements.token(root, name) or "0"
    if not text.isascii() or not text.isdigit():
        raise WireError(f"{name} is no number")
    return int(text)


def _invalid(contact: Element) -> Invalid:
    faults = tuple(_fault(contact, error) for error in contact.iter("error"))
    return Invalid(
        email=elements.token(contact, "email"),
        external_id=elements.token(contact, "external_id"),
        faults=faults or (Fault(code=None),),
    )


def _fault(contact: Element, error: Element) -> Fault:
    code = (error.get("code") or elements.text(error, "code", "error_code") or elements.content(error) or "").strip()
    return Fault(
        code=int(code) if code.isascii() and code.isdigit() else None,
        field=elements.text(error, "error_field") or elements.text(contact, "error_field"),
    )
