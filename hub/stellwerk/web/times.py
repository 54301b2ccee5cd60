"""Moments as a person reads them: in the page's language, and by the clock of the account that people log in with.

The exact instant stays in the `datetime` of each. Programs and exports are told in ISO 8601, see `view/moment.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup, escape

from stellwerk.web.language import Language

_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}
_IN_WORDS = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00| \(UTC\))?)?(?![\d-])")


class Times:
    """How one page shows moments. Without a zone, or with one that is not known here, it is UTC, and each moment says so."""

    def __init__(self, language: Language, zone: str | None = None) -> None:
        self._language = language
        self._zone = _known(zone)
        self.zone = zone if self._zone is not None else None

    def at(self, instant: str | datetime | None) -> Markup:
        """Day and time, to the minute; nothing for no instant."""
        return self._shown(instant, "%H:%M")

    def second(self, instant: str | datetime | None) -> Markup:
        """Day and time, to the second."""
        return self._shown(instant, "%H:%M:%S")

    def exact(self, instant: str | datetime | None) -> Markup:
        """To the second with the distance from UTC: no hour of a year has the same name twice."""
        return self._shown(instant, "%H:%M:%S", offset=True)

    def day(self, instant: str | datetime | None) -> Markup:
        """The day alone."""
        return self._shown(instant, "")

    def named(self, day: str) -> Markup:
        """A day that is one already: `2026-12-01`."""
        return _element(day, self._date(date.fromisoformat(day)))

    def within(self, text: str) -> Markup:
        """The text with every moment and day that stands in it in ISO 8601 shown as the page shows them."""
        return Markup(_IN_WORDS.sub(lambda found: str(self._read(found[0])), str(escape(text))))

    def _read(self, text: str) -> Markup:
        try:
            return self.named(text) if len(text) == len("2026-12-01") else self.at(text.removesuffix(" (UTC)"))
        except ValueError:
            return Markup(text)

    def _shown(self, instant: str | datetime | None, clock: str, *, offset: bool = False) -> Markup:
        if not instant:
            return Markup("")
        moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        there = moment.astimezone(self._zone or UTC)
        words = self._date(there.date()) + (f", {there:{clock}}" if clock else "")
        if offset or (clock and self._zone is None):
            far = f"{there:%z}"
            words += " UTC" if self._zone is None else f" UTC{far[:3]}:{far[3:5]}"
        return _element(moment.astimezone(UTC).isoformat(timespec="seconds"), words)

    def _date(self, day: date) -> str:
        return f"{day.day}{'.' if self._language == 'de' else ''} {_MONTHS[self._language][day.month - 1]} {day.year}"


def as_text(shown: str) -> str:
    """What is shown, without elements: for a stream, whose reader writes text."""
    return shown.striptags() if isinstance(shown, Markup) else shown


def _element(exact: str, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(exact, words)


def _known(zone: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
