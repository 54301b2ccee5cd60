"""The remote side of `ToyCrm`: contacts with a history of every value, strict stages, a diary. It announces every write."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from stellwerk_toys.clock import Clock
from stellwerk_toys.post import Post
from stellwerk_toys.refused import Refused

STAGES = ("visitor", "guest", "regular", "alumnus")
OWN_FIELDS = frozenset({"email", "stage", "name", "town", "language", "no_mail"})
API_SOURCE = "api:hub"
MERGE_SOURCE = "merge"


class Entry(Struct, frozen=True):
    """One value of a field, when and by whom it was written."""

    value: str | None
    at: datetime
    source: str


class Note(Struct, frozen=True):
    """One entry of a contact's diary."""

    text: str
    reference: str
    at: datetime


class Record(Struct):
    """One contact. `history` is oldest first; the last entry is the value.

    `took_in` are the numbers of those merged into it, `other_emails` its secondary addresses.
    """

    id: str
    source: str
    created: datetime
    history: dict[str, list[Entry]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    gone: bool = False
    took_in: list[str] = field(default_factory=list)
    other_emails: list[str] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        entries = self.history.get(name)
        return entries[-1].value if entries else None

    @property
    def stages(self) -> list[str | None]:
        """Every stage it ever had, blanks included."""
        return [entry.value for entry in self.history.get("stage", [])]

    @property
    def updated(self) -> datetime:
        return max((entries[-1].at for entries in self.history.values() if entries), default=self.created)


class Crm:
    """All contacts of one account. A stage moves forward only and is refused in silence otherwise; blanking is allowed."""

    def __init__(self, account: str, hook_key: str, clock: Clock, posts: list[Post]) -> None:
        self.account = account
        self.hook_key = hook_key
        self.records: dict[str, Record] = {}
        self.fields: set[str] = set(OWN_FIELDS)
        self.stage_required = False
        self.choices: dict[str, frozenset[str]] = {}
        self.installed = True
        self.list_closed = False
        self.rate: tuple[int, float] | None = None
        self._clock = clock
        self._posts = posts
        self._events = 0
        self._made = 0
        self._led_to: dict[str, str] = {}

    # --- what the API offers ------------------------------------------------------------------------------------------

    def get(self, wanted: Callable[[Record], bool]) -> Record | None:
        """The contact for which `wanted` holds; one that is gone only if no other is there."""
        found = sorted((one for one in self.records.values() if wanted(one)), key=lambda one: one.gone)
        return found[0] if found else None

    def find(self, one: str) -> Record | None:
        """The contact with that number; one that was merged away leads to the one that took it in."""
        while one in self._led_to:
            one = self._led_to[one]
        return self.records.get(one)

    def holder(self, email: str) -> Record | None:
        """Whoever has the address, be it as a secondary one."""
        folded = email.casefold()
        return self.get(
            lambda one: (
                folded in [(one.value("email") or "").casefold(), *(other.casefold() for other in one.other_emails)]
            )
        )

    def living(self, one: str) -> Record:
        record = self.find(one)
        if record is None or record.gone:
            raise Refused("no-such-contact")
        return record

    def write(self, one: str, values: Mapping[str, str | None], source: str = API_SOURCE) -> datetime:
        """Write fields; the time of the write. A value that is there already leaves no trace."""
        record = self.living(one)
        unknown = sorted(values.keys() - self.fields)
        if unknown:
            raise Refused("no-such-field")
        at = self._clock.stamp()
        for name, value in values.items():
            if (value or None) != record.value(name):
                record.history.setdefault(name, []).append(Entry(value or None, at, source))
                self._tell("edited", record, name, source)
        return at

    def objects_to(self, name: str, value: str | None) -> str | None:
        """Why a field's value would be refused: no such field, or none of its `choices`."""
        if name not in self.fields:
            return "no-such-field"
        return "no-such-choice" if value and name in self.choices and value not in self.choices[name] else None

    def set_stage(self, one: str, stage: str) -> datetime:
        """Backward moves are answered as if they were made."""
        record = self.living(one)
        now = record.value("stage")
        if stage not in STAGES:
            raise Refused("no-such-stage")
        if now is not None and STAGES.index(stage) < STAGES.index(now):
            return self._clock.stamp()
        return self.write(one, {"stage": stage})

    def clear_stage(self, one: str) -> datetime:
        if self.stage_required:
            raise Refused("stage-required")
        return self.write(one, {"stage": None})

    def note(self, one: str, text: str, reference: str) -> datetime:
        at = self._clock.stamp()
        self.living(one).notes.append(Note(text, reference, at))
        return at

    def uninstall(self) -> None:
        """What we created stays; nothing more is told."""
        self.installed = False

    # --- what happens to records --------------------------------------------------------------------------------------

    def create(self, values: Mapping[str, str | None], source: str) -> str:
        one = self._number()
        self.records[one] = Record(id=one, source=source, created=self._clock.stamp())
        self._tell("made", self.records[one], None, source)
        self.write(one, values, source)
        return one

    def remove(self, one: str) -> None:
        record = self.living(one)
        record.gone = True
        self._tell("gone", record, None, "clerk")

    def restore(self, one: str) -> None:
        """Out of the bin again, as it was; not while somebody else has its address."""
        record = self.records.get(one)
        if record is None or not record.gone:
            raise Refused("not-in-the-bin")
        holder = self.holder(record.value("email") or "")
        if holder is not None and not holder.gone:
            raise Refused("address-taken")
        record.gone = False
        self._tell("back", record, None, "clerk")

    def erase(self, one: str) -> None:
        """For good, and nothing is left; a deletion is told beside it."""
        record = self.living(one)
        del self.records[record.id]
        self._tell("gone", record, None, "clerk")
        self._tell("erased", record, None, "clerk")

    def merge(self, winner: str, loser: str, *, new_number: bool = True) -> str:
        """Two become one, mostly with a new number: it fills its blanks from the loser, whose address is secondary now.

        No edit is told, only the merge and that the loser is gone, in this order or the other.
        """
        first, second = self.living(winner), self.living(loser)
        if first is second:
            raise Refused("same-contact")
        number = self._number() if new_number else first.id
        at = self._clock.stamp()
        merged = Record(
            id=number,
            source=first.source,
            created=first.created,
            history=first.history,
            notes=[*first.notes, *second.notes],
            took_in=[one for one in (*first.took_in, first.id, *second.took_in, second.id) if one != number],
        )
        addresses = [first.value("email"), *first.other_emails, second.value("email"), *second.other_emails]
        for name in second.history:
            if not merged.value(name) and second.value(name):
                merged.history.setdefault(name, []).append(Entry(second.value(name), at, MERGE_SOURCE))
        merged.other_emails = [one for one in dict.fromkeys(addresses) if one and one != merged.value("email")]
        for old in (first.id, second.id):
            del self.records[old]
            if old != number:
                self._led_to[old] = number
        self.records[number] = merged
        self._tell("merged", merged, None, "clerk")
        self._tell("gone", second, None, "clerk")
        return number

    def _number(self) -> str:
        self._made += 1
        return f"c{self._made}"

    def _tell(self, what: str, record: Record, name: str | None, source: str) -> None:
        self._events += 1
        event: dict[str, Any] = {
            "no": self._events,
            "what": what,
            "contact": record.id,
            "source": source,
            "at": self._clock.moment(),
        }
        if name is not None:
            event["field"] = name
        self.post([event], what=what if name is None else f"{what} {name}")

    def post(self, events: Sequence[Mapping[str, Any]], what: str = "") -> None:
        """Sign and send events; each has a number of its own."""
        at = self._clock.moment().isoformat()
        body = msgspec.json.encode({"shop": self.account, "events": events})
        headers = {"x-toy-time": at, "x-toy-signature": sign(self.hook_key, at, body)}
        self._posts.append(Post(connector="toycrm", path=(), body=body, headers=headers, what=what))


def sign(key: str, at: str, body: bytes) -> str:
    return hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_anew(post: Post, key: str, at: datetime) -> Post:
    """The shop's post as it would send it again at that time; another's as it is."""
    if post.connector != "toycrm":
        return post
    headers = {"x-toy-time": at.isoformat(), "x-toy-signature": sign(key, at.isoformat(), post.body)}
    return msgspec.structs.replace(post, headers=headers)
