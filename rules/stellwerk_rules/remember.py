"""What is kept of a contact between events, and how it changes: digests and ids, never a value."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from stellwerk_rules.model import Change, Digest, Enter, Remembered, Seen, SetFields, Value

_T = TypeVar("_T")
Side = Mapping[str, Mapping[str, Seen]]


def once(digest: Digest) -> Digest:
    """`digest` for the length of one decision, in which the same text is asked for several times."""
    told: dict[str, str] = {}

    def digest_once(text: str) -> str:
        found = told.get(text)
        if found is None:
            found = told[text] = digest(text)
        return found

    return digest_once


def digest_of(digest: Digest, value: Value) -> str:
    """The digest of a field's value; not set and empty are the same."""
    return digest(value or "")


def address_of(email: str) -> str:
    """An address as it is compared: letter case and surrounding blanks make no difference."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def seen(remembered: Remembered, system: str, name: str) -> Seen | None:
    """What was last carried from or to this field."""
    return remembered.seen.get(system, {}).get(name)


def going(remembered: Remembered, system: str, name: str) -> Seen | None:
    """What is on its way to this field."""
    return remembered.going.get(system, {}).get(name)


def with_id(remembered: Remembered, system: str, contact_id: str | None) -> Remembered:
    """With the contact's id at `system`; as it was where that is not known."""
    if contact_id is None or remembered.ids.get(system) == contact_id:
        return remembered
    return replace(remembered, ids={**remembered.ids, system: contact_id})


def without_id(remembered: Remembered, system: str) -> Remembered:
    """Without the contact's id at `system`; what was last carried there stays known."""
    return replace(remembered, ids=_without(remembered.ids, (system,)))


def with_seen(remembered: Remembered, system: str, news: Mapping[str, Seen]) -> Remembered:
    """With `news` as what was last carried at `system`."""
    return replace(remembered, seen=_merged(remembered.seen, system, news)) if news else remembered


def unseen(remembered: Remembered, system: str, name: str) -> Remembered:
    """Without what was last carried of this field, so that it is carried anew."""
    left = _without(remembered.seen.get(system, {}), (name,))
    return replace(remembered, seen={**remembered.seen, system: left})


def with_going(remembered: Remembered, system: str, news: Mapping[str, Seen]) -> Remembered:
    """With `news` on their way to `system`."""
    return replace(remembered, going=_merged(remembered.going, system, news)) if news else remembered


def without_going(remembered: Remembered, system: str, arrived: Mapping[str, str]) -> Remembered:
    """Without those of `arrived` (field to digest) at `system`; a newer value that is on its way stays."""
    left = {name: one for name, one in remembered.going.get(system, {}).items() if arrived.get(name) != one.digest}
    return replace(remembered, going={**remembered.going, system: left})


def given_up(remembered: Remembered, system: str, change: Change | None, digest: Digest) -> Remembered:
    """Without the values of a `change` to `system` that will not be made; of one that cannot be read, without all of them.

    What counts as on its way is not carried again: kept here, it would be lost.
    """
    if change is None:
        return replace(remembered, going={**remembered.going, system: {}})
    fields = change.fields if isinstance(change, Enter | SetFields) else {}
    return without_going(remembered, system, {name: digest_of(digest, one.value) for name, one in fields.items()})


def with_answers_of(remembered: Remembered, before: Remembered, names: Collection[str]) -> Remembered:
    """With these fields handled as far as they were `before`."""
    kept = {name: one for name, one in remembered.answered.items() if name not in names}
    return replace(remembered, answered={**kept, **{n: one for n, one in before.answered.items() if n in names}})


def with_answers(remembered: Remembered, answers: Mapping[str, Seen]) -> Remembered:
    """With `answers` handled."""
    return replace(remembered, answered={**remembered.answered, **answers}) if answers else remembered


def unhandled(remembered: Remembered) -> Remembered:
    """As before its answers were handled and it was brought in; what is linked stays so."""
    return replace(remembered, answered={}, entered=False)


def without_wish(remembered: Remembered) -> Remembered:
    """The answers that were handled, none of which anybody may be asked for again."""
    return replace(remembered, answered={name: replace(one, wish=None) for name, one in remembered.answered.items()})


def is_met(remembered: Remembered, system: str) -> bool:
    """Whether the contact at `system` is the same one already: linked, or written to by a call after which no id could be read."""
    return system in remembered.ids or bool(remembered.seen.get(system))


def unlinked(remembered: Remembered, system: str) -> Remembered:
    """Without the contact at `system` and everything known of its fields there."""
    return replace(
        remembered,
        ids=_without(remembered.ids, (system,)),
        seen=_without(remembered.seen, (system,)),
        going=_without(remembered.going, (system,)),
    )


def started_anew(remembered: Remembered, system: str, others: Iterable[str]) -> Remembered:
    """As a contact whose address changed at `system`: nothing that belonged to the old address elsewhere stays."""
    for other in others:
        remembered = unlinked(remembered, other)
    return replace(
        remembered,
        seen=_without(remembered.seen, (system,)),
        going=_without(remembered.going, (system,)),
        entered=False,
    )


def _merged(side: Side, system: str, news: Mapping[str, Seen]) -> Side:
    return {**side, system: {**side.get(system, {}), **news}}


def _without(mapping: Mapping[str, _T], names: Iterable[str]) -> Mapping[str, _T]:
    gone = set(names)
    return {name: one for name, one in mapping.items() if name not in gone}
