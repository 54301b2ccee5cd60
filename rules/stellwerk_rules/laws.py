"""The laws: what no rule, setting or moment may do. Asked when a change is decided and again just before it is written.

Each function returns the reason that forbids the change, None where it is lawful. The numbers are those of the design.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from stellwerk_rules import permission, stands_twice
from stellwerk_rules.consent import Consent, leads_back
from stellwerk_rules.model import (
    Agreement,
    Ask,
    Because,
    Change,
    Contact,
    Create,
    Enter,
    MoveAddress,
    MoveStage,
    Permission,
    Presence,
    SetFields,
    SetPeer,
)

ASK_AGAIN_AFTER = timedelta(hours=24)
MOST_ASKS = 3
MOST_WAYS_BACK = 3

OPTED_OUT = "opted-out"
"""Code of a refusal: the address is out, and this leads nobody back."""

OPT_OUT_YOUNGER = "opt-out-younger"
"""Code of a refusal: of two times it is the opt-out's that counts as the younger."""

ALREADY_CONFIRMED = "already-confirmed"
NOT_ASKED_NOW = frozenset({"already-asked", ALREADY_CONFIRMED, "pending", "asked-lately", "asked-often"})
"""Codes of `may_ask`: no mail goes out, and the contact that stands there is linked all the same."""


def lawful(
    change: Change,
    consent: Consent,
    *,
    to_mail: bool,
    wished_by: str,
    agreed: Agreement | None,
    at: datetime,
    enter: Enter | None = None,
    target: Contact | None = None,
    former: Consent | None = None,
) -> Because | None:
    """Why `change` may not be made, or None.

    `to_mail`: its target is the system that mails. `enter` is what an `Ask` or `Create` comes from; `target` what stands
    there, where that was read; `former` the consent of the address that a contact had before.
    """
    if isinstance(change, MoveStage):
        return may_move(change, consent)
    if isinstance(change, Enter):
        return may_enter(change, consent, wished_by)
    if not to_mail:
        return None
    if isinstance(change, Ask | Create):
        if enter is None:
            return Because(code="not-entering", text="nobody is asked or created but who enters")
        asking = may_ask(enter, consent, at) if isinstance(change, Ask) else None
        granted = may_grant(change.permission, agreed) if isinstance(change, Create) else None
        return may_enter(enter, consent, wished_by) or asking or granted
    if isinstance(change, MoveAddress):
        return may_move_address(consent, former)
    if isinstance(change, SetFields | SetPeer):
        return may_write(consent, target)
    return None


def may_enter(enter: Enter, consent: Consent, wished_by: str) -> Because | None:
    """Law 1: after an opt-out only a wish that is younger leads back, and only by a double opt-in."""
    if not consent.opted_out:
        return None
    if not enter.way_back:
        return Because(code=OPTED_OUT, text="this address opted out")
    if not leads_back(consent, enter.wished_at, wished_by):
        return Because(code=OPT_OUT_YOUNGER, text="the opt-out counts as younger than this wish")
    if enter.ask is None:
        return Because(code="no-way-to-ask", text="only a double opt-in leads back, and there is none to send")
    if consent.ways_back_in_window >= MOST_WAYS_BACK:
        return Because(code="ways-back-used-up", text="this address came back three times within 30 days")
    return None


def may_ask(enter: Enter, consent: Consent, at: datetime) -> Because | None:
    """Law 3: one double opt-in for one wish, none to a confirmed address, and while one is unanswered only as decided."""
    if enter.wish in consent.asks:
        return Because(code="already-asked", text="this wish was asked already")
    if consent.confirmation is not None:
        return Because(code=ALREADY_CONFIRMED, text="this address confirmed already")
    waiting = consent.last_ask
    if waiting is not None:
        if not enter.explicit:
            return Because(code="pending", text="a double opt-in is unanswered, and this is no explicit yes")
        if at - waiting.at < ASK_AGAIN_AFTER:
            return Because(code="asked-lately", text="the last double opt-in was started less than 24 hours ago")
    if consent.asks_in_window >= MOST_ASKS:
        return Because(code="asked-often", text="three double opt-ins within 30 days are unanswered")
    return None


def may_grant(granted: Permission, agreed: Agreement | None) -> Because | None:
    """Law 2: a permission is granted only as a named person agreed, a confirmed one only where it says where."""
    if permission.grantable(granted, agreed) is granted:
        return None
    return Because(code="grant-not-agreed", text=f"nobody agreed to granting {granted.value}")


def may_write(consent: Consent, target: Contact | None) -> Because | None:
    """Law 1: no personal data for an address that opted out at the mail system, and none on an anonymised record.

    Nor on one of several contacts that have the address: what is written by it reaches whichever.
    """
    if target is not None and target.presence not in (Presence.PRESENT, Presence.TWICE):
        return Because(code="not-there", text=f"the contact reads {target.presence.value} there")
    if consent.stays_out():
        return Because(code=OPTED_OUT, text="this address opted out")
    return stands_twice.because() if target is not None and target.presence is Presence.TWICE else None


def may_move_address(consent: Consent, former: Consent | None) -> Because | None:
    """Laws 1 and 2: a permission goes along to another address only where nobody opted out, at either address.

    Nor while a mail that went to the old one could still confirm.
    """
    if former is None:
        return Because(code="permission-not-kept", text="what the old address allowed is not known")
    if consent.opted_out or former.opted_out:
        return Because(code=OPTED_OUT, text="one of the two addresses opted out")
    if former.confirmable:
        return Because(code="pending", text="a double opt-in that was sent to the old address is unanswered")
    return None


def may_move(move: MoveStage, consent: Consent) -> Because | None:
    """Law 5: the fact that moves a stage must still hold."""
    confirmed = consent.last_confirmation is not None and consent.last_confirmation.key == move.fact
    if (confirmed and not consent.stays_out()) or any(fact.key == move.fact for fact in consent.standing):
        return None
    return Because(code="fact-no-longer-holds", text="what the stage was to be moved for no longer holds")
