"""What connections picked from a system's lists must still be offered there: a repair says so, and nothing is held up.

What contacts pick for themselves is told in their traces (`own_picks`); its lists are remembered here.

Whether a list is complete is for its system to know; so an entry that is missing or switched off only warns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from stellwerk.errors import DeliveryError
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.own_picks import OFFERED, as_offered, list_of
from stellwerk.relay.rulebook import typed_settings
from stellwerk.sdk.connector import Catalogue, Option
from stellwerk.store import accounts, consent, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.model import FactKind
from stellwerk_rules.settings import visible
from stellwerk_rules.spec import PickSetting

FRESH_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
UNKNOWN, INACTIVE = "pick-unknown", "pick-inactive"


class Pick(Struct, frozen=True, kw_only=True):
    """A value that a connection picked from a list and that is in effect."""

    connection: str
    setting: str
    list: str
    value: str


async def check_picks(hub: Hub, desk: Desk) -> None:
    """Once an hour, and when something else is picked, compare what is picked with what is offered.

    A list that cannot be had leaves what was said before, and is asked for again in an hour: never a reason to stop.
    """
    connector = desk.connector
    if not isinstance(connector, Catalogue):
        return
    connections = await hub.connections_of(desk.account.id)
    picks = [pick for one in connections for pick in _picked(hub, one, desk.system.name)]
    own_lists = {name for one in connections for name in _of_contacts(hub, one, desk.system.name)}
    checked = [[pick.connection, pick.setting, pick.value] for pick in picks]
    checked += [["", name, ""] for name in sorted(own_lists)]
    info = desk.account.info
    same = info.get("picks", []) == checked
    if same and (not checked or hub.now() - float(info.get("picks_at", 0.0)) < FRESH_SECONDS):
        return
    try:
        offered = {name: await connector.options(name) for name in sorted({pick.list for pick in picks} | own_lists)}
    except DeliveryError as failed:
        # Refused credentials too: it may be this list alone that they do not open. What matters finds out by itself.
        log.info("account %s: what is picked was not compared: %s", desk.account.id, failed.code)
        await hub.store.write(lambda tx: accounts.set_info(tx, desk.account.id, picks=checked, picks_at=hub.now()))
        return

    def work(tx: Tx) -> None:
        accounts.set_info(tx, desk.account.id, picks=checked, picks_at=hub.now(), **{OFFERED: as_offered(offered)})
        for connection in connections:
            own = [pick for pick in picks if pick.connection == connection.id]
            asked = consent.told(tx, connection.id, FactKind.ASKED, hub.now() - DAY_SECONDS, hub.now())
            for code, text in _said(own, offered, asked).items():
                if text:
                    repairs.open_(tx, connection.id, code, text, hub.now())
                else:
                    repairs.close(tx, connection.id, code, hub.now())

    await hub.store.write(work)


def _picked(hub: Hub, connection: Connection, system: str) -> list[Pick]:
    plan = hub.book(connection).plan
    values = typed_settings(plan, connection.settings)
    shown = visible(plan, values)
    return [
        Pick(connection=connection.id, setting=name, list=setting.of.partition(".")[2], value=str(values[name]))
        for name, setting in plan.settings_by_id.items()
        if isinstance(setting, PickSetting)
        and setting.of.partition(".")[0] == system
        and name in shown
        and values[name]
    ]


def _of_contacts(hub: Hub, connection: Connection, system: str) -> set[str]:
    """The lists from which contacts of this connection may pick for themselves."""
    plan = hub.book(connection).plan
    shown = visible(plan, typed_settings(plan, connection.settings))
    return {found for name in shown if (found := list_of(plan, name, system)) is not None}


def _said(picks: Sequence[Pick], offered: Mapping[str, Sequence[Option]], asked: int) -> dict[str, str]:
    """What there is to say of a connection, by the repair's code; empty where all is well.

    `asked` is how many contacts were asked within a day: what is picked is mostly what they were asked with.
    """
    unknown, inactive = [], []
    for pick in picks:
        states = [option.active for option in offered[pick.list] if option.value == pick.value]
        if not states:
            unknown.append(f"{pick.setting}: {pick.value} is not in the list over there")
        elif not any(states):
            inactive.append(f"{pick.setting}: {pick.value} is switched off over there")
    count = "1 contact was" if asked == 1 else f"{asked} contacts were"
    said = {UNKNOWN: "; ".join(unknown), INACTIVE: "; ".join(inactive)}
    return {code: f"{text}; {count} asked within the last 24 hours" if text else "" for code, text in said.items()}
