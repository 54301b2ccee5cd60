"""What a dry run said of each contact, opened for whoever may read it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from stellwerk.relay.backfill import Said
from stellwerk.relay.opened import opened
from stellwerk.store import accounts, syncs
from stellwerk.store.store import Tx
from stellwerk.store.syncs import Run
from stellwerk.store.vault import Vault

SLICE = 1_000


class Line(Struct, frozen=True, kw_only=True):
    """One contact: its id, its address, what would become of it and why. `unless` says what only the mail system knows."""

    id: str
    address: str
    what: str
    code: str
    reason: str
    rule: str
    line: int | None
    unless: str


def lines(
    tx: Tx, vault: Vault, run: Run, mail: str, *, after: str = "", limit: int = SLICE, what: str | None = None
) -> list[Line]:
    """Some of them, in the order of their ids as texts, behind the id `after`; `mail` is what the mail system is called."""
    accounts.by_id(tx, vault, run.account)
    found: list[Line] = []
    for row in syncs.rows(tx, run.id, after, limit, what):
        said = opened(vault, run.account, row.body, Said)
        found.append(
            Line(
                id=row.remote,
                address="" if said is None else said.email,
                what=row.what,
                code=row.code,
                reason="" if said is None else said.text,
                rule="" if said is None else said.rule or "",
                line=None if said is None else said.line,
                unless="" if said is None or not said.new else unless(mail),
            )
        )
    return found


def every(tx: Tx, vault: Vault, run: Run, mail: str) -> Iterator[Line]:
    """All of them."""
    after = ""
    while some := lines(tx, vault, run, mail, after=after):
        yield from some
        after = some[-1].id


def unless(mail: str) -> str:
    return f"new, unless {mail} holds an opt-out of this address or has it already"
