"""The remote side of `ToyMail`: addresses with a permission, double opt-in mails, markers, and a report of opt-outs.

Who unsubscribes is made anonymous: the record keeps its number and loses everything else, the address gets a marker, and
coming back makes a new record. Starting a double opt-in does not look at markers; creating does, and touches nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct, field

from stellwerk_toys.clock import Clock
from stellwerk_toys.post import Post
from stellwerk_toys.refused import Refused

OWN_FIELDS = frozenset({"FIRST", "TOWN", "LANG"})
LETTERS = ("welcome-de", "welcome-en", "spring")
NOTHING, ONE, TWO, FULL, FULL_PLUS = "nothing", "one", "two", "full", "full+"


class DoiMail(Struct, frozen=True, kw_only=True):
    """A confirmation mail that went out. Its link confirms `contact` as long as that is who it was sent to."""

    at: datetime
    email: str
    contact: str
    letter: str
    plus: bool
    mark: str


class ReportEntry(Struct, frozen=True, kw_only=True):
    """One opt-out."""

    no: str
    at: datetime
    email: str
    contact: str
    extern: str | None
    details: Mapping[str, str]


class Address(Struct):
    """One record. An anonymous one has no email."""

    id: str
    email: str | None
    permission: str
    created: datetime
    updated: datetime
    fields: dict[str, str] = field(default_factory=dict)
    extern: str | None = None
    mark: str | None = None
    blocked: bool = False


class Journal(Struct, frozen=True):
    """Something that can be asked for afterwards: what happened to whom. What stands there twice by one `name` happened once."""

    what: str
    contact: str
    email: str
    name: str = ""


class Mail:
    """All addresses of one account."""

    def __init__(self, key: str, clock: Clock, posts: list[Post]) -> None:
        self.key = key
        self.records: dict[str, Address] = {}
        self.markers: dict[str, datetime] = {}
        self.sent: list[DoiMail] = []
        self.report: list[ReportEntry] = []
        self.journal: list[Journal] = []
        self.fields: set[str] = set(OWN_FIELDS)
        self.hooks: dict[str, str] = {}
        self.refused_values: set[str] = set()
        self._clock = clock
        self._posts = posts
        self._made = 0

    # --- what the API offers ------------------------------------------------------------------------------------------

    def find(self, email: str) -> Address | None:
        folded = email.casefold()
        return next((one for one in self.records.values() if (one.email or "").casefold() == folded), None)

    def marked(self, email: str) -> bool:
        return email.casefold() in self.markers

    def start_doi(
        self, email: str, *, letter: str, plus: bool, mark: str, extern: str | None, fields: Mapping[str, str]
    ) -> Address:
        """Write data and mark and send one mail, in one call. A new address gets no permission, an old one keeps its own."""
        self._check(fields)
        record = self.find(email) or self._new(email, NOTHING)
        record.fields.update(fields)
        record.mark = mark
        record.extern = record.extern or extern
        record.updated = at = self._clock.stamp()
        self.sent.append(DoiMail(at=at, email=email, contact=record.id, letter=letter, plus=plus, mark=mark))
        return record

    def create(
        self, email: str, permission: str, extern: str | None, fields: Mapping[str, str]
    ) -> tuple[str, Address | None]:
        """`made`, `exists` or `marked`: an address that is known or opted out is left alone."""
        self._check(fields)
        known = self.find(email)
        if known is not None:
            return "exists", known
        if self.marked(email):
            return "marked", None
        record = self._new(email, permission)
        record.extern = extern
        record.fields.update(fields)
        return "made", record

    def update(self, email: str, fields: Mapping[str, str | None]) -> Address | None:
        """None when there is nobody (any more)."""
        self._check(fields)
        record = self.find(email)
        if record is None:
            return None
        kept = {**record.fields, **fields}
        record.fields = {name: value for name, value in kept.items() if value}
        record.updated = self._clock.stamp()
        return record

    def move(self, one: str, email: str) -> str:
        """Another address for a living record: `moved`, `gone`, `taken` or `marked`."""
        record = self.records.get(one)
        if record is None or record.email is None:
            return "gone"
        if record.email.casefold() == email.casefold():
            return "moved"
        if self.marked(email):
            return "marked"
        if self.find(email) is not None:
            return "taken"
        record.email = email
        record.updated = self._clock.stamp()
        return "moved"

    def unsubscribe(self, email: str, **details: str) -> bool:
        """Marker, report, webhook; the record becomes anonymous. False when there is nobody."""
        record = self.find(email)
        if record is None:
            return False
        at = self._clock.stamp()
        entry = ReportEntry(
            no=f"out{len(self.report) + 1}",
            at=at,
            email=email,
            contact=record.id,
            extern=record.extern,
            details=details,
        )
        self.report.append(entry)
        self.markers[email.casefold()] = at
        record.email, record.permission, record.fields, record.mark = None, NOTHING, {}, None
        record.updated = at
        self._tell("goodbye", record, email, details)
        return True

    def delete(self, one: str) -> bool:
        return self.records.pop(one, None) is not None

    # --- what people do -----------------------------------------------------------------------------------------------

    def confirm(self, mail: DoiMail) -> bool:
        """A click on the link. It leads nowhere when the record is gone."""
        record = self.records.get(mail.contact)
        if record is None or record.email is None:
            return False
        record.permission = FULL_PLUS if mail.plus else FULL
        record.updated = self._clock.stamp()
        self._tell("yes", record, mail.email, {})
        return True

    def joins_there(self, email: str) -> None:
        """Comes in by a form of the newsletter's own, and confirms there: no marker any more."""
        record = self.find(email) or self._new(email, NOTHING)
        record.permission = FULL
        record.updated = self._clock.stamp()
        self.markers.pop(email.casefold(), None)
        self._tell("yes", record, email, {})

    def edit(self, email: str, fields: Mapping[str, str | None]) -> None:
        record = self.update(email, fields)
        assert record is not None, "nobody to edit"
        self.journal.append(Journal("edited", record.id, email))

    def mail_returns(self, email: str) -> None:
        """A mail could not be delivered, for good."""
        record = self.find(email)
        if record is not None:
            self.journal.append(Journal("returned", record.id, email, f"no {len(self.journal)}"))

    def tell_again(self) -> None:
        """The journal tells of the last mail that came back once more."""
        self.journal += [one for one in self.journal if one.what == "returned"][-1:]

    def shut(self, email: str, *, open_again: bool = False) -> None:
        """Nothing goes out to the address any more, or again."""
        record = self.find(email)
        if record is not None and record.blocked is open_again:
            record.blocked = not open_again
            self.journal.append(Journal("opened" if open_again else "shut", record.id, email))

    def _new(self, email: str, permission: str) -> Address:
        at = self._clock.stamp()
        self._made += 1
        one = f"m{self._made}"
        self.records[one] = Address(id=one, email=email, permission=permission, created=at, updated=at)
        return self.records[one]

    def _tell(self, topic: str, record: Address, email: str, details: Mapping[str, str]) -> None:
        self.journal.append(Journal(topic, record.id, email))
        url = self.hooks.get(topic)
        if url is not None:
            path = tuple(url.split("/webhooks/toymail/", 1)[1].split("/"))
            body = msgspec.json.encode({"who": email, **details})
            self._posts.append(Post(connector="toymail", path=path, body=body, what=topic))

    def _check(self, fields: Mapping[str, str | None]) -> None:
        if fields.keys() - self.fields:
            raise Refused("no-such-field")
        if self.refused_values & set(fields.values()):
            raise Refused("bad-value")
