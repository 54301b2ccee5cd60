"""One contact before the question whether it enters, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stellwerk_rules.consent import Consent
from stellwerk_rules.layers import Effective
from stellwerk_rules.model import Because, Event, Held, Known, Planned, Skip
from stellwerk_rules.plan import CompiledRule, Plan
from stellwerk_rules.spec import EnterSpec, SettingValue
from stellwerk_rules.wishes import Answer


class Entry(Struct, frozen=True, kw_only=True):
    """What the rule `enter` made of a contact: it enters, waits for a person, or stays out; with notices.

    `waits` says that nothing was handled: the same answer is looked at again at the next event. `only_wish`: from now on only
    an explicit yes brings it in, since the one that stands there may be somebody else's.
    """

    planned: Planned | None = None
    held: Held | None = None
    skip: Skip | None = None
    notices: tuple[Because, ...] = ()
    waits: bool = False
    only_wish: bool = False


class Case(Struct, frozen=True, kw_only=True):
    """One contact before the question whether it enters. `moved`: it came in before with another address."""

    plan: Plan
    rule: CompiledRule
    spec: EnterSpec
    event: Event
    known: Known
    consent: Consent
    settings: Mapping[str, SettingValue]
    effective: Effective
    answer: Answer
    moved: bool

    @property
    def is_new(self) -> bool:
        """Created since the connection began and not come out of a merge or back from a deletion, or at a new address.

        Who is older and came in by a sync has wished nothing: a new address makes no new contact of it.
        """
        created, began = self.event.contact.created_at, self.known.began_at
        fresh = created is not None and began is not None and created >= began
        return (self.moved and (fresh or self._has_wished)) or (fresh and not self.known.remembered.by_wish)

    @property
    def _has_wished(self) -> bool:
        """Whether the answer it came in with was given since the connection began."""
        began, before = self.known.began_at, self.known.remembered.answered.get(self.spec.answer or "")
        return began is not None and before is not None and before.at is not None and before.at >= began

    @property
    def is_wish(self) -> bool:
        """An explicit yes that is not handled yet and not older than the connection."""
        began, written = self.known.began_at, self.answer.written
        return self.answer.is_wish and written is not None and began is not None and written.at >= began
