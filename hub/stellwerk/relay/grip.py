"""Until when this process may call for an account it holds.

A lease fences what is written here, not what is sent: a process that stood still just before a call would send it when it
wakes up, though another has found by its mark that it never arrived, and has sent it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stellwerk.sdk.http import Http, HttpResponse, Params
from stellwerk.store import lease
from stellwerk.store.lease import Lease, LeaseLost
from stellwerk.store.store import Store, Tx


class Grip:
    """What a holder knows of its lease: it ends earlier here than in the database, never later."""

    def __init__(self, held: Lease, now: Callable[[], float]) -> None:
        self._held = held
        self._now = now
        self._until = held.until

    async def renew(self, store: Store) -> None:
        """Raises `LeaseLost`."""

        def work(tx: Tx) -> float:
            now = self._now()
            lease.fence(tx, self._held, now)
            return now + lease.SECONDS

        self._until = await store.write(work)

    def check(self) -> None:
        """Raises `LeaseLost` when somebody else may hold the account by now."""
        if self._now() >= self._until:
            raise LeaseLost(f"lease of {self._held.account} ended before a call")


class GrippedHttp(Http):
    """Calls of a holder: none is begun after its lease has ended."""

    def __init__(self, inner: Http, grip: Grip) -> None:
        self._inner = inner
        self._grip = grip

    async def close(self) -> None:
        await self._inner.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpResponse:
        self._grip.check()
        return await self._inner.request(
            method, url, params=params, headers=headers, content=content, timeout_seconds=timeout_seconds
        )
