"""A toy newsletter where an address may have several contacts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stellwerk.sdk import Contact, Presence, Ref
from stellwerk_toys.mail import Address, Journal
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard


class Doubling(ToyMail):
    """The toy newsletter, where an address may have several contacts; each reads by its number as if it were the only one."""

    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        now = self._services.now()
        return [
            Contact(email=ref.value, presence=Presence.TWICE, read_at=now)
            if ref.by == "email" and len(having(self._world, ref.value)) > 1
            else contact
            for ref, contact in zip(refs, await super().read(refs, fields, history), strict=True)
        ]

    def _named(self, told: Journal) -> Ref:
        return Ref(by="id", value=told.contact)

    async def stands_twice(self, email: str, /) -> bool:
        await self._services.spend(1)
        return len(having(self._world, email)) > 1


def having(world: World, email: str) -> list[Address]:
    return [one for one in world.mail.records.values() if one.email == email]


def joins(world: World, email: str, permission: str, name: str) -> Address:
    """Another contact of the address, made by somebody who does not ask whether there is one."""
    made = world.mail._new(email, permission)
    made.fields["FIRST"] = name
    return made


def changes(world: World, one: Address, name: str) -> None:
    """Somebody edits this one of the two there, and the journal tells it by its number."""
    one.fields["FIRST"] = name
    one.updated = world.clock.stamp()
    world.mail.journal.append(Journal("edited", one.id, one.email or ""))


def with_doubles(yard: Yard) -> Yard:
    """The yard, with that newsletter in place of the usual one."""
    news = yard.hub.systems["news"]
    yard.hub.systems = {**yard.hub.systems, "news": msgspec.structs.replace(news, connector=Doubling)}
    return yard
