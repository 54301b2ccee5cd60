"""Receipts: what became of a delivery, from an answer or from a named error."""

from __future__ import annotations

from datetime import datetime

from stellwerk.sdk import (
    AmbiguousError,
    DeliveryError,
    Outcome,
    PauseError,
    ReauthorizeError,
    Receipt,
    RetryableError,
)

__all__ = ["answered", "from_error", "rejected"]


def answered(contact_id: str, *, at: datetime | None = None, code: str = "done", text: str = "") -> Receipt:
    """It was written; `contact_id` is the contact's present id, `at` HubSpot's time of the write."""
    return Receipt(outcome=Outcome.DONE, code=code, text=text, id=contact_id, at=at)


def rejected(code: str, text: str) -> Receipt:
    """Never as it is, known without HubSpot's answer or from one row of it."""
    return Receipt(outcome=Outcome.REJECTED, code=code, text=text)


def from_error(error: DeliveryError, *, whole: bool = False) -> Receipt:
    """The receipt for an error; `whole` says that the batch failed as one."""
    seconds: float | None = None
    match error:
        case RetryableError():
            outcome, seconds = Outcome.RETRY, error.retry_after
        case PauseError():
            outcome, seconds = Outcome.PAUSE, error.seconds
        case AmbiguousError():
            outcome = Outcome.AMBIGUOUS
        case ReauthorizeError():
            outcome = Outcome.REAUTHORIZE
        case _:
            outcome = Outcome.REJECTED
    return Receipt(outcome=outcome, code=error.code, text=error.text, seconds=seconds, whole=whole, answer=error.answer)
