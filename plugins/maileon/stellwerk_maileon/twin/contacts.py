"""Single calls that write one contact: create, update, delete (sections 6.1 to 6.3)."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import UNSET

from . import bodies, doi, elements
from .account import Account, Contact
from .bodies import ContactBody
from .exchange import Answer
from .fields import Fault, is_address
from .permission import DOUBLE, DOUBLE_PLUS, after_create, after_update
from .problem import Problem
from .routing import Call, Route

CREATE = ("permission", "sync_mode", "src", "subscription_page", "doi", "doiplus", "doimailing")
UPDATE_BY_ID = ("id", "checksum", "ignore_checksum", "permission", "triggerdoi", "src", "page_key", "doimailing")


def read_body(call: Call, allowed: Collection[str]) -> ContactBody:
    """The contact of the body with values checked; 400 when a field does not take its value."""
    if call.is_json:
        body = bodies.from_json(call.request.body, allowed)
    else:
        body = bodies.from_xml(elements.parse(call.request.body, "contact"), allowed)
    if body.email is not None and not is_address(body.email):
        raise Problem(400, "the email is not valid")
    try:
        bodies.check_values(call.account, body)
    except Fault as fault:
        raise fault.problem() from None
    return body


def write(account: Account, contact: Contact, body: ContactBody, now: float) -> None:
    """Put the body's fields and external id on the contact; fields that are not in the body stay."""
    for stored, brought in ((contact.standard, body.standard), (contact.custom, body.custom)):
        for name, value in brought.items():
            if value is None:
                stored.pop(name, None)
            else:
                stored[name] = value
    if body.external_id is not UNSET and body.external_id != contact.external_id:
        account.rename(contact, body.external_id)
    contact.updated = now


def create_by_email(call: Call) -> Answer:
    """201 for a new contact, 200 for one that exists. The unsubscription marker is *not* looked at (section 6.1)."""
    email = call.path["email"]
    if not is_address(email):
        raise Problem(400, "the email is not valid")
    body = read_body(call, bodies.CREATE)
    if body.email is not None:
        if body.email.lower() != email.lower():
            raise Problem(400, "the email of the body differs from that of the path")
        if isinstance(body.external_id, str):
            raise Problem(400, "the body must not hold an email together with an external id")
    return create(call, body, email, next(iter(call.account.living(email)), None))


def create_by_external_id(call: Call) -> Answer:
    """As by email, with the email in the body; an address held under another external id exists twice then."""
    external_id = call.path["external_id"]
    body = read_body(call, bodies.CREATE)
    if isinstance(body.external_id, str) and body.external_id != external_id:
        raise Problem(400, "the external id of the body differs from that of the path")
    body.external_id = external_id
    holders = [contact for contact in call.account.holders(external_id) if contact.unsubscribed is None]
    if len(holders) > 1:
        raise Problem(409, f"the external id {external_id} is shared by several contacts")
    if body.email is None and not holders:
        raise Problem(400, "the email is missing")
    return create(call, body, body.email or holders[0].email or "", holders[0] if holders else None)


def create(call: Call, body: ContactBody, email: str, contact: Contact | None) -> Answer:
    parameters = call.parameters
    permission = parameters.permission() or 1
    update = parameters.choice("sync_mode", ("1", "2")) == "1"
    starts = parameters.flag("doi", False)
    plus = parameters.flag("doiplus", False)
    new = contact is None
    if contact is None:
        contact = call.maileon.new_contact(call.account, email, permission, call.now)
        write(call.account, contact, body, call.now)
    else:
        raises = call.account.options.create_raises_permission
        after = after_create(contact.permission, permission, raises)
        if after != contact.permission:
            contact.permission, contact.updated = after, call.now
        if update:
            change_address(call.account, contact, body)
            write(call.account, contact, body, call.now)
    if new or update or starts:
        contact.source = parameters.text("src") or contact.source
        contact.subscription_page = parameters.text("subscription_page") or contact.subscription_page
    if starts:
        doi.start(call.maileon, call.account, contact, parameters.text("doimailing"), plus)
    return elements.answer(elements.text("id", contact.id), status=201 if new else 200)


def change_address(account: Account, contact: Contact, body: ContactBody) -> None:
    """Move the contact to the body's address; one that another contact has is 400 (UNKNOWN in section 6.2)."""
    if body.email is None or body.email == contact.email:
        return
    if any(other.id != contact.id for other in account.living(body.email)):
        raise Problem(400, "the email is already taken")
    account.readdress(contact, body.email)


def one_by_external_id(account: Account, external_id: str) -> Contact:
    """The only holder; 404 without one, 409 with several."""
    holders = account.holders(external_id)
    if not holders:
        raise Problem(404, "no contact with this external id")
    if len(holders) > 1:
        raise Problem(409, f"the external id {external_id} is shared by several contacts")
    return holders[0]


def first_by_email(account: Account, email: str) -> Contact:
    found = account.readable(email)
    if not found:
        raise Problem(404, "no contact with this email")
    return found[0]


def one_by_id(call: Call) -> Contact:
    """The contact of `id`, anonymous or not; `checksum` must fit unless `ignore_checksum=true` (section 6.2)."""
    number = call.parameters.whole("id", 1, 2**53)
    if number is None:
        raise Problem(400, "the parameter id is missing")
    contact = call.account.contacts.get(number)
    if contact is None:
        raise Problem(404, "no contact with this id")
    if not call.parameters.flag("ignore_checksum", False) and call.parameters.text("checksum") != contact.checksum:
        raise Problem(400, "the checksum does not fit")
    return contact


def update(call: Call, contact: Contact, body: ContactBody, wanted: int | None) -> None:
    change_address(call.account, contact, body)
    contact.permission = after_update(contact.permission, wanted)
    write(call.account, contact, body, call.now)


def update_by_email(call: Call) -> Answer:
    """201, as the documentation's example has it (section 6.2); 404 for an unknown contact."""
    wanted = call.parameters.permission()
    body = read_body(call, bodies.UPDATE)
    update(call, first_by_email(call.account, call.path["email"]), body, wanted or body.permission)
    return Answer(status=201)


def update_by_external_id(call: Call) -> Answer:
    wanted = call.parameters.permission()
    body = read_body(call, bodies.UPDATE)
    contact = one_by_external_id(call.account, call.path["external_id"])
    if body.email is not None and body.external_id is not UNSET:
        raise Problem(400, "the body must not hold an email together with an external id")
    update(call, contact, body, wanted or body.permission)
    return Answer()


def update_by_id(call: Call) -> Answer:
    """`triggerdoi` with permission 4 or 5 starts the double opt-in and leaves the permission as it was (section 6.2)."""
    permission = call.parameters.permission()
    triggers = call.parameters.flag("triggerdoi", False)
    body = read_body(call, bodies.UPDATE)
    contact = one_by_id(call)
    if contact.anonymous:
        raise Problem(404, "the contact is anonymous")
    wanted = permission or body.permission
    asks = triggers and wanted in (DOUBLE, DOUBLE_PLUS)
    update(call, contact, body, None if asks else wanted)
    contact.source = call.parameters.text("src") or contact.source
    contact.subscription_page = call.parameters.text("page_key") or contact.subscription_page
    if asks:
        doi.start(call.maileon, call.account, contact, call.parameters.text("doimailing"), wanted == DOUBLE_PLUS)
    return Answer()


def delete_by_email(call: Call) -> Answer:
    first_by_email(call.account, call.path["email"])
    return delete(call.account, call.account.readable(call.path["email"]))


def delete_by_external_id(call: Call) -> Answer:
    return delete(call.account, [one_by_external_id(call.account, call.path["external_id"])])


def delete_by_id(call: Call) -> Answer:
    number = call.parameters.whole("id", 1, 2**53)
    contact = call.account.contacts.get(number or 0)
    if contact is None:
        raise Problem(404, "no contact with this id")
    return delete(call.account, [contact])


def delete_all(call: Call) -> Answer:
    if call.parameters.text("authorized") != "yes":
        raise Problem(400, "authorized=yes is missing")
    return delete(call.account, list(call.account.contacts.values()))


def delete(account: Account, contacts: list[Contact]) -> Answer:
    for contact in contacts:
        account.remove(contact)
    return Answer(status=204)


ROUTES = (
    Route(method="POST", template="/contacts/email/{email}", handle=create_by_email, parameters=CREATE, body="contact"),
    Route(method="POST", template="/contacts/{@email}", handle=create_by_email, parameters=CREATE, body="contact"),
    Route(
        method="POST",
        template="/contacts/externalid/{external_id}",
        handle=create_by_external_id,
        parameters=CREATE,
        body="contact",
    ),
    Route(
        method="PUT",
        template="/contacts/email/{email}",
        handle=update_by_email,
        parameters=("permission",),
        body="contact",
    ),
    Route(
        method="PUT",
        template="/contacts/externalid/{external_id}",
        handle=update_by_external_id,
        parameters=("permission",),
        body="contact",
    ),
    Route(method="PUT", template="/contacts/contact", handle=update_by_id, parameters=UPDATE_BY_ID, body="xml"),
    Route(method="DELETE", template="/contacts/email/{email}", handle=delete_by_email),
    Route(method="DELETE", template="/contacts/externalid/{external_id}", handle=delete_by_external_id),
    Route(method="DELETE", template="/contacts/contact", handle=delete_by_id, parameters=("id",)),
    Route(method="DELETE", template="/contacts", handle=delete_all, parameters=("authorized",)),
)
