"""State of one system shown at another: read by people, never read back as a wish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from stellwerk_rules import remember
from stellwerk_rules.consent import Consent, ConsentState
from stellwerk_rules.model import (
    Because,
    Contact,
    Decision,
    Digest,
    FieldValue,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    Value,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.scene import Scene
from stellwerk_rules.spec import Mirror

Trouble: TypeAlias = Literal["held", "error"]


def mirrored(
    plan: Plan,
    of: str,
    contact: Contact,
    consent: Consent,
    remembered: Remembered,
    digest: Digest,
    *,
    key: str,
    trouble: Trouble | None = None,
) -> Decision:
    """What to write where the state of the system `of` is shown, only where it differs from what is shown there.

    `trouble` stands for the status where something keeps the contact from being brought over.
    """
    changes: list[Planned] = []
    for mirror in plan.mirrors:
        if mirror.of != of or mirror.on_ not in remembered.ids:
            continue
        news = {
            name: FieldValue(value=value, owned=True)
            for name, value in _values(mirror, contact, consent, trouble).items()
            if _differs(remembered, digest, mirror.on_, name, value)
        }
        if not news:
            continue
        why = Because(code="mirror", text=f"shows the state at {of}")
        changes.append(
            Planned(
                system=mirror.on_,
                change=SetFields(fields=news, mirror=True),
                key=f"mirror:{key}:{mirror.on_}",
                because=why,
            )
        )
        on_the_way = {name: Seen(digest=remember.digest_of(digest, one.value)) for name, one in news.items()}
        remembered = remember.with_going(remembered, mirror.on_, on_the_way)
    return Decision(changes=tuple(changes), remembered=remembered)


def shown(now: Scene) -> Decision:
    """The same of the event's contact, as it was read at its system."""
    return _mirrored(now, now.system, now.contact)


def shown_of_nobody(now: Scene, of: str, trouble: Trouble | None = None) -> Decision:
    """The same of one that has nobody at the system `of` to be read."""
    return _mirrored(now, of, Contact(presence=Presence.ABSENT, read_at=now.event.at), trouble)


def _mirrored(now: Scene, of: str, contact: Contact, trouble: Trouble | None = None) -> Decision:
    known = now.known
    return mirrored(
        now.plan, of, contact, now.consent, known.remembered, known.digest, key=now.event.id, trouble=trouble
    )


def status(contact: Contact, consent: Consent) -> str:
    """Where the contact stands at the system that mails."""
    if contact.blocked:
        return "blocked"
    if consent.left and consent.state is ConsentState.UNSUBSCRIBED:
        return "unsubscribed"
    if contact.presence is Presence.PRESENT and contact.permission not in (None, Permission.NONE):
        return "subscribed"
    return "pending" if consent.state is ConsentState.PENDING else "not_subscribed"


def time_text(at: datetime) -> str:
    """Canonical text of a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _values(mirror: Mirror, contact: Contact, consent: Consent, trouble: Trouble | None) -> Mapping[str, Value]:
    # Who left may still read as before for some seconds; an opt-out counts from its proof on.
    reads = contact.presence is Presence.PRESENT and not consent.left
    permission = contact.permission if reads and contact.permission is not None else Permission.NONE
    out = consent.opt_out() if consent.left else None
    shown: dict[str | None, Value] = {
        mirror.status: trouble or status(contact, consent),
        mirror.permission: permission.value,
        mirror.unsubscribed_at: None if out is None else time_text(out.at),
    }
    return {name: value for name, value in shown.items() if name is not None}


def _differs(remembered: Remembered, digest: Digest, system: str, name: str, value: Value) -> bool:
    last = remember.going(remembered, system, name) or remember.seen(remembered, system, name)
    if last is None:
        return value is not None
    return last.digest != remember.digest_of(digest, value)
