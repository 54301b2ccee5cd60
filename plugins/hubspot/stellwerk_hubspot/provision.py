"""Properties and their group, created where they are missing and compared where they stand (reference page, section 6)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from stellwerk.sdk import Difference, FieldSpec, RejectedError, Wanted
from stellwerk_hubspot.answer import Option, Property
from stellwerk_hubspot.client import Client
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.refusal import NotFound

__all__ = ["Providing"]

GOOD_NAME = re.compile(r"[a-z][a-z0-9_]{0,98}")
OUR_GROUP = "contactinformation"
"""HubSpot's own group, where `Wanted` names none."""

STATES = ("pending", "subscribed", "not_subscribed", "unsubscribed", "blocked", "held", "error")
PERMISSIONS = ("none", "single", "confirmed", "double", "double_plus", "other")
SHOWN_ONLY = frozenset({"status", "time"})
"""Kinds that nobody fills in by a form, unless the field says otherwise."""


class Shape(Struct, frozen=True):
    """How a kind of field is made: HubSpot's type, field type and option values."""

    type: str
    field_type: str
    options: tuple[str, ...] = ()


SHAPES: Mapping[str, Shape] = {
    "text": Shape("string", "text"),
    "yes_no": Shape("bool", "booleancheckbox", ("true", "false")),
    "permission": Shape("enumeration", "select", PERMISSIONS),
    "status": Shape("enumeration", "select", STATES),
    "time": Shape("datetime", "date"),
    "date": Shape("date", "date"),
    "number": Shape("number", "number"),
    "integer": Shape("number", "number"),
}
LABELS = {"true": "Yes", "false": "No"}


class Providing:
    """The `Provisioner` ability."""

    async def provide(self: Opened, wanted: Wanted) -> Sequence[Difference]:
        """Create the group and what is missing, add missing options, and tell what is otherwise than wanted.

        Never changes a type and never removes anything. Raises `DeliveryError`.
        """
        client = self.client
        differences: list[Difference] = []
        if wanted.group is not None and wanted.created:
            differences += await _group(client, *wanted.group)
        there = {found.name: found for found in await client.properties()}
        group = wanted.group[0] if wanted.group is not None else OUR_GROUP
        for spec in wanted.created:
            found = there.get(spec.name)
            differences += await (_create(client, spec, group) if found is None else _compare(client, spec, found))
        known = there.keys() | {spec.name for spec in wanted.created}
        for spec in wanted.used:
            if spec.name not in known:
                differences.append(
                    Difference(code="field-missing", subject=spec.name, text="the portal has no such property")
                )
        self.unknown.difference_update(spec.name for spec in wanted.created)
        return differences


async def _group(client: Client, name: str, label: str) -> list[Difference]:
    try:
        found = await client.property_group(name)
    except NotFound:
        try:
            await client.create_property_group(name, label)
        except RejectedError as refused:
            # Perhaps made between our look and our write.
            try:
                found = await client.property_group(name)
            except RejectedError:
                raise refused from None
        else:
            return []
    if found.label in (label, None):
        return []
    return [
        Difference(code="group-label-differs", subject=name, text=f"the portal calls it {found.label!r}, not {label!r}")
    ]


async def _create(client: Client, spec: FieldSpec, group: str) -> list[Difference]:
    if not GOOD_NAME.fullmatch(spec.name):
        text = "a name is lower case, starts with a letter and has fewer than 100 characters"
        return [Difference(code="field-name", subject=spec.name, text=text)]
    try:
        found = await client.create_property(_definition(spec, group))
    except RejectedError as refused:
        # Perhaps made between our look and our write.
        try:
            found = await client.property_named(spec.name)
        except RejectedError:
            return [Difference(code="field-refused", subject=spec.name, text=f"HubSpot refuses it: {refused.text}")]
    return await _compare(client, spec, found)


def _definition(spec: FieldSpec, group: str) -> dict[str, Any]:
    shape = SHAPES[spec.kind]
    definition: dict[str, Any] = {
        "name": spec.name,
        "label": spec.label or spec.name,
        "type": shape.type,
        "fieldType": shape.field_type,
        "groupName": group,
        "formField": _on_forms(spec),
    }
    if shape.options:
        definition["options"] = _options(shape.options)
    return definition


def _on_forms(spec: FieldSpec) -> bool:
    return spec.kind not in SHOWN_ONLY if spec.on_forms is None else spec.on_forms


def _options(values: Sequence[str], first: int = 0) -> list[dict[str, Any]]:
    return [
        _option(value, LABELS.get(value) or value.replace("_", " ").capitalize(), first + place)
        for place, value in enumerate(values)
    ]


def _option(value: str, label: str, place: int, *, hidden: bool = False) -> dict[str, Any]:
    """An option as it is written: all of these four are asked for."""
    return {"label": label, "value": value, "displayOrder": place, "hidden": hidden}


def _as_it_is(option: Option) -> dict[str, Any]:
    written = _option(option.value, option.label or option.value, option.place, hidden=bool(option.hidden))
    return written if option.description is None else {**written, "description": option.description}


async def _compare(client: Client, spec: FieldSpec, found: Property) -> list[Difference]:
    """What differs; options and the use in forms are mended on the way."""
    shape = SHAPES[spec.kind]
    if found.type != shape.type:
        text = f"it is {found.type}, and {shape.type} is needed for {spec.kind}"
        return [Difference(code="field-type-differs", subject=spec.name, text=text)]
    if not found.writable:
        return [Difference(code="field-read-only", subject=spec.name, text="its value cannot be written")]
    changes: dict[str, Any] = {}
    there = {option.value for option in found.choices}
    missing = [value for value in shape.options if value not in there]
    if missing:
        # A change of options replaces the whole list, so the portal's own go along.
        last = max((option.place for option in found.choices), default=-1)
        changes["options"] = [*(_as_it_is(one) for one in found.choices), *_options(missing, last + 1)]
    if _on_forms(spec) and found.form_field is False:
        changes["formField"] = True
    if not changes:
        return []
    try:
        await client.change_property(spec.name, changes)
    except RejectedError as refused:
        text = f"HubSpot refuses to change {', '.join(sorted(changes))}: {refused.text}"
        return [Difference(code="field-not-mended", subject=spec.name, text=text)]
    return []
