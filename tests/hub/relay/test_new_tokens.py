"""New tokens may have ended the old ones, and nobody can have them a second time: they are kept, whatever the database says first."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import StoreAway, StoreFull
from stellwerk.sdk.connector import Grant
from stellwerk.store import accounts
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


class Rotating:
    """A remote that takes each refresh token once."""

    def __init__(self) -> None:
        self.used: list[str] = []

    async def refresh(self, system: Any, http: Any, *, refresh_token: str, account: str) -> Grant:
        assert refresh_token not in self.used
        self.used.append(refresh_token)
        return Grant(access_token="a1", refresh_token="r1", expires_in=1800.0, account=account)


async def test_new_tokens_outlast_a_database_that_takes_none_when_they_come(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, remote, write = yard.hub, Rotating(), yard.store.write
    one = await write(lambda tx: accounts.add(tx, hub.vault, system="shop", remote="1", name="", now=0.0))
    sealed = hub.tokens.sealed(one, Grant(access_token="a0", refresh_token="r0", expires_in=0.0, account="1"))
    await write(lambda tx: accounts.set_oauth(tx, one, sealed, expected_version=None))
    failures = [StoreAway("away"), StoreFull("full"), StoreAway("away")]

    async def fails(work: Any) -> Any:
        if remote.used and failures:
            raise failures.pop()
        return await write(work)

    monkeypatch.setattr(yard.store, "write", fails)
    token: Any = hub.tokens.token
    assert await token(one, None, remote, None, None) == "a1"
    assert await token(one, None, remote, None, None) == "a1"
    assert (remote.used, failures) == (["r0"], [])
