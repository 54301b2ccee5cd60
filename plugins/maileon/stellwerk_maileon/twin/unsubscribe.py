"""Opting out: by the API, by a link, by reply; the anonymisation follows some seconds later (section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .account import Account, Contact, Entry
from .contacts import one_by_id
from .exchange import Answer
from .problem import Problem
from .routing import Call, Route

if TYPE_CHECKING:
    from .maileon import Maileon

REASONS = ("too_many_messages", "no_demand", "change_of_channel", "change_of_interest", "technical_reasons", "other")
METHODS = ("link", "reply", "list-unsubscribe-header", "complaint", "other")
BY_API = "other"  # the values of `method` are an open set (section 9); what the API gives is UNKNOWN
PARAMETERS = ("mailingId", "reason*", "nlaccountid*")


def opt_out(
    maileon: Maileon,
    account: Account,
    contact: Contact,
    method: str,
    *,
    msg_id: str | None = None,
    mailing: int | None = None,
    reasons: tuple[str, ...] = (),
) -> None:
    """Set the marker, write the report entry, call the webhooks, and begin the anonymisation. Once per contact."""
    if contact.unsubscribed is not None or contact.email is None:
        return
    now = maileon.clock.now()
    contact.unsubscribed = now
    account.anonymising.append(contact.id)
    account.markers[contact.email.lower()] = now
    account.unsubscriptions.append(
        Entry(time=now, contact=contact, mailing=mailing, msg_id=msg_id, source=method, reasons=reasons)
    )
    maileon.raise_event(account, "unsubscription", contact, {"msg_id": msg_id, "method": method})
    account.settle(now)


def read_reasons(call: Call) -> tuple[str, ...]:
    reasons = tuple(call.parameters.many("reason"))
    for reason in reasons:
        if reason.partition("|")[0] not in REASONS:
            raise Problem(400, f"unknown reason {reason}")
    return reasons


def unsubscribe(call: Call, contacts: list[Contact]) -> Answer:
    """204; 404 when nobody is there, 400 for a mailing that has not been sent. Foreign accounts are ignored."""
    reasons = read_reasons(call)
    number = call.parameters.whole("mailingId", 1, 2**53)
    mailing = call.account.mailings.get(number) if number is not None else None
    if number is not None and (mailing is None or not mailing.sent):
        raise Problem(400, f"the mailing {number} has not been sent")
    if not contacts:
        raise Problem(404, "no such contact")
    for contact in contacts:
        opt_out(call.maileon, call.account, contact, BY_API, mailing=number, reasons=reasons)
    return Answer(status=204)


def by_email(call: Call) -> Answer:
    return unsubscribe(call, call.account.readable(call.path["email"]))


def by_external_id(call: Call) -> Answer:
    """Every contact with this id, not one of them (section 7.1)."""
    return unsubscribe(call, call.account.holders(call.path["external_id"]))


def by_id(call: Call) -> Answer:
    number = call.parameters.whole("id", 1, 2**53)
    if number is None:
        raise Problem(400, "the parameter id is missing")
    contact = call.account.contacts.get(number)
    return unsubscribe(call, [contact] if contact is not None and not contact.anonymous else [])


def add_reasons(call: Call) -> Answer:
    contact = one_by_id(call)
    reasons = read_reasons(call)
    entry = next((e for e in reversed(call.account.unsubscriptions) if e.contact.id == contact.id), None)
    if entry is None:
        raise Problem(404, "the contact has not unsubscribed")
    if not reasons:
        raise Problem(400, "the parameter reason is missing")
    entry.reasons += reasons
    return Answer()


ROUTES = (
    Route(method="DELETE", template="/contacts/email/{email}/unsubscribe", handle=by_email, parameters=PARAMETERS),
    Route(
        method="DELETE",
        template="/contacts/externalid/{external_id}/unsubscribe",
        handle=by_external_id,
        parameters=PARAMETERS,
    ),
    Route(method="DELETE", template="/contacts/contact/unsubscribe", handle=by_id, parameters=(*PARAMETERS, "id")),
    Route(
        method="PUT",
        template="/contacts/contact/unsubscribe/reasons",
        handle=add_reasons,
        parameters=("id", "checksum", "ignore_checksum", "reason*"),
    ),
)
