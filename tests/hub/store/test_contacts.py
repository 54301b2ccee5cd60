"""What is kept of a contact, and who is linked to whom."""

from __future__ import annotations

import pytest
from msgspec import structs

from stellwerk.store import contacts
from stellwerk.store.contacts import ContactState, Stale
from stellwerk.store.store import Store
from stellwerk_rules.model import Remembered, Seen

pytestmark = pytest.mark.anyio


def ids(**by_system: str) -> Remembered:
    return Remembered(ids=by_system)


async def save(store: Store, state: ContactState) -> ContactState:
    return await store.write(lambda tx: contacts.save(tx, state, 1.0))


async def linked(store: Store, system: str, remote: str, connection: str = "acme") -> int | None:
    found = await store.read(lambda tx: contacts.by_link(tx, connection, system, remote))
    return None if found is None else found.id


async def test_a_contact_is_read_back_as_it_was_saved(store: Store) -> None:
    remembered = Remembered(
        ids={"crm": "1"}, seen={"crm": {"city": Seen(digest="d")}}, entered=True, answered={"crm": Seen(digest="yes")}
    )
    saved = await save(store, ContactState(connection="acme", address="digest", remembered=remembered))
    assert saved.version == 1
    assert await store.read(lambda tx: contacts.by_id(tx, saved.id)) == saved
    assert await store.read(lambda tx: contacts.by_link(tx, "acme", "crm", "1")) == saved
    assert await store.read(lambda tx: contacts.by_address(tx, "acme", "digest")) == [saved]


async def test_who_is_not_known_is_not_found(store: Store) -> None:
    assert await store.read(lambda tx: contacts.by_id(tx, 7)) is None
    assert await linked(store, "crm", "7") is None
    assert await store.read(lambda tx: contacts.by_address(tx, "acme", "digest")) == []


async def test_a_contact_changed_meanwhile_is_not_overwritten(store: Store) -> None:
    first = await save(store, ContactState(connection="acme", address="old"))
    await save(store, structs.replace(first, address="new"))
    with pytest.raises(Stale):
        await save(store, structs.replace(first, address="lost"))
    found = await store.read(lambda tx: contacts.by_id(tx, first.id))
    assert found is not None
    assert (found.address, found.version) == ("new", 2)


async def test_two_lanes_that_meet_a_contact_for_the_first_time_make_one(store: Store) -> None:
    first = await save(store, ContactState(connection="acme", remembered=ids(crm="1")))
    with pytest.raises(Stale):
        await save(store, ContactState(connection="acme", remembered=ids(crm="1", mail="9")))
    assert await linked(store, "crm", "1") == first.id
    assert await linked(store, "mail", "9") is None


async def test_a_new_id_at_a_system_replaces_the_old_one(store: Store) -> None:
    state = await save(store, ContactState(connection="acme", remembered=ids(crm="1", mail="9")))
    await save(store, structs.replace(state, remembered=ids(crm="1", mail="10")))
    assert await linked(store, "mail", "9") is None
    assert await linked(store, "mail", "10") == state.id
    assert await linked(store, "crm", "1") == state.id


async def test_a_contact_that_is_no_longer_known_at_a_system_is_not_found_there(store: Store) -> None:
    state = await save(store, ContactState(connection="acme", remembered=ids(crm="1", mail="9")))
    await save(store, structs.replace(state, remembered=ids(crm="1")))
    assert await linked(store, "mail", "9") is None
    assert await linked(store, "crm", "1") == state.id


async def test_a_known_contact_takes_over_a_link(store: Store) -> None:
    gone = await save(store, ContactState(connection="acme", remembered=ids(crm="1")))
    survivor = await save(store, ContactState(connection="acme", remembered=ids(crm="2")))
    await save(store, structs.replace(survivor, remembered=ids(crm="1")))
    assert await linked(store, "crm", "1") == survivor.id != gone.id


async def test_whoever_loses_a_link_forgets_what_was_carried_there_and_never_takes_it_back(store: Store) -> None:
    carried = {"crm": {"city": Seen(digest="c")}, "mail": {"CITY": Seen(digest="m")}}
    old = await save(
        store, ContactState(connection="acme", remembered=Remembered(ids={"crm": "1", "mail": "9"}, seen=carried))
    )
    new = await save(store, ContactState(connection="acme", remembered=ids(crm="2")))
    await save(store, structs.replace(new, remembered=ids(crm="2", mail="9")))
    with pytest.raises(Stale):
        await save(store, old)
    found = await store.read(lambda tx: contacts.by_id(tx, old.id))
    assert found is not None
    assert (found.remembered.ids, found.remembered.seen) == ({"crm": "1"}, {"crm": carried["crm"]})
    await save(store, found)
    assert await linked(store, "mail", "9") == new.id


async def test_links_of_one_connection_are_unknown_to_another(store: Store) -> None:
    await save(store, ContactState(connection="acme", address="digest", remembered=ids(crm="1")))
    assert await linked(store, "crm", "1", connection="other") is None
    assert await store.read(lambda tx: contacts.by_address(tx, "other", "digest")) == []
    other = await save(store, ContactState(connection="other", address="digest", remembered=ids(crm="1")))
    assert await linked(store, "crm", "1", connection="other") == other.id


async def test_an_address_can_stand_at_two_contacts(store: Store) -> None:
    both = [await save(store, ContactState(connection="acme", address="digest")) for _ in range(2)]
    assert await store.read(lambda tx: contacts.by_address(tx, "acme", "digest")) == both
