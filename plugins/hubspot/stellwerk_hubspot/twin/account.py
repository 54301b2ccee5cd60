"""The account behind a token, and leaving it (sections 3.3 and 3.4)."""

from __future__ import annotations

from .call import Answer, Call, answer, no_content
from .errors import Refusal

__all__ = ["details", "uninstall"]


def details(call: Call) -> Answer:
    return answer(
        {
            "portalId": call.granted.portal_id,
            "accountType": "STANDARD",
            "timeZone": "Europe/Berlin",
            "companyCurrency": "EUR",
            "additionalCurrencies": [],
            "utcOffset": "+01:00",
            "utcOffsetMilliseconds": 3_600_000,
            "uiDomain": "app-eu1.hubspot.com",
            "dataHostingLocation": "eu1",
        }
    )


def uninstall(call: Call) -> Answer:
    """204; with the customer's OAuth bearer only."""
    if call.granted.static:
        raise Refusal(403, {"status": "error", "message": "This endpoint needs an OAuth token", "category": "BANNED"})
    call.twin.grants.uninstall(call.granted.portal_id)
    return no_content()
