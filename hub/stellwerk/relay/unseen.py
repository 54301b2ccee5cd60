"""Which rows go out together, and which need not be looked at first: what a sync creates, where the connector's call leaves
alone whoever is there already.

A look-up is a call or two for each contact; of a hundred thousand, hours. The call that creates says when somebody was left
alone, and that one is then looked up like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.registry import has
from stellwerk.relay.hub import Hub
from stellwerk.relay.job import Write
from stellwerk.relay.opened import opened
from stellwerk.relay.wave import MOST, wave
from stellwerk.sdk.connector import Cautious, Outcome, Receipt
from stellwerk.store.outbox import OutboxRow
from stellwerk.store.urgency import BACKFILL
from stellwerk_rules.model import Enter, Permission, Planned

FEWEST_BACKFILL = 4
SOON_SECONDS = 1.0
LEFT_ALONE = frozenset({Outcome.NOT_NEEDED, Outcome.OPTED_OUT})


def asked_for(connector: object) -> int:
    """Rows to be read of the outbox for one turn."""
    return MOST if isinstance(connector, Cautious) else wave(connector)


def together(hub: Hub, account: str, connector: object, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Those of `rows` that go out in this turn.

    Back-fill goes by itself and, where each look-up is a call, in small groups: what comes meanwhile is next.
    """
    most = wave(connector)
    live = [row for row in rows if row.urgency < BACKFILL or row.progress]
    if live:
        return live[:most]
    unseen = [
        row for row in rows if is_candidate(connector, row) and goes_unseen(connector, row, _planned(hub, account, row))
    ]
    return unseen or list(rows[: most if most == MOST else max(FEWEST_BACKFILL, most // 2)])


def goes_unseen(connector: object, row: OutboxRow, planned: Planned | None) -> bool:
    """Whether the contact counts as absent over there without having been looked up; once only, for what a sync creates."""
    change = None if planned is None else planned.change
    return (
        is_candidate(connector, row)
        and isinstance(change, Enter)
        and change.backfill
        and change.ask is None
        and not change.way_back
        and change.grant is Permission.NONE
    )


def to_be_looked_up(connector: object, write: Write, receipt: Receipt) -> Receipt:
    """The receipt of a write; of one that went unseen to somebody who was left alone, that it is tried again once looked up."""
    if receipt.outcome in LEFT_ALONE and goes_unseen(connector, write.job.row, write.job.planned):
        return Receipt(outcome=Outcome.RETRY, code="left-alone", text=receipt.text, seconds=SOON_SECONDS)
    return receipt


def is_candidate(connector: object, row: OutboxRow) -> bool:
    """What can be told without opening it."""
    return (
        row.run is not None
        and row.tag == "enter"
        and not (row.attempts or row.progress)
        and has(type(connector), Cautious)
    )


def _planned(hub: Hub, account: str, row: OutboxRow) -> Planned | None:
    return opened(hub.vault, account, row.body, Planned)
