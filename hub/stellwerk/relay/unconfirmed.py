"""Whether anybody confirms at all. No mail system tells whether its double opt-in mails arrive; that nobody answers does.

Of those who were asked in one way (with one mailing) two days ago or more, the last so many are looked at. None of them confirmed:
a person is told. The first who does ends it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from stellwerk.relay.hub import Hub
from stellwerk.relay.opened import opened
from stellwerk.store import connections, consent, outbox, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.consent import Asked
from stellwerk.store.store import Tx
from stellwerk_rules.model import Enter, Planned

NEVER_CONFIRMED = "never-confirmed"
IN_A_ROW = 20
PATIENCE_SECONDS = 48 * 3600.0
MOST_ASKS = 20 * IN_A_ROW


async def look_at_answers(hub: Hub) -> None:
    """Open the repair of each connection where nobody confirms, close it where somebody does."""
    for connection in await hub.store.read(connections.every):
        ways = await hub.store.read(partial(_ways_without_answer, hub=hub, connection=connection))
        await hub.store.write(partial(_shown, ways=ways, subject=connection.id, now=hub.now()))


def _shown(tx: Tx, ways: Sequence[str], subject: str, now: float) -> None:
    if not ways:
        repairs.close(tx, subject, NEVER_CONFIRMED, now)
        return
    text = f"of the last {IN_A_ROW} who were asked with {' and with '.join(ways)} nobody confirmed within 48 hours"
    repairs.open_(tx, subject, NEVER_CONFIRMED, text, now)


def _ways_without_answer(tx: Tx, hub: Hub, connection: Connection) -> list[str]:
    """The ways of asking in which none of the last so many confirmed, in words."""
    silent: Counter[str] = Counter()
    answered: set[str] = set()
    for asked in consent.asked_before(tx, connection.id, hub.now() - PATIENCE_SECONDS, MOST_ASKS):
        options = _options(tx, hub, connection, asked)
        if options is None:
            break  # its days are over, and those of all that are older
        way = ", ".join(f"{name} {value}" for name, value in sorted(options.items())) or "the account's own default"
        if asked.confirmed:
            answered.add(way)
        elif way not in answered:
            silent[way] += 1
    return sorted(way for way, count in silent.items() if count >= IN_A_ROW)


def _options(tx: Tx, hub: Hub, connection: Connection, asked: Asked) -> Mapping[str, str] | None:
    """How it was asked; None where that is not kept any more."""
    planned = opened(hub.vault, asked.account, outbox.body_of(tx, connection.id, asked.effect), Planned)
    if planned is None or not isinstance(planned.change, Enter) or planned.change.ask is None:
        return None
    return planned.change.ask.options
