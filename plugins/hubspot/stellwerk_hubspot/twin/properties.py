"""Property definitions (section 6)."""

from __future__ import annotations

import re
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from .batch import completed
from .call import Answer, Call, answer, no_content
from .catalogue import Option, Property
from .clock import iso
from .errors import Refusal, conflict, invalid, not_found
from .portal import Portal

__all__ = [
    "as_definition",
    "batch_archive_properties",
    "batch_create_properties",
    "batch_read_properties",
    "create_property",
    "delete_property",
    "list_properties",
    "read_property",
    "update_property",
]

NAME = re.compile(r"[a-z][a-z0-9_]{0,98}")
MAX_CUSTOM = 1_000
MAX_UNIQUE = 10
FIELD_TYPES = {
    "bool": {"booleancheckbox", "calculation_equation"},
    "enumeration": {"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "number": {"number", "calculation_equation"},
    "string": {"text", "textarea", "html", "phonenumber", "file", "calculation_equation"},
}


class Creation(Struct, rename="camel", forbid_unknown_fields=True):
    name: str
    label: str
    type: str
    field_type: str
    group_name: str
    description: str = ""
    options: list[Option] = []
    display_order: int = -1
    hidden: bool = False
    form_field: bool = False
    has_unique_value: bool = False
    external_options: bool = False
    data_sensitivity: str = "non_sensitive"
    number_display_hint: str | None = None
    text_display_hint: str | None = None


class Change(Struct, rename="camel", forbid_unknown_fields=True):
    label: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    field_type: str | UnsetType = UNSET
    group_name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    options: list[Option] | UnsetType = UNSET
    display_order: int | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    form_field: bool | UnsetType = UNSET


class Named(Struct, forbid_unknown_fields=True):
    name: str


class BatchRead(Struct, rename="camel", forbid_unknown_fields=True):
    inputs: list[Named]
    archived: bool = False
    data_sensitivity: str = "non_sensitive"


class BatchCreate(Struct, forbid_unknown_fields=True):
    inputs: list[Creation]


class BatchArchive(Struct, forbid_unknown_fields=True):
    inputs: list[Named]


def as_definition(one: Property) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": one.name,
        "label": one.label,
        "type": one.type,
        "fieldType": one.field_type,
        "description": one.description,
        "groupName": one.group,
        "options": one.options,
        "displayOrder": one.display_order,
        "calculated": one.calculated,
        "externalOptions": one.external_options,
        "hasUniqueValue": one.unique,
        "hidden": one.hidden,
        "hubspotDefined": one.built_in,
        "formField": one.form_field,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": not one.built_in,
            "readOnlyDefinition": one.built_in,
            "readOnlyOptions": one.fixed or one.fixed_options,
            "readOnlyValue": one.read_only,
        },
        "createdAt": iso(one.created_ms),
        "updatedAt": iso(one.updated_ms),
        "archived": one.archived_ms is not None,
    }
    if one.archived_ms is not None:
        found["archivedAt"] = iso(one.archived_ms)
    return found


def _definition(portal: Portal, name: str, *, archived: bool = False) -> Property:
    one = portal.properties.get(name)
    if one is None or (one.archived_ms is not None) != archived:
        raise not_found(f"Property {name} does not exist")
    return one


def list_properties(call: Call) -> Answer:
    archived = call.flag("archived")
    found = [one for one in call.portal.properties.values() if (one.archived_ms is not None) == archived]
    return answer({"results": [as_definition(one) for one in found]})


def read_property(call: Call) -> Answer:
    return answer(as_definition(_definition(call.portal, call.params["name"], archived=call.flag("archived"))))


def create_property(call: Call) -> Answer:
    """201, also when the name is that of an archived one, which is restored; 409 for a name that is taken."""
    return answer(as_definition(_create(call.portal, call.json(Creation))), 201)


def _create(portal: Portal, wanted: Creation) -> Property:
    _check_creation(portal, wanted)
    now = portal.clock.ms()
    old = portal.properties.get(wanted.name)
    if old is not None:
        if old.archived_ms is None:
            raise conflict(
                f'A property named "{wanted.name}" already exists.',
                category="OBJECT_ALREADY_EXISTS",
                sub_category="Properties.PROPERTY_WITH_NAME_EXISTS",
            )
        old.archived_ms, old.updated_ms = None, now
        return old
    custom = [one for one in portal.properties.values() if not one.built_in and one.archived_ms is None]
    if len(custom) >= MAX_CUSTOM:
        raise invalid(f"At most {MAX_CUSTOM} custom properties per object")
    if wanted.has_unique_value:
        if len(portal.by_unique) >= MAX_UNIQUE:
            raise invalid(f"At most {MAX_UNIQUE} unique properties per object")
        portal.by_unique[wanted.name] = {}
    options = wanted.options
    if wanted.type == "bool" and not options:
        options = [
            Option(label="Yes", value="true", display_order=0),
            Option(label="No", value="false", display_order=1),
        ]
    one = Property(
        wanted.name, wanted.label, wanted.type, wanted.field_type, wanted.group_name, wanted.description, options,
        wanted.display_order, wanted.hidden, wanted.form_field, wanted.has_unique_value, wanted.external_options,
        created_ms=now, updated_ms=now,
    )  # fmt: skip
    portal.properties[one.name] = one
    return one


def _check_creation(portal: Portal, wanted: Creation) -> None:
    if not NAME.fullmatch(wanted.name):
        raise invalid(
            "Names for properties should be lowercase, start with a letter, hold letters, digits and underscores "
            "only, and stay under 100 characters"
        )
    if wanted.field_type not in FIELD_TYPES.get(wanted.type, set()):
        raise invalid(f"The type {wanted.type} does not go with the field type {wanted.field_type}")
    if wanted.group_name not in portal.groups:
        raise invalid(f"Property group {wanted.group_name} does not exist")
    if wanted.type == "bool" and wanted.options and {o.value for o in wanted.options} != {"true", "false"}:
        raise invalid("A bool property has exactly the options true and false")
    _check_options(wanted.options)


def _check_options(options: list[Option]) -> None:
    values, labels = [one.value for one in options], [one.label for one in options]
    if len(set(values)) != len(values) or len(set(labels)) != len(labels):
        raise invalid("Option labels and values are unique")


def update_property(call: Call) -> Answer:
    """200. `options` replaces the whole list; a definition of HubSpot's own cannot be changed, nor its options."""
    portal, wanted = call.portal, call.json(Change)
    one = _definition(portal, call.params["name"])
    if wanted.options is not UNSET:
        if one.fixed or one.fixed_options:
            raise invalid(f"The options of {one.name} are read only")
        _check_options(wanted.options)
    changes = {name: getattr(wanted, name) for name in wanted.__struct_fields__ if getattr(wanted, name) is not UNSET}
    if one.built_in and changes.keys() - {"options"}:
        raise invalid(f"The definition of {one.name} is read only")
    if (group := changes.pop("group_name", None)) is not None:
        if group not in portal.groups:
            raise invalid(f"Property group {group} does not exist")
        one.group = group
    kind, field_type = changes.get("type", one.type), changes.get("field_type", one.field_type)
    if field_type not in FIELD_TYPES.get(kind, set()):
        raise invalid(f"The type {kind} does not go with the field type {field_type}")
    for name, value in changes.items():
        setattr(one, name, value)
    one.updated_ms = portal.clock.ms()
    return answer(as_definition(one))


def _archive(portal: Portal, name: str) -> None:
    one = _definition(portal, name)
    if one.built_in:
        raise invalid(f"{name} cannot be archived")
    if name in portal.in_use:
        refusal = invalid(f"Property {name} is in use and cannot be deleted")
        refusal.body["subCategory"] = "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE"
        raise refusal
    one.archived_ms = portal.clock.ms()


def delete_property(call: Call) -> Answer:
    """204; 400 for HubSpot's own ones and those in use."""
    _archive(call.portal, call.params["name"])
    return no_content()


def batch_read_properties(call: Call) -> Answer:
    """200, or 207 with the missing ones."""
    wanted = call.json(BatchRead)
    results, errors = [], []
    for row in wanted.inputs:
        try:
            results.append(as_definition(_definition(call.portal, row.name, archived=wanted.archived)))
        except Refusal as refusal:
            errors.append(refusal.as_row_error({"name": [row.name]}))
    return completed(call, results, errors)


def batch_create_properties(call: Call) -> Answer:
    """201, or 207 with those refused."""
    results, errors = [], []
    for row in call.json(BatchCreate).inputs:
        try:
            results.append(as_definition(_create(call.portal, row)))
        except Refusal as refusal:
            errors.append(refusal.as_row_error({"name": [row.name]}))
    return completed(call, results, errors, 201)


def batch_archive_properties(call: Call) -> Answer:
    """204; names that are not there are passed over."""
    for row in call.json(BatchArchive).inputs:
        if row.name in call.portal.properties and call.portal.properties[row.name].archived_ms is None:
            _archive(call.portal, row.name)
    return no_content()
