"""Bounces, and when they block a contact (sections 8, 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .account import Account, Contact, Entry

if TYPE_CHECKING:
    from .maileon import Maileon


def bounce(
    maileon: Maileon,
    account: Account,
    contact: Contact,
    *,
    kind: str = "permanent",
    status_code: str = "5.1.1",
    source: str = "mta-listener",
    msg_id: str | None = None,
    mailing: int | None = None,
) -> None:
    """Register a final bounce and call the webhooks; `hard_bounces` permanent ones in a row block the contact."""
    now = maileon.clock.now()
    account.bounces.append(
        Entry(
            time=now,
            contact=contact,
            mailing=mailing,
            msg_id=msg_id,
            type=kind,
            status_code=status_code,
            source=source,
        )
    )
    maileon.raise_event(account, "bounce", contact, {"msg_id": msg_id})
    if kind == "permanent":
        contact.bounces += 1
        if contact.bounces >= account.options.hard_bounces:
            block(account, contact, "bounce_policy", now)


def block(account: Account, contact: Contact, reason: str, now: float) -> None:
    if account.blocking_reason(contact) is None:
        contact.blocked_reason, contact.blocked = reason, now
        account.blocks.append(
            Entry(time=now, contact=contact, old_status="allowed", new_status="blocked", reason=reason)
        )


def unblock(account: Account, contact: Contact, now: float) -> None:
    if contact.blocked_reason is not None:
        reason, contact.blocked_reason, contact.blocked, contact.bounces = contact.blocked_reason, None, None, 0
        account.blocks.append(
            Entry(time=now, contact=contact, old_status="blocked", new_status="allowed", reason=reason)
        )
