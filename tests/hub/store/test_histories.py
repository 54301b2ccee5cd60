"""Whatever happens, in whatever order: no acknowledged row is lost, a contact has one delivery in flight, ended is ended.

The store runs beside dictionaries that cannot be wrong, and is stopped at any moment as by a power cut.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stellwerk.store import inbox, lease, outbox
from stellwerk.store.inbox import NewEvent
from stellwerk.store.lease import Lease, LeaseLost
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.store import Store, Tx
from stellwerk_toys.databases import PostgresDatabase, SqliteDatabase, TestDatabase
from stellwerk_toys.pg_server import Server
from stellwerk_toys.rows import ModelDelivery, ModelEvent

T = TypeVar("T")
ACCOUNT = "mail:1"
LIVING = ("waiting", "sent", "parked")


class StoreMachine(RuleBasedStateMachine):
    """Inbox, outbox and lease of one account against dictionaries."""

    def __init__(self, database: TestDatabase) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = database
        self.store: Store = database.open()
        self.events: dict[int, ModelEvent] = {}
        self.deliveries: dict[int, ModelDelivery] = {}
        self.now = 0.0
        self.holder: Lease | None = None
        self.former: list[Lease] = []

    def write(self, work: Callable[[Tx], T]) -> T:
        return self.runner.run(self.store.write(work))

    def read(self, work: Callable[[Tx], T]) -> T:
        return self.runner.run(self.store.read(work))

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    # --- what happens ------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.write(lambda tx: lease.wake(tx, ACCOUNT, 0))

    @rule(seconds=st.floats(0.5, 200))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        subjects=st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
        key=st.none() | st.sampled_from(["k1", "k2", "k3"]),
        urgency=st.integers(0, 2),
    )
    def receive(self, subjects: list[str], key: str | None, urgency: int) -> None:
        new = [
            NewEvent(
                account=ACCOUNT,
                dedup=key,
                subject=subject,
                kind="changed",
                body=b"sealed",
                occurred=None,
                received=self.now,
                urgency=urgency,
            )
            for subject in subjects
        ]
        stored = self.write(lambda tx: inbox.put(tx, new))
        expected: list[ModelEvent] = []
        for event in new:
            taken = {known.dedup for known in (*self.events.values(), *expected)}
            if event.dedup is None or event.dedup not in taken:
                expected.append(
                    ModelEvent(subject=event.subject, dedup=event.dedup, urgency=event.urgency, due=event.received)
                )
        assert stored == len(expected)
        self._adopt(self.events, "inbox", expected)

    @rule(
        contact=st.integers(1, 3),
        tag=st.sampled_from(["set_fields", "ask", "unsubscribe"]),
        once=st.none() | st.sampled_from(["o1", "o2"]),
        urgency=st.integers(0, 2),
        merging=st.booleans(),
    )
    def plan(self, contact: int, tag: str, once: str | None, urgency: int, merging: bool) -> None:
        new = NewDelivery(
            account=ACCOUNT,
            connection="acme",
            contact=contact,
            tag=tag,
            once=once,
            urgency=urgency,
            due=self.now,
            body=b"+",
            event="e",
            created=self.now,
        )
        done = self.write(lambda tx: outbox.put(tx, new, (lambda old, fresh: old + fresh) if merging else None))
        last = max((one for one, row in self._living(contact)), default=None)
        joined = self.deliveries[last] if merging and last is not None else None
        if joined is not None and joined.state == "waiting" and joined.tag == tag:
            joined.body += b"+"
            joined.urgency = min(joined.urgency, urgency)
            assert done
        elif once is not None and any(row.once == once for row in self.deliveries.values()):
            assert not done
        else:
            assert done
            self._adopt(
                self.deliveries,
                "outbox",
                [ModelDelivery(contact=contact, tag=tag, once=once, urgency=urgency, due=self.now, body=b"+")],
            )

    @rule(owner=st.sampled_from("xy"))
    def claim(self, owner: str) -> None:
        self.write(lambda tx: lease.wake(tx, ACCOUNT, self.now))
        won = self.write(lambda tx: lease.claim(tx, owner, self.now))
        if won is not None:
            if self.holder is not None:
                self.former.append(self.holder)
            self.holder = won

    @precondition(lambda self: self.former)
    @rule(data=st.data())
    def a_former_holder_wakes_up(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.former))

        def late(tx: Tx) -> None:
            lease.fence(tx, old, self.now)
            outbox.sent(tx, list(self.deliveries), self.now)

        with pytest.raises(LeaseLost):
            self.write(late)

    @precondition(lambda self: self.holder is not None)
    @rule(contacts=st.integers(1, 2), ending=st.sampled_from(["decided", "skipped", "dead", "later"]))
    def decide(self, contacts: int, ending: Any) -> None:
        def work(tx: Tx) -> list[int]:
            assert self.holder is not None
            lease.fence(tx, self.holder, self.now)
            taken = [row.id for row in inbox.take(tx, ACCOUNT, self.now, contacts)]
            if ending == "later":
                inbox.later(tx, taken, self.now + 50, "unreachable")
            else:
                inbox.end(tx, taken, ending, "", self.now)
            return taken

        due = {one: event for one, event in self.events.items() if event.state == "waiting" and event.due <= self.now}
        subjects = sorted(
            {event.subject for event in due.values()},
            key=lambda name: min((event.urgency, one) for one, event in due.items() if event.subject == name),
        )
        expected = [one for name in subjects[:contacts] for one, event in due.items() if event.subject == name]
        assert self.write(work) == expected
        for one in expected:
            if ending == "later":
                self.events[one].due = self.now + 50
            else:
                self.events[one].state = ending

    @precondition(lambda self: self.holder is not None)
    @rule(limit=st.integers(1, 3))
    def send(self, limit: int) -> None:
        def work(tx: Tx) -> list[int]:
            assert self.holder is not None
            lease.fence(tx, self.holder, self.now)
            ids = [row.id for row in outbox.ready(tx, ACCOUNT, self.now, limit)]
            outbox.sent(tx, ids, self.now)
            return ids

        sent = self.write(work)
        allowed = self._ready()
        assert set(sent) <= set(allowed)
        assert sent == allowed[: len(sent)]
        assert bool(sent) == bool(allowed)
        for one in sent:
            self.deliveries[one].state = "sent"
            self.deliveries[one].attempts += 1

    @precondition(lambda self: any(row.state == "sent" for row in self.deliveries.values()))
    @rule(
        data=st.data(),
        answer=st.sampled_from(["done", "skipped", "dead", "again", "unknown", "untried", "half", "parked"]),
    )
    def answer(self, data: st.DataObject, answer: str) -> None:
        one = data.draw(st.sampled_from([one for one, row in self.deliveries.items() if row.state == "sent"]))
        row = self.deliveries[one]
        if answer == "untried":
            self.write(lambda tx: outbox.untried(tx, [one]))
            row.state, row.attempts = "waiting", row.attempts - 1
        elif answer in ("again", "unknown", "half", "parked"):
            state = {"again": "waiting", "unknown": "sent", "half": "waiting", "parked": "parked"}[answer]
            due = self.now if answer == "half" else self.now + 30

            def work(tx: Tx) -> None:
                if answer == "half":
                    outbox.progress(tx, one, "cleared")
                outbox.again(tx, one, due, code="", text="", answer=None, state=state)

            self.write(work)
            row.state, row.due = state, due
            row.progress = "cleared" if answer == "half" else row.progress
        else:
            self.write(lambda tx: outbox.settle(tx, one, answer, code="", text="", answer=None, now=self.now))
            row.state, row.progress = answer, ""

    @precondition(lambda self: any(row.state not in LIVING for row in self.deliveries.values()))
    @rule(data=st.data(), late=st.sampled_from(["sent", "again", "settle", "untried", "replay"]))
    def something_late_reaches_an_ended_delivery(self, data: st.DataObject, late: str) -> None:
        one = data.draw(st.sampled_from([one for one, row in self.deliveries.items() if row.state not in LIVING]))

        def work(tx: Tx) -> bool:
            if late == "sent":
                outbox.sent(tx, [one], self.now)
            elif late == "again":
                outbox.again(tx, one, self.now, code="", text="", answer=None)
            elif late == "settle":
                outbox.settle(tx, one, "done", code="", text="", answer=None, now=self.now)
            elif late == "untried":
                outbox.untried(tx, [one])
            else:
                return outbox.replay(tx, one, self.now)
            return False

        put_back = self.write(work)
        row = self.deliveries[one]
        assert put_back == (late == "replay" and row.state == "dead")
        if put_back:
            row.state, row.due, row.attempts = "waiting", self.now, 0

    @rule(data=st.data())
    def replay_an_event(self, data: st.DataObject) -> None:
        if self.events:
            one = data.draw(st.sampled_from(list(self.events)))
            back = self.write(lambda tx: inbox.replay(tx, one, self.now))
            assert back == (self.events[one].state == "dead")
            if back:
                self.events[one].state, self.events[one].due = "waiting", self.now

    @rule(in_the_middle=st.booleans())
    def crash_and_restart(self, in_the_middle: bool) -> None:
        """Go on with what a crash would leave: behind the last commit, or in the middle of a transaction."""
        self.database = self.runner.run(self._crashed(in_the_middle))
        self.store = self.database.open()
        if self.holder is not None:
            self.former.append(self.holder)
            self.holder = None
        self.write(lease.expire_all)

    async def _crashed(self, in_the_middle: bool) -> TestDatabase:
        """The writer stands still meanwhile: a copy of files that move is nothing a crash could leave behind."""
        still, go_on = threading.Event(), threading.Event()

        def half(tx: Tx) -> None:
            if in_the_middle:
                tx.run("update inbox set state = 'dead'")
                tx.run("update outbox set state = 'done'")
                tx.run("insert into counter (name, value) values ('never acknowledged', 1)")
            still.set()
            go_on.wait(10)
            raise LookupError  # the old store is only closed after this: it must not matter

        unfinished = asyncio.ensure_future(self.store.write(half))
        await asyncio.to_thread(still.wait, 10)
        crashed = self.database.as_after_a_crash()
        go_on.set()
        with pytest.raises(LookupError):
            await unfinished
        await self.store.close()
        return crashed

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def no_acknowledged_event_is_lost_and_none_changes_by_itself(self) -> None:
        rows = self.read(lambda tx: tx.all("select id, subject, dedup, class, due, state from inbox order by id"))
        stored = {
            row["id"]: ModelEvent(row["subject"], row["dedup"], row["class"], row["due"], row["state"]) for row in rows
        }
        assert stored == self.events

    @invariant()
    def no_acknowledged_delivery_is_lost_and_none_changes_by_itself(self) -> None:
        rows = self.read(
            lambda tx: tx.all(
                "select id, contact, tag, once, class, due, body, state, progress, attempts from outbox order by id"
            )
        )
        stored = {
            row["id"]: ModelDelivery(
                row["contact"],
                row["tag"],
                row["once"],
                row["class"],
                row["due"],
                row["body"],
                row["state"],
                row["progress"],
                row["attempts"],
            )
            for row in rows
        }
        assert stored == self.deliveries

    @invariant()
    def a_contact_has_at_most_one_delivery_in_flight(self) -> None:
        in_flight = [row.contact for row in self.read(lambda tx: outbox.in_flight(tx, ACCOUNT))]
        assert len(in_flight) == len(set(in_flight))

    @invariant()
    def nothing_of_an_unfinished_transaction_is_there(self) -> None:
        assert self.read(lambda tx: tx.all("select name from counter")) == []

    # --- the dictionary's own idea -----------------------------------------------------------------------------------

    def _living(self, contact: int) -> list[tuple[int, ModelDelivery]]:
        return [(one, row) for one, row in self.deliveries.items() if row.contact == contact and row.state in LIVING]

    def _ready(self) -> list[int]:
        """The deliveries whose turn it is, in order, one a contact."""
        able: list[int] = []
        for contact in {row.contact for row in self.deliveries.values()}:
            living = self._living(contact)
            if any(row.state == "sent" for _, row in living):
                continue
            waiting = [(one, row) for one, row in living if row.state == "waiting"]
            for place, (one, row) in enumerate(waiting):
                if row.due <= self.now and (row.urgency == 0 or place == 0):
                    able.append(one)
        able.sort(key=lambda one: (not self.deliveries[one].progress, self.deliveries[one].urgency, one))
        first: dict[int, int] = {}
        for one in able:
            first.setdefault(self.deliveries[one].contact, one)
        return list(first.values())

    def _adopt(self, model: dict[int, Any], table: str, new: list[Any]) -> None:
        rows = self.read(lambda tx: tx.all(f"select id from {table} order by id"))
        fresh = [row["id"] for row in rows if row["id"] not in model]
        model.update(zip(fresh, new, strict=True))


def histories(database: Callable[[], TestDatabase], most: int) -> None:
    """Every history begins with a database that `database` makes."""
    chosen = settings(max_examples=most, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(lambda: StoreMachine(database()), settings=chosen)  # type: ignore[no-untyped-call]


def test_any_history_on_a_file(tmp_path: Path) -> None:
    numbers = count()

    def fresh() -> TestDatabase:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return SqliteDatabase(folder)

    histories(fresh, 60)


def test_any_history_on_a_server(pg_server: Server) -> None:
    histories(lambda: PostgresDatabase(pg_server), 10)
