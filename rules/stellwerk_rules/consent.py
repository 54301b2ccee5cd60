"""What the consent ledger comes to: who is asked, who confirmed, who opted out, and which facts were counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from stellwerk_rules.model import (
    CONFIRMED_BY_CONTACT,
    Fact,
    FactKind,
)
from stellwerk_rules.spec import Limits
from stellwerk_rules.zones import reach

OPT_OUT_MARGIN = timedelta(hours=2)
"""Times of two systems closer together than this cannot be told apart; the opt-out then counts as the younger."""

SOURCE_OPT_OUT = "out:"
"""Begins the key of an opt-out that is a CRM's own: it says nothing of the mail system's."""

SAID_NO = "no:"
"""Begins the key of an opt-out that was said at a CRM: the mail system may prove that it is one, and never denies it."""

COUNT_WINDOW = timedelta(days=30)


class AskOutcome(StrEnum):
    """What became of a double opt-in that was started.

    `VOID`: the contact was deleted, and the link leads nowhere. `OVERRULED`: the CRM's own opt-out came before the answer;
    nothing is waited for any more, but the mail is out, and its link confirms at the mail system all the same.
    """

    SENT = "sent"
    UNKNOWN = "unknown"
    VOID = "void"
    OVERRULED = "overruled"
    CONFIRMED = "confirmed"
    ENDED = "ended"


UNANSWERED = frozenset({AskOutcome.SENT, AskOutcome.UNKNOWN, AskOutcome.VOID})
CONFIRMABLE = frozenset({AskOutcome.SENT, AskOutcome.UNKNOWN, AskOutcome.OVERRULED})


class AskState(Struct, frozen=True, kw_only=True):
    """A double opt-in: its mark, when it was started, whether after an opt-out, and what became of it.

    `contact` is the mail system's contact that was made for it, where one was and its id is known.
    """

    mark: str
    at: datetime
    contact: str | None = None
    plus: bool
    way_back: bool
    outcome: AskOutcome


class ConsentState(StrEnum):
    """Where an address stands with the mail system."""

    NOT_SUBSCRIBED = "not_subscribed"
    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class Consent(Struct, frozen=True, kw_only=True):
    """The ledger of one address, folded at one moment.

    `opted_out`: nothing may be sent or granted. `left`: that is proved, and it is not only the CRM's own opt-out.
    `standing` are the opt-outs that nothing has ended since, with the time we set the answer to no for each in `no_set`.
    `confirmation` is the last one if no opt-out and no removal followed, `last_confirmation` in any case; `removed` says
    that a removal did. `open_ask` may still be answered; `last_ask` is unanswered too, be it that nobody can answer it any more:
    only a confirmation or an opt-out ends its count. `asks_in_window` counts the unanswered ones of 30 days,
    `ways_back_in_window` those after an opt-out. `confirmable` are the asks whose mail may still be confirmed, whatever the
    CRM said since. `counted` are facts already acted upon.
    """

    state: ConsentState
    opted_out: bool
    left: bool
    standing: tuple[Fact, ...]
    no_set: Mapping[str, Fact]
    asks: Mapping[str, AskState]
    open_ask: AskState | None
    last_ask: AskState | None
    asks_in_window: int
    ways_back_in_window: int
    confirmable: tuple[AskState, ...]
    confirmation: Fact | None
    last_confirmation: Fact | None
    granted: Fact | None
    counted: frozenset[tuple[FactKind, str]]
    removed: bool
    suppressed_at: datetime | None

    def is_counted(self, kind: FactKind, key: str) -> bool:
        """Whether this fact was acted upon before. A claimed opt-out is not yet one that counts."""
        return (kind, key) in self.counted

    def opt_out(self) -> Fact | None:
        """The proved opt-out that stands, the last if there are several."""
        return next((fact for fact in reversed(self.standing) if fact.final), None)

    def claimed(self) -> bool:
        """Whether an opt-out at the mail system is claimed, neither proved nor denied yet, and none is proved."""
        return any(is_deniable(fact) for fact in self.standing) and not self.left

    def watched(self) -> tuple[Fact, ...]:
        """The noes said at a CRM that were heard and not carried out, since the connection that heard them did not run.

        Nothing settles them but being carried out, so nothing waits for that: they keep out like any opt-out.
        """
        return tuple(fact for fact in self.standing if not fact.final and fact.key.startswith(SAID_NO))

    def stays_out(self) -> bool:
        """Whether nothing may be written for this address: it left, or said a no that was heard and not carried out."""
        return self.left or bool(self.watched())


def fold(
    facts: Iterable[Fact],
    suppressed: bool,
    at: datetime,
    limits: Limits,
    suppressed_at: datetime | None = None,
) -> Consent:
    """The state that `facts`, oldest first, and the suppression list leave at the time `at`."""
    told = tuple(facts)
    total = _added_up(told)
    since = at - COUNT_WINDOW
    unanswered = [ask for ask in total.asks.values() if ask.outcome in UNANSWERED]
    lately = [ask for ask in unanswered if at - ask.at < timedelta(days=limits.doi_valid_days)]
    pending = [ask for ask in lately if ask.outcome is not AskOutcome.VOID]
    opted_out = bool(total.standing) or (suppressed and total.last_confirmation is None)
    subscribed = total.confirmation is not None or total.granted is not None
    return Consent(
        state=_state(pending=bool(pending), opted_out=opted_out, subscribed=subscribed),
        opted_out=opted_out,
        left=any(is_proved(fact) for fact in total.standing) or (opted_out and not total.standing),
        standing=total.standing,
        no_set=total.no_set,
        asks=total.asks,
        open_ask=pending[-1] if pending else None,
        last_ask=lately[-1] if lately else None,
        asks_in_window=sum(ask.at > since for ask in unanswered),
        ways_back_in_window=sum(ask.way_back and ask.at > since for ask in total.asks.values()),
        confirmable=tuple(ask for ask in total.asks.values() if ask.outcome in CONFIRMABLE),
        confirmation=total.confirmation,
        last_confirmation=total.last_confirmation,
        granted=total.granted,
        counted=frozenset((fact.kind, fact.key) for fact in told if fact.final)
        | {(FactKind.CONFIRMED, fact.mark) for fact in told if fact.mark is not None},
        removed=total.removed,
        suppressed_at=suppressed_at if suppressed else None,
    )


def period_key(consent: Consent, contact_id: str | None) -> str:
    """Names the time since the last confirmation we know; it ends with one opt-out."""
    if consent.last_confirmation is not None:
        return f"after:{consent.last_confirmation.key}"
    return "first" if contact_id is None else f"contact:{contact_id}"


def is_proved(fact: Fact) -> bool:
    """Whether the mail system has shown this opt-out; a claim and a CRM's own say nothing of it."""
    return fact.final and not fact.key.startswith(SOURCE_OPT_OUT)


def is_deniable(fact: Fact) -> bool:
    """Whether the mail system may show that this opt-out is none: a claim, and one that was told there."""
    return not fact.final and not fact.key.startswith(SAID_NO)


def reaches_all(fact: Fact) -> bool:
    """Whether every connection of the mail account is to be told: an opt-out that is proved, and not only a CRM's own."""
    return fact.kind is FactKind.OPTED_OUT and is_proved(fact)


def told_elsewhere(facts: Iterable[Fact], mail_system: str) -> tuple[Fact, ...]:
    """Facts that a connection with another CRM account wrote, as this one may use them.

    The other CRM's clock is not this one's, so their times need the margin; a no that we set there says nothing of here.
    """
    return tuple(
        fact if fact.told_by == mail_system else replace(fact, told_by="")
        for fact in facts
        if fact.kind is not FactKind.NO_SET
    )


def is_younger(wished_at: datetime, wished_by: str, opt_out: Fact, no_set: Fact | None) -> bool:
    """Whether a wish, by the clock of the system `wished_by`, is younger than an opt-out.

    A yes that stands there after the no we set for this opt-out is: one clock. Two clocks need the margin, a day where the
    zone of one was not known.
    """
    for told in (no_set, opt_out):
        if told is not None and told.told_by == wished_by:
            return wished_at > told.at
    return wished_at > opt_out.at + max(OPT_OUT_MARGIN, reach(opt_out))


def leads_back(consent: Consent, wished_at: datetime, wished_by: str) -> bool:
    """Whether a wish is younger than everything that keeps its address out."""
    if consent.standing:
        return all(is_younger(wished_at, wished_by, one, consent.no_set.get(one.key)) for one in consent.standing)
    return consent.suppressed_at is not None and wished_at > consent.suppressed_at + OPT_OUT_MARGIN


def ends_suppression(before: tuple[Fact, ...], suppressed_at: datetime | None, new: Iterable[Fact]) -> bool:
    """Whether the facts `new` take the address off the suppression list.

    Only the contact's own confirmation does, or that the claim which alone put it there proved wrong, and no other stands.
    """
    news = tuple(new)
    kinds = {
        fact.kind for fact in news if fact.kind is not FactKind.CONFIRMED or fact.permission in CONFIRMED_BY_CONTACT
    }
    if FactKind.CONFIRMED in kinds:
        return True
    outs = [fact for fact in before if fact.kind is FactKind.OPTED_OUT]
    if FactKind.OPT_OUT_DENIED not in kinds or not outs or any(fact.final for fact in outs):
        return False
    if _added_up((*before, *news)).standing:
        return False
    return suppressed_at is None or suppressed_at >= min(fact.at for fact in outs)


def _state(*, pending: bool, opted_out: bool, subscribed: bool) -> ConsentState:
    if pending:
        return ConsentState.PENDING
    if opted_out:
        return ConsentState.UNSUBSCRIBED
    return ConsentState.SUBSCRIBED if subscribed else ConsentState.NOT_SUBSCRIBED


class _Sum(Struct, frozen=True, kw_only=True):
    asks: Mapping[str, AskState] = field(default_factory=dict)
    standing: tuple[Fact, ...] = ()
    no_set: Mapping[str, Fact] = field(default_factory=dict)
    confirmation: Fact | None = None
    last_confirmation: Fact | None = None
    granted: Fact | None = None
    removed: bool = False


def _added_up(told: tuple[Fact, ...]) -> _Sum:
    denied = {fact.key for fact in told if fact.kind is FactKind.OPT_OUT_DENIED}
    total = _Sum()
    for fact in told:
        if fact.final or fact.key not in denied:
            total = _ADD.get(fact.kind, _unchanged)(total, fact)
    return total


def _unchanged(total: _Sum, _: Fact) -> _Sum:
    return total


def _asked(total: _Sum, fact: Fact) -> _Sum:
    before = total.asks.get(fact.key)
    outcome = AskOutcome.SENT if fact.kind is FactKind.ASKED else AskOutcome.UNKNOWN
    if total.last_confirmation is not None and total.last_confirmation.key == fact.key:
        outcome = AskOutcome.CONFIRMED  # the contact was faster than the receipt
    elif total.standing and fact.overtaken:  # so was an opt-out
        outcome = _ending(total.standing)
    ask = AskState(
        mark=fact.key,
        at=fact.at if before is None else before.at,
        contact=fact.contact or (None if before is None else before.contact),
        plus=fact.plus,
        way_back=bool(total.standing) and not fact.overtaken if before is None else before.way_back,
        outcome=outcome,
    )
    return replace(total, asks={**total.asks, fact.key: ask})


def _ask_failed(total: _Sum, fact: Fact) -> _Sum:
    return replace(total, asks={mark: ask for mark, ask in total.asks.items() if mark != fact.key})


def _confirmed(total: _Sum, fact: Fact) -> _Sum:
    return replace(
        total,
        asks={
            mark: _ended(ask, AskOutcome.CONFIRMED if mark == fact.key else AskOutcome.ENDED)
            for mark, ask in total.asks.items()
        },
        standing=(),
        confirmation=fact,
        last_confirmation=fact,
        removed=False,
    )


def _granted(total: _Sum, fact: Fact) -> _Sum:
    return replace(total, granted=fact)


def _opted_out(total: _Sum, fact: Fact) -> _Sum:
    if is_proved(fact):
        standing = (*(one for one in total.standing if one.final), fact)
    elif not fact.final and any(is_proved(one) for one in total.standing):
        standing = total.standing  # claimed again, while it stands anyway
    else:
        standing = (*total.standing, fact)
    return replace(
        total,
        asks={mark: _ended(ask, _ending((fact,))) for mark, ask in total.asks.items()},
        standing=standing,
        confirmation=None,
        granted=None,
    )


def _ending(outs: tuple[Fact, ...]) -> AskOutcome:
    """What becomes of an ask by these opt-outs: a CRM's own say nothing of its link."""
    overruled = all(out.key.startswith(SOURCE_OPT_OUT) for out in outs)
    return AskOutcome.OVERRULED if overruled else AskOutcome.ENDED


def _removed(total: _Sum, _: Fact) -> _Sum:
    asks = {mark: _ended(ask, AskOutcome.VOID) for mark, ask in total.asks.items()}
    return replace(total, asks=asks, confirmation=None, granted=None, removed=True)


def _no_set(total: _Sum, fact: Fact) -> _Sum:
    return replace(total, no_set={**total.no_set, fact.key: fact})


def _ended(ask: AskState, outcome: AskOutcome) -> AskState:
    if ask.outcome is AskOutcome.VOID and outcome is AskOutcome.OVERRULED:
        outcome = AskOutcome.ENDED  # its link leads nowhere
    return replace(ask, outcome=outcome) if ask.outcome in UNANSWERED | CONFIRMABLE else ask


_ADD: Mapping[FactKind, Callable[[_Sum, Fact], _Sum]] = {
    FactKind.ASKED: _asked,
    FactKind.ASK_UNKNOWN: _asked,
    FactKind.ASK_FAILED: _ask_failed,
    FactKind.CONFIRMED: _confirmed,
    FactKind.GRANTED: _granted,
    FactKind.OPTED_OUT: _opted_out,
    FactKind.NO_SET: _no_set,
    FactKind.KEPT: _granted,
    FactKind.REMOVED: _removed,
}
