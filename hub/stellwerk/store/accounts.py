"""Remote accounts: sealed credentials, the secret in their webhook path, and whether they may be called."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault

LEAVING = "leaving"
"""State of an account that no connection uses any more: what served us over there is still to be undone."""

GONE = "gone"
"""State of an account that was left; only what is kept of it here remains."""


class OAuthTokens(Struct, frozen=True, kw_only=True):
    """Sealed as JSON. `expires_at` in seconds since 1970, `lasts` in seconds from the answer on."""

    access_token: str
    refresh_token: str
    expires_at: float
    lasts: float = 0.0


class AccountRow(Struct, frozen=True, kw_only=True):
    """One account. `secrets` are the account settings as JSON, `info` what the remote told (rights, stages, its zone)."""

    id: str
    system: str
    remote: str
    name: str
    secrets: bytes | None
    oauth: bytes | None
    oauth_version: int
    info: dict[str, Any]
    hook_secret: bytes | None
    state: str
    state_code: str
    state_text: str
    paused_until: float


COLUMNS = "id, system, remote, name, data_key, secrets, oauth, oauth_version, info, hook_secret, state, state_code, state_text, paused_until"


def account_id(system: str, remote: str) -> str:
    return f"{system}:{remote}"


def system_of(account: str) -> str:
    """The system's name in the file."""
    return account.partition(":")[0]


def add(tx: Tx, vault: Vault, *, system: str, remote: str, name: str, now: float) -> str:
    """The account's id; makes the row with a key of its own when it is new."""
    one = account_id(system, remote)
    tx.run(
        "insert into account (id, system, remote, name, data_key, created) values (:id, :system, :remote, :name, :key, :now)"
        " on conflict (id) do update set name = case when excluded.name = '' then account.name else excluded.name end",
        id=one,
        system=system,
        remote=remote,
        name=name,
        key=vault.new_key(one),
        now=now,
    )
    by_id(tx, vault, one)
    return one


def by_id(tx: Tx, vault: Vault, one: str) -> AccountRow | None:
    return _account(vault, tx.one(f"select {COLUMNS} from account where id = :id", id=one))


def every(tx: Tx, vault: Vault) -> list[AccountRow]:
    found = (_account(vault, row) for row in tx.all(f"select {COLUMNS} from account order by id"))
    return [account for account in found if account is not None]


def older_than(tx: Tx, before: float) -> list[str]:
    """Ids of the accounts that were first stored before then and have not been left."""
    rows = tx.all(
        "select id from account where created < :before and state not in (:leaving, :gone) order by id",
        before=before,
        leaving=LEAVING,
        gone=GONE,
    )
    return [row["id"] for row in rows]


def by_hook(tx: Tx, vault: Vault, system_names: tuple[str, ...], path_secret: str) -> AccountRow | None:
    """The account whose webhook path holds this secret, found by its keyed digest: no comparison leaks its length or letters."""
    digest = hook_digest(vault, path_secret)
    row = tx.one(f"select {COLUMNS} from account where hook_hash = :digest or hook_hash_old = :digest", digest=digest)
    return _account(vault, row) if row is not None and row["system"] in system_names else None


def hook_digest(vault: Vault, path_secret: str) -> str:
    return vault.digest("hook:" + path_secret)


def set_secrets(tx: Tx, one: str, sealed: bytes) -> None:
    tx.run(
        "update account set secrets = :sealed, state = 'ok', state_code = '', state_text = '' where id = :id",
        sealed=sealed,
        id=one,
    )


def set_oauth(tx: Tx, one: str, sealed: bytes, *, expected_version: int | None) -> bool:
    """Store tokens if nobody stored newer ones since `expected_version` (None: a login, always)."""
    return bool(
        tx.run(
            "update account set oauth = :sealed, oauth_version = oauth_version + 1, state = 'ok', state_code = '', state_text = ''"
            " where id = :id and (oauth_version = :expected or :expected is null)",
            sealed=sealed,
            id=one,
            expected=expected_version,
        )
    )


def set_info(tx: Tx, one: str, **told: Any) -> None:
    """Write down what the remote told by these names; what it told by others stays."""
    tx.run(
        "update account set info = :info where id = :id",
        info=msgspec.json.encode({**info(tx, one), **told}).decode(),
        id=one,
    )


def info(tx: Tx, one: str) -> dict[str, Any]:
    """What the remote of this account told; empty for an account that is not there."""
    row = tx.one("select info from account where id = :id", id=one)
    return {} if row is None else msgspec.json.decode(row["info"])


def set_state(tx: Tx, one: str, state: str, code: str, text: str) -> None:
    tx.run(
        "update account set state = :state, state_code = :code, state_text = :text where id = :id",
        state=state,
        code=code,
        text=text,
        id=one,
    )


def pause(tx: Tx, one: str, until: float, code: str) -> None:
    """Leave it alone until then; why a person is to mend it stays said."""
    tx.run(
        "update account set paused_until = :until, state_code = case when state = 'ok' then :code else state_code end"
        " where id = :id",
        until=until,
        code=code,
        id=one,
    )


def release(tx: Tx, one: str) -> None:
    """Its credentials and the secret of its webhooks go: nobody here uses the account any more."""
    tx.run(
        "update account set secrets = null, oauth = null, hook_secret = null, hook_hash = null, hook_hash_old = null,"
        " state = :gone, state_code = '', state_text = '' where id = :id",
        gone=GONE,
        id=one,
    )


def drop(tx: Tx, one: str) -> None:
    """The account with its key, so that whatever was sealed for it cannot be read any more."""
    tx.run("delete from account where id = :id", id=one)
    tx.run("delete from lease where account = :id", id=one)
    tx.run("delete from cursor where account = :id", id=one)


def ensure_hook(tx: Tx, vault: Vault, one: str) -> str:
    """The path secret of the account's webhooks, made when there is none."""
    account = by_id(tx, vault, one)
    assert account is not None
    if account.hook_secret is not None:
        return vault.open(one, account.hook_secret).decode()
    return renew_hook(tx, vault, one)


def renew_hook(tx: Tx, vault: Vault, one: str) -> str:
    """A new path secret. The one before stays valid beside it until `forget_old_hook`; an older one does not."""
    fresh = secrets.token_urlsafe(32)
    tx.run(
        "update account set hook_hash_old = hook_hash, hook_secret = :sealed, hook_hash = :digest where id = :id",
        sealed=vault.seal(one, fresh.encode()),
        digest=hook_digest(vault, fresh),
        id=one,
    )
    return fresh


def forget_old_hook(tx: Tx, one: str) -> None:
    """From now on only the last path secret is valid."""
    tx.run("update account set hook_hash_old = null where id = :id", id=one)


def with_old_hook(tx: Tx) -> list[str]:
    """Ids of the accounts that have two valid path secrets."""
    return [row["id"] for row in tx.all("select id from account where hook_hash_old is not null order by id")]


def _account(vault: Vault, row: Row | None) -> AccountRow | None:
    if row is None:
        return None
    vault.use_account_key(row["id"], row["data_key"])
    values = {name: value for name, value in row.items() if name != "data_key"}
    return AccountRow(**{**values, "info": msgspec.json.decode(row["info"])})
