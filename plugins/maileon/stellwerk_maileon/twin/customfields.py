"""Custom fields: list, create, rename, delete, empty for every contact (section 5.2)."""

from __future__ import annotations

from . import elements
from .exchange import Answer
from .fields import STANDARD_CODES, TYPES, check_new_name
from .problem import Problem
from .routing import Call, Route


def known(call: Call, name: str) -> str:
    if name not in call.account.custom_fields:
        raise Problem(404, f"no custom field {name}")
    return name


def list_fields(call: Call) -> Answer:
    entries = (
        elements.element("custom_field", elements.text("name", name), elements.text("type", kind))
        for name, kind in call.account.custom_fields.items()
    )
    return elements.answer(elements.element("custom_fields", *entries))


def create(call: Call) -> Answer:
    kind = call.parameters.choice("type", TYPES)
    if kind is None:
        raise Problem(400, "the parameter type is missing")
    check_new_name(call.path["name"], call.account.custom_fields)
    call.account.custom_fields[call.path["name"]] = kind
    return Answer(status=201)


def rename(call: Call) -> Answer:
    old, new = known(call, call.path["name"]), call.path["new"]
    check_new_name(new, call.account.custom_fields)
    call.account.custom_fields[new] = call.account.custom_fields.pop(old)
    for contact in call.account.contacts.values():
        if old in contact.custom:
            contact.custom[new] = contact.custom.pop(old)
    return Answer()


def delete(call: Call) -> Answer:
    name = known(call, call.path["name"])
    del call.account.custom_fields[name]
    for contact in call.account.contacts.values():
        contact.custom.pop(name, None)
    return Answer(status=204)


def empty_custom(call: Call) -> Answer:
    name = known(call, call.path["name"])
    for contact in call.account.contacts.values():
        if contact.custom.pop(name, None) is not None:
            contact.updated = call.now
    return Answer(status=204)


def empty_standard(call: Call) -> Answer:
    name = call.path["name"]
    if name not in STANDARD_CODES:
        raise Problem(404, f"no standard field {name}")
    for contact in call.account.contacts.values():
        if contact.standard.pop(name, None) is not None:
            contact.updated = call.now
    return Answer(status=204)


ROUTES = (
    Route(method="GET", template="/contacts/fields/custom", handle=list_fields),
    Route(method="POST", template="/contacts/fields/custom/{name}", handle=create, parameters=("type",)),
    Route(method="PUT", template="/contacts/fields/custom/{name}/{new}", handle=rename),
    Route(method="DELETE", template="/contacts/fields/custom/{name}", handle=delete),
    Route(method="DELETE", template="/contacts/fields/custom/{name}/values", handle=empty_custom),
    Route(method="DELETE", template="/contacts/fields/standard/{name}/values", handle=empty_standard),
)
