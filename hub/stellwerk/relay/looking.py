"""When to look at an event again because its remote has not made up its mind. Not a retry: nothing failed."""

from __future__ import annotations

AGES_SECONDS = (2.0, 7.0, 22.0, 82.0, 382.0)
LATE_CONFIRMATION_LOOKS = 3
OFTEN_SECONDS = 300.0
RARELY_SECONDS = 3600.0
CLAIM_SECONDS = 3600.0
"""A claimed opt-out may be withdrawn after this; until then it is looked at often."""

SAME_SECONDS = 0.5


def next_look(received: float, now: float, *, longest: float) -> float | None:
    """When to look again at what was received then; None once it is older than `longest` seconds."""
    age = now - received
    if age >= longest:
        return None
    for at in AGES_SECONDS:
        if at > age + SAME_SECONDS:
            return received + at
    return now + (OFTEN_SECONDS if age < CLAIM_SECONDS else RARELY_SECONDS)


def late_confirmation(received: float, now: float) -> float | None:
    """When to look again at a contact that was told to have confirmed and does not read so yet."""
    ages = (at for at in AGES_SECONDS[:LATE_CONFIRMATION_LOOKS] if at > now - received + SAME_SECONDS)
    return next((received + at for at in ages), None)
