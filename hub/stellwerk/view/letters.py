"""Dead letters and held changes of a connection, grouped by cause.

Dead events of an account that others use too may be about their contacts: they are the operator's alone (`stellwerk dead`).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.letters import Find
from stellwerk.store import connections, contacts, inbox, outbox
from stellwerk.store.connections import Connection
from stellwerk.store.inbox import DeadEvent
from stellwerk.store.outbox import Letter
from stellwerk.store.store import Tx
from stellwerk.view.moment import moment

MOST = 5000
MOST_NAMED = 20
STATES = ("dead", "held")


class Who(Struct, frozen=True, kw_only=True):
    """Whom one letter concerns: the contact's id by system."""

    contact: int
    ids: dict[str, str]


class Group(Struct, frozen=True, kw_only=True):
    """Letters with one cause. `of` is change or event, `what` its kind; `who` names the first twenty contacts of changes.

    `kept` of `count` can be replayed; the payload of the others has outlived its days.
    """

    key: str
    of: str
    state: str
    account: str
    what: str
    code: str
    text: str
    count: int
    kept: int
    oldest: str
    newest: str
    who: list[Who]


class Letters(Struct, frozen=True, kw_only=True):
    """`more`: there are more than the five thousand oldest of a kind, which alone are shown."""

    dead: list[Group]
    held: list[Group]
    more: bool


async def letters(hub: Hub, connection: Connection) -> Letters:
    """What stands at this moment."""
    return await hub.store.read(lambda tx: _letters(tx, connection))


def group_finder(connection: Connection, key: str) -> Find:
    """Finds the letters of one group of this connection; none for a key it does not have."""

    def find(tx: Tx) -> tuple[Sequence[Letter], Sequence[DeadEvent]]:
        changes = [
            one for state in STATES for one in outbox.letters(tx, connection.id, state, MOST) if _key(one) == key
        ]
        return changes, [one for one in _events(tx, connection) if _event_key(one) == key]

    return find


def dead_finder(connection: Connection) -> Find:
    """Finds every dead letter of this connection."""
    return lambda tx: (outbox.letters(tx, connection.id, "dead", MOST), _events(tx, connection))


def _letters(tx: Tx, connection: Connection) -> Letters:
    dead, held = (outbox.letters(tx, connection.id, state, MOST) for state in STATES)
    events = _events(tx, connection)
    return Letters(
        dead=[*_groups(tx, dead), *_event_groups(events)],
        held=_groups(tx, held),
        more=MOST in (len(dead), len(held), len(events)),
    )


def _events(tx: Tx, connection: Connection) -> list[DeadEvent]:
    own = connections.own_accounts(tx, connection)
    return [one for account in own for one in inbox.dead_of(tx, account, MOST)]


def _groups(tx: Tx, found: Sequence[Letter]) -> list[Group]:
    by_key: dict[str, list[Letter]] = {}
    for one in found:
        by_key.setdefault(_key(one), []).append(one)
    return [_group(tx, key, members) for key, members in by_key.items()]


def _group(tx: Tx, key: str, members: Sequence[Letter]) -> Group:
    first = members[0]
    named = dict.fromkeys(one.contact for one in members)
    return Group(
        key=key,
        of="change",
        state=first.state,
        account=first.account,
        what=first.tag,
        code=first.code,
        text=first.text,
        count=len(members),
        kept=sum(one.kept for one in members),
        oldest=moment(min(one.created for one in members)),
        newest=moment(max(one.created for one in members)),
        who=[_who(tx, one) for one in list(named)[:MOST_NAMED]],
    )


def _who(tx: Tx, contact: int) -> Who:
    state = contacts.by_id(tx, contact)
    return Who(contact=contact, ids={} if state is None else dict(state.remembered.ids))


def _event_groups(found: Sequence[DeadEvent]) -> list[Group]:
    by_key: dict[str, list[DeadEvent]] = {}
    for one in found:
        by_key.setdefault(_event_key(one), []).append(one)
    return [
        Group(
            key=key,
            of="event",
            state="dead",
            account=members[0].account,
            what=members[0].kind,
            code=members[0].code,
            text="",
            count=len(members),
            kept=sum(one.kept for one in members),
            oldest=moment(min(one.received for one in members)),
            newest=moment(max(one.received for one in members)),
            who=[],
        )
        for key, members in by_key.items()
    ]


def _key(one: Letter) -> str:
    return "|".join(("change", one.state, one.account, one.tag, one.code))


def _event_key(one: DeadEvent) -> str:
    return "|".join(("event", "dead", one.account, one.kind, one.code))
