"""Invitations: found by their link alone, ended in time or by a person, and named in their connection's history."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import connections, invitations
from stellwerk.store.connections import Connection
from stellwerk.store.invitations import VALID_SECONDS, Invitation
from stellwerk.store.store import Store
from stellwerk.store.vault import Vault

pytestmark = pytest.mark.anyio


async def made(store: Store, vault: Vault, name: str = "Eva", connection: str = "acme") -> tuple[int, str]:
    return await store.write(
        lambda tx: invitations.add(tx, vault, connection=connection, name=name, rights="view", made_by="jo", now=100.0)
    )


async def found(store: Store, vault: Vault, text: str) -> Invitation | None:
    return await store.read(lambda tx: invitations.by_text(tx, vault, text))


async def test_an_invitation_is_found_by_its_link_and_by_no_other(store: Store, vault: Vault) -> None:
    one, text = await made(store, vault)
    invitation = await found(store, vault, text)
    assert invitation is not None
    assert (invitation.id, invitation.name, invitation.connection, invitation.rights) == (one, "Eva", "acme", "view")
    assert await found(store, vault, text + "x") is None
    assert await found(store, vault, "") is None


async def test_what_is_stored_does_not_hold_the_link(store: Store, vault: Vault) -> None:
    _, text = await made(store, vault)
    rows: list[Any] = await store.read(lambda tx: tx.all("select * from invitation"))
    assert text not in repr(rows)


async def test_it_works_for_seven_days_and_until_it_is_revoked(store: Store, vault: Vault) -> None:
    one, text = await made(store, vault)
    invitation = await found(store, vault, text)
    assert invitation is not None
    assert [invitation.works(at) for at in (100.0, 99.0 + VALID_SECONDS, 100.0 + VALID_SECONDS)] == [True, True, False]
    assert await store.write(lambda tx: invitations.revoke(tx, "other", one, 101.0)) is None
    ended = await store.write(lambda tx: invitations.revoke(tx, "acme", one, 101.0))
    assert ended is not None
    assert not ended.works(101.0)
    assert await store.write(lambda tx: invitations.revoke(tx, "acme", one, 102.0)) is None


async def test_all_of_a_connection_end_with_it_and_go_when_it_is_forgotten(store: Store, vault: Vault) -> None:
    acme = Connection(id="acme", origin="web", accounts={"crm": "crm:1"}, settings={})
    saved = await store.write(lambda tx: connections.save(tx, acme, who="jo", now=100.0))
    await made(store, vault)
    await made(store, vault, connection="other")
    await store.write(lambda tx: connections.end(tx, saved, who="jo", now=101.0))
    works = [one.works(101.0) for one in await store.read(lambda tx: invitations.of_connection(tx, "acme"))]
    assert works == [False]
    await store.write(lambda tx: connections.forget(tx, "acme"))
    assert await store.read(lambda tx: invitations.of_connection(tx, "acme")) == []
    assert len(await store.read(lambda tx: invitations.of_connection(tx, "other"))) == 1


async def test_the_history_names_who_did_it_and_whom_it_concerns(store: Store) -> None:
    acme = Connection(id="acme", origin="web", accounts={"crm": "crm:1"}, settings={"a": 1})
    await store.write(lambda tx: connections.save(tx, acme, who="jo", now=100.0))
    note = connections.INVITED
    await store.write(lambda tx: connections.note(tx, "acme", who="jo", now=101.0, note=note, about="Eva"))
    await store.write(lambda tx: connections.note(tx, "nobody", who="jo", now=101.0, note=note, about="Eva"))
    lines = await store.read(lambda tx: connections.history(tx, "acme"))
    assert [(one.who, one.note, one.about, one.settings) for one in lines] == [
        ("jo", "invited", "Eva", {"a": 1}),
        ("jo", "", "", {"a": 1}),
    ]
    assert await store.read(lambda tx: connections.history(tx, "nobody")) == []
    stored = await store.read(lambda tx: connections.by_id(tx, "acme"))
    assert stored is not None
    assert stored.version == 1
