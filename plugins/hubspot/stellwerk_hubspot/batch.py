"""Contacts by the hundred: reading them, and writing their fields (reference page, sections 5, 13 and 16).

Batches are in no fixed order, return what they like and do not follow merged ids. So rows are paired by trace id, id or
address, and what a batch does not return is asked for singly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from stellwerk.sdk import (
    Contact,
    Delivery,
    DeliveryError,
    LeftOut,
    Outcome,
    Presence,
    Receipt,
    Ref,
    RejectedError,
    SetFields,
)
from stellwerk_hubspot.client import RowUpdate
from stellwerk_hubspot.opened import Opened, report_unknown
from stellwerk_hubspot.receipt import answered, from_error, rejected
from stellwerk_hubspot.refusal import ErrorBody, NotFound, PropertyProblem, Refused, code_of, property_problems
from stellwerk_hubspot.wire import NEEDED, ContactObject, clock, contact_from, is_record_id, own_name, to_wire

__all__ = ["BATCH", "BATCH_WITH_HISTORY", "Reading", "Writing"]

BATCH = 100
BATCH_WITH_HISTORY = 50
FINAL = frozenset({"VALIDATION_ERROR", "CONFLICT"})
"""Categories of a row's error that another try does not mend."""
FIELDS_LEFT_OUT = "fields-left-out"
UNKNOWN_FIELD = "unknown-field"
DROPPABLE = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})


class Row(Struct):
    """One delivery of a batch update on its way: what is still to be written, what had to be left out and why."""

    delivery: Delivery
    properties: dict[str, str]
    left_out: dict[str, str]

    @property
    def missing(self) -> tuple[LeftOut, ...]:
        return tuple(LeftOut(field=name, code=code) for name, code in self.left_out.items())


def _chunks(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


class Reading:
    """The `Reader` ability."""

    async def read(
        self: Opened, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = ()
    ) -> Sequence[Contact]:
        """One contact for each ref, same order; fields that the portal does not know are left out of `fields`.

        A contact found by an id that a merge ended comes with its present id.
        """
        look = _Look(self, fields, history)
        found: dict[Ref, Contact] = {}
        for by in ("id", "email"):
            names = list(dict.fromkeys(ref.value for ref in refs if ref.by == by))
            found |= {Ref(by=by, value=name): contact for name, contact in (await look.all_of(by, names)).items()}
        if strange := {ref.by for ref in refs} - {"id", "email"}:
            raise RejectedError("unknown-reference", f"HubSpot keeps no {', '.join(sorted(strange))}")
        return [found[ref] for ref in refs]


class _Look:
    """One `read`: what is asked for, less what the portal turned out not to know."""

    def __init__(self, opened: Opened, fields: Sequence[str], history: Sequence[str]) -> None:
        self._opened = opened
        self._client = opened.client
        self._fields = [name for name in dict.fromkeys(fields) if name not in opened.unknown]
        self._history = [name for name in dict.fromkeys(history) if name not in opened.unknown]

    @property
    def _properties(self) -> list[str]:
        return list(dict.fromkeys((*NEEDED, *self._fields)))

    @property
    def _histories(self) -> list[str]:
        return [own_name(name) for name in self._history]

    async def all_of(self, by: str, names: Sequence[str]) -> dict[str, Contact]:
        """By name, a contact each."""
        found: dict[str, Contact] = {}
        asked = [name for name in names if (is_record_id(name) if by == "id" else name.strip())]
        for chunk in _chunks(asked, BATCH_WITH_HISTORY if self._history else BATCH):
            batch = await self._batch(by, chunk)
            for name in chunk:
                hit = batch.get(name) if by == "id" else batch.get(name.strip().lower())
                found[name] = self._contact(hit) if hit else await self._single(by, name)
        return {name: found.get(name) or self._absent() for name in names}

    async def _batch(self, by: str, names: Sequence[str]) -> dict[str, ContactObject]:
        """What a batch returns; nothing where it is refused for one of its names, which is then asked for singly."""
        while True:
            try:
                answer = await self._client.read_contacts(
                    names,
                    by=None if by == "id" else by,
                    properties=self._properties,
                    history=self._histories,
                )
            except NotFound:
                return {}
            except Refused as refused:
                if self._dropped(refused):
                    continue
                if refused.problems:
                    raise
                if len(names) == 1:
                    return {}
                middle = len(names) // 2
                return await self._batch(by, names[:middle]) | await self._batch(by, names[middle:])
            await self._known(answer.results)
            if by == "id":
                return {found.id: found for found in answer.results}
            return {address: found for found in answer.results for address in found.addresses()}

    async def _single(self, by: str, name: str) -> Contact:
        for archived in (False, True) if by == "id" else (False,):
            try:
                found = await self._one(by, name, archived)
                await self._known([found])
                return self._contact(found)
            except NotFound:
                continue
        return self._absent()

    async def _one(self, by: str, name: str, archived: bool) -> ContactObject:
        while True:
            try:
                return await self._client.contact(
                    name,
                    by=None if by == "id" else by,
                    properties=self._properties,
                    history=self._histories,
                    archived=archived,
                )
            except Refused as refused:
                if not self._dropped(refused):
                    raise

    def _dropped(self, refused: Refused) -> bool:
        """Whether it names fields of ours that the portal does not know; they are left out from here on."""
        names = {problem.name for problem in refused.problems if problem.code == "PROPERTY_DOESNT_EXIST"}
        gone = names & {*self._fields, *self._history}
        if not gone:
            return False
        self._leave_out(gone)
        return True

    async def _known(self, found: Sequence[ContactObject]) -> None:
        """Leave out from here on what an answer does not show and the portal does not have any more.

        Whether HubSpot shows an archived property as blank, not at all, or refuses to read it is not documented; a blank that
        is none would empty the other side's field.
        """
        absent = {name for one in found for name in self._fields if name not in one.properties} - self._opened.sure
        if not absent:
            return
        there = {one.name for one in await self._client.properties()}
        self._opened.sure |= absent & there
        self._leave_out(absent - there)

    def _leave_out(self, gone: set[str]) -> None:
        self._fields = [name for name in self._fields if name not in gone]
        self._history = [name for name in self._history if name not in gone]
        report_unknown(self._opened, gone)

    def _contact(self, found: ContactObject) -> Contact:
        return contact_from(
            found,
            fields=self._fields,
            history=self._history,
            specs=self._opened.specs,
            app_id=self._opened.system.app_id,
            read_at=self._opened.services.now(),
        )

    def _absent(self) -> Contact:
        return Contact(presence=Presence.ABSENT, read_at=self._opened.services.now())


class Writing:
    """`set_fields` of the `Target` ability."""

    async def set_fields(self: Opened, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """One batch update by record id. A batch refused as one comes back `whole`, to be bisected; a refused row alone
        loses only the fields that HubSpot names."""
        update = _Update(self)
        rows = [update.row(delivery) for delivery in deliveries]
        receipts: dict[str, Receipt] = {}
        for row in rows:
            if not is_record_id(row.delivery.id):
                receipts[row.delivery.key] = rejected("no-contact", "the contact has no record id")
            elif not row.properties:
                receipts[row.delivery.key] = update.nothing_left(row)
        waiting = [row for row in rows if row.delivery.key not in receipts]
        for call in _calls(waiting):
            receipts |= await update.write(call, as_one=len(call) == len(rows))
        return [receipts[delivery.key] for delivery in deliveries]


def _calls(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows in their order, a record only once in each: rows of one call are processed in no fixed order (section 5).

    Two connections of one portal may both write to a record.
    """
    calls: list[list[Row]] = []
    times: Counter[str] = Counter()
    for row in rows:
        place = times[str(row.delivery.id)]
        times[str(row.delivery.id)] += 1
        if place == len(calls):
            calls.append([])
        calls[place].append(row)
    return calls


class _Update:
    """One batch update, repeated without the fields that cannot be written."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._client = opened.client

    def row(self, delivery: Delivery) -> Row:
        change = delivery.change
        if not isinstance(change, SetFields):
            raise TypeError(f"set_fields was given a {type(change).__name__}")
        row = Row(delivery, {}, {})
        for name, wanted in change.fields.items():
            if name in self._opened.unknown:
                row.left_out[name] = UNKNOWN_FIELD
            else:
                row.properties[name] = to_wire(self._opened.specs.get(name), wanted.value)
        return row

    def nothing_left(self, row: Row) -> Receipt:
        if row.left_out:
            return Receipt(
                outcome=Outcome.NOT_NEEDED,
                code=FIELDS_LEFT_OUT,
                id=row.delivery.id,
                text=_told(row),
                left_out=row.missing,
            )
        return Receipt(outcome=Outcome.NOT_NEEDED, code="no-fields", id=row.delivery.id)

    async def write(self, rows: Sequence[Row], *, as_one: bool = False) -> dict[str, Receipt]:
        """By effect key. Fields are dropped until HubSpot takes the rest; every round drops at least one.

        `as_one` says that these are all the rows of the call, so that a refusal may be handed back whole. Otherwise the
        halves are tried here.
        """
        done: dict[str, Receipt] = {}
        waiting = list(rows)
        while waiting:
            try:
                return done | await self._once(waiting)
            except RejectedError as refused:
                if not self._drop(waiting, refused.problems if isinstance(refused, Refused) else ()):
                    return done | await self._refused(waiting, refused, as_one=as_one and not done)
            except DeliveryError as error:
                return done | {row.delivery.key: from_error(error) for row in waiting}
            done |= {row.delivery.key: self.nothing_left(row) for row in waiting if not row.properties}
            waiting = [row for row in waiting if row.properties]
        return done

    async def _refused(self, rows: Sequence[Row], refused: RejectedError, *, as_one: bool) -> dict[str, Receipt]:
        if len(rows) == 1 and isinstance(refused, NotFound):
            return {rows[0].delivery.key: await self._singly(rows[0])}
        if len(rows) == 1 and isinstance(refused, Refused) and len(rows[0].properties) > 1:
            return {rows[0].delivery.key: await self._field_by_field(rows[0], from_error(refused))}
        if len(rows) == 1 or as_one:
            return {row.delivery.key: from_error(refused, whole=len(rows) > 1) for row in rows}
        middle = len(rows) // 2
        return await self.write(rows[:middle]) | await self.write(rows[middle:])

    async def _field_by_field(self, row: Row, refused: Receipt) -> Receipt:
        """A row that is refused without a word of which field: halves, down to the field alone.

        Where not one of them is taken the contact is what HubSpot objects to, and the row is refused as it was.
        """
        names = list(row.properties)
        middle = len(names) // 2
        done: Receipt | None = None
        for part in (names[:middle], names[middle:]):
            half = Row(row.delivery, {name: row.properties[name] for name in part}, {})
            receipt = (await self.write([half]))[row.delivery.key]
            if receipt.outcome is Outcome.DONE:
                done = receipt
            elif receipt.outcome is Outcome.REJECTED:
                half.left_out |= dict.fromkeys(part, receipt.code)
            elif receipt.outcome is not Outcome.NOT_NEEDED:
                return receipt
            row.left_out |= half.left_out | {one.field: one.code for one in receipt.left_out}
        if done is None:
            return refused
        return msgspec.structs.replace(done, code=FIELDS_LEFT_OUT, text=_told(row), left_out=row.missing)

    def _drop(self, rows: Sequence[Row], named: Sequence[PropertyProblem]) -> bool:
        """Leave out what cannot be written anyhow, or, of a row alone, whatever HubSpot names. Whether anything was."""
        problems = [one for one in named if len(rows) == 1 or one.code in DROPPABLE]
        names = {problem.name: code_of([problem]) for problem in problems}
        report_unknown(self._opened, {problem.name for problem in problems if problem.code == "PROPERTY_DOESNT_EXIST"})
        dropped = False
        for row in rows:
            for name in names.keys() & row.properties.keys():
                del row.properties[name]
                row.left_out[name] = names[name]
                dropped = True
        return dropped

    async def _once(self, rows: Sequence[Row]) -> dict[str, Receipt]:
        updates = [
            RowUpdate(id=str(row.delivery.id), properties=row.properties, object_write_trace_id=str(place))
            for place, row in enumerate(rows)
        ]
        answer = await self._client.update_contacts(updates)
        by_trace = {found.object_write_trace_id: found for found in answer.results if found.object_write_trace_id}
        by_id = {found.id: found for found in answer.results}
        receipts: dict[str, Receipt] = {}
        for place, row in enumerate(rows):
            found = by_trace.get(str(place)) or by_id.get(str(row.delivery.id))
            problem = next((error for error in answer.errors or () if _is_about(error, str(place), row)), None)
            if found is not None:
                receipts[row.delivery.key] = _done(row, found)
            elif problem is None or problem.category not in FINAL:
                receipts[row.delivery.key] = await self._singly(row)
            else:
                receipts |= await self._without(row, problem)
        return receipts

    async def _without(self, row: Row, error: ErrorBody) -> dict[str, Receipt]:
        """A refused row of a mixed answer: once more without the fields that were named, if that leaves any."""
        problems = property_problems(error)
        if not self._drop([row], problems):
            refused = _row_refused(error, problems)
            if error.category == "VALIDATION_ERROR" and len(row.properties) > 1:
                refused = await self._field_by_field(row, refused)
            return {row.delivery.key: refused}
        if not row.properties:
            return {row.delivery.key: self.nothing_left(row)}
        return await self.write([row])

    async def _singly(self, row: Row) -> Receipt:
        """A single update: it follows an id that a merge ended, which a batch does not."""
        try:
            return _done(row, await self._client.update_contact(str(row.delivery.id), row.properties))
        except DeliveryError as error:
            return from_error(error)


def _is_about(error: ErrorBody, trace: str, row: Row) -> bool:
    return trace in error.named("objectWriteTraceId") or str(row.delivery.id) in (
        *error.named("ids"),
        *error.named("id"),
    )


def _row_refused(error: ErrorBody, problems: Sequence[PropertyProblem]) -> Receipt:
    names = ", ".join(f"{problem.name} {problem.code}" for problem in problems)
    code = "conflict" if error.category == "CONFLICT" else code_of(problems, error)
    return rejected(code, names or error.sub_category or error.category or "")


def _done(row: Row, found: ContactObject) -> Receipt:
    receipt = answered(found.id, at=clock(found.updated_at))
    if not row.left_out:
        return receipt
    return msgspec.structs.replace(receipt, code=FIELDS_LEFT_OUT, text=_told(row), left_out=row.missing)


def _told(row: Row) -> str:
    return f"left out: {', '.join(row.left_out)}"
