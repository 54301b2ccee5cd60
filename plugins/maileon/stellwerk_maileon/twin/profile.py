"""A change of a contact's field through a profile-change link: the only change that calls webhooks (section 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .account import Account, Contact
from .fields import STANDARD_CODES, Fault, custom_value, standard_value
from .problem import Problem

if TYPE_CHECKING:
    from .maileon import Maileon


def set_field(account: Account, contact: Contact, name: str, value: str | None, now: float) -> str | None:
    """Set one field, no webhook; the value before. 400 for an unknown field or a value it does not take."""
    standard = name in STANDARD_CODES
    if not standard and name not in account.custom_fields:
        raise Problem(400, f"no field {name}")
    try:
        if value is not None:
            value = standard_value(name, value) if standard else custom_value(name, account.custom_fields[name], value)
    except Fault as fault:
        raise fault.problem() from None
    stored = contact.standard if standard else contact.custom
    before = stored.get(name)
    if value == before:
        return before
    if value is None:
        stored.pop(name)
    else:
        stored[name] = value
    contact.updated = now
    return before


def change_by_link(maileon: Maileon, account: Account, contact: Contact, name: str, value: str | None) -> None:
    before = set_field(account, contact, name, value, maileon.clock.now())
    stored = contact.standard if name in STANDARD_CODES else contact.custom
    after = stored.get(name)
    if after != before:
        facts = {"property": name, "old_value": before, "new_value": after}
        maileon.raise_event(account, "contact_field_change", contact, facts)
