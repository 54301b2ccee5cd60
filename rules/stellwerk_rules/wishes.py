"""What a contact answered: whether it is a wish, when it was said, and by which mark it is known."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.conditions import last_written
from stellwerk_rules.model import ADDRESS, Contact, Digest, Known, Origin, Seen, Value, Written

WISHING = frozenset({Origin.FORM, Origin.PERSON})

ONE_SUBMISSION = timedelta(seconds=2)
"""What one form wrote bears times no further apart."""

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


def changed_hands(contact: Contact, *, moved: bool) -> bool:
    """Whether somebody else may have the contact than who had it under the address before; also where it was not in under that."""
    now = remember.address_of(contact.email or "")
    earlier = (remember.address_of(one.value) for one in contact.history.get(ADDRESS, ())[1:] if one.value)
    return (moved or any(one != now for one in earlier)) and may_be_another(contact)


def may_be_another(contact: Contact) -> bool:
    """Whether the new address may be somebody else's: a form wrote it, a merge brought it, or nobody knows."""
    written = contact.history.get(ADDRESS, ())
    return not written or written[0].origin in (Origin.FORM, Origin.MERGE)


def of_address(answer: Answer, contact: Contact) -> Answer:
    """The answer as one of whoever has the address now, where somebody else may have had it before: an older yes is none of hers.

    Where it is not known when the address was written, one that was handled is the older.
    """
    written = contact.history.get(ADDRESS, ())
    if written and answer.written is not None:
        older = answer.written.at < written[0].at - ONE_SUBMISSION
    else:
        older = answer.handled
    return Answer() if answer.value == "yes" and older else answer


def is_handled(known: Known, name: str, value: Value, written: Written | None) -> bool:
    """Whether this very value of a field was handled: the same text, and not written anew since."""
    before = known.remembered.answered.get(name)
    if before is None or before.digest != remember.digest_of(known.digest, value):
        return False
    return written is None or before.at is None or written.at <= before.at


def handled(contact: Contact, names: tuple[str, ...], known: Known, *, answer: str | None = None) -> dict[str, Seen]:
    """The fields `names` as they are now, to be remembered as handled; not those that could not be read.

    Where the field `answer` is a wish, its mark is kept with it. What a merge or a restore brings along is none.
    """
    answers = {}
    for name in names:
        if name not in contact.fields:
            continue
        written = last_written(contact.history, contact.fields, name)
        now = remember.digest_of(known.digest, contact.fields.get(name))
        before = known.remembered.answered.get(name)
        if written is not None:
            answers[name] = Seen(
                digest=now, at=written.at, wish=_wish(contact, name, known) if name == answer else None
            )
        elif before is None or before.digest != now:  # else the time stands that was known when the history was read
            answers[name] = Seen(digest=now)
    return answers


def mark_of(digest: Digest, contact: Contact, said_at: datetime | None) -> str:
    """The mark of the wish that this contact, with this address, said at that time: the same wish, the same mark."""
    said = "" if said_at is None else said_at.isoformat()
    address = remember.address_of(contact.email or "")
    return digest("\n".join(("wish", address, contact.id or "", said)))[:_MARK_LENGTH]


def _wish(contact: Contact, name: str, known: Known) -> str | None:
    """The mark of the explicit yes that the answer is, or was when it was handled: still of this contact at this address."""
    said = answer_of(contact, name, known)
    if changed_hands(contact, moved=False):
        said = of_address(said, contact)
    if said.is_wish and said.written is not None:
        return mark_of(known.digest, contact, said.written.at)
    before = known.remembered.answered.get(name)
    return before.wish if before is not None and said.handled and _stands(before, contact, known) else None


def said_again(contact: Contact, name: str | None, known: Known) -> Known:
    """As if the answer were not handled yet, where it is still the explicit yes of this contact at this address."""
    before = known.remembered.answered.get(name or "")
    if before is None or not _stands(before, contact, known):
        return known
    left = {one: seen for one, seen in known.remembered.answered.items() if one != name}
    return replace(known, remembered=replace(known.remembered, answered=left))


def _stands(before: Seen, contact: Contact, known: Known) -> bool:
    """Whether the yes that was handled is one of this contact at this address: a move and a merge leave it behind."""
    return before.wish is not None and before.wish == mark_of(known.digest, contact, before.at)
