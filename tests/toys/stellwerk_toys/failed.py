"""What a toy's receipt says where its remote failed."""

from __future__ import annotations

from stellwerk.sdk import AmbiguousError, DeliveryError, Outcome, ReauthorizeError, Receipt, RetryableError


def failed(error: DeliveryError, *, marked: bool) -> Receipt:
    """`marked`: whether it was carried out can be seen by a mark; what cannot is done once more."""
    match error:
        case ReauthorizeError():
            return Receipt(outcome=Outcome.REAUTHORIZE, code=error.code)
        case AmbiguousError() if marked:
            return Receipt(outcome=Outcome.AMBIGUOUS, code=error.code)
        case RetryableError():
            return Receipt(outcome=Outcome.RETRY, code=error.code, seconds=error.retry_after)
        case _:
            return Receipt(outcome=Outcome.RETRY, code=error.code)
