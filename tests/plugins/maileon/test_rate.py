"""How many calls a second one account gets: our own cautious number, or the file's."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from stellwerk.sdk import Http, Secret, Services
from stellwerk_maileon.connector import MaileonConnector
from stellwerk_maileon.settings import MaileonAccount, MaileonSystem

pytestmark = pytest.mark.anyio


async def no_token(stale: str | None) -> str:
    raise AssertionError("Maileon has no tokens")


async def no_call(calls: int) -> None:
    raise AssertionError("nothing is called")


async def told_by(system: MaileonSystem) -> list[tuple[int, float]]:
    """What the hub is told when an account is opened."""
    told: list[tuple[int, float]] = []
    async with Http() as http:
        services = Services(
            http=http,
            now=lambda: datetime.now(UTC),
            log=logging.getLogger("stellwerk.test"),
            token=no_token,
            spend=no_call,
            rate_seen=lambda calls, seconds: told.append((calls, seconds)),
        )
        async with MaileonConnector.open(system, MaileonAccount(api_key=Secret("key")), services):
            return told


async def test_without_a_word_in_the_file_it_is_what_the_connector_says() -> None:
    assert await told_by(MaileonSystem()) == [MaileonConnector.rate]


@pytest.mark.parametrize(
    ("calls_per_second", "rate"), [(5, (5, 1.0)), (40, (40, 1.0)), (2.5, (2, 0.8)), (0.25, (1, 4.0)), (0.1, (1, 10.0))]
)
async def test_the_files_rate_holds_within_about_a_second_or_the_time_of_one_call(
    calls_per_second: float, rate: tuple[int, float]
) -> None:
    assert await told_by(MaileonSystem(calls_per_second=calls_per_second)) == [rate]
