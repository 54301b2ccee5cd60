"""Which contacts a field is missing at, because the target did not take it."""

from __future__ import annotations

from collections.abc import Iterable

from stellwerk.store.store import Tx, counted


def note(tx: Tx, connection: str, system: str, field: str, contact: int, code: str, now: float) -> None:
    """The field of this contact was left out of a write."""
    tx.run(
        "insert into left_out (connection, system, field, contact, code, seen)"
        " values (:connection, :system, :field, :contact, :code, :now)"
        " on conflict (connection, system, field, contact) do update set code = :code, seen = :now",
        connection=connection,
        system=system,
        field=field,
        contact=contact,
        code=code,
        now=now,
    )


def contacts(tx: Tx, connection: str, system: str, field: str) -> int:
    """At how many contacts, of those that are still known, the field is missing."""
    return counted(
        tx,
        "select count(*) as n from left_out where connection = :connection and system = :system and field = :field"
        " and exists (select 1 from contact where contact.id = left_out.contact)",
        connection=connection,
        system=system,
        field=field,
    )


def arrived(tx: Tx, connection: str, system: str, contact: int, fields: Iterable[str]) -> list[str]:
    """Those of `fields` that were missing at this contact, and no longer are."""
    missing = tx.all(
        "select field from left_out where connection = :connection and system = :system and contact = :contact",
        connection=connection,
        system=system,
        contact=contact,
    )
    found = sorted({row["field"] for row in missing} & set(fields))
    for field in found:
        tx.run(
            "delete from left_out where connection = :connection and system = :system and contact = :contact"
            " and field = :field",
            connection=connection,
            system=system,
            contact=contact,
            field=field,
        )
    return found


def forget(tx: Tx, connection: str, system: str, field: str) -> None:
    """It is missing at nobody any more."""
    tx.run(
        "delete from left_out where connection = :connection and system = :system and field = :field",
        connection=connection,
        system=system,
        field=field,
    )
