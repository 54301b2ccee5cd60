"""What is done for all by one process after the other, and what a process that ends leaves to others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stellwerk.relay.hub import Hub
from stellwerk.store import duty

ASK_SECONDS = 0.5


async def has_duty(hub: Hub, name: str, seconds: float) -> bool:
    """Whether this process does it for the next `seconds`."""
    if hub.store.alone:
        return True
    return await hub.store.write(lambda tx: duty.take(tx, name, hub.name, hub.now(), seconds))


@asynccontextmanager
async def in_turn(hub: Hub, name: str, seconds: float) -> AsyncIterator[None]:
    """One process after the other; one that has not finished after `seconds` is not waited for any longer."""
    while True:
        if await has_duty(hub, name, seconds):
            break
        await asyncio.sleep(ASK_SECONDS)
    try:
        yield
    finally:
        if not hub.store.alone:
            await hub.store.write(lambda tx: duty.free(tx, name, hub.name))


async def leave_duties(hub: Hub) -> None:
    """Others need not wait for this process."""
    if not hub.store.alone:
        await hub.store.write(lambda tx: duty.leave(tx, hub.name))
