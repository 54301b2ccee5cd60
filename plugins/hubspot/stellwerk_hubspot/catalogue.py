"""Stages and fields as the portal has them (reference page, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from stellwerk.sdk import FieldSpec, Option, RejectedError
from stellwerk_hubspot.answer import Property
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.wire import STAGE

__all__ = ["Listing"]

Kind = Literal["text", "yes_no", "time", "number", "date"]
KINDS: dict[str, Kind] = {"bool": "yes_no", "datetime": "time", "date": "date", "number": "number"}
ITS_OWN = frozenset({"email", STAGE})
"""Properties without `hs_` that are carried by other means than a row of `fields:`."""


class Listing:
    """The `Catalogue`, `Counter` and `Sampler` abilities."""

    async def options(self: Opened, name: str) -> Sequence[Option]:
        """`stages`: the portal's own, earliest first; a hidden one is not active."""
        if name != "stages":
            raise RejectedError("unknown-list", f"HubSpot has no list {name!r}; it has: stages")
        found = await self.client.property_named(STAGE)
        order = sorted(found.choices, key=lambda option: option.place)
        return [Option(value=one.value, label=one.label or one.value, active=not one.hidden) for one in order]

    async def created_since(self: Opened, since: datetime) -> int:
        """By search, which knows new contacts a few moments late and archived ones never."""
        return await self.client.count_contacts(created_from_ms=int(since.timestamp() * 1000))

    async def newest(self: Opened, count: int, /) -> Sequence[str]:
        """By search, which knows new contacts a few moments late."""
        return [found.id for found in (await self.client.newest_contacts(count)).results]

    async def fields(self: Opened) -> Sequence[FieldSpec]:
        """Every property of contacts."""
        return [_field(found) for found in await self.client.properties()]


def _field(found: Property) -> FieldSpec:
    return FieldSpec(
        name=found.name,
        kind=KINDS.get(found.type, "text"),
        label=found.label or found.name,
        suggested=_is_for_people(found),
        choices=tuple(one.value for one in found.choices if not one.hidden) if found.type == "enumeration" else (),
        separator=";" if found.field_type == "checkbox" else None,
    )


def _is_for_people(found: Property) -> bool:
    """Whether it holds what people know of a contact (section 6): no bookkeeping of HubSpot's, and nothing it guards."""
    ours_to_write = found.writable and not found.hidden and found.field_type != "file"
    guarded = found.external_options or found.has_unique_value or found.data_sensitivity not in (None, "non_sensitive")
    return ours_to_write and not guarded and found.name not in ITS_OWN and not found.name.startswith("hs_")
