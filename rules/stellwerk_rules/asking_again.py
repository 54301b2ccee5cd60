"""Whether a contact's last explicit yes still allows a confirmation mail, where a person asks for one. A click is no wish.

The same question is put when it is offered and when it is decided: law 3 knows one mail for one wish, and what went out
after a yes went out for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from stellwerk_rules import laws
from stellwerk_rules.chosen import as_switch, possible
from stellwerk_rules.consent import COUNT_WINDOW, UNANSWERED, AskOutcome, AskState, Consent
from stellwerk_rules.fields import CLOCK_MARGIN
from stellwerk_rules.layers import effective
from stellwerk_rules.model import AskTerms, Enter, Permission
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import Limits, SettingValue

ALLOWED = "allowed"
UNKNOWN = "ask-unknown"
"""A mail may have gone out for this yes; a person who has looked may say that it did not."""


class Wish(Struct, frozen=True, kw_only=True):
    """An explicit yes that was handled: when it was said, by the clock of its system, and the mark it is known by."""

    at: datetime
    mark: str


class AskAgain(Struct, frozen=True, kw_only=True):
    """`code` is `ALLOWED`, or names the condition that forbids it; `seen` is the time that this condition saw.

    `until`: where it is allowed, the last moment; else the first at which this condition holds no more, None where only a
    new yes ends it. Where a mail went out it is the first at which a new yes would be answered.
    """

    code: str
    seen: datetime | None = None
    until: datetime | None = None


def ask_again(
    wish: Wish | None, consent: Consent, limits: Limits, at: datetime, *, wished_by: str, asks: bool = True
) -> AskAgain:
    """Whether `wish`, the last explicit yes of the contact at the system `wished_by`, may be answered by a mail at `at`.

    `asks`: the settings in effect send one.
    """
    if wish is None:
        return AskAgain(code="no-yes")
    if consent.claimed():
        return AskAgain(code="opt-out-claimed", seen=_out_since(consent))
    enter = _as_it_would_enter(wish, consent)
    refused = laws.may_enter(enter, consent, wished_by)
    if refused is not None:
        return AskAgain(code=refused.code, seen=_out_since(consent), until=_way_back_from(consent, at, refused.code))
    if consent.confirmation is not None:
        return AskAgain(code="already-confirmed", seen=consent.confirmation.at)
    mail = _mail_for(wish, consent)
    if mail is not None:
        code = UNKNOWN if mail.outcome is AskOutcome.UNKNOWN else "already-asked"
        return AskAgain(code=code, seen=mail.at, until=_new_yes_from(consent, at))
    valid = wish.at + timedelta(days=limits.wish_valid_days)
    if at > valid:
        return AskAgain(code="wish-too-old", seen=wish.at)
    if not asks:
        return AskAgain(code="asks-nobody")
    refused = laws.may_ask(enter, consent, at)
    if refused is not None:
        seen = None if consent.last_ask is None else consent.last_ask.at
        return AskAgain(code=refused.code, seen=seen, until=_new_yes_from(consent, at))
    return AskAgain(code=ALLOWED, seen=wish.at, until=valid)


def asks_anybody(plan: Plan, settings: Mapping[str, SettingValue]) -> bool:
    """Whether the connection's settings ask, be it only those whose own field says so."""
    spec = plan.consent_spec
    base = effective(plan, settings).base
    return spec is not None and any(as_switch(one) for one in possible(spec.ask, base))


def _as_it_would_enter(wish: Wish, consent: Consent) -> Enter:
    return Enter(
        email="",
        peer_id="",
        wish=wish.mark,
        wished_at=wish.at,
        explicit=True,
        ask=AskTerms(),
        grant=Permission.NONE,
        fields={},
        way_back=consent.opted_out,
    )


def _mail_for(wish: Wish, consent: Consent) -> AskState | None:
    """The last mail that went out, or may have, for this yes: by its mark, or since (a merge gives the yes another mark)."""
    since = wish.at - CLOCK_MARGIN
    return max(
        (ask for ask in consent.asks.values() if ask.mark == wish.mark or ask.at >= since),
        key=lambda ask: ask.at,
        default=None,
    )


def _out_since(consent: Consent) -> datetime | None:
    return consent.standing[-1].at if consent.standing else consent.suppressed_at


def _new_yes_from(consent: Consent, at: datetime) -> datetime | None:
    """From when the laws answer a new yes by a mail; None where they do so at once."""
    unanswered = [ask.at for ask in consent.asks.values() if ask.outcome in UNANSWERED]
    last = [] if consent.last_ask is None else [consent.last_ask.at + laws.ASK_AGAIN_AFTER]
    until = max((*last, *_window_ends(unanswered, at, laws.MOST_ASKS)), default=at)
    return until if until > at else None


def _way_back_from(consent: Consent, at: datetime, code: str) -> datetime | None:
    ways = [ask.at for ask in consent.asks.values() if ask.way_back]
    return next(iter(_window_ends(ways, at, laws.MOST_WAYS_BACK)), None) if code == "ways-back-used-up" else None


def _window_ends(asked: list[datetime], at: datetime, most: int) -> list[datetime]:
    """When fewer than `most` of `asked` are left in the window of the laws; nothing where it is not full."""
    counted = sorted(one for one in asked if one > at - COUNT_WINDOW)
    return [counted[-most] + COUNT_WINDOW] if len(counted) >= most else []
