"""Who tries too often waits: logins, tests of a key, what is not let in. What is authentic is never counted."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import accounts, api_tokens
from stellwerk.web.limits import KEY_TESTS, LOGINS, MOST_KEPT, REFUSALS, Limit, Limits

pytestmark = pytest.mark.anyio

GOOD = "very-hidden-good-key"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_limit_is_a_window_that_slides() -> None:
    clock = Clock()
    limits, limit = Limits(clock), Limit(name="x", count=2, seconds=10.0)
    assert limits.wait(limit, "ada") is None
    clock.now += 4
    assert limits.wait(limit, "ada") is None
    assert limits.wait(limit, "ada") == 6
    assert limits.wait(limit, "ben") is None
    clock.now += 6
    assert limits.wait(limit, "ada") is None
    assert limits.wait(limit, "ada") == 4


def test_who_waits_is_not_made_to_wait_longer_by_asking() -> None:
    clock = Clock()
    limits, limit = Limits(clock), Limit(name="x", count=1, seconds=10.0)
    assert limits.wait(limit, "ada") is None
    for seconds in range(10, 0, -1):
        assert limits.wait(limit, "ada") == seconds
        clock.now += 1
    assert limits.wait(limit, "ada") is None


def test_it_remembers_no_more_than_fits() -> None:
    limits, limit = Limits(Clock()), Limit(name="x", count=1, seconds=10.0)
    for number in range(MOST_KEPT + 1):
        limits.wait(limit, str(number))
    assert limits.wait(limit, "0") is None, "the oldest was forgotten"
    assert limits.wait(limit, str(MOST_KEPT)) is not None


async def test_who_begins_too_many_logins_waits_and_is_told_how_long(person: Any, somebody: Any) -> None:
    other = somebody()
    for _ in range(LOGINS.count):
        assert (await other.open("/login/shop")).status == 303
    page = await other.open("/login/shop")
    assert page.status == 429
    assert 0 < int(page.answer.headers["retry-after"]) <= 60
    assert "Too many tries. Please wait a minute" in page.text
    assert "Zu viele Versuche" in (await other.open("/login/shop?lang=de")).text
    behind_another_proxy = await person.open("/login/shop", **{"x-forwarded-for": "203.0.113.9"})
    assert behind_another_proxy.status == 303


async def test_a_key_is_tested_ten_times_a_minute_and_what_was_typed_stays(person: Any, hub: Any) -> None:
    page = await person.logs_in()
    for _ in range(KEY_TESTS.count):
        assert (await person.submit(page, action="test-key", account__post__api_key="wrong")).status == 200
    for action in ("test-key", "save"):
        refused = await person.submit(
            page, action=action, account__post__api_key=GOOD, setting__sender="Typed", setting__silence="no"
        )
        assert refused.status == 429
        assert "This was tried very often. Please wait" in refused.text
        assert refused.form.values["setting.sender"] == "Typed"
    assert await hub.connections_of("shop:7") == []


async def test_saving_settings_alone_tests_no_key_and_is_not_limited(person: Any) -> None:
    await person.sets_up()
    for number in range(KEY_TESTS.count + 2):
        page = await person.open("/settings")
        assert (await person.submit(page, action="save", setting__sender=f"Shop {number}")).status == 303


async def test_wrong_tokens_are_refused_for_a_while_and_a_right_one_never_is(person: Any, hub: Any) -> None:
    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="x", rights="view", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    for _ in range(REFUSALS.count):
        answer = await person.client.get("/api/overview", headers={"authorization": "Bearer wrong"})
        assert answer.status_code == 401
    answer = await person.client.get("/api/overview", headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    answer = await person.client.get("/api/overview", headers={"authorization": f"Bearer {text}"})
    assert answer.status_code == 200


async def test_links_that_lead_nowhere_are_refused_for_a_while(somebody: Any) -> None:
    guest = somebody()
    for number in range(REFUSALS.count):
        path = "/invited/x" if number % 2 else "/operator/x"
        assert (await guest.open(path)).status == 404
    assert (await guest.open("/invited/x")).status == 429
    assert (await guest.open("/operator/x")).status == 429


async def test_forged_webhooks_are_refused_for_a_while_and_authentic_ones_never_are(person: Any, hub: Any) -> None:
    await person.sets_up()
    secret = await hub.store.write(lambda tx: accounts.ensure_hook(tx, hub.vault, "post:900"))
    for _ in range(REFUSALS.count):
        assert (await person.client.post("/webhooks/toypost/wrong/doi", content=b"{}")).status_code == 401
    refused = await person.client.post("/webhooks/toypost/wrong/doi", content=b"{}")
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    for _ in range(REFUSALS.count + 5):
        assert (await person.client.post(f"/webhooks/toypost/{secret}/doi", content=b"{}")).status_code == 200
