"""New contacts (reference page, sections 5 and 13): created at once, never looked for first.

Search is late, so that "search, then create" makes conflicts. Every row has a trace id, which makes its failure its own; an
address that somebody has already is answered by 409, and is then linked: creating again what was created does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stellwerk.sdk import Create, Delivery, DeliveryError, Outcome, Receipt, RetryableError
from stellwerk_hubspot.client import RowCreate
from stellwerk_hubspot.finding import whose_other_address
from stellwerk_hubspot.opened import Opened, report_unknown
from stellwerk_hubspot.receipt import answered, from_error, rejected
from stellwerk_hubspot.refusal import (
    Conflict,
    ErrorBody,
    NotFound,
    PropertyProblem,
    Refused,
    code_of,
    property_problems,
)
from stellwerk_hubspot.wire import clock, to_wire

__all__ = ["Creating"]

FINAL = frozenset({"VALIDATION_ERROR", "CONFLICT"})


class Row(Struct):
    """One creation on its way: what is still to be written, what had to be left out."""

    email: str
    properties: dict[str, str]
    left_out: list[str]


class Creating:
    """`create` of the `Target` ability."""

    async def create_contacts(self: Opened, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """One batch; a receipt each, same order. A contact that was there already is `not_needed`, with its id."""
        return await _create(self, [_row(self, delivery) for delivery in deliveries])


def _row(opened: Opened, delivery: Delivery) -> Row:
    change = delivery.change
    if not isinstance(change, Create):
        raise TypeError(f"create_contacts was given a {type(change).__name__}")
    # Permission and the other system's id have no place of their own here; the file's mirrors show what is to be shown.
    given = {name: value for name, value in change.fields.items() if value}
    left_out = sorted(given.keys() & opened.unknown)
    written = {name: to_wire(opened.specs.get(name), given[name]) for name in given if name not in left_out}
    return Row(change.email, {**written, "email": change.email}, left_out)


async def _create(opened: Opened, rows: Sequence[Row]) -> list[Receipt]:
    while True:
        updates = [
            RowCreate(properties=row.properties, object_write_trace_id=str(place)) for place, row in enumerate(rows)
        ]
        try:
            answer = await opened.client.create_contacts(updates)
            break
        except Conflict as conflict:
            # Not a row's: the first one of the batch alone is named, so each is tried by itself.
            return (
                [await _linked(opened, rows[0])] if len(rows) == 1 else [from_error(conflict, whole=True)] * len(rows)
            )
        except Refused as refused:
            if len(rows) > 1 or not _drop(opened, rows[0], refused.problems):
                return [from_error(refused, whole=len(rows) > 1)] * len(rows)
        except DeliveryError as error:
            return [from_error(error)] * len(rows)
    made = {found.object_write_trace_id: found for found in answer.results if found.object_write_trace_id}
    # A result need not tell its trace id: its address tells as well whose it is.
    of = {
        address: found for found in answer.results if not found.object_write_trace_id for address in found.addresses()
    }
    receipts: list[Receipt] = []
    for place, row in enumerate(rows):
        found = made.get(str(place)) or of.get(row.email.strip().lower())
        if found is not None:
            text = f"left out: {', '.join(row.left_out)}" if row.left_out else ""
            code = "fields-left-out" if text else "done"
            receipts.append(answered(found.id, at=clock(found.created_at), code=code, text=text))
            continue
        errors = answer.errors or ()
        problem = next((one for one in errors if str(place) in one.named("objectWriteTraceId")), None)
        receipts.append(await _failed(opened, row, problem))
    return receipts


async def _failed(opened: Opened, row: Row, error: ErrorBody | None) -> Receipt:
    """A row that was not made: linked, tried once more without what was named, later, or never."""
    if error is None or error.category not in FINAL:
        return from_error(RetryableError("row-not-done", error.category or "" if error else "no answer for this row"))
    if error.category == "CONFLICT":
        return await _linked(opened, row)
    problems = property_problems(error)
    if _drop(opened, row, problems):
        return (await _create(opened, [row]))[0]
    names = ", ".join(f"{problem.name} {problem.code}" for problem in problems)
    return rejected(code_of(problems, error), names or error.category)


async def _linked(opened: Opened, row: Row) -> Receipt:
    """Whose address it is, primary or secondary; by reading, since the conflict's text may name another one."""
    try:
        there = await _holder(opened, row.email)
    except DeliveryError as error:
        return from_error(error)
    if there is None:
        return rejected("conflict", "HubSpot says that it exists, and shows nobody of that address")
    return Receipt(outcome=Outcome.NOT_NEEDED, code="exists", text="linked to who was there", id=there)


async def _holder(opened: Opened, email: str) -> str | None:
    try:
        return (await opened.client.contact(email, by="email", properties=("email",))).id
    except NotFound:
        return await whose_other_address(opened, email)


def _drop(opened: Opened, row: Row, problems: Sequence[PropertyProblem]) -> bool:
    """Leave out of this row what HubSpot would not take; never its address. Whether anything was."""
    names = {problem.name for problem in problems} & (row.properties.keys() - {"email"})
    report_unknown(opened, {one.name for one in problems if one.code == "PROPERTY_DOESNT_EXIST"} & names)
    for name in sorted(names):
        del row.properties[name]
        row.left_out.append(name)
    return bool(names)
