"""Blacklists: read, and add entries to those that are not global (section 8)."""

from __future__ import annotations

from . import elements
from .account import Account, Blacklist, Contact, Entry
from .exchange import Answer
from .problem import Problem
from .routing import Call, Route

GLOBAL = (1, 2)


def one(call: Call) -> Blacklist:
    identity = call.path["id"]
    found = call.account.blacklists.get(int(identity)) if identity.isascii() and identity.isdigit() else None
    if found is None:
        raise Problem(404, "no such blacklist")
    return found


def list_all(call: Call) -> Answer:
    entries = (
        elements.element("blacklist", elements.text("id", b.id), elements.text("name", b.name))
        for b in call.account.blacklists.values()
    )
    return elements.answer(elements.element("blacklists", *entries))


def get(call: Call) -> Answer:
    found = one(call)
    return elements.answer(
        elements.element(
            "blacklist",
            elements.text("id", found.id),
            elements.text("name", found.name),
            elements.element("entries", *(elements.text("entry", entry) for entry in found.entries)),
        )
    )


def act(call: Call) -> Answer:
    """Add entries, `*@domain` and `name@*` among them; 403 for the two global lists."""
    found = one(call)
    if found.id in GLOBAL:
        raise Problem(403, "the global blacklists cannot be changed")
    root = elements.parse(call.request.body, "add_entries_action")
    parts = {part.tag: part for part in elements.children(root, ("import_name", "entries"))}
    if "import_name" not in parts or "entries" not in parts:
        raise Problem(400, "import_name and entries are needed")
    for leaf in elements.children(parts["entries"], ("entry",), repeated=True):
        pattern = elements.value_of(leaf)
        if pattern is None or "@" not in pattern:
            raise Problem(400, "an entry is an address, *@domain or name@*")
        add(call.account, found, pattern, call.now)
    return Answer(status=201)


def matches(account: Account, pattern: str) -> list[Contact]:
    if "*" not in pattern:
        return account.readable(pattern)
    start, _, end = pattern.lower().partition("*")
    found = (contact for contact in account.contacts.values() if contact.email is not None)
    return [c for c in found if (c.email or "").lower().startswith(start) and (c.email or "").lower().endswith(end)]


def add(account: Account, blacklist: Blacklist, pattern: str, now: float) -> None:
    """Contacts that match exist on and are blocked from now on (section 8)."""
    touched = [contact for contact in matches(account, pattern) if account.blocking_reason(contact) is None]
    blacklist.entries.append(pattern)
    account.blacklisted[pattern.lower()] = blacklist.id
    for contact in touched:
        contact.blocked = now
        account.blocks.append(
            Entry(time=now, contact=contact, old_status="allowed", new_status="blocked", reason="blacklist")
        )


ROUTES = (
    Route(method="GET", template="/blacklists", handle=list_all),
    Route(method="GET", template="/blacklists/{id}", handle=get),
    Route(method="POST", template="/blacklists/{id}/actions", handle=act, body="xml"),
)
