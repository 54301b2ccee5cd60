"""Dead letters and held changes: grouped by cause, replayed, or ended with a reason that is kept."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import inbox, outbox, repairs
from stellwerk.store.outbox import NewDelivery

pytestmark = pytest.mark.anyio


async def put(
    hub: Any, contact: int, state: str, code: str, *, connection: str = "", body: bytes | None = b"sealed"
) -> None:
    (mine,) = await hub.connections_of("shop:7")

    def work(tx: Any) -> None:
        outbox.put(
            tx,
            NewDelivery(
                account="post:900",
                connection=connection or mine.id,
                contact=contact,
                tag="create",
                once=f"{contact}{code}{connection}",
                urgency=1,
                due=4e9,
                body=body or b"",
                event="e1",
                created=hub.now(),
                state="held",
            ),
        )
        tx.run("update outbox set state = :state, code = :code, text = 'in full', body = :body where contact = :contact",
               state=state, code=code, body=body, contact=contact)  # fmt: skip

    await hub.store.write(work)


async def states(hub: Any) -> dict[int, tuple[str, str]]:
    rows = await hub.store.read(lambda tx: tx.all("select contact, state, code from outbox order by contact"))
    return {row["contact"]: (row["state"], row["code"]) for row in rows}


async def press(person: Any, action: str, group: str = "", **values: str) -> Any:
    token = (await person.open("/letters")).form.values["token"]
    answer = await person.post("/letters", {"token": token, "action": action, "group": group, **values})
    assert (answer.status, answer.where) == (303, "/letters")
    return await person.open("/letters")


def groups(page: Any) -> list[str]:
    return [form.values["group"] for form in page.read.forms if "group" in form.values]


async def three(person: Any, hub: Any) -> list[str]:
    await person.sets_up()
    await put(hub, 1, "dead", "invalid-address")
    await put(hub, 2, "dead", "invalid-address")
    await put(hub, 3, "dead", "blocked")
    return groups(await person.open("/letters"))


async def test_letters_stand_in_groups_by_cause(person: Any, hub: Any) -> None:
    found = await three(person, hub)
    page = await person.open("/letters")
    assert len(found) == 2
    assert "2 × Create (Toypost)" in page.text
    assert "1 × Create (Toypost)" in page.text
    assert "Nothing is held." in page.text


async def test_one_group_is_replayed_and_the_others_stay(person: Any, hub: Any) -> None:
    found = await three(person, hub)
    page = await press(person, "replay", found[0])
    assert "2 put back; each is decided again." in page.text
    found_now = await states(hub)
    assert found_now[3] == ("dead", "blocked")
    # The toy has no such payload: what matters is that both were taken up again.
    rows = await hub.store.read(lambda tx: tx.all("select state from outbox where contact in (1, 2)"))
    assert len(rows) == 2


async def test_a_group_is_ended_only_with_a_reason_which_is_kept(person: Any, hub: Any) -> None:
    found = await three(person, hub)
    assert "Please say why." in (await press(person, "dismiss", found[1], why="  ")).text
    page = await press(person, "dismiss", found[1], why="Eve asked us to")
    assert "1 ended without being written." in page.text
    (row,) = await hub.store.read(lambda tx: tx.all("select state, text from outbox where contact = 3"))
    assert (row["state"], row["text"]) == ("skipped", "dismissed by jo@shop7.example: Eve asked us to")


async def test_what_is_held_is_never_replayed_but_discarded(person: Any, hub: Any) -> None:
    await person.sets_up()
    await put(hub, 1, "held", "old-wish")
    (group,) = groups(await person.open("/letters"))
    assert "0 put back" in (await press(person, "replay", group)).text
    assert "0 put back" in (await press(person, "replay-all")).text
    assert (await states(hub))[1] == ("held", "old-wish")
    await press(person, "dismiss", group, why="too old")
    assert (await states(hub))[1] == ("skipped", "discarded")


async def test_what_is_held_is_released_to_be_decided_again(person: Any, hub: Any) -> None:
    await person.sets_up()
    await put(hub, 1, "held", "old-wish")
    await put(hub, 2, "dead", "blocked")
    (mine,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: repairs.open_(tx, mine.id, "old-wish", "x", 1.0))
    dead, held = groups(await person.open("/letters"))
    assert "0 released" in (await press(person, "release", dead)).text
    page = await press(person, "release", held)
    assert "1 released; each is decided again first." in page.text
    assert "Nothing is held." in page.text
    # The toy's payload cannot be read, which may be a repair of its own by now.
    assert "Somebody's wish waited so long" not in (await person.open("/overview")).text


async def test_a_letter_without_its_payload_stays_and_is_said_to(person: Any, hub: Any) -> None:
    await person.sets_up()
    await put(hub, 1, "dead", "outlived", body=None)
    page = await person.open("/letters")
    assert "1 of them can no longer be replayed." in page.text
    assert "0 put back" in (await press(person, "replay", groups(page)[0])).text


async def test_an_event_that_was_not_understood_can_be_ended(person: Any, hub: Any) -> None:
    await person.sets_up()
    await hub.store.write(lambda tx: inbox.put_dead(tx, account="post:900", body=b"x", code="strange", now=hub.now()))
    (group,) = groups(await person.open("/letters"))
    assert "1 ended without being written." in (await press(person, "dismiss", group, why="a test")).text
    assert "Nothing was given up." in (await person.open("/letters")).text


async def test_letters_of_another_connection_are_out_of_reach(person: Any, hub: Any) -> None:
    await person.sets_up()
    await put(hub, 1, "dead", "blocked", connection="somebody-else")
    assert "Nothing was given up." in (await person.open("/letters")).text
    key = "change|dead|post:900|create|blocked"
    assert "0 put back" in (await press(person, "replay", key)).text
    assert "0 ended" in (await press(person, "dismiss", key, why="x")).text
    assert (await states(hub))[1] == ("dead", "blocked")


async def test_german_says_the_same(person: Any, hub: Any) -> None:
    await three(person, hub)
    page = await person.open("/letters?lang=de")
    assert "2 × Anlegen (Toypost)" in page.text
    assert "Wiederholen" in page.text
