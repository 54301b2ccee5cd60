"""How a call fails: the status codes and the error body of section 3."""

from __future__ import annotations


class Problem(Exception):
    """The call is answered with `status` and one English sentence; there is no machine-readable code (section 3)."""

    refused = False

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Refusal(Problem):
    """A call that the reference does not know in this form: path, method, parameter, header, element or content type."""

    refused = True
