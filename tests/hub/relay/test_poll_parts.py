"""A poll that goes on without a place that does not answer: which one that is, a person is told."""

from __future__ import annotations

import pytest

from stellwerk.errors import DeliveryError, RetryableError
from stellwerk.relay import dead
from stellwerk.relay.poll import MANY_FAILURES, PART_FAILS
from stellwerk.sdk import Signal, Unread
from stellwerk.store import counts
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
POLL_SECONDS = 600


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, DeliveryError | None]:
    """What the toy's journal tells of its parts, as a connector does that asks several places."""
    parts: dict[str, DeliveryError | None] = {}
    whole = ToyMail.poll

    async def polled(self: ToyMail, cursor: str | None, /) -> tuple[list[Signal | Unread], str, bool]:
        for part, failed in parts.items():
            self._services.part_asked(part, failed)
        signals, after, more = await whole(self, cursor)
        return list(signals), after, more

    monkeypatch.setattr(ToyMail, "poll", polled)
    return parts


async def repairs_of(yard: Yard) -> list[str]:
    rows = await yard.look(
        lambda tx: tx.all("select text from repair where code = :code and closed is null", code=PART_FAILS)
    )
    return [row["text"] for row in rows]


async def test_a_part_that_fails_again_and_again_is_a_repair_and_the_rest_goes_on(
    yard: Yard, failing: dict[str, DeliveryError | None]
) -> None:
    failing.update(contacts=RetryableError("outage"), blocks=None)
    await yard.settle(POLL_SECONDS * (MANY_FAILURES - 1))
    assert await repairs_of(yard) == []
    yard.world.mail.create("ada@example.com", "one", None, {})
    yard.world.mail.unsubscribe("ada@example.com")
    yard.world.posts.clear()
    await yard.settle(POLL_SECONDS * 2)
    assert await repairs_of(yard) == ["asking for these fails, everything else is asked: contacts (outage)"]
    kinds = await yard.look(lambda tx: tx.all("select kind from inbox where account like 'news:%'"))
    assert [row["kind"] for row in kinds] == ["unsubscribed"]


@pytest.mark.behaviour("pulled-unread")
async def test_what_was_pulled_and_not_understood_is_a_dead_letter_and_the_six_add_up(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ToyMail.poll
    told = [Unread(raw=b"page 7, entry 3: {", because="an entry is not as described")]

    async def polled(self: ToyMail, cursor: str | None, /) -> tuple[list[Signal | Unread], str, bool]:
        signals, after, more = await whole(self, cursor)
        found = [*signals, *told]
        told.clear()
        return found, after, more

    monkeypatch.setattr(ToyMail, "poll", polled)
    await yard.settle(POLL_SECONDS * 2)
    (letter,) = await yard.look(dead.listed)
    assert (letter["code"], letter["count"], letter["account"][:5]) == ("an entry is not as described", 1, "news:")
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert (six["dead"], sum(six.values())) == (1, acknowledged)


async def test_it_closes_by_itself_and_failures_that_pass_between_do_not_add_up(
    yard: Yard, failing: dict[str, DeliveryError | None]
) -> None:
    failing.update(contacts=RetryableError("outage"))
    await yard.settle(POLL_SECONDS * (MANY_FAILURES - 1))
    failing.update(contacts=None)
    await yard.settle(POLL_SECONDS)
    failing.update(contacts=RetryableError("outage"))
    await yard.settle(POLL_SECONDS * (MANY_FAILURES - 1))
    assert await repairs_of(yard) == []
    await yard.settle(POLL_SECONDS * 2)
    assert len(await repairs_of(yard)) == 1
    failing.update(contacts=None)
    await yard.settle(POLL_SECONDS)
    assert await repairs_of(yard) == []
