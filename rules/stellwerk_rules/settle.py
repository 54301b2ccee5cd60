"""What entering comes to for the contact that stands at the mail system: asked, created, linked, or left out."""

from __future__ import annotations

from stellwerk_rules import stands_twice
from stellwerk_rules.fields import blanks, texts
from stellwerk_rules.model import (
    CONFIRMED_BY_CONTACT,
    Ask,
    AskTerms,
    Because,
    Change,
    Contact,
    Create,
    Enter,
    Held,
    Permission,
    Presence,
    SetFields,
    SetPeer,
    Skip,
)
from stellwerk_rules.remember import address_of

_GONE = (Presence.ABSENT, Presence.ANONYMOUS)

SECONDARY_THERE = "secondary-there"
"""Code of a skip where the address turned out to be a secondary one of a contact there."""


def settle_enter(enter: Enter, target: Contact, *, linked: bool) -> tuple[Change, ...] | Skip | Held:
    """The writes that bring `enter` in, given `target` as it reads now; `linked` says that it is known as this contact.

    An existing contact keeps its permission and gets only blanks filled. It is asked like a new one where it has none (or a
    foreign one without a link), and again where the connection wants that; a confirmed or blocked one never. An address that
    stands there twice is linked to none: it waits for a person who makes one of the two.
    """
    if target.presence is Presence.TWICE:
        return stands_twice.held()
    if target.presence is Presence.ARCHIVED:
        return _skip("archived-there", "the contact is archived there")
    if target.opted_out and not enter.way_back and (target.presence in _GONE or not _is_live(target)):
        return _skip("opted-out-there", "the address is marked as unsubscribed there")
    if target.presence in _GONE:
        return _brought_in(enter)
    if enter.ask is not None and _is_asked(enter, target, linked=linked):
        return (_ask(enter, enter.ask, target),)
    if enter.way_back and not _is_live(target):
        return _skip("no-way-to-ask", "only a double opt-in leads back, and this contact cannot be asked")
    return linked_only(enter, target)


def settle_known_there(enter: Enter, target: Contact) -> tuple[Change, ...] | Skip | Held:
    """The writes that bring `enter` in at a system that does not mail: made where nobody has the address, else linked.

    Consent belongs to an address: where it is a secondary one of somebody there, the two are not made one.
    """
    if target.presence is Presence.TWICE:
        return stands_twice.held()
    if target.presence is Presence.ARCHIVED:
        return _skip("archived-there", "the contact is archived there")
    if target.presence in _GONE:
        fields = {name: value for name, value in texts(enter.fields).items() if value is not None}
        return (Create(email=enter.email, peer_id=None, permission=Permission.NONE, fields=fields),)
    if target.email and address_of(target.email) != address_of(enter.email):
        return _skip(SECONDARY_THERE, "the address is a secondary one of a contact there")
    empty = blanks(enter.fields, target)
    return (
        (SetFields(fields=empty),) if empty else _skip("linked", "the contact is there already, and nothing is missing")
    )


def _brought_in(enter: Enter) -> tuple[Change, ...] | Skip:
    if enter.ask is not None:
        return (_ask(enter, enter.ask, None),)
    if enter.way_back:
        return _skip("no-way-to-ask", "only a double opt-in leads back, and there is none to send")
    fields = {name: value for name, value in texts(enter.fields).items() if value is not None}
    return (Create(email=enter.email, peer_id=enter.peer_id or None, permission=enter.grant, fields=fields),)


def _is_live(target: Contact) -> bool:
    return target.permission not in (None, Permission.NONE)


def _is_asked(enter: Enter, target: Contact, *, linked: bool) -> bool:
    if target.blocked or target.permission in CONFIRMED_BY_CONTACT:
        return False
    if not _is_live(target) or (target.permission is Permission.OTHER and not (linked or target.peer_id)):
        return True
    return enter.again or enter.way_back


def _ask(enter: Enter, terms: AskTerms, target: Contact | None) -> Ask:
    given = enter.fields if target is None else blanks(enter.fields, target)
    free = target is None or target.peer_id is None
    return Ask(
        email=enter.email,
        peer_id=enter.peer_id if free and enter.peer_id else None,
        mark=enter.wish,
        terms=terms,
        fields={name: value for name, value in texts(given).items() if value is not None},
        existing=target is not None,
        way_back=enter.way_back,
    )


def linked_only(enter: Enter, target: Contact) -> tuple[Change, ...] | Skip:
    """Linked and filled up, its permission kept."""
    peer = (SetPeer(peer_id=enter.peer_id),) if enter.peer_id and target.peer_id is None else ()
    empty = blanks(enter.fields, target)
    changes: tuple[Change, ...] = (*peer, *((SetFields(fields=empty),) if empty else ()))
    return changes or _skip("linked", "the contact is there already, and nothing is missing")


def _skip(code: str, text: str) -> Skip:
    return Skip(because=Because(code=code, text=text))
