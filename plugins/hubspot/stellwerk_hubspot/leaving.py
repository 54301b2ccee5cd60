"""Leaving a portal: the app uninstalls itself (reference page, section 3.4). HubSpot mails the portal's admins."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.sdk import Difference, Hook, ReauthorizeError
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.refusal import NotFound

__all__ = ["Leaving"]


class Leaving:
    """The `Disconnector` ability."""

    async def disconnect(self: Opened, hooks: Sequence[Hook]) -> Sequence[Difference]:
        """Uninstall the app. `hooks` are none of ours: the app's webhooks end with it. Raises `DeliveryError`."""
        portal = self.account.account
        if self.account.access_token is not None:
            text = "the app of a static token cannot uninstall itself: remove it in HubSpot's settings"
            return [Difference(code="app-stays-installed", subject=portal, text=text)]
        try:
            await self.client.uninstall()
        except NotFound:
            return ()
        except ReauthorizeError as refused:
            if refused.code == "app-uninstalled":
                return ()
            text = f"HubSpot refuses our login ({refused.code}), so that the app may be installed still: look there"
            return [Difference(code="app-stays-installed", subject=portal, text=text)]
        return ()
