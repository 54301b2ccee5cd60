"""Looks for what must not stand in a database, as an attacker with a copy of it would."""

from __future__ import annotations

from pathlib import Path


def assert_no_clear_text(path: Path, *texts: str) -> None:
    """Fail when one of `texts` stands in the database at `path` or in a file beside it, in any case and in UTF-8 or UTF-16.

    All files that share the database's name are searched: the WAL, its index, back-ups, the instance file. The message
    counts and names files, not texts, since they may be secrets.
    """
    assert path.exists(), "there is no such database"
    assert all(texts), "an empty text is everywhere"
    # A running hub's socket lies beside them; nothing can be read of it.
    for file in sorted(one for one in path.parent.glob(path.name + "*") if one.is_file()):
        assert_not_in(file.name, file.read_bytes(), *texts)


def assert_not_in(name: str, content: bytes, *texts: str) -> None:
    """The same for the bytes of what is called `name`."""
    # The lower case of ASCII letters only: bytes that are no text must stay comparable.
    content = content.lower()
    found = [text for text in texts if any(form in content for form in _forms(text))]
    assert not found, f"{len(found)} of {len(texts)} texts stand in the clear in {name}"


def _forms(text: str) -> tuple[bytes, ...]:
    return text.encode().lower(), text.encode("utf-16-le").lower()
