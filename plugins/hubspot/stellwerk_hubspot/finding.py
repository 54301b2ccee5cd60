"""Whose additional address this is (reference page, section 5, search; section 13).

A read by `idProperty=email` is documented for the primary address only, and `email EQ` of a search finds no other either. So
the search asks for the property that lists them. It shows changes a few moments late, and archived contacts never.
"""

from __future__ import annotations

import asyncio

from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.poll import SPACE_SECONDS

__all__ = ["Finding", "whose_other_address"]


class Finding:
    """The `Finder` ability."""

    async def find(self: Opened, email: str, /) -> str | None:
        """The record id; None where nobody has the address as an additional one. Raises `DeliveryError`."""
        return await whose_other_address(self, email)


async def whose_other_address(opened: Opened, email: str) -> str | None:
    wanted = email.strip().lower()
    # Searches of all apps of the account share five a second.
    await asyncio.sleep(SPACE_SECONDS)
    answer = await opened.client.contacts_with_other_address(wanted)
    return next((one.id for one in answer.results if wanted in one.addresses()), None)
