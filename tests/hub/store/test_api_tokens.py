"""Tokens of the JSON API: named, limited, and stored so that nobody can use what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import access, api_tokens
from stellwerk.store.store import Store
from stellwerk.store.vault import Vault

pytestmark = pytest.mark.anyio


async def made(store: Store, vault: Vault, name: str = "report", connection: str = "acme") -> str:
    return await store.write(
        lambda tx: api_tokens.add(
            tx, vault, connection=connection, name=name, rights="view", made_by="jo", now=100.0, expires=200.0
        )
    )


async def found(store: Store, vault: Vault, text: str) -> api_tokens.ApiToken | None:
    return await store.read(lambda tx: api_tokens.by_text(tx, vault, text))


async def test_a_token_is_found_by_its_text_and_by_no_other(store: Store, vault: Vault) -> None:
    text = await made(store, vault)
    token = await found(store, vault, text)
    assert token is not None
    assert (token.name, token.connection, token.rights) == ("report", "acme", "view")
    assert await found(store, vault, text + "x") is None
    assert await found(store, vault, "") is None


async def test_what_is_stored_does_not_hold_the_text(store: Store, vault: Vault) -> None:
    text = await made(store, vault)
    rows: list[Any] = await store.read(lambda tx: tx.all("select * from api_token"))
    assert text not in repr(rows)
    assert text.removeprefix(api_tokens.PREFIX) not in repr(rows)


async def test_a_token_works_until_its_time_is_over_or_it_is_revoked(store: Store, vault: Vault) -> None:
    text = await made(store, vault)
    token = await found(store, vault, text)
    assert token is not None
    assert token.works(199.0)
    assert not token.works(200.0)
    assert await store.write(lambda tx: access.revoke(tx, "api_token", "acme", 1, 150.0))
    gone = await found(store, vault, text)
    assert gone is not None
    assert not gone.works(151.0)


async def test_another_connection_cannot_revoke_it_and_it_is_revoked_once(store: Store, vault: Vault) -> None:
    await made(store, vault)
    assert not await store.write(lambda tx: access.revoke(tx, "api_token", "other", 1, 150.0))
    assert await store.write(lambda tx: access.revoke(tx, "api_token", "acme", 1, 150.0))
    assert not await store.write(lambda tx: access.revoke(tx, "api_token", "acme", 1, 160.0))


async def test_a_connection_lists_its_own_newest_first(store: Store, vault: Vault) -> None:
    for name, connection in (("one", "acme"), ("two", "acme"), ("three", "other")):
        await made(store, vault, name, connection)
    tokens = await store.read(lambda tx: api_tokens.of_connection(tx, "acme"))
    assert [token.name for token in tokens] == ["two", "one"]


async def test_its_last_use_is_remembered_to_the_minute(store: Store, vault: Vault) -> None:
    text = await made(store, vault)
    for now, shown in ((110.0, 110.0), (130.0, 110.0), (171.0, 171.0)):
        await store.write(lambda tx, now=now: api_tokens.used(tx, 1, now))  # type: ignore[misc]
        token = await found(store, vault, text)
        assert token is not None
        assert token.used == shown
