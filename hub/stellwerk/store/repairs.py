"""Numbered problems shown to a person: open until mended, counted while they repeat."""

from __future__ import annotations

from stellwerk.store.store import Row, Tx

WHOLE_HUB = "hub"
"""Subject of repairs that concern no single account or connection."""


def open_(tx: Tx, subject: str, code: str, text: str, now: float) -> None:
    """`subject` is an account, a connection, or `connection/contact`; the same problem stays one repair."""
    seen = tx.run(
        "update repair set seen = :now, count = count + 1, text = :text where subject = :subject and code = :code and closed is null",
        subject=subject,
        code=code,
        text=text,
        now=now,
    )
    if not seen:
        tx.run(
            "insert into repair (subject, code, text, opened, seen) values (:subject, :code, :text, :now, :now)",
            subject=subject,
            code=code,
            text=text,
            now=now,
        )


def close(tx: Tx, subject: str, code: str, now: float) -> None:
    tx.run(
        "update repair set closed = :now where subject = :subject and code = :code and closed is null",
        subject=subject,
        code=code,
        now=now,
    )


def forget(tx: Tx, subject: str) -> None:
    """What concerns the subject, or what stands under it, goes, and who was told of it: its number may be another's next."""
    params = {"subject": subject}
    chosen = "subject = :subject or subject like :subject || '/%'"
    tx.run(f"delete from told where repair in (select id from repair where {chosen})", **params)
    tx.run(f"delete from repair where {chosen}", **params)


def purge(tx: Tx, before: float, limit: int) -> int:
    """Those that were mended before then go, and who was told of them; how many."""
    rows = tx.all("select id from repair where closed < :before order by id limit :limit", before=before, limit=limit)
    tx.many("delete from told where repair = :id", rows)
    return tx.many("delete from repair where id = :id", rows)


def subjects(tx: Tx, code: str) -> frozenset[str]:
    """What this problem is open for."""
    rows = tx.all("select subject from repair where code = :code and closed is null", code=code)
    return frozenset(row["subject"] for row in rows)


def still_open(tx: Tx) -> list[Row]:
    return tx.all("select id, subject, code, text, count, opened, seen from repair where closed is null order by id")
