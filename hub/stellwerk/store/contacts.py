"""What is kept of a contact between events: links on each side and digests, no clear text; versioned."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stellwerk.errors import StoreError
from stellwerk.store.store import Row, Tx, counted
from stellwerk_rules.model import Remembered


class ContactState(Struct, frozen=True, kw_only=True):
    """One contact of one connection. `id` 0 and `version` 0: not stored yet. `address` is a digest."""

    id: int = 0
    connection: str
    address: str | None = None
    version: int = 0
    remembered: Remembered = Remembered()


class Stale(StoreError):
    """The contact was changed meanwhile; decide again."""


def by_link(tx: Tx, connection: str, system: str, remote: str) -> ContactState | None:
    """The contact whose id at `system` is `remote`."""
    return _state(
        tx.one(
            "select c.* from link as l join contact as c on c.id = l.contact"
            " where l.connection = :connection and l.system = :system and l.remote = :remote",
            connection=connection,
            system=system,
            remote=remote,
        )
    )


def is_linked(tx: Tx, connection: str, system: str, remote: str) -> bool:
    """Whether a contact has that id at `system`, be it that what is stored of it cannot be read."""
    row = tx.one(
        "select contact from link where connection = :connection and system = :system and remote = :remote",
        connection=connection,
        system=system,
        remote=remote,
    )
    return row is not None


def by_address(tx: Tx, connection: str, address: str) -> list[ContactState]:
    """All that have this address (a digest), the first that was stored first."""
    rows = tx.all(
        "select * from contact where connection = :connection and address = :address order by id",
        connection=connection,
        address=address,
    )
    return [state for state in map(_state, rows) if state is not None]


def within(tx: Tx, connection: str, remote: str) -> list[ContactState]:
    """The contacts whose addresses are secondary ones of the contact with this id."""
    rows = tx.all(
        "select * from contact where connection = :connection and within = :remote order by id",
        connection=connection,
        remote=remote,
    )
    return [state for state in map(_state, rows) if state is not None]


def by_remote(tx: Tx, remote: str) -> list[ContactState]:
    """Every contact, of any connection, that is linked to this id at some system."""
    rows = tx.all(
        "select * from contact where id in (select contact from link where remote = :remote) order by id", remote=remote
    )
    return [state for state in map(_state, rows) if state is not None]


def linked(tx: Tx, connection: str, system: str) -> int:
    """How many contacts of the connection are known at the system."""
    return counted(
        tx,
        "select count(*) as n from link where connection = :connection and system = :system",
        connection=connection,
        system=system,
    )


def by_id(tx: Tx, one: int) -> ContactState | None:
    return _state(tx.one("select * from contact where id = :id", id=one))


def save(tx: Tx, state: ContactState, now: float) -> ContactState:
    """Write if nobody wrote since it was read, with its links. Raises `Stale`."""
    body = msgspec.json.encode(state.remembered).decode()
    if state.id == 0:
        row = tx.one(
            "insert into contact (connection, address, remembered, within, created) values (:connection, :address, :body, :within, :now) returning id",
            within=state.remembered.within,
            connection=state.connection,
            address=state.address,
            body=body,
            now=now,
        )
        assert row is not None
        saved = msgspec.structs.replace(state, id=row["id"], version=1)
    else:
        written = tx.run(
            "update contact set address = :address, remembered = :body, within = :within, version = version + 1 where id = :id and version = :version",
            within=state.remembered.within,
            address=state.address,
            body=body,
            id=state.id,
            version=state.version,
        )
        if not written:
            raise Stale(f"contact {state.id} changed")
        saved = msgspec.structs.replace(state, version=state.version + 1)
    linked = tx.all("select system, remote from link where contact = :contact", contact=saved.id) if state.id else ()
    stands = {row["system"]: row["remote"] for row in linked}
    ids = saved.remembered.ids
    for system in stands.keys() - ids.keys():
        tx.run("delete from link where contact = :contact and system = :system", contact=saved.id, system=system)
    for system, remote in ids.items():
        if stands.get(system) != remote:
            _link(tx, saved, system, remote)
    return saved


def delete(tx: Tx, one: int) -> None:
    """The contact goes, with its links and what is noted of its fields."""
    tx.run("delete from left_out where contact = :contact", contact=one)
    tx.run("delete from written where contact = :contact", contact=one)
    tx.run("delete from drift where contact = :contact", contact=one)
    tx.run("delete from link where contact = :contact", contact=one)
    tx.run("delete from contact where id = :contact", contact=one)


def set_aside(tx: Tx, connection: str, name: str, limit: int) -> int:
    """File contacts of a connection with their links under another name, where nothing finds them. How many were left."""
    params = {"connection": connection, "name": name, "limit": limit}
    some = "select id from contact where connection = :connection order by id limit :limit"
    tx.run(f"update link set connection = :name where contact in ({some})", **params)
    tx.run(f"update outbox set connection = :name where contact in ({some})", **params)
    return tx.run(f"update contact set connection = :name where id in ({some})", **params)


def erase_some(tx: Tx, connection: str, limit: int) -> int:
    """Contacts of a connection go, with their links and what was decided on them. How many went."""
    some = "(select id from contact where connection = :connection order by id limit :limit)"
    params = {"connection": connection, "limit": limit}
    tx.run(f"delete from trace where contact in {some}", **params)
    tx.run(
        "update outbox set body = null, answer = null, text = '', progress = '',"
        " ended = coalesce(ended, created), state = case when ended is null then 'dead' else state end"
        f" where contact in {some}",
        **params,
    )
    tx.run(f"delete from left_out where contact in {some}", **params)
    tx.run(f"delete from written where contact in {some}", **params)
    tx.run(f"delete from drift where contact in {some}", **params)
    tx.run(f"delete from link where contact in {some}", **params)
    return tx.run(f"delete from contact where id in {some}", **params)


def _link(tx: Tx, state: ContactState, system: str, remote: str) -> None:
    tx.run(
        "delete from link where contact = :contact and system = :system and remote <> :remote",
        system=system,
        contact=state.id,
        remote=remote,
    )
    taken = tx.one(
        "select contact from link where connection = :connection and system = :system and remote = :remote",
        connection=state.connection,
        system=system,
        remote=remote,
    )
    if taken is None:
        tx.run(
            "insert into link (connection, system, remote, contact) values (:connection, :system, :remote, :contact)",
            connection=state.connection,
            system=system,
            remote=remote,
            contact=state.id,
        )
    elif taken["contact"] != state.id:
        # Two lanes met the same contact for the first time at once: the later one decides again on the row of the first.
        if state.version == 1:
            raise Stale(f"{system} contact is linked already")
        _let_go(tx, taken["contact"], system)
        _link(tx, state, system, remote)


def _let_go(tx: Tx, one: int, system: str) -> None:
    """The contact is known at the system no more: another has its link, and with it all that was carried there."""
    tx.run("delete from link where contact = :contact and system = :system", contact=one, system=system)
    state = by_id(tx, one)
    if state is None or system not in state.remembered.ids:
        return
    known = state.remembered
    ids, seen, going = (
        {name: one for name, one in each.items() if name != system} for each in (known.ids, known.seen, known.going)
    )
    body = msgspec.json.encode(msgspec.structs.replace(known, ids=ids, seen=seen, going=going)).decode()
    tx.run("update contact set remembered = :body, version = version + 1 where id = :id", body=body, id=one)


def _state(row: Row | None) -> ContactState | None:
    if row is None:
        return None
    return ContactState(
        id=row["id"],
        connection=row["connection"],
        address=row["address"],
        version=row["version"],
        remembered=msgspec.json.decode(row["remembered"], type=Remembered),
    )
