"""How a connection does: both sides, who was asked and answered, what waits, and what a person has to mend."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, structs

from stellwerk.relay.hub import Hub
from stellwerk.relay.scopes import NOT_GRANTED, lacking
from stellwerk.store import (
    accounts,
    comparisons,
    connections,
    consent,
    contacts,
    hold,
    inbox,
    opt_outs,
    outbox,
    repairs,
)
from stellwerk.store.connections import Connection
from stellwerk.store.store import Row, Tx
from stellwerk.view.moment import moment, moment_or_none
from stellwerk_rules.model import FactKind

DAY_SECONDS = 86_400.0
DAYS = 14


class LackingScope(Struct, frozen=True, kw_only=True):
    """A right that the last login did not bring: what does not work without it, and who may grant it."""

    name: str
    without: list[str]
    granted_by: str


class Side(Struct, frozen=True, kw_only=True):
    """One account of the connection. `state` is ok, paused (until `paused_until`) or a word for what a person has to do.

    `events` of this account (dead ones only where nobody else uses it) and `changes` of this connection to it, by state; what has ended is not counted.
    `lacking` is there whether or not somebody can do without.
    """

    system: str
    account: str
    name: str
    state: str
    code: str
    paused_until: str | None
    events: dict[str, int]
    changes: dict[str, int]
    lacking: list[LackingScope] = []


class Day(Struct, frozen=True, kw_only=True):
    """One day, in UTC."""

    day: str
    asked: int
    confirmed: int
    opted_out: int


class Repair(Struct, frozen=True, kw_only=True):
    """A problem for a person. `place` is what it concerns: an account or a connection; `contact` by our own number, `ids` by
    those of the systems.

    `closable`: not one of an account that others use too, which only the operator takes off the list.
    """

    id: int
    code: str
    text: str
    place: str
    contact: int | None
    count: int
    opened: str
    seen: str
    closable: bool
    ids: dict[str, str] = {}


class Overview(Struct, frozen=True, kw_only=True):
    """`unanswered` counts addresses asked in the last 14 days; `oldest_opt_out_seconds` is None where none waits.

    `on_hold_since`: since when the hub holds everything that mails or grants, of every connection; `stopped_since`: since
    when this connection does. `compared`: when both sides were last compared, which found `drift` contacts and fields that differed.
    """

    connection: str
    state: str
    origin: str
    began: str | None
    sides: list[Side]
    days: list[Day]
    asked: int
    confirmed: int
    unanswered: int
    oldest_opt_out_seconds: int | None
    compared: str | None
    drift: int
    repairs: list[Repair]
    on_hold_since: str | None
    stopped_since: str | None


async def overview(hub: Hub, connection: Connection) -> Overview:
    """What stands in the store at this moment."""
    now = hub.now()
    return await hub.store.read(lambda tx: _overview(tx, hub, connection, now))


def _overview(tx: Tx, hub: Hub, connection: Connection, now: float) -> Overview:
    oldest = opt_outs.oldest(tx, connection.id)
    days = _days(tx, connection.id, now)
    compared = comparisons.last(tx, connection.id, ended=True)
    return Overview(
        connection=connection.id,
        state=connection.state,
        origin=connection.origin,
        began=moment_or_none(connection.began),
        sides=sides(tx, hub, connection, now),
        days=days,
        asked=sum(day.asked for day in days),
        confirmed=sum(day.confirmed for day in days),
        unanswered=consent.unanswered(tx, connection.id, _midnight(now) - (DAYS - 1) * DAY_SECONDS),
        oldest_opt_out_seconds=None if oldest is None else max(0, int(now - oldest)),
        compared=None if compared is None else moment_or_none(compared.ended),
        drift=0 if compared is None else sum(compared.counts.values()),
        repairs=open_repairs(tx, hub, connection),
        on_hold_since=on_hold_since(tx),
        stopped_since=moment_or_none(connection.on_hold),
    )


def on_hold_since(tx: Tx) -> str | None:
    """Since when the whole hub holds what mails or grants; None while everything goes on."""
    stands = hold.standing(tx)
    return None if stands is None else moment(stands.since)


def open_repairs(tx: Tx, hub: Hub, connection: Connection) -> list[Repair]:
    """Those of the connection, of its contacts and of its accounts.

    Of an account that others use too only what the account itself waits for or its login did not bring, without the words: the
    rest may name others.
    """
    places = {connection.id, *connections.own_accounts(tx, connection)}
    others = [one for one in connection.accounts.values() if one not in places]
    shared = {(one, code) for one in others for code in (_waits_for(tx, hub, one), NOT_GRANTED)}
    found = []
    for row in repairs.still_open(tx):
        if row["subject"].partition("/")[0] in places:
            found.append(_named(tx, _repair(row, closable=True)))
        elif (row["subject"], row["code"]) in shared:
            found.append(_repair({**row, "text": ""}, closable=False))
    return found


def _waits_for(tx: Tx, hub: Hub, account: str) -> str | None:
    row = accounts.by_id(tx, hub.vault, account)
    return None if row is None or row.state == "ok" else row.state_code


def _named(tx: Tx, one: Repair) -> Repair:
    """With the ids by which people find the contact it concerns."""
    state = None if one.contact is None else contacts.by_id(tx, one.contact)
    return one if state is None else structs.replace(one, ids=dict(state.remembered.ids))


def _repair(row: Row, *, closable: bool) -> Repair:
    place, _, contact = row["subject"].partition("/")
    return Repair(
        id=row["id"],
        code=row["code"],
        text=row["text"],
        place=place,
        contact=int(contact) if contact.isdigit() else None,
        count=row["count"],
        opened=moment(row["opened"]),
        seen=moment(row["seen"]),
        closable=closable,
    )


def sides(tx: Tx, hub: Hub, connection: Connection, now: float) -> list[Side]:
    """Both accounts, in the order of the file; one that is not chosen yet is left out."""
    return [_side(tx, hub, connection, system, now) for system in hub.systems if system in connection.accounts]


def _side(tx: Tx, hub: Hub, connection: Connection, system: str, now: float) -> Side:
    one = connection.accounts[system]
    row = accounts.by_id(tx, hub.vault, one)
    paused = row is not None and row.paused_until > now
    events = inbox.undone(tx, one)
    if one not in connections.own_accounts(tx, connection):
        events = {state: count for state, count in events.items() if state != "dead"}
    return Side(
        system=system,
        account=one,
        name="" if row is None else row.name or row.remote,
        state="gone" if row is None else row.state if row.state != "ok" else "paused" if paused else "ok",
        code="" if row is None or (row.state == "ok" and not paused) else row.state_code,
        paused_until=moment(row.paused_until) if row is not None and paused else None,
        events=events,
        changes=outbox.undone(tx, one, connection.id),
        lacking=[]
        if row is None
        else [
            LackingScope(name=it.name, without=[line.en for line in it.without], granted_by=it.granted_by.en)
            for it in lacking(hub, row)
        ],
    )


def _midnight(now: float) -> float:
    return now - now % DAY_SECONDS


def _days(tx: Tx, connection: str, now: float) -> list[Day]:
    """The last days, today last."""

    def told(kind: FactKind, start: float) -> int:
        return consent.told(tx, connection, kind, start, start + DAY_SECONDS)

    starts = [_midnight(now) - back * DAY_SECONDS for back in reversed(range(DAYS))]
    return [
        Day(
            day=datetime.fromtimestamp(start, UTC).date().isoformat(),
            asked=told(FactKind.ASKED, start),
            confirmed=told(FactKind.CONFIRMED, start),
            opted_out=told(FactKind.OPTED_OUT, start),
        )
        for start in starts
    ]
