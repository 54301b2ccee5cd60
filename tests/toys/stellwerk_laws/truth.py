"""What truly happened, from the toys' own records and from what the people of a history did. Knows nothing of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from stellwerk_laws.variants import File
from stellwerk_laws.watched import WatchedWorld
from stellwerk_toys.crm import API_SOURCE, MERGE_SOURCE, Entry, Record

WISHING = frozenset({"form", "clerk"})
AT_CREATION_SECONDS = 120.0
"""What was written so soon after a contact was made belongs to its making."""

ON_ITS_WAY_SECONDS = 0.0035
"""A call takes a millisecond; an ask takes three calls at most, and what is on its way then cannot be called back."""

NEVER = float("inf")


class Confirmed(Struct, frozen=True, kw_only=True):
    """A confirmation by the contact. `mark` names the ask; None where it had nothing to do with us."""

    at: float
    email: str
    mark: str | None
    plus: bool


class FalseClaim(Struct, kw_only=True):
    """An opt-out that was told and never was. `known`: the hub was told and has come to rest since."""

    email: str
    at: float
    known: float = NEVER


class Out(Struct, kw_only=True):
    """An opt-out. `by` is news (unsubscribed there), no (the answer was set to no), or no_mail (the shop's own)."""

    email: str
    at: float
    by: str
    known: float = NEVER
    contact: str = ""


class Happened(Struct, frozen=True, kw_only=True):
    """What a clerk did with a record: deleted, restored, erased, merged (into it), merged away, moved (from `email`).

    `calm` is when the hub had come to rest before: what was told until then is handled.
    """

    what: str
    at: float
    email: str
    record: Record
    calm: float
    by: str = ""


class Apart(Struct, kw_only=True):
    """A contact that somebody unlinked, by its address and record then, until somebody linked it again.

    `doubtful`: the hub may have forgotten that it was linked again.
    """

    email: str
    record: Record
    since: float
    until: float = NEVER
    doubtful: bool = False


class Ledger(Struct, frozen=True, kw_only=True):
    """What the hub's database says of one address, as stored."""

    facts: tuple[Mapping[str, Any], ...]
    suppressed: bool


class Truth:
    """`began` is when the connection did, `past` has the records that were merged away or erased, as they stood then.

    `gaps` are the times of which the hub knows nothing: what an older back-up does not have, and while it was disconnected;
    until `unlinked` it has forgotten whom it knew.
    """

    def __init__(self, file: File, world: WatchedWorld) -> None:
        self.file = file
        self.world = world
        self.began = 0.0
        self.confirmed: list[Confirmed] = []
        self.false_claims: list[FalseClaim] = []
        self.staged: list[tuple[float, str]] = []
        self.edits_there: list[tuple[float, str, str, str]] = []
        self.texts: set[str] = set()
        self.ledgers: dict[str, Ledger] = {}
        self.calm: list[float] = []
        self.past: dict[str, Record] = {}
        self.acts: list[Happened] = []
        self.apart: list[Apart] = []
        self.gaps: list[tuple[float, float]] = []
        self.restores = 0
        self.unlinked = 0.0
        self._outs: dict[tuple[str, str], Out] = {}

    # --- told while it happens ----------------------------------------------------------------------------------------

    def edited_there(self, email: str, field: str, value: str) -> None:
        self.edits_there.append((self.world.clock.now, email, field, value))

    def happened(self, what: str, email: str, record: Record, *, by: str = "") -> None:
        self.acts.append(
            Happened(
                what=what, at=self.world.clock.now, email=email, record=record, calm=max(self.calm, default=0.0), by=by
            )
        )

    def knows_nothing_since(self, start: float) -> None:
        """Of what happened from `start` until now the hub was told nothing, or has forgotten it."""
        now = self.world.clock.now
        self.gaps.append((start, now))
        self._note_report()
        for key, out in list(self._outs.items()):
            if out.by != "news" and out.known >= start:
                del self._outs[key]
            elif out.known >= start:
                out.known = NEVER
        for claim in self.false_claims:
            if claim.known >= start:
                claim.known = NEVER
        for apart in self.apart:
            if apart.since >= start:
                apart.until = min(apart.until, now)
            elif start <= apart.until <= now:
                apart.doubtful = True

    def forgets_whom_it_knew(self) -> None:
        """And with them who was unlinked."""
        self.unlinked = self.world.clock.now
        for apart in self.apart:
            apart.until = min(apart.until, self.unlinked)

    def reports_are_read(self) -> None:
        """The hub has asked for every opt-out since its back-up was made."""
        for out in self._outs.values():
            if out.by == "news" and any(start <= out.at <= end for start, end in self.gaps):
                out.known = min(out.known, self.world.clock.now)

    def told_at_once(self, told: set[str]) -> None:
        """The hub was told in the middle of its work: it knows, except for what is on its way."""
        self._note_report()
        known = self.world.clock.now + ON_ITS_WAY_SECONDS
        for out in self._outs.values():
            if out.by == "news" and out.email in told:
                out.known = min(out.known, known)
        for claim in self.false_claims:
            if claim.email in told:
                claim.known = min(claim.known, known)

    def _note_report(self) -> None:
        for entry in self.world.mail.report:
            self._outs.setdefault(("news", entry.no), Out(email=entry.email, at=entry.at.timestamp(), by="news"))

    def quiet(self, told: set[str]) -> None:
        """The hub has come to rest, and of the addresses `told` every opt-out was told by webhook before."""
        now = self.world.clock.now
        self.calm.append(now)
        self._note_report()
        for out in self._outs.values():
            if out.by == "news" and out.email in told:
                out.known = min(out.known, now)
        for claim in self.false_claims:
            if claim.email in told:
                claim.known = min(claim.known, now)
        if any(post.connector == "toycrm" for post in self.world.posts):
            return
        for record in self.world.crm.records.values():
            if record.gone:
                continue
            said = record.history.get("wants_news", [])
            if said and self.is_opt_out(record, said[-1]):
                self._stands(record, said[-1], "no", now)
            if record.value("no_mail") == "yes":
                self._stands(record, record.history["no_mail"][-1], "no_mail", now)

    def _stands(self, record: Record, entry: Entry, by: str, now: float) -> None:
        if self.in_a_gap(entry.at.timestamp()):
            return
        email = record.value("email") if by == "no_mail" else address_at(record, entry.at.timestamp())
        out = Out(email=email or "", at=entry.at.timestamp(), by=by, known=now, contact=record.id)
        self._outs.setdefault((by, f"{record.id} {entry.at} {email}"), out)

    def is_older(self, email: str) -> bool:
        """Whether every contact that has the address was made before the connection began."""
        found = self.records(email)
        return bool(found) and all(one.created.timestamp() < self.began for one in found)

    def is_opt_out(self, record: Record, entry: Entry) -> bool:
        """Whether this answer is one that takes the contact out, by the file and by who gave it."""
        if entry.value != "no" or entry.source in (API_SOURCE, MERGE_SOURCE) or not self.file.no_is_opt_out:
            return False
        if entry.source == "form" and not self.file.form_no_is_opt_out():
            return False
        return (entry.at - record.created).total_seconds() > AT_CREATION_SECONDS

    # --- asked afterwards ---------------------------------------------------------------------------------------------

    def confirmations(self, email: str) -> list[Confirmed]:
        return [one for one in self.confirmed if one.email == email]

    def outs(self, email: str) -> list[Out]:
        """Every opt-out of the address that the hub came to know, oldest first."""
        return sorted((one for one in self._outs.values() if one.email == email), key=lambda one: one.at)

    def left(self, email: str) -> list[float]:
        """When it unsubscribed at the newsletter, known or not."""
        return [entry.at.timestamp() for entry in self.world.mail.report if entry.email == email]

    def returned(self, email: str) -> set[str]:
        """The mails that came back from the address, each by its name."""
        return {one.name for one in self.world.mail.journal if (one.what, one.email) == ("returned", email)}

    def standing(self, email: str, at: float) -> list[Out]:
        """The opt-outs known at the time `at` that no confirmation has ended since."""
        confirmed = [one.at for one in self.confirmations(email) if one.at <= at]
        last = max(confirmed, default=0.0)
        return [one for one in self.outs(email) if one.known <= at and (one.at > last or self.is_closed(one, at))]

    def is_closed(self, out: Out, at: float) -> bool:
        """Whether it is the shop's own "no mail at all", at a contact that still lives there: no confirmation ends that."""
        went = {"deleted", "erased", "merged away", "moved"}
        gone = any(one.record.id == out.contact and one.what in went and one.at <= at for one in self.acts)
        return out.by == "no_mail" and not gone and self.record(out.contact) is not None

    def in_a_gap(self, at: float) -> bool:
        return any(start <= at <= end for start, end in self.gaps)

    def record(self, one: str) -> Record | None:
        """The contact of the shop with that number, be it gone."""
        return self.world.crm.records.get(one) or self.past.get(one)

    def records(self, email: str) -> list[Record]:
        """Contacts of the shop that have or had the address."""
        return [
            one
            for one in (*self.world.crm.records.values(), *self.past.values())
            if any(entry.value == email for entry in one.history.get("email", []))
        ]

    def emails(self, record: Record) -> set[str]:
        """Every address that the contact, or one merged into it, ever had."""
        parts = [record, *(self.past[one] for one in record.took_in if one in self.past)]
        own = {entry.value for one in parts for entry in one.history.get("email", []) if entry.value}
        return own | set(record.other_emails)

    def is_told_whole(self, record: Record) -> bool:
        """Whether nothing that concerns the contact happened in a gap."""
        if record.created.timestamp() <= self.unlinked:
            return False
        emails = self.emails(record)
        times = [record.created.timestamp()]
        times += [
            entry.at.timestamp()
            for entries in record.history.values()
            for entry in entries
            if entry.source != API_SOURCE
        ]
        times += [one.at for one in self.confirmed if one.email in emails]
        times += [at for email in emails for at in self.left(email)]
        times += [at for at, email, _, _ in self.edits_there if email in emails]
        times += [one.at for one in self.acts if one.record is record or one.email in emails]
        return not any(self.in_a_gap(at) for at in times)

    def did(self, what: str, email: str, until: float) -> list[Happened]:
        """What clerks did of that kind with records of the address."""
        return [one for one in self.acts if (one.what, one.email) == (what, email) and one.at <= until]

    def unlinked_of(self, record: Record) -> list[Apart]:
        """Whenever the contact, or one that it took in, or one with an address of its, was unlinked."""
        return [
            one
            for one in self.apart
            if one.record.id in (record.id, *record.took_in) or one.email in self.emails(record)
        ]

    def is_apart(self, record: Record) -> bool:
        """Whether the contact is unlinked in the end, as far as can be told."""
        return any(one.until == NEVER or one.doubtful for one in self.unlinked_of(record))

    def answers(self, email: str) -> Iterator[tuple[Record, Entry]]:
        for record in self.records(email):
            for entry in record.history.get("wants_news", []):
                yield record, entry

    def explicit(self, email: str, until: float) -> list[float]:
        """When a form or a person said yes for the address, since the connection began."""
        return sorted(
            entry.at.timestamp()
            for _, entry in self.answers(email)
            if entry.value == "yes" and entry.source in WISHING and self.began <= entry.at.timestamp() <= until
        )

    def made(self, email: str, until: float) -> list[float]:
        """When contacts with the address were made, since the connection began."""
        return sorted(
            one.created.timestamp() for one in self.records(email) if self.began <= one.created.timestamp() <= until
        )


def address_at(record: Record, at: float) -> str | None:
    """The address that the contact had at the time."""
    had = [entry.value for entry in record.history.get("email", []) if entry.at.timestamp() <= at]
    return had[-1] if had else record.value("email")
