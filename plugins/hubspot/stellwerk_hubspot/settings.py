"""What stands in integration.yaml under `systems:`, and what a connection brings."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stellwerk.sdk import Secret, Settings

__all__ = ["HubspotAccount", "HubspotSystem"]


class HubspotSystem(Settings, frozen=True, kw_only=True):
    """The HubSpot app that customers install, as its Auth tab shows it."""

    client_id: Annotated[str, Meta(description="Client ID of the app.", min_length=1)]
    client_secret: Annotated[Secret, Meta(description="Client secret: `env:NAME` or `file:PATH`.")]
    app_id: Annotated[str, Meta(description="App ID; tells our own writes from others'.", pattern="^[0-9]+$")]
    previous_client_secret: Annotated[
        Secret | None, Meta(description="The secret before the last rotation; webhooks signed with it still count.")
    ] = None
    api_url: Annotated[str, Meta(description="Where the API is.", pattern="^https?://[^?#]+$")] = (
        "https://api.hubapi.com"
    )
    app_url: Annotated[str, Meta(description="Where people log in.", pattern="^https?://[^?#]+$")] = (
        "https://app.hubspot.com"
    )
    events: Annotated[
        Literal["webhooks", "journal"],
        Meta(
            description="How changes are told: `webhooks` to a public address; `journal`: HubSpot's webhooks journal is asked,"
            " where the app has its scopes. Changed contacts are searched for besides, either way."
        ),
    ] = "webhooks"
    poll_seconds: Annotated[
        float, Meta(description="Seconds from one search for changed contacts to the next.", ge=1, le=86_400)
    ] = 120
    timeout_seconds: Annotated[float, Meta(description="Seconds to wait for an answer.", gt=0, le=600)] = 30
    app_events: Annotated[
        Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")] | None,
        Meta(
            description="Name of the developer project, where the app may have app events: marketplace distribution, approved"
            " by HubSpot. Without it timeline entries are notes."
        ),
    ] = None
    language: Annotated[Literal["en", "de"], Meta(description="Language of timeline entries.")] = "en"

    def secrets(self) -> tuple[str, ...]:
        """The client secrets that count now, the newest first: two while one is being rotated."""
        found = (self.client_secret, self.previous_client_secret)
        return tuple(secret.reveal() for secret in found if secret is not None)


class HubspotAccount(Settings, frozen=True, kw_only=True):
    """One HubSpot portal."""

    account: Annotated[str, Meta(description="Portal id (Hub ID).", pattern="^[0-9]+$")]
    access_token: Annotated[
        Secret | None, Meta(description="Token of a static-auth app or a service key; none with a login by OAuth.")
    ] = None
