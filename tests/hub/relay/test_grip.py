"""Whoever stood still for longer than its lease calls nobody any more: another may have done it meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.grip import Grip, GrippedHttp
from stellwerk.sdk.http import Http, HttpResponse
from stellwerk.store import lease
from stellwerk.store.lease import PLAYED, Lease, LeaseLost
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


class Counting(Http):
    """Answers everything, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def close(self) -> None:
        return None

    async def request(self, method: str, url: str, **_: Any) -> HttpResponse:
        self.calls += 1
        return HttpResponse(status=200, headers={}, body=b"")


async def held(yard: Yard, world: World) -> Lease:
    def claim(tx: Any) -> Lease | None:
        lease.wake_all(tx, world.clock())
        return lease.claim(tx, "us", world.clock())

    found = await yard.store.write(claim)
    assert found is not None
    return found


async def test_a_call_is_begun_while_the_lease_lasts_and_not_after(yard: Yard, world: World) -> None:
    inner = Counting()
    http = GrippedHttp(inner, Grip(await held(yard, world), world.clock))
    world.clock.advance(lease.SECONDS - 1.0)
    await http.request("POST", "https://vendor.example/ask")
    world.clock.advance(1.0)
    with pytest.raises(LeaseLost):
        await http.request("POST", "https://vendor.example/ask")
    assert inner.calls == 1


async def test_a_lease_that_was_renewed_lasts_longer(yard: Yard, world: World) -> None:
    inner, grip = Counting(), Grip(await held(yard, world), world.clock)
    world.clock.advance(lease.SECONDS - 1.0)
    await grip.renew(yard.store)
    world.clock.advance(lease.SECONDS - 1.0)
    await GrippedHttp(inner, grip).request("POST", "https://vendor.example/ask")
    assert inner.calls == 1


async def test_a_lease_that_another_has_taken_is_not_renewed(yard: Yard, world: World) -> None:
    ours = await held(yard, world)
    grip = Grip(ours, world.clock)
    world.clock.advance(lease.SECONDS + 1.0)
    while (await held(yard, world)).account != ours.account:
        pass
    with pytest.raises(LeaseLost):
        await grip.renew(yard.store)
    with pytest.raises(LeaseLost):
        grip.check()


async def test_what_is_looked_at_without_a_lease_may_be_called_at_any_time(world: World) -> None:
    grip = Grip(Lease("news:1", PLAYED, None), world.clock)
    world.clock.advance(10 * lease.SECONDS)
    grip.check()


async def test_a_lane_opens_its_account_with_its_grip(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = yard.hub.open

    def opened(account: Any, calls: Any = None, grip: Any = None) -> Any:
        seen.append(grip)
        return real(account, calls, grip)

    monkeypatch.setattr(yard.hub, "open", opened)
    world.form("ada@example.com", {"wants_news": "yes"})
    await yard.settle(30)
    assert seen
    assert all(isinstance(grip, Grip) for grip in seen)
