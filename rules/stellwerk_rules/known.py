"""What is known of a contact when it is decided on, and what a decision leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field

from stellwerk_rules.change import Held, Planned, Skip
from stellwerk_rules.contact import Because, Permission

Digest: TypeAlias = Callable[[str], str]


class FactKind(StrEnum):
    """What the consent ledger records.

    `kept`: a permission that came along from another address of the same contact. `removed`: the mail system's contact of
    this address was deleted, or has another address now; what it had allowed has ended. Neither ends an opt-out.
    """

    ASKED = "asked"
    ASK_UNKNOWN = "ask_unknown"
    ASK_FAILED = "ask_failed"
    CONFIRMED = "confirmed"
    GRANTED = "granted"
    OPTED_OUT = "opted_out"
    OPT_OUT_DENIED = "opt_out_denied"
    NO_SET = "no_set"
    KEPT = "kept"
    REMOVED = "removed"


class Fact(Struct, frozen=True, kw_only=True):
    """One line of the consent ledger, for one address at one mail account.

    `key` makes the fact one fact however often it is told. `at` is by the clock of the system that told it, `told_by`.
    `permission` stands with confirmed, granted and kept; `final` with opted_out; `words` names the agreement (its hash).
    `unzoned`: the zone of that clock was not known yet, so that `at` may be wrong by a day. `contact` stands with asked: the
    mail system's contact that was made for it, and of which nothing is older than the ask, whatever the clocks say. `mark`
    stands with kept: the ask whose confirmation came along, and was counted at the other address. `overtaken` stands with
    asked: an opt-out came while it was on its way, and is the younger although it was written down before.
    """

    kind: FactKind
    key: str
    at: datetime
    event: str
    told_by: str = ""
    plus: bool = False
    permission: Permission | None = None
    final: bool = True
    words: str | None = None
    unzoned: bool = False
    contact: str | None = None
    mark: str | None = None
    overtaken: bool = False


class Seen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last value of a field at one side that we read or wrote: its digest, and when it was written there, if known.

    `wish`, of an answer that was handled, is the mark of the explicit yes that it was.
    """

    digest: str
    at: datetime | None = None
    wish: str | None = None


class Agreement(Struct, frozen=True, kw_only=True):
    """Who agreed, when, to which saved words (their hash); `confirmation_given` states where a granted double opt-in was given."""

    by: str
    at: datetime
    words: str = ""
    confirmation_given: str | None = None


class Unlinked(Struct, frozen=True, kw_only=True):
    """A person took the contact out of what is carried between the systems: who, and when."""

    by: str
    at: datetime


class Remembered(Struct, frozen=True, kw_only=True):
    """What the hub keeps of one contact of one connection between events: ids, digests, no clear text.

    `ids` and `seen` are by system name. `going` has, by system, the digests of values decided but not yet delivered there.
    `entered` says the contact was brought in by a decision; `answered` is the digest and time of the answer last handled.
    `by_wish`: it came out of a merge or back from a deletion, and only an explicit yes brings it in. `within` is the id, at the
    system where contacts have their addresses, of the one this was merged into: its address is a secondary one there.
    `binned`: it was deleted there and may come back. `erased`: it was deleted for privacy. `unlinked`: nothing of it is carried
    any more but opt-outs and a deletion for privacy, until somebody links it again; what was carried before tells where it is.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)
    going: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)
    entered: bool = False
    answered: Mapping[str, Seen] = field(default_factory=dict)
    by_wish: bool = False
    within: str | None = None
    binned: bool = False
    erased: bool = False
    unlinked: Unlinked | None = None


class Wrote(Struct, frozen=True, kw_only=True):
    """A field's value was carried over and written: when, by the hub's clock; `by_hand` as with the value."""

    at: datetime
    by_hand: bool = False


class Former(Struct, frozen=True, kw_only=True):
    """The address that a contact had before, by its digest, and what is known of its consent."""

    address: str
    facts: tuple[Fact, ...] = ()
    suppressed: bool = False


class Known(Struct, frozen=True, kw_only=True):
    """Everything the hub knows when it decides.

    `facts` is the ledger of the contact's address at the connection's mail account, oldest first. `digest` is the keyed
    hash; equal text, equal digest. `stages` is the stage order read from the system, earliest first. `suppressed` is true
    when the suppression list knows the address (it may outlive the ledger's facts), since `suppressed_at` by the hub's clock.
    `unzoned` are the systems whose times bear no zone, as long as it was not learnt: they may be wrong by a day.
    `address` is the digest of the address that the contact is stored with, `about` of the one the facts are of, `former` the
    address it had before, where that changes; `absorbed` are the contacts that the event's turned out to be merged with.
    `written` has by system and field what was written of this contact in the last minutes, oldest first. `within_unlinked`: the
    contact whose secondary address this is was unlinked. `in_bin` are the ids, where contacts have their addresses, of those with
    the address `about` that were deleted there; told only where something becomes of an address that was left.
    """

    digest: Digest
    began_at: datetime | None
    agreed: Agreement | None = None
    remembered: Remembered = Remembered()
    facts: tuple[Fact, ...] = ()
    suppressed: bool = False
    suppressed_at: datetime | None = None
    stages: tuple[str, ...] = ()
    unzoned: frozenset[str] = frozenset()
    address: str | None = None
    about: str | None = None
    former: Former | None = None
    absorbed: tuple[Remembered, ...] = ()
    written: Mapping[str, Mapping[str, tuple[Wrote, ...]]] = field(default_factory=dict)
    within_unlinked: Unlinked | None = None
    in_bin: frozenset[str] = frozenset()


class Decision(Struct, frozen=True, kw_only=True):
    """What the rules made of an event: changes, skips and held ones, facts for the ledger, and what to remember.

    `former_facts` are of the address the contact had before. `look_again` names systems whose contact is to be read once more.
    """

    changes: tuple[Planned, ...] = ()
    skips: tuple[Skip, ...] = ()
    held: tuple[tuple[Planned, Held], ...] = ()
    facts: tuple[Fact, ...] = ()
    former_facts: tuple[Fact, ...] = ()
    notices: tuple[Because, ...] = ()
    remembered: Remembered = Remembered()
    look_again: tuple[str, ...] = ()
