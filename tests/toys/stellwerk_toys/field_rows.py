"""One row of fields, `city` at the CRM and `CITY` at the mail system, and contacts with a value in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from stellwerk_rules.fields import Way, compile_way
from stellwerk_rules.model import Contact, Known, Remembered, Seen
from stellwerk_rules.spec import FieldRow

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SYSTEMS = ("crm", "mail")
MOST = {"mail": {"CITY": 255}}


def row(**more: Any) -> FieldRow:
    return msgspec.convert({"names": {"crm": "city", "mail": "CITY"}, **more}, FieldRow)


def way(source: str = "crm", target: str = "mail", **more: Any) -> Way | None:
    return compile_way(row(**more), source, target, systems=SYSTEMS, most=MOST)


def ways(source: str = "crm", target: str = "mail", **more: Any) -> tuple[Way, ...]:
    found = way(source, target, **more)
    assert found is not None
    return (found,)


def contact(value: str | None, name: str = "city", **more: Any) -> Contact:
    return Contact(fields={name: value}, read_at=NOON, **{"updated_at": NOON, **more})


def known(seen: str | None = None, at: datetime | None = NOON) -> Known:
    entry = {} if seen is None else {"CITY": Seen(digest=seen, at=at)}
    return Known(digest=str, began_at=NOON, remembered=Remembered(seen={"mail": entry}))
