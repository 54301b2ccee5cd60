"""From a happening in a portal to the events of a webhook's body (section 8, event fields)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .portal import Happening
from .project import Project, Subscription, subscribed

__all__ = ["events_for"]


def events_for(project: Project, app_id: str, portal_id: int, told: Happening) -> Iterator[dict[str, Any]]:
    """One event per subscription that wants it."""
    for subscription in subscribed(project, told.kind, told.name):
        yield _event(subscription, app_id, portal_id, told)


def _event(subscription: Subscription, app_id: str, portal_id: int, told: Happening) -> dict[str, Any]:
    event: dict[str, Any] = {
        "eventId": told.event_id,
        "subscriptionId": subscription.id,
        "portalId": portal_id,
        "appId": int(app_id),
        "occurredAt": told.at_ms,
        "subscriptionType": subscription.type,
        "attemptNumber": 0,
        "objectId": told.object_id,
        "changeSource": told.source.kind,
        "sourceId": told.source.id,
    }
    if subscription.generic:
        event |= {"objectTypeId": "0-1", "isSensitive": False}
    if told.flag is not None:
        event["changeFlag"] = told.flag
    if told.name is not None:
        event |= {"propertyName": told.name, "propertyValue": told.value}
    if told.new_id is not None:
        event |= {
            "primaryObjectId": told.primary_id,
            "mergedObjectIds": list(told.merged_ids),
            "newObjectId": told.new_id,
            "numberOfPropertiesMoved": told.moved,
        }
    return event
