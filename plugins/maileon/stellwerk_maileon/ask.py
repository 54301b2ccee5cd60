"""Starting one double opt-in: the only use of the single create (DESIGN, section 8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from stellwerk.sdk import (
    Ask,
    Delivery,
    DeliveryError,
    LeftOut,
    MarkState,
    Outcome,
    Permission,
    Receipt,
    RejectedError,
)
from stellwerk_maileon import clock, elements, receipts, wire
from stellwerk_maileon.client import Params, word
from stellwerk_maileon.read import field_params
from stellwerk_maileon.session import Session
from stellwerk_maileon.wire import MARK_FIELD

SOURCE = "Stellwerk"
BAD, SHARED = "bad-request", "external-id-shared"
_MARK_ONLY: Params = (("custom_field", MARK_FIELD),)


async def ask(session: Session, change: Ask) -> Receipt:
    """Look for the marker, start the process, read back what the contact now is.

    Single creates are not documented to honour the marker, so we look ourselves, immediately before. Data, mark and
    process go in one request: the mark is there exactly when the process was started.
    """
    unknown = {name: "field-unknown" for name in change.fields if not wire.is_writable(name)}
    change = _without(change, unknown)
    try:
        marked = await session.client.has_marker(change.email)
    except DeliveryError as error:
        return receipts.from_error(error)
    if marked and not change.way_back:
        return Receipt(outcome=Outcome.OPTED_OUT, code="marker", text="the address carries an unsubscription marker")
    try:
        contact_id, refused = await _started(session, change)
    except DeliveryError as error:
        return receipts.from_error(error, marked=True)
    receipt = await (_by_mark(session, change) if contact_id is None else _read_back(session, contact_id))
    missing = tuple(LeftOut(field=name, code=code) for name, code in (unknown | refused).items())
    return replace(receipt, left_out=missing) if missing else receipt


async def _started(session: Session, change: Ask) -> tuple[str | None, dict[str, str]]:
    """The contact's id, and the fields that had to be left out.

    A refusal names no field and starts nothing. A value that Maileon does not take must not keep anybody from being asked:
    once more with the mark alone. The fields follow by the next update, whose report tells which of them it was. Nor must the
    external id, which somebody who is anonymous by now may still hold.
    """
    hidden = _hidden(change)
    refused: dict[str, str] = {}
    while True:
        try:
            return await _start(session, change, hidden), refused
        except RejectedError as error:
            if error.code == BAD and change.fields:
                refused |= dict.fromkeys(change.fields, BAD)
                change = _without(change, change.fields)
            elif error.code in (BAD, SHARED) and change.peer_id:
                change = replace(change, peer_id=None)
            else:
                raise


async def _start(session: Session, change: Ask, hidden: Sequence[str]) -> str | None:
    return await session.client.start_doi(change.email, start_params(change), _body(session, change), hidden)


def _without(change: Ask, names: Collection[str]) -> Ask:
    return replace(change, fields={name: one for name, one in change.fields.items() if name not in names})


def start_params(change: Ask) -> Params:
    """The query of a DOI start. `permission` is none always: more is what the contact's click gives.

    `doiplus` stands only where the contact or the connection said so (law 4); without a mailing key Maileon sends the
    account's default DOI mailing.
    """
    mailing = change.terms.options.get("mailing", "")
    return (
        ("permission", wire.permission_number(Permission.NONE)),
        ("doi", word(True)),
        *((("doiplus", word(True)),) if change.terms.plus else ()),
        *((("doimailing", mailing),) if mailing else ()),
        ("sync_mode", "1"),
        ("src", SOURCE),
    )


def _body(session: Session, change: Ask) -> bytes:
    # The address stands in the path; together with an external id it must not stand in the body (reference, section 6.1).
    return elements.render(
        wire.contact_element(
            change.fields, session.services.fields, external_id=change.peer_id or None, mark=change.mark
        )
    )


def _hidden(change: Ask) -> list[str]:
    return [*(value for value in change.fields.values() if value), change.peer_id or ""]


async def _read_back(session: Session, contact_id: str) -> Receipt:
    """Whether `permission=1` lowered or raised an existing permission is not documented: the receipt says what stands."""
    try:
        stored = await session.client.contact_by_id(contact_id, ())
    except DeliveryError:
        stored = None
    if stored is None:
        return Receipt(outcome=Outcome.DONE, id=contact_id, text="started; the permission could not be read afterwards")
    session.just_written(stored.updated)  # the mark was new, so the contact has changed
    return Receipt(
        outcome=Outcome.DONE,
        id=contact_id,
        at=clock.read_time(stored.updated, session.zone),
        permission=stored.permission,
    )


async def find_mark(session: Session, delivery: Delivery) -> tuple[MarkState, Receipt | None]:
    """Whether the contact carries the ask's mark. Raises `RetryableError` and `ReauthorizeError`."""
    change = delivery.change
    if not isinstance(change, Ask):
        return MarkState.UNREADABLE, None
    try:
        receipt = await _marked(session, change)
    except RejectedError:
        # Refused for good, for instance because somebody deleted the custom field: the mark may have been there.
        return MarkState.UNREADABLE, None
    return (MarkState.ABSENT if receipt is None else MarkState.FOUND), receipt


async def _by_mark(session: Session, change: Ask) -> Receipt:
    """Accepted without a word: done where the mark is there already, else to be settled by it later."""
    try:
        receipt = await _marked(session, change)
    except DeliveryError:
        receipt = None
    return receipt or Receipt(outcome=Outcome.AMBIGUOUS, code="no-id", text="accepted, but the answer names no contact")


async def _marked(session: Session, change: Ask) -> Receipt | None:
    """The receipt of an ask whose mark stands at a contact of its address."""
    for stored in await session.client.contacts_by_email(change.email, _MARK_ONLY):
        if stored.mark == change.mark:
            return Receipt(
                outcome=Outcome.DONE,
                id=stored.id,
                at=clock.read_time(stored.updated, session.zone),
                permission=stored.permission,
                left_out=await _not_stored(session, change),
            )
    return None


async def _not_stored(session: Session, change: Ask) -> tuple[LeftOut, ...]:
    """Fields of an ask that do not read there: nobody heard whether it went out with them.

    Called carried they would read as emptied. Where they cannot be read, all count as left out: they are only sent again.
    """
    wanted = {name for name, value in change.fields.items() if value}
    if wanted:
        try:
            found = await session.client.contacts_by_email(change.email, field_params(sorted(wanted)))
        except DeliveryError:
            found = ()
        wanted -= {name for stored in found if stored.mark == change.mark for name in wanted if stored.value(name)}
    return tuple(LeftOut(field=name, code="not-stored") for name in sorted(wanted))
