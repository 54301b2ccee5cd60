"""How a remote of the tests says no."""

from __future__ import annotations


class Refused(Exception):
    """The remote says no. `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
