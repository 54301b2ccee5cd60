"""What a contact answered: whether it is a wish, when it was said, and by which mark it is known."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from stellwerk_rules import remember
from stellwerk_rules.conditions import last_written
from stellwerk_rules.model import Contact, Digest, Known, Origin, Seen, Value, Written

WISHING = frozenset({Origin.FORM, Origin.PERSON})

_MARK_LENGTH = 32


class Answer(Struct, frozen=True, kw_only=True):
    """The answer a contact gives now: `yes`, `no` or None, who wrote it, and whether that was handled before."""

    value: Value = None
    written: Written | None = None
    handled: bool = False

    @property
    def is_wish(self) -> bool:
        """An explicit yes that was not handled before: by a form or a person, and not our own writing."""
        written = self.written
        if self.value != "yes" or self.handled or written is None:
            return False
        return written.origin in WISHING and not written.ours


def answer_of(contact: Contact, name: str | None, known: Known) -> Answer:
    """The answer in the field `name`. A text that is neither yes nor no counts as no: nobody enters on a misspelling."""
    if name is None:
        return Answer()
    text = contact.fields.get(name) or None
    value = text if text in (None, "yes") else "no"
    written = last_written(contact.history, contact.fields, name)
    return Answer(value=value, written=written, handled=is_handled(known, name, text, written))


def is_handled(known: Known, name: str, value: Value, written: Written | None) -> bool:
    """Whether this very value of a field was handled: the same text, and not written anew since."""
    before = known.remembered.answered.get(name)
    if before is None or before.digest != remember.digest_of(known.digest, value):
        return False
    return written is None or before.at is None or written.at <= before.at


def handled(contact: Contact, names: tuple[str, ...], known: Known) -> dict[str, Seen]:
    """The fields `names` as they are now, to be remembered as handled; not those that could not be read."""
    answers = {}
    for name in names:
        if name not in contact.fields:
            continue
        written = last_written(contact.history, contact.fields, name)
        now = remember.digest_of(known.digest, contact.fields.get(name))
        before = known.remembered.answered.get(name)
        if written is not None:
            answers[name] = Seen(digest=now, at=written.at)
        elif before is None or before.digest != now:  # else the time stands that was known when the history was read
            answers[name] = Seen(digest=now)
    return answers


def mark_of(digest: Digest, contact: Contact, said_at: datetime | None) -> str:
    """The mark of the wish that this contact, with this address, said at that time: the same wish, the same mark."""
    said = "" if said_at is None else said_at.isoformat()
    address = remember.address_of(contact.email or "")
    return digest("\n".join(("wish", address, contact.id or "", said)))[:_MARK_LENGTH]
