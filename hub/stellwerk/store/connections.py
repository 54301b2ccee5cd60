"""What customers set up: accounts, settings with their history, the agreement, and when it began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.errors import StoreError
from stellwerk.store import access, meta, recipients, repairs, runs
from stellwerk.store.store import Row, Tx
from stellwerk_rules.model import Agreement

IN_FILE = "file"
"""Origin of a connection that stands in integration.yaml."""


ENDED = "disconnected"
"""State of a connection that was ended: it takes part in nothing, and what is kept of it is erased after some days."""

STOPPED = "stopped"
WENT_ON = "went-on"
"""What the history calls it when a person stops what mails or grants, and when it goes on."""

AGAIN = "connected-again"
"""What the history calls it when an ended connection is saved once more."""

MOVED = "other-account"
"""What the history calls it when it gets another account."""

INVITED = "invited"
UNINVITED = "uninvited"
"""What the history calls it when somebody is invited, and when that is taken back."""

TOKEN_MADE = "token-made"
TOKEN_REVOKED = "token-revoked"
"""What the history calls it when a token of the API is made, and when it is revoked; it is about the token's name."""

REPAIR_ENDED = "repair-ended"
"""What the history calls it when a person takes a repair off the list; it is about the repair's code."""

RECIPIENT_ADDED = "recipient-added"
RECIPIENT_REMOVED = "recipient-removed"
"""What the history calls it when somebody is to be told of repairs, and when they are not any more."""

ERASED = "erased"
"""What the history calls it when somebody is erased on request; it is about the reference of the address, never the address."""

ASKED_AGAIN = "asked-again"
NOT_SENT = "ask-not-sent"
"""What the history calls it when a person asks for a mail once more, and when one says that a mail did not go out."""

UNLINKED = "unlinked"
LINKED_AGAIN = "linked-again"
"""What the history calls it when a person unlinks a contact, and when one links it again."""

SYNCED_NOW = "synced-now"
"""What the history calls it when a contact is read again on a person's word; about a reference of the address as well."""

LEFT = "left"
"""Name under which is kept since when contacts belong to no living connection: of one ended, or of accounts it left."""


class Connection(Struct, frozen=True, kw_only=True):
    """One connection. `accounts` is system name to account id; `settings` plain JSON values by setting id.

    `on_hold`: since when it holds everything that mails or grants; None while it does not.
    """

    id: str
    origin: str
    state: str = "runs"
    brand: str = ""
    accounts: Mapping[str, str]
    settings: Mapping[str, Any]
    version: int = 1
    began: float | None = None
    agreed: Agreement | None = None
    on_hold: float | None = None


class Changed(StoreError):
    """Somebody saved these settings meanwhile."""


def every(tx: Tx) -> list[Connection]:
    """All but those that were ended."""
    rows = tx.all("select * from connection where state <> :ended order by id", ended=ENDED)
    return [_connection(row) for row in rows]


def by_id(tx: Tx, one: str) -> Connection | None:
    """Also one that was ended."""
    row = tx.one("select * from connection where id = :id", id=one)
    return None if row is None else _connection(row)


def living(tx: Tx, one: str) -> Connection | None:
    """None also for one that was ended."""
    found = by_id(tx, one)
    return None if found is None or found.state == ENDED else found


def stands(tx: Tx, one: Connection) -> bool:
    """Whether the connection was not ended and still has these accounts."""
    row = tx.one("select accounts, state from connection where id = :id", id=one.id)
    if row is None or row["state"] == ENDED:
        return False
    return bool(msgspec.json.decode(row["accounts"]) == dict(one.accounts))


def of_account(tx: Tx, account: str) -> list[Connection]:
    return [connection for connection in every(tx) if account in connection.accounts.values()]


def own_accounts(tx: Tx, one: Connection) -> list[str]:
    """Its accounts that no other connection uses: what is known of a shared account may be about somebody else's contacts."""
    return [account for account in sorted(one.accounts.values()) if _alone(tx, one, account)]


def _alone(tx: Tx, one: Connection, account: str) -> bool:
    return all(other.id == one.id for other in of_account(tx, account))


def save(tx: Tx, new: Connection, *, who: str, now: float, note: str = "") -> Connection:
    """Write if `new.version` is still the stored one (or it is new), and keep it in the history. Raises `Changed`.

    `note` says in a word what was done, where it was more than changing settings.
    """
    agreed = None if new.agreed is None else msgspec.json.encode(new.agreed).decode()
    values: dict[str, Any] = {
        "id": new.id,
        "origin": new.origin,
        "state": new.state,
        "brand": new.brand,
        "accounts": msgspec.json.encode(new.accounts).decode(),
        "settings": msgspec.json.encode(new.settings).decode(),
        "began": new.began,
        "agreed": agreed,
        "version": new.version,
        "on_hold": new.on_hold,
        "now": now,
    }
    if by_id(tx, new.id) is None:
        tx.run(
            "insert into connection (id, origin, state, brand, accounts, settings, version, began, agreed, on_hold, created)"
            " values (:id, :origin, :state, :brand, :accounts, :settings, 1, :began, :agreed, :on_hold, :now)",
            **values,
        )
        saved = msgspec.structs.replace(new, version=1)
    else:
        written = tx.run(
            "update connection set origin = :origin, state = :state, brand = :brand, accounts = :accounts, settings = :settings,"
            " began = :began, agreed = :agreed, on_hold = :on_hold, version = version + 1 where id = :id and version = :version",
            **values,
        )
        if not written:
            raise Changed(f"connection {new.id} was changed meanwhile")
        saved = msgspec.structs.replace(new, version=new.version + 1)
    if new.state != ENDED:
        meta.drop_cursor(tx, LEFT, new.id)  # reconnected before its days were over
    tx.run(
        "insert into setting_history (connection, at, who, settings, agreed, state, note)"
        " values (:id, :now, :who, :settings, :agreed, :state, :note)",
        **{**values, "who": who, "note": note},
    )
    return saved


def note(tx: Tx, one: str, *, who: str, now: float, note: str, about: str) -> None:
    """Write into the history what somebody did besides saving; the connection stays as it is."""
    tx.run(
        "insert into setting_history (connection, at, who, settings, agreed, state, note, about)"
        " select id, :now, :who, settings, agreed, state, :note, :about from connection where id = :id",
        id=one,
        now=now,
        who=who,
        note=note,
        about=about,
    )


def end(tx: Tx, ended: Connection, *, who: str, now: float) -> None:
    """It takes part in nothing from now on, and its tokens work no more. Saved anew it begins anew. Raises `Changed`."""
    save(tx, msgspec.structs.replace(ended, state=ENDED, began=None, on_hold=None), who=who, now=now, note=ENDED)
    access.revoke_all(tx, ended.id, now)
    meta.set_cursor(tx, LEFT, ended.id, str(now))


def ended_of(tx: Tx, account: str) -> dict[str, tuple[Connection, float]]:
    """What was ended and is still kept, of this account: by id, with when it was ended. What is to be forgotten is not."""
    kept = {name: since for name, since in left(tx).items() if since > 0}
    found = (by_id(tx, name) for name in kept)
    return {
        one.id: (one, kept[one.id])
        for one in found
        if one is not None and one.state == ENDED and account in one.accounts.values()
    }


def left(tx: Tx) -> dict[str, float]:
    """What was left and is still kept: the name its contacts are filed under, and since when."""
    rows = tx.all("select name, value from cursor where account = :left order by name", left=LEFT)
    return {row["name"]: float(row["value"]) for row in rows}


def forget(tx: Tx, name: str) -> None:
    """Nothing stands of what was left under this name any more, once its contacts are gone."""
    meta.drop_cursor(tx, LEFT, name)
    params = {"id": name, "ended": ENDED}
    if tx.one("select id from connection where id = :id and state = :ended", **params) is None:
        return
    runs.forget(tx, name)
    recipients.forget(tx, name)
    for table in ("setting_history", "api_token", "invitation"):
        tx.run(f"delete from {table} where connection = :id", id=name)
    repairs.forget(tx, name)
    tx.run("delete from connection where id = :id and state = :ended", **params)


class Saved(Struct, frozen=True, kw_only=True):
    """One line of the history: what stood after `who` saved it at `at`, in seconds since 1970."""

    id: int
    at: float
    who: str
    settings: Mapping[str, Any]
    agreed: Agreement | None
    state: str
    note: str
    about: str = ""


def history(tx: Tx, one: str, limit: int = 200) -> list[Saved]:
    """Newest first."""
    rows = tx.all(
        "select * from setting_history where connection = :id order by id desc limit :limit", id=one, limit=limit
    )
    return [_saved(row) for row in rows]


def noted(tx: Tx, one: str, note: str, about: str) -> list[Saved]:
    """The lines that say this of whom it concerns, newest first."""
    rows = tx.all(
        "select * from setting_history where connection = :id and note = :note and about = :about order by id desc",
        id=one,
        note=note,
        about=about,
    )
    return [_saved(row) for row in rows]


def saved(tx: Tx, one: str, line: int) -> Saved | None:
    """One line of this connection's history."""
    row = tx.one("select * from setting_history where connection = :id and id = :line", id=one, line=line)
    return None if row is None else _saved(row)


def _saved(row: Row) -> Saved:
    return Saved(
        id=row["id"],
        at=row["at"],
        who=row["who"],
        settings=msgspec.json.decode(row["settings"]),
        agreed=_agreement(row["agreed"]),
        state=row["state"],
        note=row["note"],
        about=row["about"],
    )


def _agreement(text: str | None) -> Agreement | None:
    return None if text is None else msgspec.json.decode(text, type=Agreement)


def _connection(row: Row) -> Connection:
    return Connection(
        id=row["id"],
        origin=row["origin"],
        state=row["state"],
        brand=row["brand"],
        accounts=msgspec.json.decode(row["accounts"]),
        settings=msgspec.json.decode(row["settings"]),
        version=row["version"],
        began=row["began"],
        agreed=_agreement(row["agreed"]),
        on_hold=row["on_hold"],
    )
