"""What of an answer may be kept: enough to see what went wrong, nothing about a person, no key and no secret path."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 400

_MESSAGE = re.compile(r"<message>(?:<!\[CDATA\[)?(.*?)(?:]]>)?</message>", re.DOTALL)
_URL = re.compile(r"https?:\\?/\\?/[^\s\"'<>]+")
_ADDRESS = re.compile(r"[^\s\"'<>=/,;:&?()\[\]]+(?:@|%40|&#64;)[^\s\"'<>=/,;:&?()\[\]]+", re.IGNORECASE)
_BETWEEN_TAGS = re.compile(r">[^<]*")
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)(\s*:)?')


def kept(body: bytes, *, secrets: Sequence[str] = (), hidden: Sequence[str] = ()) -> str | None:
    """An answer's text, redacted and cut to `LONGEST` characters; None when it was empty.

    Of an error body the sentence is kept; of anything else only the structure, since its texts are contacts' data.
    `secrets` never show, wherever they stand; `hidden` are values of the request that may come back as words.
    """
    text = body[:100_000].decode("utf-8", "replace").strip()
    if not text:
        return None
    sentence = _MESSAGE.search(text)
    if sentence is not None:
        text = sentence[1]
    elif text.startswith("<"):
        text = _BETWEEN_TAGS.sub(">", text)
    elif text.startswith(("{", "[")):
        text = _JSON_TEXT.sub(lambda found: found[0] if found[1] else '"…"', text)
    for secret in _longest_first(secrets):
        text = text.replace(secret, "<…>")
    text = _ADDRESS.sub("<address>", _URL.sub("<url>", text))
    for value in _longest_first(hidden):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "<…>", text, flags=re.IGNORECASE)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _longest_first(texts: Sequence[str]) -> list[str]:
    """Without those of one letter, which would eat the sentence; a long text before one that stands inside it."""
    return sorted({text for text in texts if len(text) > 1}, key=len, reverse=True)
