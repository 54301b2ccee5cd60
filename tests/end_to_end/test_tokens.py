"""Access tokens over real HTTP: one refresh for all, the newest kept whatever is killed, and a refusal that a person mends."""

from __future__ import annotations

import asyncio
import sqlite3
import urllib.parse
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from stellwerk.app import create_hub
from stellwerk.config.load import load_or_fail
from stellwerk.registry import load_connectors
from stellwerk.relay import second_look
from stellwerk.relay.drain import drain
from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Grant, Ref
from stellwerk.store import accounts, lease, meta

pytestmark = pytest.mark.slow

ACCOUNT = "crm:4711"
CALLS = 50


def refreshes(there: Any) -> list[tuple[str, int | None]]:
    """Refresh token and status of every refresh that the twin has seen, oldest first."""
    seen = [one for one in there.requests(there.scene.hubspot) if one["path"].endswith("/token")]
    bodies = [(dict(urllib.parse.parse_qsl(one["body"])), one["status"]) for one in seen]
    return [(body["refresh_token"], status) for body, status in bodies if body["grant_type"] == "refresh_token"]


@asynccontextmanager
async def opened(there: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """The town's hub inside this process, on the database that its own process has let go; without lanes."""
    there.scene.hub.terminate()
    there.scene.hub.wait(20)
    for name, value in there.scene.environment.items():
        monkeypatch.setenv(name, value)
    registry = load_connectors()
    hub = await create_hub(load_or_fail(there.scene.config, registry), registry, folder=there.scene.folder)
    try:
        yield hub
    finally:
        await hub.close()


async def stored(hub: Hub) -> Any:
    row = await hub.account(ACCOUNT)
    assert row is not None
    return hub.tokens._opened(row)


async def keep(hub: Hub, *, expires_in: float) -> None:
    """Store the tokens as they are, with this many seconds left."""
    now = await stored(hub)
    grant = Grant(access_token=now.access_token, refresh_token=now.refresh_token, expires_in=expires_in, account="4711")
    sealed = hub.tokens.sealed(ACCOUNT, grant)
    await hub.store.write(lambda tx: accounts.set_oauth(tx, ACCOUNT, sealed, expected_version=None))


async def read_once(hub: Hub) -> None:
    row = await hub.account(ACCOUNT)
    assert row is not None
    async with hub.open(row) as desk:
        await desk.connector.read([Ref(by="id", value="1")], ["firstname"])


@pytest.mark.anyio
@pytest.mark.parametrize("rotate", [False, True], ids=["same refresh token", "rotated"])
async def test_fifty_calls_at_once_on_an_expired_token_refresh_it_once(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, rotate: bool
) -> None:
    there = town()
    there.scene.hubspot.control("POST", "/settings", {"rotate_refresh_tokens": rotate})
    async with opened(there, monkeypatch) as hub:
        await keep(hub, expires_in=0.0)
        before = len(refreshes(there))
        await asyncio.gather(*(read_once(hub) for _ in range(CALLS)))
        assert [status for _, status in refreshes(there)[before:]] == [200]


@pytest.mark.anyio
async def test_fifty_calls_at_once_on_a_token_that_the_vendor_refuses_refresh_it_once(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = town(connected=False)
    there.scene.hubspot.control("POST", "/settings", {"token_seconds": 3})
    there.connect()
    there.quiet()
    async with opened(there, monkeypatch) as hub:
        await asyncio.sleep(3.1)
        there.scene.hubspot.control("POST", "/settings", {"token_seconds": 1800})
        await keep(hub, expires_in=1800.0)  # the hub does not know that it has died
        before, number = len(refreshes(there)), there.last_request(there.scene.hubspot)
        await asyncio.gather(*(read_once(hub) for _ in range(CALLS)))
        assert [status for _, status in refreshes(there)[before:]] == [200]
        assert 401 in {one["status"] for one in there.requests(there.scene.hubspot, number)}


@pytest.mark.anyio
async def test_tokens_that_live_for_seconds_are_not_refreshed_for_every_call(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = town()
    there.scene.hubspot.control("POST", "/settings", {"token_seconds": 30})
    async with opened(there, monkeypatch) as hub:
        await keep(hub, expires_in=0.0)
        before = len(refreshes(there))
        for _ in range(10):
            await read_once(hub)
        assert len(refreshes(there)) == before + 1


def kill_with_a_refresh_unsaved(there: Any) -> None:
    """kill -9 after the answer to a refresh has arrived and before it is written down.

    The database is locked while the answer is on its way, so that the hub can do anything but commit.
    """
    match = {"path": "/oauth/.*/token$", "body": "grant_type=refresh_token"}
    there.scene.hubspot.control("POST", "/faults", {"name": "held", "kind": "hold", "match": match, "times": 1})
    who = there.visitor("Wakes")
    who.submits_form(ticks=True)
    there.until("a refresh that was made and is not answered", lambda: there.holds(there.scene.hubspot))
    with closing(sqlite3.connect(there.scene.folder / "demo.db", isolation_level=None, timeout=5)) as lock:
        lock.execute("begin immediate")
        there.scene.hubspot.control("POST", "/holds/release")
        there.until("that it is answered", lambda: refreshes(there)[-1][1] == 200)
        there.scene.kill_hub()
        lock.execute("rollback")


@pytest.mark.anyio
@pytest.mark.parametrize("rotate", [False, True], ids=["same refresh token", "rotated"])
async def test_a_hub_killed_between_a_refresh_and_its_commit_refreshes_again_and_keeps_the_newest(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, rotate: bool
) -> None:
    there = town(connected=False)
    there.scene.hubspot.control("POST", "/settings", {"token_seconds": 2, "rotate_refresh_tokens": rotate})
    there.connect()
    there.quiet()
    await asyncio.sleep(2.1)
    kill_with_a_refresh_unsaved(there)
    lost = refreshes(there)
    there.scene.hubspot.control("POST", "/settings", {"token_seconds": 1800})
    there.scene.start_hub()
    who = there.visitor("After")
    who.submits_form(ticks=True)
    there.until("that work goes on", lambda: who.mails("doi") and there.status(who) == "pending")
    again = refreshes(there)[len(lost) :]
    assert again == [(lost[-1][0], 200)]  # the old one once more, since nobody has seen the new one
    assert there.waiting_for_a_person() == 0
    async with opened(there, monkeypatch) as hub:
        newest = (await stored(hub)).refresh_token
        assert (newest != again[0][0]) is rotate
        await keep(hub, expires_in=0.0)
        await read_once(hub)
    assert refreshes(there)[-1] == (newest, 200)


@pytest.mark.anyio
async def test_an_app_whose_own_secret_is_wrong_goes_on_once_it_is_right_without_a_login(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = town()
    monkeypatch.setattr(second_look, "WAITS", (0.0, 0.0, 0.0))
    with monkeypatch.context() as wrong:
        wrong.setitem(there.scene.environment, "HUBSPOT_CLIENT_SECRET", "mistyped")
        async with opened(there, monkeypatch) as hub:
            await keep(hub, expires_in=0.0)
            for _ in range(2):
                await one_turn(hub)
    state, repair = "select state from account where id = 'crm:4711'", "select code from repair where closed is null"
    assert (there.database(state), there.database(repair)) == ([("reauthorize",)], [("bad-client-secret",)])
    async with opened(there, monkeypatch) as hub:
        await one_turn(hub)
    assert (there.database(state), there.database(repair)) == ([("ok",)], [])


async def one_turn(hub: Hub) -> None:
    """The account's turn, as a lane takes it; to ask for changes is due."""
    await hub.store.write(lease.expire_all)
    await hub.store.write(lambda tx: meta.set_cursor(tx, ACCOUNT, "polled", "0"))
    await hub.store.write(lambda tx: lease.wake(tx, ACCOUNT, hub.now()))
    held = await hub.store.write(lambda tx: lease.claim(tx, "this test", hub.now(), ACCOUNT))
    assert held is not None
    await drain(hub, held)


@pytest.mark.behaviour("trouble-login")
def test_a_refused_refresh_pauses_the_account_and_the_other_direction_goes_on(town: Callable[..., Any]) -> None:
    there = town()
    who = there.subscriber("Stays")
    there.marketer.sends_newsletter()
    there.quiet()
    there.scene.hubspot.control("POST", "/portals/4711/uninstall")
    before, number = there.metrics(), there.last_request(there.scene.hubspot)
    who.unsubscribes()
    there.until("that HubSpot's account waits for a person", lambda: there.waiting_for_a_person() == 1)
    assert there.database("select id from account where state != 'ok'") == [(ACCOUNT,)]
    there.until("the opt-out", lambda: there.explained(who.email)["consent"][0]["suppressed_since"])
    moved = there.moved(before)
    assert moved["stellwerk_open_repairs"] == 1
    assert moved['stellwerk_outbox_deliveries{state="waiting"}'] >= 1
    statuses = [
        one["status"] for one in there.requests(there.scene.hubspot, number) if "authorization" in one["headers"]
    ]
    assert set(statuses) <= {401}
    ((code,),) = there.database("select code from repair where closed is null")
    assert code == "app-uninstalled"

    other = there.visitor("Elsewhere")  # Maileon's own account is called on, and answers
    there.scene.maileon.control(
        "POST", "/seed", {"account": 9001, "contacts": [{"email": other.email, "permission": 4}]}
    )
    seen = there.last_request(there.scene.maileon)
    there.scene.maileon.control(
        "POST", "/events", {"account": 9001, "email": other.email, "event": "unsubscription", "method": "link"}
    )
    there.until("calls to Maileon", lambda: [
        one for one in there.requests(there.scene.maileon, seen) if other.email.split("@")[0] in one["path"]
    ])  # fmt: skip

    there.marketer.logs_in()
    there.until(
        "the unsubscription at HubSpot, once somebody has logged in", lambda: there.status(who) == "unsubscribed"
    )
    assert there.waiting_for_a_person() == 0
    assert there.metrics()["stellwerk_open_repairs"] == before["stellwerk_open_repairs"]
    assert "Traceback" not in there.scene.hub_log
