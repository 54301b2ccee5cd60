"""One call of a connector that writes: a receipt for each delivery, whatever the connector does."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.errors import (
    AmbiguousError,
    DeliveryError,
    PauseError,
    ReauthorizeError,
    RejectedError,
    RetryableError,
    StellwerkError,
)
from stellwerk.relay.bug import place
from stellwerk.relay.hub import log
from stellwerk.sdk.connector import Delivery, Outcome, Receipt, Target

BROKEN = "connector-failed"
"""Code of what a connector did not answer for: it raised what it may not, or told of others than it was given."""


async def applied(target: Target, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
    """The receipts of one call. Nobody knows what a connector did that broke."""
    try:
        receipts = list(await target.apply(deliveries))
        if len(receipts) == len(deliveries):
            return receipts
        log.error("connector %s: %d receipts for %d deliveries", type(target).__name__, len(receipts), len(deliveries))
    except DeliveryError as error:
        return [_receipt(error, whole=len(deliveries) > 1)] * len(deliveries)
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("connector %s: %s", type(target).__name__, place(bug))
    broken = Receipt(outcome=Outcome.AMBIGUOUS, code=BROKEN, whole=len(deliveries) > 1)
    return [broken] * len(deliveries)


def is_whole(receipts: Sequence[Receipt], *, marked: bool) -> bool:
    """Whether several failed as one, so that each half may be tried by itself."""
    return len(receipts) > 1 and all(
        one.whole and (one.outcome is Outcome.REJECTED or (one.code == BROKEN and not marked)) for one in receipts
    )


def _receipt(error: DeliveryError, *, whole: bool) -> Receipt:
    outcomes = {
        ReauthorizeError: Outcome.REAUTHORIZE,
        PauseError: Outcome.PAUSE,
        RejectedError: Outcome.REJECTED,
        AmbiguousError: Outcome.AMBIGUOUS,
    }
    seconds = error.seconds if isinstance(error, PauseError) else None
    if isinstance(error, RetryableError):
        seconds = error.retry_after
    return Receipt(
        outcome=outcomes.get(type(error), Outcome.RETRY),
        code=error.code,
        text=error.text,
        seconds=seconds,
        whole=whole,
        answer=error.answer,
    )
