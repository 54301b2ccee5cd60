"""Access tokens: one refresh for all callers, the newest kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from stellwerk.errors import ReauthorizeError, StoreAway, StoreFull
from stellwerk.registry import has
from stellwerk.sdk.connector import AccessTeller, Grant, OAuth
from stellwerk.sdk.http import Http
from stellwerk.store import accounts, duty, lease
from stellwerk.store.accounts import AccountRow, OAuthTokens
from stellwerk.store.store import Store, Tx
from stellwerk.store.vault import Vault

EARLY_SECONDS = 60.0  # refresh before the token dies under a call
EARLY_SHARE = 0.1  # of a short life: otherwise a token of a minute would be refreshed for every call
TURN = "token "
TURN_SECONDS = 90.0  # longer than one refresh with its time-outs; who froze or died meanwhile is not waited for
ASK_SECONDS = 0.2


class Tokens:
    """The tokens of every OAuth account of this process."""

    def __init__(self, store: Store, vault: Vault, now: Callable[[], float], owner: str = "") -> None:
        self._store = store
        self._vault = vault
        self._now = now
        self._owner = owner
        self._turns: dict[str, asyncio.Lock] = {}

    async def token(self, account: str, stale: str | None, connector: type[OAuth], system: Any, http: Http) -> str:
        """A valid access token. `stale` is one the remote has just refused.

        Callers wait for one another, those of other processes too; whoever comes first refreshes, the others take what it
        stored. The answer is stored only over the version it was made from: if somebody else stored a newer one meanwhile,
        theirs is used. Raises `ReauthorizeError`, `RetryableError`.
        """
        async with self._turns.setdefault(account, asyncio.Lock()):
            row = await self._row(account)
            while not self._is_good(row, stale):
                if await self._has_turn(account):
                    return await self._refresh(account, stale, connector, system, http)
                await asyncio.sleep(ASK_SECONDS)
                row = await self._row(account)
            return self._opened(row).access_token

    async def _refresh(self, account: str, stale: str | None, connector: type[OAuth], system: Any, http: Http) -> str:
        """In turn: the row is read again, for another process may have had its turn just before."""
        try:
            row = await self._row(account)
            if self._is_good(row, stale):
                return self._opened(row).access_token
            try:
                grant = await _refreshed(connector, system, http, self._opened(row), row)
            except ReauthorizeError:
                now = await self._row(account)
                if now.oauth_version == row.oauth_version:
                    raise
                return self._opened(now).access_token  # somebody logged in, or was quicker after all
            stored = await self._kept(row, grant)
            return grant.access_token if stored else self._opened(await self._row(account)).access_token
        finally:
            if not self._store.alone:
                await self._store.write(lambda tx: duty.free(tx, f"{TURN}{account}", self._owner))

    async def _kept(self, row: AccountRow, grant: Grant) -> bool:
        """Whether they are the newest now. Nobody can have them a second time, so a database that takes none now is waited for."""
        while True:
            try:
                return await self._store.write(lambda tx: self._store_over(tx, row, grant))
            except (StoreAway, StoreFull):
                await asyncio.sleep(ASK_SECONDS)

    def _store_over(self, tx: Tx, row: AccountRow, grant: Grant) -> bool:
        """Whether the tokens are the newest now. Meanwhile others may have been refused with the old ones, and left the account
        to a person; it goes on."""
        sealed = self.sealed(row.id, grant)
        if not accounts.set_oauth(tx, row.id, sealed, expected_version=row.oauth_version):
            return False
        lease.wake(tx, row.id, self._now())
        return True

    def _is_good(self, row: AccountRow, stale: str | None) -> bool:
        held = self._opened(row)
        left = held.expires_at - self._now()
        return held.access_token != stale and left > min(EARLY_SECONDS, held.lasts * EARLY_SHARE)

    async def _has_turn(self, account: str) -> bool:
        if self._store.alone:
            return True
        return await self._store.write(
            lambda tx: duty.take(tx, f"{TURN}{account}", self._owner, self._now(), TURN_SECONDS)
        )

    def sealed(self, account: str, grant: Grant) -> bytes:
        tokens = OAuthTokens(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            expires_at=self._now() + grant.expires_in,
            lasts=grant.expires_in,
        )
        return self._vault.seal(account, msgspec.json.encode(tokens))

    def _opened(self, row: AccountRow) -> OAuthTokens:
        if row.oauth is None:
            raise ReauthorizeError("not-connected", "nobody has logged in to this account", for_good=True)
        return msgspec.json.decode(self._vault.open(row.id, row.oauth), type=OAuthTokens)

    async def _row(self, account: str) -> AccountRow:
        def load(tx: Tx) -> AccountRow | None:
            return accounts.by_id(tx, self._vault, account)

        row = await self._store.read(load)
        if row is None:
            raise ReauthorizeError("not-connected", "the account is not known here", for_good=True)
        return row


async def _refreshed(connector: type[OAuth], system: Any, http: Http, held: OAuthTokens, row: AccountRow) -> Grant:
    """New tokens, or why there are none, named as exactly as the remote lets us."""
    try:
        return await connector.refresh(system, http, refresh_token=held.refresh_token, account=row.remote)
    except ReauthorizeError as refused:
        if not has(connector, AccessTeller):
            raise
        teller: Any = connector
        raise await teller.why_refused(system, http, access_token=held.access_token, refused=refused) from None
