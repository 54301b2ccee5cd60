"""What each person is to have at the vendors, once and once only; counted there, never in the hub's own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

STAGE, STATUS, ANSWER = "lifecyclestage", "maileon_status", "maileon_subscribe"
CONFIRMED, LEFT = "Double opt-in confirmed", "Unsubscribed from Maileon"
JOINED = ["lead", "marketingqualifiedlead"]
BACK = ["", "lead"]


class Person(Struct, kw_only=True):
    """Somebody who signs up and confirms, and if `leaves` unsubscribes afterwards; what they have done so far."""

    email: str
    leaves: bool
    confirmed: bool = False
    left: bool = False


def wrong(
    crowd: Sequence[Person], records: Mapping[str, Mapping[str, Any]], mails: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Every effect that is missing or there twice, by person: `records` of the portal by address, `mails` that went out."""
    told: list[str] = []
    for person in crowd:
        count = sum(1 for mail in mails if (mail["to"], mail["kind"]) == (person.email, "doi"))
        told += [f"{person.email}: {count} mails"] if count != 1 else []
        told += [f"{person.email}: {one}" for one in amiss(person, records.get(person.email))]
    return told


def amiss(person: Person, record: Mapping[str, Any] | None) -> list[str]:
    """What the record does not show as it should after all that this person has done so far."""
    if record is None:
        return ["no record"]
    stages = [entry["value"] for entry in reversed(record["propertiesWithHistory"].get(STAGE, []))]
    notes = [note.get("hs_note_body") or "" for note in record["notes"]]
    counted = {text: sum(text in note for note in notes) for text in (CONFIRMED, LEFT)}
    status, answer = (record["properties"].get(name) for name in (STATUS, ANSWER))
    told = [f"stages {stages}"] if stages != JOINED + (BACK if person.left else []) else []
    told += [f"entries {counted}"] if counted != {CONFIRMED: 1, LEFT: int(person.left)} else []
    told += [f"status {status}"] if status != ("unsubscribed" if person.left else "subscribed") else []
    told += [f"answer {answer}"] if person.left and answer != "false" else []
    return told
