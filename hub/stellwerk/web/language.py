"""English or German: what was chosen, else what the browser asks for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from stellwerk_rules.spec import Text

Language: TypeAlias = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")


def wanted_language(text: str | None) -> Language | None:
    """The language named by `en`, `de` or a variant such as `de-AT`; None for any other text."""
    short = (text or "").strip().lower().partition("-")[0]
    return next((language for language in LANGUAGES if language == short), None)


def accepted_language(header: str) -> Language:
    """The one of our languages that an Accept-Language header (RFC 9110, 12.5.4) likes best; English without a preference."""
    best: tuple[float, Language] | None = None
    for part in header.split(","):
        name, _, weight = part.partition(";")
        language = wanted_language(name)
        quality = _quality(weight)
        if language is not None and quality > 0 and (best is None or quality > best[0]):
            best = (quality, language)
    return "en" if best is None else best[1]


def in_language(text: Text, language: Language) -> str:
    return text.de if language == "de" else text.en


def _quality(weight: str) -> float:
    name, _, value = weight.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
