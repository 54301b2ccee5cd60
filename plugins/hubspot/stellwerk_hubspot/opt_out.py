"""The portal's own "no mail at all" (reference page, section 11). Nothing here ever lifts it."""

from __future__ import annotations

from stellwerk.sdk import DeliveryError, ReauthorizeError, Receipt
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.receipt import answered, from_error, rejected

__all__ = ["OptingOut"]


class OptingOut:
    """`opt_out` of the `Target` ability."""

    async def opt_out(self: Opened, contact_id: str, email: str | None) -> Receipt:
        """Keyed by address. A missing scope stops this write alone: the app asks for it as an optional one."""
        if not email:
            return rejected("no-address", "an opt-out belongs to an address, and the contact has none")
        try:
            await self.client.unsubscribe_from_all(email)
        except ReauthorizeError as error:
            if error.code == "missing-scopes":
                return rejected("missing-scopes", error.text)
            return from_error(error)
        except DeliveryError as error:
            return from_error(error)
        return answered(contact_id)
