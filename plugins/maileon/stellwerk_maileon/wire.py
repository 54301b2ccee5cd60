"""Contacts as Maileon writes them and as the hub means them (reference, sections 5 and 6.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from xml.etree import ElementTree

from msgspec import Struct, field

from stellwerk.sdk import Contact, FieldSpec, Permission, Presence, Value
from stellwerk_maileon import clock, elements
from stellwerk_maileon.elements import Element
from stellwerk_maileon.problem import WireError

CUSTOM = "custom:"

MARK_FIELD = "Stellwerk Ask"
"""The custom field that carries the id of the wish behind the last double opt-in we started."""

# Reference, section 5.1; the others of that table are read only.
STANDARD_FIELDS: Mapping[str, str] = {
    "SALUTATION": "text", "TITLE": "text", "FIRSTNAME": "text", "LASTNAME": "text", "FULLNAME": "text",
    "ORGANIZATION": "text", "ADDRESS": "text", "HNR": "text", "ZIP": "text", "CITY": "text", "STATE": "text",
    "REGION": "text", "COUNTRY": "text", "GENDER": "text", "LOCALE": "text", "BIRTHDAY": "date", "NAMEDAY": "date",
}  # fmt: skip
SENDOUT_STATUS = "SENDOUT_STATUS"
READABLE = frozenset({*STANDARD_FIELDS, SENDOUT_STATUS, "PERMISSION_STATUS", "CUSTOM_SOURCE", "CHECKSUM"})
"""Standard fields that a read may name (reference, section 5.1); any other may fail it."""

# Reference, section 5.4: a number in contact bodies, a name in filters and reports.
PERMISSIONS = {
    Permission.NONE: ("1", "none"),
    Permission.SINGLE: ("2", "soi"),
    Permission.CONFIRMED: ("3", "coi"),
    Permission.DOUBLE: ("4", "doi"),
    Permission.DOUBLE_PLUS: ("5", "doi+"),
    Permission.OTHER: ("6", "other"),
}
_SPELLINGS = {spelling: permission for permission, spellings in PERMISSIONS.items() for spelling in spellings}

_DATE = re.compile(r"^\d{4}-\d\d-\d\d(?=$|[T ])")
_DECIMAL = re.compile(r"^-?\d+\.\d+$")


class Stored(Struct, frozen=True, kw_only=True):
    """A contact as one answer showed it. Values are as Maileon wrote them, `updated` is its own text."""

    id: str | None = None
    email: str | None = None
    external_id: str | None = None
    anonymous: bool = False
    permission: Permission | None = None
    created: str | None = None
    updated: str | None = None
    standard: Mapping[str, str | None] = field(default_factory=dict)
    custom: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def mark(self) -> str | None:
        return self.custom.get(MARK_FIELD)

    def value(self, name: str) -> str | None:
        """What a field reads, by the name that it has in the file."""
        custom = name.startswith(CUSTOM)
        return self.custom.get(name.removeprefix(CUSTOM)) if custom else self.standard.get(name)


def permission_number(permission: Permission) -> str:
    """The number that contact calls take."""
    return PERMISSIONS[permission][0]


def read_permission(text: str | None) -> Permission | None:
    """A permission from its number or its name; an unknown one is `OTHER` (reference, section 5.4)."""
    return None if text is None else _SPELLINGS.get(text.strip().lower(), Permission.OTHER)


# --- values ------------------------------------------------------------------------------------------------------------


def kind_of(name: str, specs: Mapping[str, FieldSpec]) -> str:
    """The kind of a field's value: the file's for custom fields, Maileon's own for standard ones."""
    if name in STANDARD_FIELDS:
        return STANDARD_FIELDS[name]
    return specs[name].kind if name in specs else "text"


def write_value(value: Value, kind: str) -> str | None:
    """A canonical value in Maileon's spelling; empty text empties the field as None does."""
    if value is None or value == "":
        return None
    if kind == "yes_no":
        return {"yes": "true", "no": "false"}.get(value, value)
    return value


def read_value(text: str | None, kind: str) -> Value:
    """Maileon's spelling as a canonical value."""
    if text is None or text == "":
        return None
    if kind == "yes_no":
        return {"true": "yes", "1": "yes", "false": "no", "0": "no"}.get(text.strip().lower(), text)
    if kind == "date":
        found = _DATE.match(text.strip())
        return found[0] if found else text
    if kind in ("number", "integer") and _DECIMAL.match(text):
        return text.rstrip("0").removesuffix(".")
    return text


def is_writable(name: str) -> bool:
    """Whether a field's value may be written: a standard field that is not read only, or a custom field."""
    return name in STANDARD_FIELDS or (name.startswith(CUSTOM) and len(name) > len(CUSTOM))


# --- out ---------------------------------------------------------------------------------------------------------------


def contact_element(
    fields: Mapping[str, Value],
    specs: Mapping[str, FieldSpec],
    *,
    email: str | None = None,
    external_id: str | None = None,
    mark: str | None = None,
    bare: bool = False,
) -> Element:
    """A `<contact>` with what is given; the caller has checked the names with `is_writable`.

    With `bare` the external id stands in it even without a value, which is to take away the one at Maileon.
    """
    root = ElementTree.Element("contact")
    if email is not None:
        elements.add(root, "email", email)
    if external_id is not None or bare:
        elements.add(root, "external_id", external_id)
    values = {name: write_value(value, kind_of(name, specs)) for name, value in fields.items()}
    standard = {name: value for name, value in values.items() if not name.startswith(CUSTOM)}
    custom = {name.removeprefix(CUSTOM): value for name, value in values.items() if name.startswith(CUSTOM)}
    if mark is not None:
        custom[MARK_FIELD] = mark
    for group, entries in (("standard_fields", standard), ("custom_fields", custom)):
        if entries:
            parent = ElementTree.SubElement(root, group)
            for name, text in entries.items():
                entry = ElementTree.SubElement(parent, "field")
                elements.add(entry, "name", name)
                elements.add(entry, "value", text)
    return root


def contacts_document(contacts: Sequence[Element]) -> bytes:
    """The body of a bulk call."""
    root = ElementTree.Element("contacts")
    root.extend(contacts)
    return elements.render(root)


# --- in ----------------------------------------------------------------------------------------------------------------


def read_contact(element: Element) -> Stored:
    """A `<contact>` of any answer."""
    return Stored(
        id=elements.token(element, "id"),
        email=elements.token(element, "email"),
        external_id=elements.text(element, "external_id"),
        anonymous=elements.is_true(element.get("anonymous")),
        permission=read_permission(elements.token(element, "permission", "permissionType")),
        created=elements.text(element, "created"),
        updated=elements.text(element, "updated"),
        standard={name.upper(): value for name, value in _values(element.find("standard_fields")).items()},
        custom=_values(element.find("custom_fields")),
    )


def read_contacts(body: bytes) -> tuple[Stored, ...]:
    """The contacts of a list, or the one contact that stands alone. Raises `WireError` for anything else."""
    root = elements.parse(body, "contacts", "contact")
    found = tuple(read_contact(element) for element in ([root] if root.tag == "contact" else root.findall("contact")))
    if any(contact.id is None and contact.email is None for contact in found):
        raise WireError("a contact without id and address")
    return found


def _values(group: Element | None) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for entry in group if group is not None else ():
        name = elements.text(entry, "name")
        if name is not None:
            found[name] = elements.text(entry, "value")
    return found


def to_contact(
    stored: Stored,
    fields: Sequence[str],
    specs: Mapping[str, FieldSpec],
    *,
    zone: tzinfo,
    read_at: datetime,
    opted_out: bool,
) -> Contact:
    """The contact as the rules see it, with every field of `fields`."""
    values: dict[str, Value] = {}
    for name in fields:
        values[name] = read_value(stored.value(name), kind_of(name, specs))
    return Contact(
        id=stored.id,
        email=stored.email,
        presence=Presence.ANONYMOUS if stored.anonymous else Presence.PRESENT,
        fields=values,
        permission=stored.permission,
        opted_out=opted_out,
        blocked=(stored.standard.get(SENDOUT_STATUS) or "").lower() == "blocked",
        peer_id=stored.external_id,
        mark=stored.mark,
        created_at=clock.read_time(stored.created, zone),
        updated_at=clock.read_time(stored.updated, zone),
        read_at=read_at,
    )
