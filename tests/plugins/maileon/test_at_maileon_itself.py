"""What is done at Maileon itself, or never told by it, over real HTTP at the twin: blocks, doubles, keys, values it does not take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from stellwerk.sdk import (
    Create,
    EventKind,
    FieldValue,
    Hook,
    Outcome,
    Permission,
    Presence,
    ReauthorizeError,
    Ref,
    SetFields,
    Unsubscribe,
    Wanted,
)
from stellwerk_toys.reports import run

pytestmark = pytest.mark.anyio
HOOKS = tuple(
    Hook(topic=topic, url=f"https://hub.test/webhooks/maileon/secret/{topic}") for topic in ("doi", "unsubscription")
)


def until(condition: Callable[[], Any], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def happens(twin: Any, email: str, event: str, **more: Any) -> None:
    twin.control("POST", "/events", {"account": twin.id, "email": email, "event": event, **more})


async def test_bounces_blocks_and_their_end_are_polled_once(twin: Any) -> None:
    (contact_id,) = twin.seed({"email": "ada@example.com", "permission": 4})
    async with twin.open() as connector:
        _, cursor = await run(connector, None)
        happens(twin, "ada@example.com", "bounce", type="transient")
        for _ in range(3):
            happens(twin, "ada@example.com", "bounce")
        (blocked,) = await connector.read([Ref(by="id", value=contact_id)], [])
        happens(twin, "ada@example.com", "unblock")
        (open_again,) = await connector.read([Ref(by="id", value=contact_id)], [])
        signals, cursor = await run(connector, cursor)
        again, _ = await run(connector, cursor)
    kinds = [signal.kind for signal in signals if signal.kind is not EventKind.CHANGED]
    assert set(kinds) == {EventKind.BOUNCED, EventKind.BLOCKED, EventKind.UNBLOCKED}
    assert {signal.ref.value for signal in signals} == {contact_id}
    assert (blocked.blocked, open_again.blocked) == (True, False)
    assert [signal for signal in again if signal.kind is not EventKind.CHANGED] == []


def blacklist(twin: Any, pattern: str) -> None:
    entries = f"<import_name>t</import_name><entries><entry>{pattern}</entry></entries>"
    answer = httpx.post(
        f"{twin.api_url}/blacklists/{twin.id * 10}/actions",
        content=f"<add_entries_action>{entries}</add_entries_action>",
        headers={"content-type": "application/vnd.maileon.api+xml"},
        auth=httpx.BasicAuth(twin.key, ""),
        trust_env=False,
    )
    assert answer.status_code == 201


@pytest.mark.behaviour("known-blocked")
async def test_an_address_on_a_blacklist_is_asked_into_nothing_and_reads_blocked(
    twin: Any, asking: Any, delivery: Any
) -> None:
    blacklist(twin, "*@blocked.example")
    async with twin.open() as connector:
        _, cursor = await run(connector, None)
        (receipt,) = await connector.apply([delivery(asking(email="ada@blocked.example"))])
        (read,) = await connector.read([Ref(by="email", value="ada@blocked.example")], [])
        signals, _ = await run(connector, cursor)
    assert (receipt.outcome, read.blocked, read.permission) == (Outcome.DONE, True, Permission.NONE)
    assert receipt.id in [signal.ref.value for signal in signals], "that it is blocked is seen at the next look"


def doubled(twin: Any, email: str) -> list[str]:
    """The address under two external ids, as only a creation by external id makes it."""
    ids = []
    for one in ("p1", "p2"):
        answer = httpx.post(
            f"{twin.api_url}/contacts/externalid/{one}?permission=2",
            json={"email": email},
            headers={"content-type": "application/vnd.maileon.api+json"},
            auth=httpx.BasicAuth(twin.key, ""),
            trust_env=False,
        )
        assert answer.status_code == 201
        ids.append(answer.text.partition("<id>")[2].partition("</id>")[0])
    return ids


async def test_an_address_that_stands_twice_is_read_as_that_and_an_opt_out_reaches_both(
    twin: Any, delivery: Any
) -> None:
    ids = doubled(twin, "ada@example.com")
    assert len(set(ids)) == 2
    async with twin.open() as connector:
        (read,) = await connector.read([Ref(by="email", value="ada@example.com")], [])
        assert await connector.stands_twice("ada@example.com")
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id=ids[0], email="ada@example.com")])
    assert (read.presence, read.id) == (Presence.TWICE, None)
    assert receipt.outcome is Outcome.DONE
    until(lambda: all(one["anonymous"] for one in twin.dump()["contacts"]))


@pytest.mark.behaviour("trouble-key")
@pytest.mark.parametrize(
    ("state", "code"), [("expired", "key-expired"), ("deactivated", "key-deactivated"), ("active", None)]
)
async def test_a_key_that_ends_while_the_hub_works_is_named(twin: Any, state: str, code: str | None) -> None:
    async with twin.open() as connector:
        await connector.check()
        twin.control("POST", "/keys", {"account": twin.id, "key": twin.key, "state": state})
        try:
            await connector.fields()
            named = None
        except ReauthorizeError as refused:
            named = refused.code
    assert named == code


@pytest.mark.behaviour("end-last")
async def test_disconnecting_leaves_no_webhook_of_ours(twin: Any) -> None:
    async with twin.open() as connector:
        await connector.provide(Wanted(hooks=HOOKS))
        assert len(twin.dump()["webhooks"]) == 2
        for _ in range(2):
            assert await connector.disconnect(HOOKS) == []
    assert twin.dump()["webhooks"] == []


@pytest.mark.behaviour("fields-zone")
async def test_the_twins_zone_is_learnt_from_an_ask_whatever_the_file_says(
    twin: Any, asking: Any, delivery: Any
) -> None:
    seen = []
    for supposed in ("Europe/Berlin", "Asia/Tokyo"):
        async with twin.open(supposed, seen) as connector:
            mail = asking(email=f"{supposed[:4].lower()}@example.com", mark=supposed, peer_id=supposed)
            await connector.apply([delivery(mail)])
    assert seen[0] == "Europe/Berlin"
    assert seen[1] in ("+01:00", "+02:00")


async def test_creations_too_many_to_be_read_singly_get_their_ids_from_the_next_poll(twin: Any, delivery: Any) -> None:
    batch = [
        delivery(Create(email=f"c{n}@example.com", peer_id=f"p{n}", permission=Permission.NONE, fields={}))
        for n in range(60)
    ]
    async with twin.open() as connector:
        _, cursor = await run(connector, None)
        receipts = await connector.apply(batch)
        signals, _ = await run(connector, cursor)
        refs = [signal.ref for signal in signals]
        found = await connector.read(refs, [])
    assert {receipt.outcome for receipt in receipts} == {Outcome.DONE}
    assert {one.peer_id for one in found} == {f"p{n}" for n in range(60)}
    assert all(one.id for one in found)


async def test_a_value_that_maileon_does_not_take_costs_that_field_alone(twin: Any, asking: Any, delivery: Any) -> None:
    twin.seed({"email": "bad-value@example.com", "permission": 4})
    change = SetFields(
        fields={
            "CITY": FieldValue(value="Ulm"),
            "GENDER": FieldValue(value="unknown"),
            "custom:Never Declared": FieldValue(value="x"),
        }
    )
    mails = len(twin.dump()["mails"])
    fields = {"FIRSTNAME": "Ada", "BIRTHDAY": "soon"}
    async with twin.open() as connector:
        (written,) = await connector.apply([delivery(change, email="bad-value@example.com")])
        (asked,) = await connector.apply(
            [delivery(asking(email="bad-ask@example.com", peer_id="bad-1", fields=fields))]
        )
        (read,) = await connector.read([Ref(by="email", value="bad-value@example.com")], ["CITY", "GENDER"])
    assert written.outcome is Outcome.DONE
    assert {one.field: one.code for one in written.left_out} == {
        "GENDER": "gender-value",
        "custom:Never Declared": "custom-field-not-declared",
    }
    assert read.fields == {"CITY": "Ulm", "GENDER": None}
    assert asked.outcome is Outcome.DONE
    assert {one.field for one in asked.left_out} == {"FIRSTNAME", "BIRTHDAY"}
    assert len(twin.dump()["mails"]) == mails + 1
