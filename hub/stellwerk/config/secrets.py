"""`env:NAME` and `file:PATH`: how a value stays out of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from stellwerk.sdk.settings import Secret

__all__ = ["REFERENCE", "BadReference", "Vault", "is_reference", "is_whole_reference"]

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_MOST_CHARACTERS = 65_536


class BadReference(ValueError):
    """A reference that cannot be followed; `code` is a problem's, `mend` says what to do. Never holds a value."""

    def __init__(self, code: str, what: str, mend: str) -> None:
        super().__init__(what)
        self.code, self.what, self.mend = code, what, mend


def is_reference(value: object) -> bool:
    """Whether this is text that means a value elsewhere."""
    return isinstance(value, str) and value.startswith(("env:", "file:"))


def is_whole_reference(value: object) -> bool:
    """Whether this is such text that also names something."""
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


class Vault(Struct, frozen=True, kw_only=True):
    """Follows references. `environ` None: only their form is checked, and they stand for themselves.

    Paths are taken from `folder`, that of the file.
    """

    environ: Mapping[str, str] | None
    folder: Path

    def secret(self, written: object) -> Secret:
        """The secret that `written` refers to. Raises `BadReference`, also for a secret written out."""
        if not is_reference(written):
            raise BadReference(
                "literal-secret",
                "a secret must not stand in the file",
                "put it into the environment or a file, and write env:NAME or file:PATH here",
            )
        return Secret(self.text(str(written)))

    def text(self, reference: str) -> str:
        """The text that a reference means, without the line end of its file. Raises `BadReference`."""
        if not REFERENCE.fullmatch(reference):
            raise BadReference("wrong-type", "this reference names nothing", "write env:NAME or file:PATH")
        if self.environ is None:
            return reference
        kind, _, name = reference.partition(":")
        if kind == "env":
            found = self.environ.get(name, "")
            if not found:
                raise BadReference("missing-secret", f"the environment has no {name}", f"set {name} before the start")
            return found
        return self._of_file(name)

    def _of_file(self, name: str) -> str:
        try:
            found = (self.folder / name).read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise BadReference(
                "missing-secret",
                f"its file cannot be read ({type(error).__name__})",
                "write the path of a file with it",
            ) from None
        if not found or len(found) > _MOST_CHARACTERS:
            raise BadReference("missing-secret", "its file is empty or no secret", "write the secret alone into it")
        return found
