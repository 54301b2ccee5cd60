"""The file's table of fields with each side's real ones: whether they are there, of which type, and how soon changes arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from stellwerk.relay.hearing import arrivals, heard_of
from stellwerk.relay.hub import Hub, System
from stellwerk.sdk.connector import FieldSpec
from stellwerk.store.accounts import AccountRow
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.view.pairing import Suggestion, any_brand, suggestions
from stellwerk_rules.hearing import Arrival
from stellwerk_rules.spec import FieldRow

Fields: TypeAlias = Sequence[FieldSpec] | None
"""A system's real fields; None where it could not be asked."""


class Cell(Struct, frozen=True, kw_only=True):
    """One side of a row. `there` is None where the system could not be asked; `kind` is the type over there.

    `arrives` is how a change of the field reaches us.
    """

    system: str
    field: str
    there: bool | None
    kind: str | None
    arrives: Arrival


class Row(Struct, frozen=True, kw_only=True):
    """`to` is the system it goes to, None both ways; `convert` names the converter."""

    cells: list[Cell]
    type: str
    to: str | None
    owner: str | None
    fill_only: bool
    convert: str | None


class FieldTable(Struct, frozen=True, kw_only=True):
    """`unmapped` names, by system, fields over there that the file does not use; empty where it could not be asked.

    `suggestions` are rows for those that have a counterpart; empty also where one system could not be asked.
    """

    rows: list[Row]
    unmapped: dict[str, list[str]]
    suggestions: list[Suggestion]


async def field_table(
    hub: Hub, connection: Connection, accounts: Mapping[str, AccountRow], real: Mapping[str, Fields]
) -> FieldTable:
    """What the file says, compared with the fields that both systems have; None of a system: it could not be asked."""
    book = hub.book(connection)
    used = {system: sorted({spec.name for spec in found}) for system, found in book.fields.items()}

    def heard(tx: Tx) -> dict[str, list[str]]:
        return {name: heard_of(tx, row.id) for name, row in accounts.items()}

    told = await hub.store.read(heard)
    ways = {
        (name, one.field): one
        for name, system in hub.systems.items()
        for one in arrivals(system, used.get(name, []), told.get(name, []))
    }
    free = {name: [spec for spec in found or () if spec.name not in used.get(name, [])] for name, found in real.items()}
    return FieldTable(
        rows=[_row(one, hub.systems, real, ways) for one in book.ruleset.fields],
        unmapped={name: sorted(spec.name for spec in free[name]) for name, found in real.items() if found is not None},
        suggestions=list(_suggested(hub, free)),
    )


def _suggested(hub: Hub, free: Mapping[str, Sequence[FieldSpec]]) -> tuple[Suggestion, ...]:
    """What may be suggested: nothing that `provide:` makes, for this connection's brand or another's."""
    first, second = hub.systems
    made = {
        name: any_brand([one.name for one in wanted.properties.values()])
        for name, wanted in hub.integration.provide.items()
    }
    return suggestions(
        (first, second),
        *(
            [spec for spec in free.get(name, ()) if name not in made or not made[name].fullmatch(spec.name)]
            for name in (first, second)
        ),
    )


def _row(
    row: FieldRow, systems: Mapping[str, System], real: Mapping[str, Fields], ways: Mapping[tuple[str, str], Arrival]
) -> Row:
    converter = None if row.convert is None else row.convert.__struct_config__.tag
    return Row(
        cells=[
            _cell(system, row.names[system], real.get(system), ways[system, row.names[system]])
            for system in systems
            if system in row.names
        ],
        type=row.type,
        to=row.to,
        owner=row.owner,
        fill_only=row.fill_only,
        convert=None if converter is None else str(converter),
    )


def _cell(system: str, name: str, real: Fields, arrives: Arrival) -> Cell:
    # An empty list is no answer: every system has at least the address.
    if not real:
        return Cell(system=system, field=name, there=None, kind=None, arrives=arrives)
    spec = next((one for one in real if one.name == name), None)
    return Cell(
        system=system, field=name, there=spec is not None, kind=None if spec is None else spec.kind, arrives=arrives
    )
