"""Remote accounts, their sealed credentials and their webhook secrets."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import StoreError
from stellwerk.store import accounts, meta, traces
from stellwerk.store.accounts import AccountRow
from stellwerk.store.store import Store, Tx
from stellwerk.store.vault import Vault

pytestmark = pytest.mark.anyio
SECRET_KEY = "a secret key of the tests, long enough"


async def add(store: Store, vault: Vault, remote: str = "1", name: str = "Acme", system: str = "mail") -> str:
    return await store.write(lambda tx: accounts.add(tx, vault, system=system, remote=remote, name=name, now=1.0))


async def row(store: Store, vault: Vault, one: str = "mail:1") -> AccountRow:
    found = await store.read(lambda tx: accounts.by_id(tx, vault, one))
    assert found is not None
    return found


async def test_an_account_is_named_by_its_system_and_its_id_there(store: Store, vault: Vault) -> None:
    assert await add(store, vault) == "mail:1"
    found = await row(store, vault)
    assert (found.system, found.remote, found.name, found.state, found.secrets) == ("mail", "1", "Acme", "ok", None)
    assert await store.read(lambda tx: accounts.by_id(tx, vault, "mail:2")) is None


async def test_an_account_added_again_keeps_its_key_and_takes_the_newer_name(store: Store, vault: Vault) -> None:
    await add(store, vault)
    sealed = vault.seal("mail:1", b"key")
    await add(store, vault, name="Acme Ltd")
    await add(store, vault, name="")
    assert (await row(store, vault)).name == "Acme Ltd"
    assert vault.open("mail:1", sealed) == b"key"


async def test_credentials_are_read_back_after_a_restart_with_the_same_secret_key(store: Store, database: Any) -> None:
    first = Vault(SECRET_KEY)
    await store.write(lambda tx: first.use_hash_key(meta.first_value(tx, "hash_key", first.new_key("hash"))))
    await add(store, first)
    sealed = first.seal("mail:1", b"the api key")
    await store.write(lambda tx: accounts.set_secrets(tx, "mail:1", sealed))
    await store.close()
    reopened, second = database.open(), Vault(SECRET_KEY)
    stands = await reopened.write(lambda tx: meta.first_value(tx, "hash_key", second.new_key("hash")))
    second.use_hash_key(stands)
    found = await row(reopened, second)
    assert found.secrets is not None
    assert second.open("mail:1", found.secrets) == b"the api key"
    assert second.address("ada@example.com") == first.address("ada@example.com")
    await reopened.close()


async def test_another_secret_key_opens_no_account(store: Store, vault: Vault) -> None:
    await add(store, vault)
    other = Vault("another secret key of the tests")
    with pytest.raises(StoreError, match="another secret_key"):
        await row(store, other)


async def test_what_is_sealed_for_one_account_opens_for_no_other(store: Store, vault: Vault) -> None:
    await add(store, vault)
    await add(store, vault, remote="2")
    sealed = vault.seal("mail:1", b"the api key")
    with pytest.raises(StoreError, match="mail:2"):
        vault.open("mail:2", sealed)


async def test_an_accounts_key_moved_to_another_row_opens_nothing(store: Store, vault: Vault) -> None:
    await add(store, vault)
    await add(store, vault, remote="2")
    stolen = "update account set data_key = (select data_key from account where id = 'mail:1') where id = 'mail:2'"
    await store.write(lambda tx: tx.run(stolen))
    with pytest.raises(StoreError):
        await row(store, vault, "mail:2")


async def test_a_key_proposed_in_an_undone_write_seals_nothing_later(store: Store, vault: Vault) -> None:
    def undone(tx: Tx) -> None:
        accounts.add(tx, vault, system="mail", remote="1", name="", now=1.0)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(undone)
    await add(store, vault)
    sealed = vault.seal("mail:1", b"the api key")
    after_restart = Vault(SECRET_KEY)
    await row(store, after_restart)
    assert after_restart.open("mail:1", sealed) == b"the api key"


async def test_tokens_are_stored_over_the_version_they_were_made_from_and_over_no_newer_one(
    store: Store, vault: Vault
) -> None:
    await add(store, vault)

    async def put(sealed: bytes, expected: int | None) -> bool:
        return await store.write(lambda tx: accounts.set_oauth(tx, "mail:1", sealed, expected_version=expected))

    assert await put(b"first", 0)
    assert not await put(b"late", 0)
    assert (await row(store, vault)).oauth == b"first"
    assert await put(b"second", 1)
    assert await put(b"login", None)
    found = await row(store, vault)
    assert (found.oauth, found.oauth_version) == (b"login", 3)


async def test_new_credentials_end_the_trouble_with_the_old_ones(store: Store, vault: Vault) -> None:
    await add(store, vault)
    await store.write(lambda tx: accounts.set_state(tx, "mail:1", "reauthorize", "key-expired", "paste a new key"))
    assert (await row(store, vault)).state_code == "key-expired"
    await store.write(lambda tx: accounts.set_secrets(tx, "mail:1", b"sealed"))
    found = await row(store, vault)
    assert (found.state, found.state_code, found.state_text) == ("ok", "", "")


async def test_an_account_is_found_by_the_secret_in_its_webhook_path(store: Store, vault: Vault) -> None:
    await add(store, vault)
    await add(store, vault, remote="2")
    secret = await store.write(lambda tx: accounts.ensure_hook(tx, vault, "mail:1"))
    other = await store.write(lambda tx: accounts.ensure_hook(tx, vault, "mail:2"))

    async def found(systems: tuple[str, ...], path_secret: str) -> str | None:
        account = await store.read(lambda tx: accounts.by_hook(tx, vault, systems, path_secret))
        return None if account is None else account.id

    assert len(secret) >= 32
    assert await found(("mail",), secret) == "mail:1"
    assert await found(("mail",), other) == "mail:2"
    assert await found(("mail",), secret[:-1]) is None
    assert await found(("mail",), "") is None
    assert await found(("crm",), secret) is None


async def test_a_webhook_secret_is_made_once(store: Store, vault: Vault) -> None:
    await add(store, vault)
    secrets = {await store.write(lambda tx: accounts.ensure_hook(tx, vault, "mail:1")) for _ in range(3)}
    assert len(secrets) == 1


async def test_what_is_sealed_stands_nowhere_in_the_clear(store: Store, vault: Vault, database: Any) -> None:
    await add(store, vault)
    secret = await store.write(lambda tx: accounts.ensure_hook(tx, vault, "mail:1"))
    key, address = "key-4711-of-acme", "ada.lovelace@example.com"

    def work(tx: Tx) -> None:
        accounts.set_secrets(tx, "mail:1", vault.seal("mail:1", key.encode()))
        traces.add(
            tx,
            connection="acme",
            contact=None,
            address=vault.address(address),
            event="e1",
            kind="decision",
            body=vault.seal("mail:1", address.encode()),
            now=1.0,
        )

    await store.write(work)
    database.assert_no_clear_text(key, address, secret, SECRET_KEY)
    await store.close()
    database.assert_no_clear_text(key, address, secret, SECRET_KEY)


async def test_the_search_for_clear_text_finds_it(store: Store, database: Any) -> None:
    await store.write(lambda tx: meta.set_value(tx, "leak", b"ada.lovelace@example.com"))
    with pytest.raises(AssertionError, match=r"1 of 2 .* (hub\.db-wal|meta)"):
        database.assert_no_clear_text("ADA.LOVELACE@example.com", "nothing of the kind")
    await store.close()
    with pytest.raises(AssertionError, match=r"1 of 1 .* (hub\.db|meta)"):
        database.assert_no_clear_text("ada.lovelace@example.com")


async def test_traces_are_found_by_contact_and_by_address_and_go_after_their_days(store: Store) -> None:
    def work(tx: Tx) -> None:
        for number, (contact, address) in enumerate([(1, "ada"), (1, "ada"), (None, "ben")]):
            traces.add(
                tx,
                connection="acme",
                contact=contact,
                address=address,
                event=f"e{number}",
                kind="d",
                body=b"",
                now=number,
            )

    await store.write(work)
    assert [found["event"] for found in await store.read(lambda tx: traces.of_contact(tx, 1))] == ["e1", "e0"]
    assert [found["event"] for found in await store.read(lambda tx: traces.of_address(tx, "ben"))] == ["e2"]
    assert await store.write(lambda tx: traces.purge(tx, 1.5)) == 2
    assert await store.read(lambda tx: traces.of_address(tx, "ada")) == []
