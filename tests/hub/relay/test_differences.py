"""What differs over there is one repair a reason, names everything it is about, and closes when it is mended."""

from __future__ import annotations

import pytest

from stellwerk.relay.provide import show
from stellwerk.sdk import Difference
from stellwerk.store import repairs
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


def differs(code: str, subject: str) -> Difference:
    return Difference(code=code, subject=subject, text="is otherwise")


async def said(yard: Yard) -> dict[str, str]:
    return {row["code"]: row["text"] for row in await yard.look(repairs.still_open)}


async def test_two_fields_of_one_reason_are_both_named(yard: Yard) -> None:
    await show(yard.hub, "toys", [differs("field-type-differs", "TOWN"), differs("field-type-differs", "LANG")])
    assert await said(yard) == {"field-type-differs": "TOWN: is otherwise; LANG: is otherwise"}


async def test_what_is_mended_closes_and_the_rest_stays(yard: Yard) -> None:
    await show(yard.hub, "toys", [differs("field-type-differs", "TOWN"), differs("foreign-webhook", "webhooks")])
    await show(yard.hub, "toys", [differs("foreign-webhook", "webhooks")])
    assert set(await said(yard)) == {"foreign-webhook"}
    await show(yard.hub, "toys", [])
    assert await said(yard) == {}


async def test_repairs_of_another_kind_stay_open(yard: Yard) -> None:
    await yard.store.write(lambda tx: repairs.open_(tx, "toys", "old-wish", "somebody waits", yard.hub.now()))
    await show(yard.hub, "toys", [])
    assert set(await said(yard)) == {"old-wish"}
