"""A world that notes what every call of the hub changed, acts between calls, and fails after a chosen effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from stellwerk.sdk import AmbiguousError
from stellwerk_toys.crm import API_SOURCE
from stellwerk_toys.faults import Fault, Stopped
from stellwerk_toys.mail import DoiMail
from stellwerk_toys.world import World

T = TypeVar("T")


class Standing(Struct, frozen=True):
    """A record of the mail system as it stood."""

    email: str | None
    permission: str
    fields: Mapping[str, str]
    extern: str | None


class Touch(Struct, frozen=True, kw_only=True):
    """One effect of one call of the hub: on a record of the mail system, or on a field of one of the shop.

    `what` is doi, create, update, peer, move, unsubscribe, delete (at the mail system); fields, clear, stage, note (at the shop).
    """

    what: str
    at: float
    call: int
    contact: str
    email: str | None
    before: Standing | None = None
    after: Standing | None = None
    mail: DoiMail | None = None
    field: str = ""
    value: str | None = None
    old: str | None = None


class Look(Struct, frozen=True):
    """The stage of every contact of the shop at the moment of a call."""

    at: float
    call: int
    stages: Mapping[str, str | None]


class Picture(Struct, frozen=True):
    news: Mapping[str, Standing]
    mails: int
    report: int
    entries: Mapping[tuple[str, str], int]
    notes: Mapping[str, int]


class WatchedWorld(World):
    """`touches` and `looks` in the order of the calls. `fail_after` is planned by effect: at its next one, once.

    `lost` are the calls whose answer never came. `between` has by call (counted from 1) what people do just before it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.touches: list[Touch] = []
        self.looks: list[Look] = []
        self.fail_after: dict[str, Fault] = {}
        self.between: dict[int, Callable[[], Awaitable[None]]] = {}
        self.struck = 0
        self.lost: set[int] = set()

    async def call(self, step: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        act = self.between.pop(self.faults.calls + 1, None)
        if act is not None:
            await act()
        self.clock.stamp()  # a call takes its time: what was before it has another time than what it does
        self.looks.append(
            Look(
                self.clock.now, self.faults.calls + 1, {one.id: one.value("stage") for one in self.crm.records.values()}
            )
        )
        planned = len(self.faults.plan)
        try:
            return self.faults.around(lambda: self._step(step))
        except BaseException:
            self.lost.add(self.faults.calls)
            raise
        finally:
            self.struck += planned - len(self.faults.plan)

    def _step(self, step: Callable[[], T]) -> T:
        before = self._picture()
        result = step()
        fresh = self._compared(before)
        self.touches += fresh
        for touch in fresh:
            fault = self.fail_after.pop(touch.what, None)
            if fault is not None:
                self.struck += 1
                raise Stopped(fault.value) if fault is Fault.STOPPED_AFTER else AmbiguousError(fault.value)
        return result

    def _picture(self) -> Picture:
        return Picture(
            news={
                one.id: Standing(one.email, one.permission, dict(one.fields), one.extern)
                for one in self.mail.records.values()
            },
            mails=len(self.mail.sent),
            report=len(self.mail.report),
            entries={
                (one.id, name): len(entries)
                for one in self.crm.records.values()
                for name, entries in one.history.items()
            },
            notes={one.id: len(one.notes) for one in self.crm.records.values()},
        )

    def _compared(self, before: Picture) -> list[Touch]:
        now = self._picture()
        call, at = self.faults.calls, self.clock.now
        found: list[Touch] = []
        asked = {mail.contact: mail for mail in self.mail.sent[before.mails :]}
        for one in sorted({*before.news, *now.news}):
            old, new = before.news.get(one), now.news.get(one)
            if one not in asked and old == new:
                continue
            email = (new.email if new is not None else None) or (None if old is None else old.email)
            found.append(
                Touch(
                    what=_what(old, new, asked.get(one)),
                    at=at,
                    call=call,
                    contact=one,
                    email=email,
                    before=old,
                    after=new,
                    mail=asked.get(one),
                )
            )
        for record in self.crm.records.values():
            for name, entries in record.history.items():
                start = before.entries.get((record.id, name), 0)
                for number in range(start, len(entries)):
                    if entries[number].source != API_SOURCE:
                        continue
                    value = entries[number].value
                    what = "fields" if name != "stage" else "clear" if value is None else "stage"
                    found.append(
                        Touch(
                            what=what,
                            at=at,
                            call=call,
                            contact=record.id,
                            email=record.value("email"),
                            field=name,
                            value=value,
                            old=entries[number - 1].value if number else None,
                        )
                    )
            found += [
                Touch(what="note", at=at, call=call, contact=record.id, email=record.value("email"))
                for _ in record.notes[before.notes.get(record.id, 0) :]
            ]
        return found


def _what(old: Standing | None, new: Standing | None, mail: DoiMail | None) -> str:
    if mail is not None:
        return "doi"
    if new is None:
        return "delete"
    if old is None:
        return "create"
    if old.email is not None and new.email is None:
        return "unsubscribe"
    if old.email != new.email:
        return "move"
    return "peer" if (old.fields, old.permission) == (new.fields, new.permission) else "update"
