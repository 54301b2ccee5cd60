"""Try it: a contact with somebody's own address and an explicit yes is created where contacts come from, as any other would be.

Nothing else is done by hand: whatever happens afterwards happens as it does to everybody.
"""

from __future__ import annotations

import secrets

from msgspec import Struct

from stellwerk.errors import RejectedError, RetryableError
from stellwerk.relay.applied import applied
from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Delivery, Outcome, Target
from stellwerk.store.connections import Connection
from stellwerk_rules.model import Create, Permission


class Tried(Struct, frozen=True, kw_only=True):
    """`id` is the contact's over there; `new` says whether it was created by this, or stood there already."""

    id: str | None
    new: bool


def can_try(hub: Hub, connection: Connection) -> bool:
    """Whether contacts can be created where they come from."""
    system = hub.book(connection).plan.wish_system
    if system is None or system not in connection.accounts:
        return False
    sizes: dict[str, int] = getattr(hub.systems[system].connector, "batch_sizes", {})
    return bool(sizes.get("create"))


async def try_address(hub: Hub, connection: Connection, email: str) -> Tried:
    """Create the contact there. Raises `DeliveryError` where it is refused, or did not answer."""
    plan = hub.book(connection).plan
    system = plan.wish_system or ""
    account = await hub.account(connection.accounts[system])
    if account is None:
        raise RejectedError("not-connected", "the account is not connected")
    answer = plan.answer_field(system)
    change = Create(
        email=email, peer_id=None, permission=Permission.NONE, fields={} if answer is None else {answer: "yes"}
    )
    async with hub.open(account) as desk:
        if not isinstance(desk.connector, Target):
            raise RejectedError("not-offered", "this system takes no contacts")
        made = Delivery(key=f"try:{secrets.token_hex(8)}", id=None, email=email, change=change, created_at=hub.time())
        (receipt,) = await applied(desk.connector, [made])
    if receipt.outcome in (Outcome.DONE, Outcome.NOT_NEEDED):
        return Tried(id=receipt.id, new=receipt.outcome is Outcome.DONE)
    if receipt.outcome in (Outcome.RETRY, Outcome.AMBIGUOUS, Outcome.PAUSE):
        # Once more does no harm: who stands there is not created again.
        raise RetryableError(receipt.code, receipt.text)
    raise RejectedError(receipt.code, receipt.text)
