"""Moments on pages: as a person reads them, by the clock of the account that people log in with, exact in `datetime`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.errors import RetryableError
from stellwerk.relay.clock_there import ZONE
from stellwerk.relay.hub import Hub
from stellwerk.store import accounts
from stellwerk.web.times import Times, as_text
from stellwerk_toys.person import Person

ADVENT, SUMMER = "2026-12-01T10:40:07+00:00", "2026-07-01T22:30:00+00:00"


@pytest.mark.parametrize(
    ("language", "zone", "shown"),
    [
        ("en", "Europe/Berlin", ("1 Dec 2026, 11:40", "1 Dec 2026, 11:40:07", "2 Jul 2026", "2 Jul 2026, 00:30:00 UTC+02:00")),
        ("de", "Europe/Berlin", ("1. Dez. 2026, 11:40", "1. Dez. 2026, 11:40:07", "2. Juli 2026", "2. Juli 2026, 00:30:00 UTC+02:00")),
        ("en", None, ("1 Dec 2026, 10:40 UTC", "1 Dec 2026, 10:40:07 UTC", "1 Jul 2026", "1 Jul 2026, 22:30:00 UTC")),
        ("de", "Nowhere/Atlantis", ("1. Dez. 2026, 10:40 UTC", "1. Dez. 2026, 10:40:07 UTC", "1. Juli 2026", "1. Juli 2026, 22:30:00 UTC")),
    ],
)  # fmt: skip
def test_a_moment_is_shown_in_the_pages_language_and_its_zone_or_says_that_it_is_utc(
    language: Any, zone: str | None, shown: tuple[str, ...]
) -> None:
    when = Times(language, zone)
    made = (when.at(ADVENT), when.second(ADVENT), when.day(SUMMER), when.exact(SUMMER))
    assert tuple(one.striptags() for one in made) == shown
    assert 'datetime="2026-12-01T10:40:07+00:00"' in made[0]
    assert 'datetime="2026-07-01T22:30:00+00:00"' in made[3]


def test_moments_and_days_inside_a_reason_are_shown_alike_and_the_rest_is_escaped() -> None:
    text = "<b> was unlinked on 2026-12-01 10:40 (UTC), created on 2026-03-09; no 2026-99-99 and no 2026-12-012"
    shown = Times("de", "Europe/Berlin").within(text)
    assert "1. Dez. 2026, 11:40</time>, created on" in shown
    assert '<time datetime="2026-03-09">9. März 2026</time>' in shown
    assert "no 2026-99-99 and no 2026-12-012" in shown
    assert shown.startswith("&lt;b&gt; was")
    assert as_text(shown).startswith("<b> was unlinked on 1. Dez. 2026, 11:40, created on 9. März 2026;")


def test_the_hour_that_comes_twice_in_autumn_has_two_exact_names() -> None:
    when = Times("en", "Europe/Berlin")
    assert when.at("2026-10-25T00:30:00+00:00").striptags() == when.at("2026-10-25T01:30:00+00:00").striptags()
    first, second = (when.exact(f"2026-10-25T0{hour}:30:00+00:00").striptags() for hour in (0, 1))
    assert (first, second) == ("25 Oct 2026, 02:30:00 UTC+02:00", "25 Oct 2026, 02:30:00 UTC+01:00")


@pytest.mark.anyio
async def test_the_zone_comes_with_the_login_and_every_page_says_whose_clock_it_shows(
    person: Person, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop: Any = hub.systems["shop"].connector
    asked = shop.check

    async def from_berlin(self: Any) -> Any:
        return msgspec.structs.replace(await asked(self), zone="Europe/Berlin")

    async def away(self: Any) -> Any:
        raise RetryableError("unreachable", "nobody there")

    monkeypatch.setattr(shop, "check", from_berlin)
    await person.logs_in()
    await person.sets_up()
    assert "Times as in Europe/Berlin." in (await person.open("/history")).text
    assert "UTC" not in (await person.open("/history")).text
    monkeypatch.setattr(shop, "check", away)
    await person.logs_in()
    assert (await hub.store.read(lambda tx: accounts.info(tx, "shop:7")))[ZONE] == "Europe/Berlin"
    assert "Times as in Europe/Berlin." in (await person.open("/history")).text


@pytest.mark.anyio
async def test_a_login_that_brings_no_zone_leaves_every_time_in_utc_and_says_so(person: Person) -> None:
    await person.logs_in()
    await person.sets_up()
    page = await person.open("/history")
    assert "Times as in" not in page.text
    assert " UTC " in page.text
