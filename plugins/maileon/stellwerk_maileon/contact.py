"""Writes to one contact: by Maileon's id wherever there is one, never by external id (DESIGN, section 8)."""

from __future__ import annotations

from collections.abc import Awaitable

from msgspec.structs import replace

from stellwerk.sdk import (
    AmbiguousError,
    Delivery,
    DeliveryError,
    MoveAddress,
    Outcome,
    Receipt,
    RejectedError,
    SetPeer,
)
from stellwerk_maileon import elements, receipts, wire
from stellwerk_maileon.session import Session

_GONE = ("contact-gone", "there is no such contact any more")


async def set_peer(session: Session, delivery: Delivery, change: SetPeer) -> Receipt:
    """Store the external id, where the contact lives, has none yet or the one to be replaced, and no other holds it."""
    try:
        return await _set_peer(session, delivery, change)
    except DeliveryError as error:
        return receipts.from_error(error)


async def _set_peer(session: Session, delivery: Delivery, change: SetPeer) -> Receipt:
    peer_id = change.peer_id
    if delivery.id is None:
        return receipts.rejected("no-id", "the external id is written by Maileon's id only")
    stored = await session.client.contact_by_id(delivery.id, ())
    if stored is None or stored.anonymous:
        return receipts.not_needed(*_GONE)
    if stored.external_id == peer_id:
        return Receipt(outcome=Outcome.DONE, id=delivery.id)
    if stored.external_id not in (None, change.replaces):
        return receipts.not_needed(
            "external-id-kept", "the contact has an external id of someone else's", contact_id=delivery.id
        )
    if peer_id is None:
        return await _take_away(session, delivery.id)
    holders = await session.client.contacts_by_external_id(peer_id, ())
    if any(holder.id != delivery.id and not holder.anonymous for holder in holders):
        return receipts.rejected("external-id-taken", "another contact holds this external id")
    if not await _write(session, delivery.id, peer_id):
        return receipts.not_needed(*_GONE)
    return Receipt(outcome=Outcome.DONE, id=delivery.id)


async def _take_away(session: Session, contact_id: str) -> Receipt:
    """Empty the external id, and see that it is. How that is written is not documented: XML's null first, then nothing."""
    for empty in (None, ""):
        if not await _write(session, contact_id, empty):
            return receipts.not_needed(*_GONE)
        stored = await session.client.contact_by_id(contact_id, ())
        if stored is None or not stored.external_id:
            return Receipt(outcome=Outcome.DONE, id=contact_id)
    return receipts.rejected("external-id-stays", "Maileon does not empty the external id: take it away there by hand")


async def _write(session: Session, contact_id: str, external_id: str | None) -> bool:
    """Whether the contact is there. No permission and no <id> element, which Maileon answers with an error (section 6.2)."""
    element = wire.contact_element({}, session.services.fields, external_id=external_id, bare=True)
    return await session.client.update_by_id(contact_id, elements.render(element), [external_id] if external_id else [])


async def move_address(session: Session, delivery: Delivery, change: MoveAddress) -> Receipt:
    """Give the contact another address, by its id after a read that found it alive. No permission is written.

    What Maileon does where another contact has the address already is not documented (reference, section 6.2), and its
    marker would be passed over: both are looked up before.
    """
    try:
        return await _move_address(session, delivery, change.email)
    except DeliveryError as error:
        return receipts.from_error(error)


async def _move_address(session: Session, delivery: Delivery, email: str) -> Receipt:
    if delivery.id is None:
        return receipts.rejected("no-id", "an address is changed by Maileon's id only")
    stored = await session.client.contact_by_id(delivery.id, ())
    if stored is None or stored.anonymous or stored.email is None:
        return receipts.not_needed(*_GONE)
    if stored.email.lower() == email.lower():
        return Receipt(outcome=Outcome.DONE, id=delivery.id)
    if await session.client.has_marker(email):
        return Receipt(outcome=Outcome.OPTED_OUT, code="marker", text="the new address is marked as unsubscribed")
    holders = await session.client.contacts_by_email(email, ())
    if any(holder.id != delivery.id and not holder.anonymous for holder in holders):
        return receipts.rejected("address-taken", "another contact has this address")
    # No permission and no <id> element (reference, section 6.2).
    body = elements.render(wire.contact_element({}, session.services.fields, email=email))
    if not await session.client.update_by_id(delivery.id, body, [email, stored.email]):
        return receipts.not_needed(*_GONE)
    return Receipt(outcome=Outcome.DONE, id=delivery.id)


async def unsubscribe(session: Session, delivery: Delivery) -> Receipt:
    """Unsubscribe the contact and every other one that has its address: it may stand there twice, or be back under a new id.

    Each by its id, for whether a call by address reaches all of them is not documented (reference, section 7.1). The id we
    know goes first. No failure keeps a later call from being tried; that of the search and of whom it found is a retry.
    """
    own: list[DeliveryError] = []
    rest: list[DeliveryError] = []
    reached = delivery.id is not None and await _out(session.client.unsubscribe_by_id(delivery.id), own)
    if any(not isinstance(error, RejectedError | AmbiguousError) for error in own):
        return receipts.from_error(own[0])  # the account's trouble: whatever follows would meet it too
    if delivery.email:
        for one in await _doubles(session, delivery.email, delivery.id, rest):
            reached |= await _out(session.client.unsubscribe_by_id(one), rest)
        if not reached:
            reached = await _out(session.client.unsubscribe_by_email(delivery.email), own)
    if rest:
        return replace(receipts.from_error(rest[0]), outcome=Outcome.RETRY)
    if own:
        return receipts.from_error(own[0])
    return Receipt(outcome=Outcome.DONE, id=delivery.id) if reached else _nobody(delivery)


async def _doubles(session: Session, email: str, known: str | None, failed: list[DeliveryError]) -> list[str]:
    """The other ids that have the address; none where the search failed."""
    try:
        same = await session.client.contacts_by_email(email, ())
    except DeliveryError as error:
        failed.append(error)
        return []
    return list(dict.fromkeys(one.id for one in same if one.id is not None and one.id != known and not one.anonymous))


async def _out(call: Awaitable[bool], failed: list[DeliveryError]) -> bool:
    """Whether the call reached a contact; why it failed goes into `failed`."""
    try:
        return await call
    except DeliveryError as error:
        failed.append(error)
        return False


async def delete(session: Session, delivery: Delivery) -> Receipt:
    """Delete by id; by address only where no id is known, since the address may have become somebody's new contact."""
    try:
        if delivery.id is not None:
            gone = await session.client.delete_by_id(delivery.id)
        else:
            gone = bool(delivery.email) and await session.client.delete_by_email(delivery.email or "")
    except DeliveryError as error:
        return receipts.from_error(error)
    return Receipt(outcome=Outcome.DONE, id=delivery.id) if gone else _nobody(delivery)


def _nobody(delivery: Delivery) -> Receipt:
    if delivery.id is None and not delivery.email:
        return receipts.rejected("no-address", "neither id nor address is known")
    return receipts.not_needed(*_GONE)
