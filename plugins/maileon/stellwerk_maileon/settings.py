"""What the file says of the system, and what a connection brings for one account."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from stellwerk.sdk import AskType, Secret, Settings


class MaileonSystem(Settings, frozen=True, kw_only=True):
    """Maileon, by its REST API 1.0."""

    api_url: Annotated[
        str,
        Meta(description="Base address of the API; a proxy or simulator can stand in.", pattern=r"^https?://[^\s/?#]+"),
    ] = "https://api.maileon.com/1.0"
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=600, description="Seconds until an unanswered call is given up.")
    ] = 30
    # Maileon prints times without a zone and documents none (reference, section 12).
    zone: Annotated[str, Meta(description="Time zone of the times that Maileon prints.")] = "Europe/Berlin"
    poll_seconds: Annotated[
        float, Meta(ge=1, le=86_400, description="Seconds from one look for changes and lost webhooks to the next.")
    ] = 300
    # No limit is documented (reference, section 3): a cautious one of our own.
    calls_per_second: Annotated[
        float, Meta(ge=0.1, le=100, description="Calls a second for one account; Maileon documents no limit.")
    ] = 5

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"zone: no time zone is called {self.zone!r}") from None


class MaileonAccount(Settings, frozen=True, kw_only=True):
    """One newsletter account."""

    # Reference, section 1: one key reaches one newsletter account and has separate rights for GET, POST, PUT and DELETE.
    api_key: Annotated[
        Secret,
        Meta(
            description="API key as Maileon shows it under Settings, API keys; with all four rights.",
            extra={"de": "API-Key, wie Maileon ihn unter Einstellungen, API-Keys zeigt; mit allen vier Rechten."},
        ),
    ]


class MaileonAsk(AskType, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a double opt-in at Maileon can be told."""

    mailing: Annotated[
        str, Meta(description="Key of the DOI mailing; empty sends the account's default DOI mailing.")
    ] = ""
