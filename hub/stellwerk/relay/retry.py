"""When to try again: a pure function of attempts and what the remote said."""

from __future__ import annotations

from msgspec import Struct

LONGEST_SECONDS = 3600.0
LATELY_SECONDS = 2 * LONGEST_SECONDS  # whatever waits was tried within it
LONGEST_ASKED_SECONDS = 86_400.0
FIRST_SECONDS = 1.0
MAX_ATTEMPTS = 18  # doubling from one second with an hour at most: about seven hours


class RetryDecision(Struct, frozen=True):
    """Seconds to wait, or give up because."""

    seconds: float | None
    because: str = ""


def retry(attempts: int, retry_after: float | None, spread: float, *, alone: bool = False) -> RetryDecision:
    """`attempts` so far (at least 1); `spread` in 0..1 moves the wait by up to a quarter, so that many do not come back at once.

    `alone`: nothing of its kind went through lately, so that it may be the account's trouble: then nothing is given up.
    """
    if attempts >= MAX_ATTEMPTS and not alone:
        return RetryDecision(None, f"still failing after {attempts} attempts")
    backoff = min(FIRST_SECONDS * 2.0 ** min(attempts - 1, MAX_ATTEMPTS), LONGEST_SECONDS)
    return RetryDecision(max(min(retry_after or 0.0, LONGEST_ASKED_SECONDS), backoff * (1.0 + spread / 4.0)))
