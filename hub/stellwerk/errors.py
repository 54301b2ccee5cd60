"""The one exception tree. A name says what happens next, not what broke.

StellwerkError
├── ConfigError          an operator mends integration.yaml; carries all problems
├── PluginError          an installed distribution offers nothing usable
├── StoreError           the database cannot be used as it is
│   ├── StoreAway        it cannot be reached now; what waits goes on when it is back
│   ├── StoreFull        its disk has no room; what waits goes on when there is some
│   ├── InUse            another process has its file
│   └── NeverUsed        no hub has run on it yet
├── WebhookError         refused, nothing stored
└── DeliveryError        a remote did not do what was asked
    ├── RetryableError   later again
    ├── AmbiguousError   nobody knows whether it was done
    ├── RejectedError    never as it is: for a person
    ├── ReauthorizeError pause the account until someone reconnects it
    └── PauseError       pause the account for a while
"""

from __future__ import annotations

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding somebody else's bytes may raise: not JSON, of another shape, no text, nested deeper than can be followed."""


class StellwerkError(Exception):
    """Everything this project raises on purpose."""


class ConfigError(StellwerkError):
    """integration.yaml cannot be used. `problems` has every problem of the file."""

    def __init__(self, problems: tuple[object, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class PluginError(StellwerkError):
    """A plugin offers nothing usable."""


class StoreError(StellwerkError):
    """The database cannot be used as it is; the message says how to mend it."""


class StoreAway(StoreError):
    """The database cannot be reached now. The store has logged it once, and tries again at each call."""


class StoreFull(StoreError):
    """The disk of the database has no room for this write. Nothing that was acknowledged is lost, and the next one tries again."""


class InUse(StoreError):
    """Another process has the database file."""


class NeverUsed(StoreError):
    """There is no database of a hub yet: nobody has set up anything."""


class WebhookError(StellwerkError):
    """A request that is not authentic (401), too large (413) or not for us (404). Nothing is stored."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class DeliveryError(StellwerkError):
    """A remote did not do what was asked. `code` is stable; `answer` is what it said, redacted and cut.

    `system` is the remote's name in the file, where whoever passes it on knows several.
    """

    system = ""

    def __init__(self, code: str, text: str = "", *, answer: str | None = None) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text
        self.answer = answer


class RetryableError(DeliveryError):
    """Not done, later again. `retry_after` in seconds; None = the hub's own backoff."""

    def __init__(
        self, code: str, text: str = "", *, answer: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(code, text, answer=answer)
        self.retry_after = retry_after


class AmbiguousError(DeliveryError):
    """Sent, and nobody knows whether it was applied: a time-out, a cut answer, a 5xx."""


class RejectedError(DeliveryError):
    """Never as it is."""


class ReauthorizeError(DeliveryError):
    """Credentials refused: pause the account until someone mends them. `for_good`: asking again cannot help."""

    def __init__(self, code: str, text: str = "", *, answer: str | None = None, for_good: bool = False) -> None:
        super().__init__(code, text, answer=answer)
        self.for_good = for_good


class PauseError(DeliveryError):
    """The account is to be left alone for `seconds`."""

    def __init__(self, code: str, text: str = "", *, answer: str | None = None, seconds: float = 60.0) -> None:
        super().__init__(code, text, answer=answer)
        self.seconds = seconds
