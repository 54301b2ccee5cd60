"""The stages of a system: their order, kept for every decision, and the settings that name one which is not there any more."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.errors import DeliveryError
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.rulebook import typed_settings
from stellwerk.sdk.connector import Catalogue
from stellwerk.store import accounts, left_out, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.settings import visible
from stellwerk_rules.spec import StageMove
from stellwerk_rules.stage import ANY_STAGE, STAGE_GONE

FRESH_SECONDS = 600.0
AGAIN_SECONDS = 300.0
STAGES = "stages"


async def refresh_stages(hub: Hub, desk: Desk) -> None:
    """Read the stages if they are older than ten minutes; if they cannot be had, the old ones serve for five more.

    Never a reason to stop: what waits for the account may need no stage at all.
    """
    if has_stages(desk) and hub.now() - float(desk.account.info.get("stages_at", 0.0)) >= FRESH_SECONDS:
        await stages_now(hub, desk)


def has_stages(desk: Desk) -> bool:
    return isinstance(desk.connector, Catalogue) and STAGES in desk.connector.lists


async def stages_of_this_turn(hub: Hub, desk: Desk) -> tuple[str, ...]:
    """The stages as they were read since the account was opened, some seconds ago at most; none where they cannot be had."""
    return desk.stages[-1] if desk.stages else await stages_now(hub, desk)


async def stages_now(hub: Hub, desk: Desk) -> tuple[str, ...]:
    """The stages as they are at this moment, earliest first, kept for later; none where they cannot be had."""
    account = desk.account.id
    try:
        options = await desk.connector.options(STAGES)
    except DeliveryError as failed:
        log.info("account %s: the stages were not read: %s", account, failed.code)
        tried = hub.now() - FRESH_SECONDS + AGAIN_SECONDS
        await hub.store.write(lambda tx: accounts.set_info(tx, account, stages_at=tried))
        return ()
    stages = [option.value for option in options]
    connections = await hub.connections_of(account)

    def work(tx: Tx) -> None:
        accounts.set_info(tx, account, stages=stages, stages_at=hub.now())
        for connection in connections:
            show_stages_gone(tx, hub, connection, desk.system.name, stages)

    await hub.store.write(work)
    desk.stages.append(tuple(stages))
    return desk.stages[-1]


def show_stages_gone(tx: Tx, hub: Hub, connection: Connection, system: str, stages: Sequence[str]) -> None:
    """A repair for the settings whose stages are not there, with the contacts that were not moved; closed when all are."""
    lines = [
        _line(tx, connection.id, system, setting, stage)
        for setting, stage in _chosen(hub, connection, system)
        if stage not in stages
    ]
    if lines and stages:
        repairs.open_(tx, connection.id, STAGE_GONE, "; ".join(lines), hub.now())
    else:
        repairs.close(tx, connection.id, STAGE_GONE, hub.now())


def not_moved(tx: Tx, connection: str, system: str, stage: str, contact: int, now: float) -> None:
    """Count a contact that was to be moved to a stage that is not there."""
    left_out.note(tx, connection, system, _named(stage), contact, STAGE_GONE, now)


def _line(tx: Tx, connection: str, system: str, setting: str, stage: str) -> str:
    number = left_out.contacts(tx, connection, system, _named(stage))
    contacts = "1 contact was" if number == 1 else f"{number} contacts were"
    return f"{setting}: {system} has no stage {stage} any more, {contacts} not moved; choose another stage"


def _named(stage: str) -> str:
    return f"stage {stage}"


def _chosen(hub: Hub, connection: Connection, system: str) -> list[tuple[str, str]]:
    """The stages that the settings in effect name, each with its setting."""
    plan = hub.book(connection).plan
    if plan.stage_system != system:
        return []
    values = typed_settings(plan, connection.settings)
    moves = [(name, values[name]) for name in sorted(visible(plan, values))]
    return [
        (name, stage)
        for name, move in moves
        if isinstance(move, StageMove) and move.enabled
        for stage in (move.source, move.target)
        if stage and stage != ANY_STAGE
    ]
