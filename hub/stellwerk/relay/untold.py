"""What keeps a recipient from being told."""

from __future__ import annotations

from stellwerk.errors import StellwerkError


class Untold(StellwerkError):
    """This try failed; `code` is stable, names nobody, and is shown on the page of recipients."""

    def __init__(self, code: str) -> None:
        super().__init__(f"a recipient was not told: {code}")
        self.code = code
