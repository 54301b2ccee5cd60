"""Bulk calls: field updates, and every creation that starts no double opt-in (reference, section 6.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stellwerk.sdk import (
    Create,
    Delivery,
    DeliveryError,
    FieldValue,
    LeftOut,
    Outcome,
    Permission,
    Receipt,
    SetFields,
    Value,
)
from stellwerk_maileon import clock, receipts, wire
from stellwerk_maileon.bulkreport import BulkReport, Invalid
from stellwerk_maileon.client import Params, word
from stellwerk_maileon.elements import Element
from stellwerk_maileon.left_out import meant
from stellwerk_maileon.session import Session

READ_BACK = 8
"""Up to so many creations are read singly, for their ids and for what became of those that were not made; of more, none."""

EXTERNAL_ID_TAKEN = 4

SOME_NOT_MADE = Receipt(
    outcome=Outcome.RETRY,
    code="some-not-created",
    text="the report does not say who of them was left alone",
    seconds=1.0,
)
# No permission: it would count for new contacts only, and `update_only` makes none. People who came back may still
# carry a marker, and with `update_only` nobody else is reached: hence `reimport_unsubscribed_contacts=true`.
UPDATE: Params = (
    ("sync_mode", "1"),
    ("update_only", word(True)),
    ("override_permission", word(False)),
    ("ignore_invalid_contacts", word(True)),
    ("reimport_unsubscribed_contacts", word(True)),
)


def create_params(permission: Permission) -> Params:
    """The only call that honours marker and existing permission atomically."""
    return (
        ("permission", wire.permission_number(permission)),
        ("sync_mode", "2"),
        ("update_only", word(False)),
        ("override_permission", word(False)),
        ("ignore_invalid_contacts", word(True)),
        ("reimport_unsubscribed_contacts", word(False)),
    )


class Row:
    """One contact of a bulk call; `receipt` is there once something is known of it.

    `left_out` are fields that it goes on without, and why; `doubtful` those of which one is refused, to be tried singly;
    `taken` says that it goes on without its external id, which another contact has.
    """

    def __init__(self, delivery: Delivery) -> None:
        change = delivery.change
        self.delivery = delivery
        self.left_out: dict[str, LeftOut] = {}
        self.doubtful: dict[str, Value] = {}
        self.permission: Permission | None = None
        self.external_id: str | None = None
        self.taken = False
        self.email = delivery.email or ""
        self.fields: dict[str, Value] = {}
        self.receipt: Receipt | None = None
        if isinstance(change, Create):
            self.email, self.permission, self.external_id = change.email, change.permission, change.peer_id or None
            self.fields = dict(change.fields)
        elif isinstance(change, SetFields):
            self.fields = {name: value.value for name, value in change.fields.items()}
        unknown = [name for name in self.fields if not wire.is_writable(name)]
        self.leave_out(unknown, "field-unknown", "Maileon has no field of this name")
        if not self.email:
            self.receipt = receipts.rejected("no-address", "Maileon's bulk call knows contacts by their address")

    def leave_out(self, names: Iterable[str], code: str, text: str) -> None:
        """Go on without these fields; an update that has none left is not needed."""
        for name in names:
            self.left_out[name] = LeftOut(field=name, code=code, text=text)
            self.fields.pop(name, None)
        if self.permission is None and self.left_out and not self.fields:
            self.receipt = receipts.not_needed("fields-left-out", _told(self.left_out), contact_id=self.delivery.id)

    def answer(self) -> Receipt:
        receipt = self.receipt or receipts.rejected("not-sent", "")
        if self.taken and receipt.outcome is Outcome.DONE:
            receipt = replace(receipt, text="made without its external id, which another contact at Maileon has")
        if not self.left_out or receipt.outcome not in (Outcome.DONE, Outcome.NOT_NEEDED):
            return receipt
        missing = tuple(self.left_out.values())
        return replace(receipt, code="fields-left-out", text=_told(self.left_out), left_out=missing)

    @property
    def address(self) -> str:
        return self.email.strip().casefold()

    @property
    def hidden(self) -> list[str]:
        return [self.email, self.external_id or "", *(value for value in self.fields.values() if value)]

    def element(self, session: Session) -> Element:
        return wire.contact_element(
            self.fields, session.services.fields, email=self.email, external_id=self.external_id
        )


async def synchronize(session: Session, deliveries: Sequence[Delivery]) -> list[Receipt]:
    """Write changes of one tag, `set_fields` or `create`. One receipt each, same order.

    An address may stand in a call only once, and `permission` counts for a whole call: hence rounds.
    """
    rows = [Row(delivery) for delivery in deliveries]
    waiting = [row for row in rows if row.receipt is None]
    while waiting:
        chosen: dict[str, Row] = {}
        for row in waiting:
            if row.permission == waiting[0].permission:
                chosen.setdefault(row.address, row)
        await _round(session, list(chosen.values()))
        waiting = [row for row in waiting if row.receipt is None]
    for row in rows:
        await _try_singly(session, row)
    return [row.answer() for row in rows]


async def _try_singly(session: Session, row: Row) -> None:
    """Which of several fields a refusal was about: each by itself, once the rest is written."""
    for name, value in row.doubtful.items():
        one = SetFields(fields={name: FieldValue(value=value)})
        (receipt,) = await synchronize(session, [replace(row.delivery, change=one)])
        if receipt.outcome is Outcome.DONE:
            row.receipt = replace(receipt, left_out=())
        elif receipt.outcome in (Outcome.REJECTED, Outcome.NOT_NEEDED):
            refused = LeftOut(field=name, code=receipt.code, text=receipt.text)
            row.left_out[name] = receipt.left_out[0] if receipt.left_out else refused
        else:
            row.receipt = receipt
            return


def _told(left_out: Iterable[str]) -> str:
    return f"left out: {', '.join(left_out)}"


async def _round(session: Session, rows: Sequence[Row]) -> None:
    permission = rows[0].permission
    try:
        report = await session.client.synchronize(
            UPDATE if permission is None else create_params(permission),
            wire.contacts_document([row.element(session) for row in rows]),
            [text for row in rows for text in row.hidden],
        )
    except DeliveryError as error:
        for row in rows:
            row.receipt = receipts.from_error(error, batch=len(rows) > 1)
        return
    again, unplaced = _settle_invalid(session, rows, report)
    open_rows = [row for row in rows if row.receipt is None and row not in again]
    if not report.success or unplaced:
        code = "row-not-named" if unplaced else "not-successful"
        for row in open_rows:
            row.receipt = Receipt(
                outcome=Outcome.REJECTED, code=code, text="the report does not say which", whole=len(rows) > 1
            )
    elif permission is None:
        for row in open_rows:
            row.receipt = Receipt(outcome=Outcome.DONE)
    else:
        await _settle_created(session, open_rows, report)


def _settle_invalid(session: Session, rows: Sequence[Row], report: BulkReport) -> tuple[list[Row], int]:
    """Give refused rows their receipts. Those that go on without a field, and how many refused contacts belong to no row."""
    again: list[Row] = []
    by_address = {row.address: row for row in rows}
    by_external_id = {row.external_id: row for row in rows if row.external_id}
    unplaced = report.invalid_count - len(report.invalid)
    for invalid in report.invalid:
        row = by_address.get((invalid.email or "").strip().casefold()) or by_external_id.get(invalid.external_id or "")
        if row is None and len(rows) == 1:
            row = rows[0]
        if row is None:
            unplaced += 1
        elif _goes_on(session, row, invalid):
            again.append(row)
        else:
            row.receipt = _refused(invalid)
    return again, unplaced


def _goes_on(session: Session, row: Row, invalid: Invalid) -> bool:
    """Leave out what the faults are about. False where one of them is not about a field: the contact itself is refused.

    Somebody who is anonymous by now may still hold the external id of whoever is to be created: that keeps nobody out.
    """
    faults = [fault for fault in invalid.faults if row.external_id is None or fault.code != EXTERNAL_ID_TAKEN]
    found = [(fault, meant(fault, tuple(row.fields), session.services.fields)) for fault in faults]
    if not all(names for _, names in found):
        return False
    if len(faults) < len(invalid.faults):
        row.external_id, row.taken = None, True
    for fault, names in found:
        if len(names) > 1 and row.permission is None:
            row.doubtful |= {name: row.fields.pop(name) for name in names if name in row.fields}
        else:
            row.leave_out(names, fault.reason, fault.mend)
    if row.permission is None and not row.fields and row.receipt is None:
        row.receipt = receipts.not_needed("fields-left-out", "each is tried by itself", contact_id=row.delivery.id)
    return True


def _refused(invalid: Invalid) -> Receipt:
    fault = invalid.faults[0]
    listed = ", ".join(f"{f.code or '?'} ({f.field})" if f.field else str(f.code or "?") for f in invalid.faults)
    return Receipt(outcome=Outcome.REJECTED, code=fault.reason, text=f"Maileon's error {listed}: {fault.mend}")


async def _settle_created(session: Session, rows: Sequence[Row], report: BulkReport) -> None:
    """Which contacts are there now: the call returns no ids and does not say whom it left alone, or a marker kept out.

    `plain` says that the report leaves no doubt: all were created.
    """
    plain = report.new >= len(rows) and not report.marked
    if len(rows) > READ_BACK:
        for row in rows:
            row.receipt = Receipt(outcome=Outcome.DONE) if plain else SOME_NOT_MADE
        return
    seen: list[tuple[Row, Seen]] = []
    for row in rows:
        try:
            seen.append((row, await _look(session, row, report, plain=plain)))
        except DeliveryError:
            # What was written stands; only where the report leaves a doubt must it be asked again, harmlessly.
            doubt = Receipt(
                outcome=Outcome.RETRY, code="not-read-back", text="written, but what became of it is not known"
            )
            row.receipt = Receipt(outcome=Outcome.DONE, text="the id could not be read") if plain else doubt
    # Where those that surely were there before are all that the call left alone, the others are its own.
    sure = report.existing <= sum(found.was_there for _, found in seen)
    for row, found in seen:
        row.receipt = _created(session, row, found, plain=plain, sure=sure)


class Seen(Struct, frozen=True, kw_only=True):
    """What stands at a row's address after the call; `mine` is the contact that the call may have made.

    `was_there`: it surely did not, since the contact has another id or permission than it was to get.
    """

    marked: bool = False
    stored: tuple[wire.Stored, ...] = ()
    mine: wire.Stored | None = None
    was_there: bool = False


async def _look(session: Session, row: Row, report: BulkReport, *, plain: bool) -> Seen:
    # First the marker: a contact that has just opted out can still be read for some seconds.
    if report.marked and await session.client.has_marker(row.email):
        return Seen(marked=True)
    found = tuple(one for one in await session.client.contacts_by_email(row.email, ()) if not one.anonymous)
    if not found:
        # The report need not count what a marker kept out.
        return Seen(marked=not plain and not report.marked and await session.client.has_marker(row.email))
    mine = next((one for one in found if row.external_id in (None, one.external_id)), None)
    other = mine is None or mine.permission not in (None, row.permission)
    return Seen(stored=found, mine=mine, was_there=not plain and other)


def _created(session: Session, row: Row, found: Seen, *, plain: bool, sure: bool) -> Receipt:
    """A grant is told of nobody who may have been there before: what it says is evidence."""
    if found.marked:
        return _kept_out()
    if found.mine is not None and not found.was_there:
        if not plain and not sure and row.permission is not Permission.NONE:
            text = "it stands there, and whether this call made it is seen when it is read again"
            return Receipt(outcome=Outcome.RETRY, code="not-sure-created", text=text)
        if plain and found.mine.updated == found.mine.created:
            session.just_written(found.mine.updated)
        return Receipt(
            outcome=Outcome.DONE,
            id=found.mine.id,
            at=clock.read_time(found.mine.updated, session.zone),
            permission=found.mine.permission,
        )
    if found.stored:
        only = found.stored[0].id if len(found.stored) == 1 else None
        return receipts.not_needed("exists", "the address was there already and was left alone", contact_id=only)
    if plain:
        return Receipt(outcome=Outcome.DONE, text="not readable yet")
    return Receipt(outcome=Outcome.RETRY, code="not-created", text="neither created nor refused")


def _kept_out() -> Receipt:
    return Receipt(outcome=Outcome.OPTED_OUT, code="marker", text="the address carries an unsubscription marker")
