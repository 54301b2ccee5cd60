"""What was used up is so until it would have ended by itself."""

from __future__ import annotations

import pytest

from stellwerk.store.store import Store, Tx
from stellwerk.store.used_up import is_used_up, use_up

pytestmark = pytest.mark.anyio


async def test_one_thing_is_used_up_once(store: Store) -> None:
    def work(tx: Tx) -> list[bool]:
        first = use_up(tx, "kind", "one", until=20.0, now=10.0)
        again = use_up(tx, "kind", "one", until=20.0, now=19.0)
        other = use_up(tx, "other kind", "one", until=20.0, now=19.0)
        return [first, again, other, is_used_up(tx, "kind", "one"), is_used_up(tx, "kind", "two")]

    assert await store.write(work) == [True, False, True, True, False]


async def test_what_ended_by_itself_is_forgotten_at_the_next_use(store: Store) -> None:
    def work(tx: Tx) -> list[bool]:
        use_up(tx, "kind", "one", until=20.0, now=10.0)
        use_up(tx, "kind", "two", until=30.0, now=20.0)
        return [is_used_up(tx, "kind", "one"), is_used_up(tx, "kind", "two")]

    assert await store.write(work) == [False, True]
