"""What both sides show of an address, and what the hub itself says of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from stellwerk.cli.explain import lines_of
from stellwerk.store.store import Tx
from stellwerk.view.activity import activity
from stellwerk_simulation.history import FIELDS
from stellwerk_simulation.people import PERMISSIONS, Person
from stellwerk_simulation.vendors import Record
from stellwerk_simulation.world import World

HERE = {there: here for here, there in FIELDS.items()}
"""What the CRM calls a field of the newsletter."""

_NOTHING_SHOWN = {"status": "", "permission": ""}


def must(one: Person) -> dict[str, Any]:
    """What both sides, the suppression list and the mails of an address must be."""
    record, there = one.record, one.there
    shown = {"status": one.status(), "permission": there.permission} if record.mirrored else _NOTHING_SHOWN
    answers = {"subscribe": record.subscribe, "stage": record.stage, "entries": dict(record.entries)}
    return {
        "crm": {**record.fields, **answers, **shown} if record.alive else None,
        "news": {**there.fields, "permission": there.permission} if there.alive else None,
        "mails": one.mails,
        "suppressed": one.out,
    }


def seen(world: World, email: str) -> dict[str, Any]:
    """What they are, in the same shape."""
    vendors = world.vendors
    record, there = vendors.own(email), vendors.subscriber(email)
    digest = world.process.hub.vault.address(email)
    news: dict[str, Any] | None = None
    if there is not None:
        news = {HERE.get(name, name): value for name, value in there.standard.items()}
        news["permission"] = PERMISSIONS[there.permission - 1]

    def suppressed(tx: Tx) -> bool:
        return tx.one("select since from suppression where address = :address", address=digest) is not None

    return {
        "crm": None if record is None else _record(world, email, record),
        "news": news,
        "mails": len(vendors.mails(email)),
        "suppressed": world.process.store._read(suppressed),
    }


def _record(world: World, email: str, record: Record) -> dict[str, Any]:
    values = record.values
    notes = [text.removeprefix("<p>").partition("</p>")[0] for text in world.vendors.notes(email, record)]
    return {
        **{name: values[name] for name in FIELDS if name in values},
        "subscribe": values.get("maileon_subscribe", ""),
        "stage": values.get("lifecyclestage", ""),
        "entries": dict(Counter(notes)),
        "status": values.get("maileon_status", ""),
        "permission": values.get("maileon_permission", ""),
    }


def explained(world: World, email: str) -> list[str]:
    """What the hub answers to the question why."""
    hub = world.process.hub
    known = world.process.store._read(lambda tx: activity(tx, hub.vault, email))
    return lines_of(msgspec.to_builtins(known))
