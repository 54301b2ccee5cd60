"""All contacts, page by page (reference page, section 5, list)."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.sdk import Ref
from stellwerk_hubspot.opened import Opened

__all__ = ["PAGE", "Paging"]

PAGE = 100
"""The most that the list gives. Search gives 200, but no more than 10,000 in all, and shows new contacts late."""


class Paging:
    """The `Lister` ability."""

    async def page(self: Opened, cursor: str | None, /) -> tuple[Sequence[Ref], str | None]:
        """A page in order of ids. The cursor is HubSpot's `after`, the id of the last one seen: whoever comes or goes
        meanwhile moves nobody to another page. Raises `DeliveryError`."""
        found = await self.client.list_contacts(after=cursor or "", limit=PAGE)
        return [Ref(by="id", value=one.id) for one in found.results], found.after
