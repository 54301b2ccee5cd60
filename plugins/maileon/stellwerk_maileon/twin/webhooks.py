"""Webhooks an account has registered, and what a call to one carries (sections 10.1, 10.2)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from . import elements
from .account import Contact
from .exchange import Answer
from .fields import STANDARD_CODES
from .problem import Problem, Refusal
from .routing import Call, Route

EVENTS = ("doi", "unsubscription", "bounce", "filtered", "contact_field_change")
EVENT_FIELDS = ("msg_id", "method", "timestamp", "transaction_id", "property", "old_value", "new_value")
HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][\x21-\x7e]*)?")
OWN_FIELDS = ("email", "external_id", "id")
STANDARD_FIELDS = frozenset((*OWN_FIELDS, *(name.lower() for name in STANDARD_CODES)))


class UrlParameter(Struct, forbid_unknown_fields=True):
    name: str
    standard_contact_field: str | None = None
    custom_contact_field: str | None = None
    custom_value: str | None = None


class WebhookBody(Struct, forbid_unknown_fields=True, rename="camel"):
    """What POST and PUT bring; `id` and `newsletterAccountId` may stand in a PUT of what was read."""

    url: str
    event: str
    url_params: list[UrlParameter] = []
    standard_fields: list[str] = []
    custom_fields: list[str] = []
    event_fields: list[str] = []
    id: int | None = None
    newsletter_account_id: int | None = None


def read_body(call: Call, number: int | None) -> dict[str, Any]:
    """The webhook as it is kept; 400 for an unknown key, event or field, and for a URL that is not https."""
    try:
        body = msgspec.json.decode(call.request.body, type=WebhookBody)
    except msgspec.ValidationError as failure:
        if "unknown field" in str(failure):
            raise Refusal(400, str(failure)) from None
        raise Problem(400, str(failure)) from None
    except msgspec.DecodeError:
        raise Problem(400, "the body is not well-formed JSON") from None
    if number is None and (body.id is not None or body.newsletter_account_id is not None):
        raise Refusal(400, "a new webhook has no id")
    if body.id not in (None, number) or body.newsletter_account_id not in (None, call.account.id):
        raise Problem(400, "id or newsletterAccountId differ")
    if HTTPS.fullmatch(body.url) is None:
        raise Problem(400, "the url must be https")
    if body.event not in EVENTS:
        raise Problem(400, f"unknown event {body.event}")
    fields = [p.standard_contact_field for p in body.url_params if p.standard_contact_field is not None]
    for name in (*fields, *body.standard_fields):
        if name not in STANDARD_FIELDS:
            raise Problem(400, f"unknown standard field {name}")
    for name in body.event_fields:
        if name not in EVENT_FIELDS:
            raise Problem(400, f"unknown event field {name}")
    kept: dict[str, Any] = msgspec.to_builtins(body)
    kept["newsletterAccountId"] = call.account.id
    return kept


def compose(webhook: dict[str, Any], contact: Contact, facts: dict[str, Any]) -> tuple[str, bytes]:
    """URL and body of one call: JSON with the configured fields, empty when none is configured.

    A `+` of an address stays as it is in the URL, so a receiver reads a blank there (section 10.2). Custom contact
    fields are not properly supported (section 10.1): they come empty.
    """
    url: str = webhook["url"]
    pairs = []
    for parameter in webhook["urlParams"]:
        value = parameter["custom_value"]
        if parameter["standard_contact_field"] is not None:
            value = field_value(contact, parameter["standard_contact_field"])
        pairs.append(f"{quote(parameter['name'], safe='')}={quote(str(value or ''), safe='+@')}")
    if pairs:
        url += ("&" if urlsplit(url).query else "?") + "&".join(pairs)
    body: dict[str, Any] = {name: field_value(contact, name) for name in webhook["standardFields"]}
    body.update(dict.fromkeys(webhook["customFields"]))
    body.update({name: facts.get(name) for name in webhook["eventFields"]})
    return url, msgspec.json.encode(body) if body else b""


def field_value(contact: Contact, name: str) -> str | int | None:
    match name:
        case "email":
            return contact.email
        case "external_id":
            return contact.external_id
        case "id":
            return contact.id
        case _:
            return contact.standard.get(name.upper())


def one(call: Call) -> int:
    identity = call.path["id"]
    if not identity.isascii() or not identity.isdigit() or int(identity) not in call.account.webhooks:
        raise Problem(404, "no such webhook")
    return int(identity)


def as_json(value: Any) -> Answer:
    return Answer(body=msgspec.json.encode(value), content_type="application/json")


def list_all(call: Call) -> Answer:
    return as_json(list(call.account.webhooks.values()))


def create(call: Call) -> Answer:
    """201 with an XML id, though the request is JSON (section 10.1). Several for one event are allowed."""
    kept = read_body(call, None)
    number = next(call.maileon.webhook_numbers)
    kept["id"] = number
    call.account.webhooks[number] = kept
    return elements.answer(elements.text("id", number), status=201)


def get(call: Call) -> Answer:
    return as_json(call.account.webhooks[one(call)])


def update(call: Call) -> Answer:
    number = one(call)
    call.account.webhooks[number] = {**read_body(call, number), "id": number}
    return Answer()


def delete(call: Call) -> Answer:
    del call.account.webhooks[one(call)]
    return Answer(status=204)


ROUTES = (
    *(Route(method="GET", template=path, handle=list_all) for path in ("/webhooks", "/webhooks/")),
    *(Route(method="POST", template=path, handle=create, body="json") for path in ("/webhooks", "/webhooks/")),
    Route(method="GET", template="/webhooks/{id}", handle=get),
    Route(method="PUT", template="/webhooks/{id}", handle=update, body="json"),
    Route(method="DELETE", template="/webhooks/{id}", handle=delete),
)
