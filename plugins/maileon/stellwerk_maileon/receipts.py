"""Receipts from what the client raised."""

from __future__ import annotations

from stellwerk.sdk import (
    AmbiguousError,
    DeliveryError,
    Outcome,
    PauseError,
    ReauthorizeError,
    Receipt,
    RejectedError,
    RetryableError,
)

_OUTCOMES: tuple[tuple[type[DeliveryError], Outcome], ...] = (
    (AmbiguousError, Outcome.AMBIGUOUS),
    (RejectedError, Outcome.REJECTED),
    (ReauthorizeError, Outcome.REAUTHORIZE),
    (PauseError, Outcome.PAUSE),
    (RetryableError, Outcome.RETRY),
)


def from_error(error: DeliveryError, *, batch: bool = False, marked: bool = False) -> Receipt:
    """The receipt of a delivery that failed; with `batch` the failure was that of a call for several contacts.

    Such a call may be bisected when one of the contacts or its size can be the cause: a refusal, or no known outcome.
    An unknown outcome of a write without a mark (`marked`) is a retry, since all those may be repeated.
    """
    outcome = next((known for kind, known in _OUTCOMES if isinstance(error, kind)), Outcome.RETRY)
    whole = batch and outcome in (Outcome.REJECTED, Outcome.AMBIGUOUS)
    if outcome is Outcome.AMBIGUOUS and not marked:
        outcome = Outcome.RETRY
    seconds = error.seconds if isinstance(error, PauseError) else getattr(error, "retry_after", None)
    return Receipt(
        outcome=outcome,
        code=error.code,
        text=error.text,
        seconds=seconds,
        whole=whole,
        answer=error.answer,
    )


def rejected(code: str, text: str) -> Receipt:
    return Receipt(outcome=Outcome.REJECTED, code=code, text=text)


def not_needed(code: str, text: str, *, contact_id: str | None = None) -> Receipt:
    return Receipt(outcome=Outcome.NOT_NEEDED, code=code, text=text, id=contact_id)
