"""Mailings as far as a hub needs them: DOI mailings with key, state and name (sections 9, 11.1)."""

from __future__ import annotations

from . import elements, paging
from .account import Mailing
from .exchange import Answer
from .problem import Problem, Refusal
from .routing import Call, Route

TYPES = ("doi", "regular")
STATES = {True: "released", False: "draft"}
FIELDS = ("name", "type", "state")


def one(call: Call) -> Mailing:
    identity = call.path["id"]
    found = call.account.mailings.get(int(identity)) if identity.isascii() and identity.isdigit() else None
    if found is None:
        raise Problem(404, "no such mailing")
    return found


def value(mailing: Mailing, field: str) -> str:
    return {"name": mailing.name, "type": mailing.type, "state": STATES[mailing.active]}[field]


def by_types(call: Call) -> Answer:
    """Newest first, as `order=DESC` of the official client asks (section 11.1)."""
    types = call.parameters.many("types")
    if not types or any(kind not in TYPES for kind in types):
        raise Problem(400, "types is missing or unknown")
    fields = call.parameters.many("fields")
    for field in fields:
        if field not in FIELDS:
            raise Refusal(400, f"unknown field {field}")
    found = [mailing for mailing in call.account.mailings.values() if mailing.type in types]
    if call.parameters.choice("order", ("ASC", "DESC")) == "DESC":
        found.reverse()
    page, headers = paging.cut(found, call.request, call.parameters)
    rendered = (
        elements.element(
            "mailing",
            elements.text("id", mailing.id),
            elements.element(
                "fields",
                *(
                    elements.element("field", elements.text("name", f), elements.text("value", value(mailing, f)))
                    for f in fields
                ),
            ),
        )
        for mailing in page
    )
    return elements.answer(elements.element("mailings", *rendered), headers=headers)


def doi_key(call: Call) -> Answer:
    mailing = one(call)
    if mailing.key is None:
        raise Problem(400, "the mailing is not a DOI mailing")
    return elements.answer(elements.text("doi_key", mailing.key))


def state(call: Call) -> Answer:
    return elements.answer(elements.text("state", STATES[one(call).active]))


def name(call: Call) -> Answer:
    return elements.answer(elements.text("name", one(call).name))


ROUTES = (
    Route(
        method="GET",
        template="/mailings/filter/types",
        handle=by_types,
        parameters=(*paging.PARAMETERS, "types*", "fields*", "order"),
    ),
    Route(method="GET", template="/mailings/{id}/settings/doi_key", handle=doi_key),
    Route(method="GET", template="/mailings/{id}/state", handle=state),
    Route(method="GET", template="/mailings/{id}/name", handle=name),
)
