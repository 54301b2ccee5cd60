"""Lines that a page suggests, pasted into a file as an operator would."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["pasted"]


def pasted(text: str, lines: Sequence[str]) -> str:
    """The file with `lines` as the first rows of its `fields:`, as far indented as the rows there, as the page says."""
    found = re.search(r"^fields:.*\n(?P<indent> *)(?=- )|^fields:.*\n", text, re.MULTILINE)
    assert found is not None, "the file has no fields:"
    head, rest = text[: found.start()], text[found.start() :]
    first, _, rows = rest.partition("\n")
    indent = "  " if found["indent"] is None else found["indent"]
    return "".join([head, first, "\n", *(f"{indent}{line.strip()}\n" for line in lines), rows])
