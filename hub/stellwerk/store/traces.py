"""Why something happened or did not: one row a decision or delivery, sealed."""

from __future__ import annotations

from typing import Any

from stellwerk.store.store import Row, Tx

OUTLIVED = "outlived"
"""Code of a dead letter whose payload waited longer than it may be kept."""


def add(
    tx: Tx, *, connection: str, contact: int | None, address: str | None, event: str, kind: str, body: bytes, now: float
) -> None:
    tx.run(
        "insert into trace (connection, contact, address, event, at, kind, body) values"
        " (:connection, :contact, :address, :event, :now, :kind, :body)",
        connection=connection,
        contact=contact,
        address=address,
        event=event,
        kind=kind,
        body=body,
        now=now,
    )


def of_contact(tx: Tx, contact: int, limit: int = 500) -> list[Row]:
    return tx.all(
        "select * from trace where contact = :contact order by id desc limit :limit", contact=contact, limit=limit
    )


def of_address(tx: Tx, address: str, limit: int = 500) -> list[Row]:
    """Traces of the address and of every contact that has it, newest first."""
    return tx.all(
        "select * from trace where address = :address or contact in (select id from contact where address = :address)"
        " order by id desc limit :limit",
        address=address,
        limit=limit,
    )


def erase(tx: Tx, connection: str, contact: int, address: str | None) -> None:
    """Every trace of the contact and of its address goes."""
    tx.run(
        "delete from trace where connection = :connection and (contact = :contact or (contact is null and address = :address))",
        connection=connection,
        contact=contact,
        address=address,
    )


def purge(tx: Tx, before: float, limit: int = 5000) -> int:
    return tx.run(
        "delete from trace where id in (select id from trace where at < :before limit :limit)",
        before=before,
        limit=limit,
    )


def outlive(tx: Tx, before: float, now: float, limit: int = 5000) -> int:
    """What has waited, or was held for a person, since before `before` becomes a dead letter without its payload."""
    params: dict[str, Any] = {"before": before, "now": now, "code": OUTLIVED, "limit": limit}
    gone = tx.run(
        "update inbox set state = 'dead', code = :code, body = null, answer = null, ended = :now where id in"
        " (select id from inbox where state = 'waiting' and received < :before limit :limit)",
        **params,
    )
    return gone + tx.run(
        "update outbox set state = 'dead', code = :code, body = null, answer = null, ended = :now where id in"
        " (select id from outbox where state in ('waiting', 'sent', 'parked', 'held') and created < :before limit :limit)",
        **params,
    )


def purge_payloads(tx: Tx, before: float, dead_before: float, limit: int = 5000) -> int:
    """Drop the payloads of what ended before `before`, and dead letters older than `dead_before`; what happened stays counted."""
    params: dict[str, Any] = {"before": before, "dead": dead_before, "limit": limit}
    gone = tx.run(
        "update inbox set body = null, answer = null where id in (select id from inbox where body is not null and ended is not null"
        " and case when state = 'dead' then ended < :dead else ended < :before end limit :limit)",
        **params,
    )
    return gone + tx.run(
        "update outbox set body = null, answer = null where id in (select id from outbox where body is not null and ended is not null"
        " and state <> 'held' and case when state = 'dead' then ended < :dead else ended < :before end limit :limit)",
        **params,
    )
