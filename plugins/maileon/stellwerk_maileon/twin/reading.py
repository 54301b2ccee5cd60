"""Reads of contacts: one, several, changed since, counted, blocked (section 6.5)."""

from __future__ import annotations

from collections.abc import Sequence

from . import elements, paging
from .account import Account, Contact
from .contacts import first_by_email, one_by_id
from .exchange import Answer
from .fields import READ_ONLY, STANDARD_CODES
from .permission import NONE
from .problem import Problem, Refusal
from .routing import Call, Route

FIELDS = ("standard_field*", "custom_field*", "preference_categories*")


def render(call: Call, contact: Contact, *extra: str) -> str:
    """The contact as a read shows it: no field unless named, empty standard fields nil, empty custom ones left out."""
    clock = call.maileon.clock
    parts = [elements.text("id", contact.id)]
    if contact.email is not None:
        parts.append(elements.text("email", contact.email))
    parts.append(elements.text("permission", contact.permission))
    parts.append(elements.optional("external_id", contact.external_id))
    parts.append(elements.text("created", clock.contact_text(contact.created)))
    parts.append(elements.text("updated", clock.contact_text(contact.updated)))
    parts.append(elements.element("standard_fields", *(standard(call, contact, n) for n in named_standard(call))))
    filled = ((name, contact.custom[name]) for name in named_custom(call) if name in contact.custom)
    parts.append(
        elements.element(
            "custom_fields",
            *(elements.element("field", elements.text("name", n), elements.text("value", v)) for n, v in filled),
        )
    )
    if "preference_categories" in call.parameters:
        parts.append(elements.element("preferences"))
    attributes = {"anonymous": "true"} if contact.anonymous else {}
    return elements.element("contact", *parts, *extra, **attributes)


def standard(call: Call, contact: Contact, name: str) -> str:
    match name:
        case "SENDOUT_STATUS":
            value: str | None = call.account.sendout_status(contact)
        case "PERMISSION_STATUS":
            value = "none" if contact.permission == NONE else "available"
            value = "unsubscribed" if contact.unsubscribed is not None else value
        case "CUSTOM_SOURCE":
            value = contact.source
        case "CHECKSUM":
            value = contact.checksum
        case _:
            value = contact.standard.get(name)
    return elements.element("field", elements.text("name", name), elements.optional("value", value))


def named_standard(call: Call) -> list[str]:
    names = call.parameters.many("standard_field")
    for name in names:
        if name not in STANDARD_CODES and name not in READ_ONLY:
            raise Refusal(400, f"unknown standard field {name}")
    return names


def named_custom(call: Call) -> list[str]:
    names = call.parameters.many("custom_field")
    for name in names:
        if name not in call.account.custom_fields:
            raise Problem(400, f"the custom field {name} is not declared")
    return names


def listed(call: Call, contacts: Sequence[Contact], paged: bool = False) -> Answer:
    named_standard(call)
    named_custom(call)
    headers: list[tuple[str, str]] = []
    if paged:
        contacts, headers = paging.cut(contacts, call.request, call.parameters)
    return elements.answer(elements.element("contacts", *(render(call, c) for c in contacts)), headers=headers)


def by_email(call: Call) -> Answer:
    return elements.answer(render(call, first_by_email(call.account, call.path["email"])))


def by_emails(call: Call) -> Answer:
    return listed(call, call.account.readable(call.path["email"]))


def by_external_id(call: Call) -> Answer:
    """A list, empty when nobody holds the id; an anonymised holder is not found (section 7.1)."""
    return listed(call, call.account.holders(call.path["external_id"]))


def by_id(call: Call) -> Answer:
    return elements.answer(render(call, one_by_id(call)))


def current(call: Call) -> list[Contact]:
    """The contacts that are not anonymous, changed after `updated_after` when that is given, oldest id first."""
    found = [contact for contact in call.account.contacts.values() if not contact.anonymous]
    after = call.parameters.text("updated_after")
    if after is None:
        return found
    since = call.maileon.clock.parse(after)
    return [contact for contact in found if contact.updated > since]


def page(call: Call) -> Answer:
    return listed(call, current(call), paged=True)


def count(call: Call) -> Answer:
    return elements.answer(elements.text("count", len(current(call))))


def blocked_contacts(account: Account) -> list[tuple[Contact, str]]:
    """The contacts with a permission that get no mail, with the reason."""
    pairs = ((contact, account.blocking_reason(contact)) for contact in account.contacts.values())
    return [(c, reason) for c, reason in pairs if reason is not None and c.permission != NONE and not c.anonymous]


def blocked(call: Call) -> Answer:
    found, headers = paging.cut(blocked_contacts(call.account), call.request, call.parameters)
    rendered = (
        render(
            call,
            contact,
            elements.text("blocking_reason", reason),
            elements.text("blocking_timestamp", call.maileon.clock.minute_text(contact.blocked or contact.created)),
        )
        for contact, reason in found
    )
    return elements.answer(elements.element("contacts", *rendered), headers=headers)


ROUTES = (
    Route(method="GET", template="/contacts/email/{email}", handle=by_email, parameters=FIELDS),
    Route(method="GET", template="/contacts/emails/{email}", handle=by_emails, parameters=FIELDS),
    Route(method="GET", template="/contacts/externalid/{external_id}", handle=by_external_id, parameters=FIELDS),
    Route(
        method="GET",
        template="/contacts/contact",
        handle=by_id,
        parameters=(*FIELDS, "id", "checksum", "ignore_checksum"),
    ),
    Route(method="GET", template="/contacts", handle=page, parameters=(*FIELDS, *paging.PARAMETERS, "updated_after")),
    Route(method="GET", template="/contacts/count", handle=count, parameters=("updated_after",)),
    Route(method="GET", template="/contacts/blocked", handle=blocked, parameters=(*FIELDS, *paging.PARAMETERS)),
)
