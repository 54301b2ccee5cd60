"""Importing a CSV file in the portal: one row a contact, found by its address, written with source IMPORT (section 8)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from email import policy
from email.parser import BytesParser

from msgspec import Struct

from .call import Answer, Call
from .errors import Refusal, invalid
from .portal import Portal, Source
from .rendering import page
from .writing import create, prepared, update

__all__ = ["FILE", "Outcome", "bring_in", "show_import", "take_import"]

FILE = "file"
MAX_SHOWN = 10


class Outcome(Struct):
    """What an import did; `refused` are the first rows that were left out, with why."""

    created: int = 0
    updated: int = 0
    failed: int = 0
    refused: list[str] = []


def show_import(call: Call) -> Answer:
    return _page(call, call.named_portal, None)


def take_import(call: Call) -> Answer:
    """The outcome; 400 when it is no CSV file whose columns are properties by name or label."""
    portal = call.named_portal
    name, text = _uploaded(call)
    source = Source("IMPORT", f"import-{portal.new_event_id()}", name)
    return _page(call, portal, bring_in(portal, text, source))


def bring_in(portal: Portal, text: str, source: Source) -> Outcome:
    """Write the rows of a CSV file. A row that the account refuses is left out, and the others go on."""
    rows = csv.DictReader(io.StringIO(text), restkey="", restval="")
    columns = {title: _property(portal, title) for title in rows.fieldnames or ()}
    if "email" not in columns.values():
        raise invalid("The file needs a column with the e-mail address")
    outcome = Outcome()
    for number, row in enumerate(rows, start=2):
        if "" in row:
            _failed(outcome, number, "more cells than columns")
            continue
        given = {columns[title]: value for title, value in row.items() if value}
        try:
            _write(portal, given, source, outcome)
        except Refusal as refusal:
            _failed(outcome, number, str(refusal.body["message"]))
    return outcome


def _write(portal: Portal, given: Mapping[str, str], source: Source, outcome: Outcome) -> None:
    holder = portal.holder(given.get("email", ""))
    if holder is None:
        create(portal, prepared(portal, given, None), source)
        outcome.created += 1
        return
    contact = portal.contacts[holder]
    # Its address is how the row found it; an additional one stays what it is.
    others = {name: value for name, value in given.items() if name != "email"}
    update(portal, contact, prepared(portal, others, contact), source)
    outcome.updated += 1


def _failed(outcome: Outcome, number: int, why: str) -> None:
    outcome.failed += 1
    if len(outcome.refused) < MAX_SHOWN:
        outcome.refused.append(f"line {number}: {why}")


def _property(portal: Portal, title: str) -> str:
    """The property that a column means; a person maps columns by label, and a file may use names."""
    by_label = {one.label: one.name for one in portal.properties.values() if one.archived_ms is None}
    wanted = title.strip()
    name = wanted if wanted in portal.properties else by_label.get(wanted)
    if name is None:
        raise invalid(f"The column {wanted!r} is no property of this account")
    return name


def _uploaded(call: Call) -> tuple[str, str]:
    """Name and text of the file in a multipart form."""
    head = f"content-type: {call.header('content-type') or ''}\r\n\r\n".encode()
    form = BytesParser(policy=policy.HTTP).parsebytes(head + call.body)
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == FILE and part.get_filename():
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                try:
                    return str(part.get_filename()), content.decode("utf-8-sig")
                except UnicodeDecodeError:
                    raise invalid("The file is not in UTF-8") from None
    raise invalid("Please choose a CSV file")


def _page(call: Call, portal: Portal, outcome: Outcome | None) -> Answer:
    return page("import.html", title=f"Import into {portal.name}", portal=portal, outcome=outcome, field=FILE)
