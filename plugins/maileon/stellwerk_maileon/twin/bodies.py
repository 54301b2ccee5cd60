"""The contact a call brings, from XML or JSON, every unknown name refused (section 5.5)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from . import elements
from .account import Account
from .fields import READ_ONLY, STANDARD_CODES, Fault, custom_value, standard_value
from .problem import Problem, Refusal

CREATE = frozenset({"email", "external_id", "standard_fields", "custom_fields", "preferences"})
UPDATE = CREATE | {"permission"}
BULK = CREATE | {"id"}
SCALARS = (str, int, float, bool)


class ContactBody(Struct, kw_only=True):
    """What stands in the body; a field whose value is None is to be emptied."""

    id: str | None = None
    email: str | None = None
    external_id: str | UnsetType | None = UNSET
    permission: int | None = None
    standard: dict[str, str | None] = msgspec.field(default_factory=dict)
    custom: dict[str, str | None] = msgspec.field(default_factory=dict)


def from_xml(contact: elements.Element, allowed: Collection[str]) -> ContactBody:
    """The contact in an element `contact`; `allowed` are the elements this call knows."""
    body = ContactBody()
    if contact.attrib:
        raise Refusal(400, "unknown attribute at element contact")
    for child in elements.children(contact, allowed):
        match child.tag:
            case "standard_fields":
                body.standard = field_list(child)
            case "custom_fields":
                body.custom = field_list(child)
            case "preferences":
                if elements.children(child, ("preference",), repeated=True):
                    raise Problem(400, "the preference category does not exist")
            case "external_id":
                body.external_id = elements.value_of(child)
            case "permission":
                body.permission = permission_code(elements.value_of(child))
            case "email":
                body.email = elements.value_of(child)
            case _:
                body.id = elements.value_of(child)
    return checked_names(body)


def field_list(parent: elements.Element) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for entry in elements.children(parent, ("field",), repeated=True):
        parts = {part.tag: part for part in elements.children(entry, ("name", "value"))}
        name = elements.value_of(parts["name"]) if "name" in parts else None
        if name is None or "value" not in parts:
            raise Problem(400, f"a field in {parent.tag} needs a name and a value")
        if name in found:
            raise Problem(400, f"field {name} stands twice")
        found[name] = elements.value_of(parts["value"])
    return found


def from_json(data: bytes, allowed: Collection[str]) -> ContactBody:
    """The contact in a JSON object; a custom field value must not be null (section 5.5)."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(400, "the body is not well-formed JSON") from None
    if not isinstance(document, dict):
        raise Problem(400, "the body must be a JSON object")
    body = ContactBody()
    for key, value in document.items():
        if key not in allowed or key == "id":
            raise Refusal(400, f"unknown key {key}")
        match key:
            case "standard_fields":
                body.standard = values(value, key, nullable=True)
            case "custom_fields":
                body.custom = values(value, key, nullable=False)
            case "preferences":
                if value:
                    raise Problem(400, "the preference category does not exist")
            case "permission":
                body.permission = permission_code(str(value))
            case "external_id":
                body.external_id = string_or_null(value, key)
            case _:
                body.email = string_or_null(value, key)
    return checked_names(body)


def string_or_null(value: Any, key: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Problem(400, f"{key} must be a string")
    return value or None


def values(document: Any, key: str, *, nullable: bool) -> dict[str, str | None]:
    if not isinstance(document, dict):
        raise Problem(400, f"{key} must be a JSON object")
    found: dict[str, str | None] = {}
    for name, value in document.items():
        if value is None and nullable:
            found[name] = None
        elif isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, SCALARS):
            found[name] = str(value) or None
        else:
            raise Problem(400, f"the value of {name} must not be null, a list or an object")
    return found


def permission_code(value: str | None) -> int:
    if value not in ("1", "2", "3", "4", "5", "6"):
        raise Problem(400, f"permission must be 1 to 6 but was {value}")
    return int(value)


def checked_names(body: ContactBody) -> ContactBody:
    for name in body.standard:
        if name in READ_ONLY:
            raise Problem(400, f"the standard field {name} is read only")
        if name not in STANDARD_CODES:
            raise Refusal(400, f"unknown standard field {name}")
    if isinstance(body.external_id, str) and len(body.external_id) > 255:
        raise Problem(400, "external_id must not exceed 255 characters")
    return body


def check_values(account: Account, body: ContactBody) -> None:
    """Replace every value by its stored form; the first that its field does not take raises `Fault`."""
    for name, value in body.standard.items():
        if value is not None:
            body.standard[name] = standard_value(name, value)
    for name, value in body.custom.items():
        if name not in account.custom_fields:
            raise Fault(21, name)
        if value is not None:
            body.custom[name] = custom_value(name, account.custom_fields[name], value)
