"""Why an API key was refused: a name a person can act on, in the key test and at run time alike (reference, section 1)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

SHORTEST, LONGEST = 12, 265

REFUSED = "key-refused"
REASONS: Mapping[str, str] = {
    REFUSED: "the API key is wrong, expired or switched off, or the account is blocked",
    "key-cut-off": f"the API key is shorter than {SHORTEST} characters: it was cut off while copying",
    "key-pre-encoded": "the API key seems to be base64 already: paste it as Maileon shows it",
    "key-expired": "the API key has expired: give it a later date at Maileon, or make a new one",
    "key-deactivated": "the API key is switched off: switch it on at Maileon",
    "account-blocked": "Maileon has blocked the account: ask XQueue",
}

# A 401 carries an English sentence and no code; how it is worded is not documented (reference, section 3). A word that
# leaves no doubt is believed, and everything else stays `key-refused`, whose text names all that it may be.
_WORDS = (
    ("key-expired", re.compile(r"\bexpired\b|\babgelaufen\b", re.IGNORECASE)),
    ("key-deactivated", re.compile(r"\b(?:de|in)activ|\bdisabled\b|\bdeaktiviert\b", re.IGNORECASE)),
    ("account-blocked", re.compile(r"\baccount\b.*\b(?:blocked|locked|suspended)\b", re.IGNORECASE)),
)
_EITHER = re.compile(r"\bor\b|\boder\b|,", re.IGNORECASE)


def reason(key: str, said: str | None) -> str:
    """The name of the reason, from the key itself or from what Maileon `said`; a sentence that offers several tells none."""
    if len(key.strip()) < SHORTEST:
        return "key-cut-off"
    if looks_encoded(key):
        return "key-pre-encoded"
    if said is None or _EITHER.search(said):
        return REFUSED
    return next((name for name, words in _WORDS if words.search(said)), REFUSED)


def looks_encoded(key: str) -> bool:
    """Whether the text is the base64 form of something that could be a key itself.

    A key of random letters decodes to bytes that are not printable, but for one in some thousand of the shortest.
    """
    try:
        text = base64.b64decode(key.strip(), validate=True).decode("ascii").removesuffix(":")
    except (binascii.Error, ValueError):
        return False
    return SHORTEST <= len(text) <= LONGEST and text.isprintable()
