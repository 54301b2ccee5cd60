"""The bulk call, with its dangerous defaults and its report (section 6.4). It never starts a double opt-in."""

from __future__ import annotations

from msgspec import UNSET, Struct, field

from . import bodies, elements
from .account import Account, Contact
from .bodies import ContactBody
from .contacts import change_address, write
from .exchange import Answer
from .fields import Fault, is_address
from .problem import Problem
from .routing import Call, Route

PARAMETERS = (
    "permission",
    "sync_mode",
    "use_external_id",
    "prefer_maileon_id",
    "ignore_invalid_contacts",
    "override_permission",
    "reimport_unsubscribed_contacts",
    "update_only",
)


class Rules(Struct, frozen=True, kw_only=True):
    """The parameters. `reimport` true by default is what the PHP client sends; the server's own default is UNKNOWN.

    `sync_mode=2` leaves an existing contact wholly alone, its permission too, whatever `override` says: whether
    "ignore existing" or "set for existing contacts" wins is UNKNOWN.
    """

    permission: int | None
    update: bool
    by_external_id: bool
    by_maileon_id: bool
    ignore_invalid: bool
    override: bool
    reimport: bool
    update_only: bool


class Report(Struct, kw_only=True):
    contacts: int
    new: int = 0
    existing: int = 0
    unsubscribed: int = 0
    invalid: list[tuple[ContactBody, Fault]] = field(default_factory=list)


class Step(Struct, kw_only=True):
    """One valid contact of the list and the contact it is about, None for a new one."""

    body: ContactBody
    contact: Contact | None


def synchronize(call: Call) -> Answer:
    """The report. 413 above the account's limit; 400 with the report when one is invalid and that is not ignored."""
    rules = read_rules(call)
    root = elements.parse(call.request.body, "contacts")
    entries = elements.children(root, ("contact",), repeated=True)
    if len(entries) > call.account.options.bulk_limit:
        raise Problem(413, f"more than {call.account.options.bulk_limit} contacts in one call")
    report = Report(contacts=len(entries))
    steps = plan(call.account, rules, [bodies.from_xml(entry, bodies.BULK) for entry in entries], report)
    if report.invalid and not rules.ignore_invalid:
        refused = Report(contacts=report.contacts, invalid=report.invalid)
        return elements.answer(render(refused, success=False), status=400)
    for step in steps:
        carry_out(call, rules, step, report)
    return elements.answer(render(report, success=True))


def read_rules(call: Call) -> Rules:
    flag = call.parameters.flag
    rules = Rules(
        permission=call.parameters.permission(),
        update=call.parameters.choice("sync_mode", ("1", "2")) == "1",
        by_external_id=flag("use_external_id", False),
        by_maileon_id=flag("prefer_maileon_id", False),
        ignore_invalid=flag("ignore_invalid_contacts", False),
        override=flag("override_permission", True),
        reimport=flag("reimport_unsubscribed_contacts", True),
        update_only=flag("update_only", False),
    )
    if rules.by_external_id and rules.by_maileon_id:
        raise Problem(400, "use_external_id and prefer_maileon_id exclude each other")
    return rules


def plan(account: Account, rules: Rules, listed: list[ContactBody], report: Report) -> list[Step]:
    """The valid ones, each identifier once; the later ones of the same identifier are ignored."""
    steps: list[Step] = []
    seen: set[str] = set()
    addresses: set[str] = set()
    external_ids: set[str] = set()
    for body in listed:
        try:
            contact, identity = identify(account, rules, body)
            if identity in seen:
                continue
            check(account, rules, body, contact, addresses, external_ids)
        except Fault as fault:
            report.invalid.append((body, fault))
            continue
        seen.add(identity)
        if body.email is not None:
            addresses.add(body.email.lower())
        if isinstance(body.external_id, str):
            external_ids.add(body.external_id)
        steps.append(Step(body=body, contact=contact))
    return steps


def identify(account: Account, rules: Rules, body: ContactBody) -> tuple[Contact | None, str]:
    """The contact meant and a name for the identifier; code 1 or 2 when the identifier is missing, 3 when malformed."""
    if body.email is not None and not is_address(body.email):
        raise Fault(3, "email")
    if rules.by_external_id:
        if not isinstance(body.external_id, str):
            raise Fault(1, "external_id")
        holders = [contact for contact in account.holders(body.external_id) if contact.unsubscribed is None]
        if not holders and body.email is None:
            raise Fault(2, "email")
        return (holders[0] if holders else None), f"external {body.external_id}"
    if rules.by_maileon_id and body.id is not None and body.id.isascii() and body.id.isdigit():
        found = account.contacts.get(int(body.id))
        if found is not None and found.unsubscribed is None:
            return found, f"id {body.id}"
    if body.email is None:
        raise Fault(2, "email")
    living = account.living(body.email)
    return (living[0] if living else None), f"email {body.email.lower()}"


def check(
    account: Account,
    rules: Rules,
    body: ContactBody,
    contact: Contact | None,
    addresses: set[str],
    external_ids: set[str],
) -> None:
    """Codes 4 and 5 for what the list or another contact has already, 6 to 27 for values."""
    own = None if contact is None else contact.id
    if isinstance(body.external_id, str):
        holders = [holder for holder in account.holders(body.external_id) if holder.unsubscribed is None]
        if body.external_id in external_ids or any(holder.id != own for holder in holders):
            raise Fault(4, "external_id")
    others = (
        account.living(body.email) if body.email is not None and (rules.by_external_id or rules.by_maileon_id) else []
    )
    if (body.email or "").lower() in addresses or any(other.id != own for other in others):
        raise Fault(5, "email")
    bodies.check_values(account, body)


def carry_out(call: Call, rules: Rules, step: Step, report: Report) -> None:
    account, contact, body = call.account, step.contact, step.body
    email = body.email or (contact.email if contact is not None else None) or ""
    if not rules.reimport and email.lower() in account.markers:
        report.unsubscribed += 1
    elif contact is not None:
        report.existing += 1
        if rules.update:
            change_address(account, contact, body)
            write(account, contact, body, call.now)
            if rules.override and rules.permission is not None:
                contact.permission = rules.permission
    elif not rules.update_only:
        report.new += 1
        contact = call.maileon.new_contact(account, email, rules.permission or 1, call.now)
        write(account, contact, body, call.now)


def render(report: Report, *, success: bool) -> str:
    invalid = (
        elements.element(
            "contact",
            elements.text("email", body.email or ""),
            elements.text("external_id", "" if body.external_id is UNSET else body.external_id or ""),
            elements.element("error", elements.text("error_field", fault.name), code=str(fault.code)),
        )
        for body, fault in report.invalid
    )
    return elements.element(
        "report",
        elements.text("success", "true" if success else "false"),
        elements.text("count_contacts", report.contacts),
        elements.text("count_new_contacts", report.new),
        elements.text("count_existing_contacts", report.existing),
        elements.text("count_unsubscribed_contacts", report.unsubscribed),
        elements.text("count_invalid_contacts", len(report.invalid)),
        elements.element("invalid_contacts", *invalid),
    )


ROUTES = (Route(method="POST", template="/contacts", handle=synchronize, parameters=PARAMETERS, body="xml"),)
