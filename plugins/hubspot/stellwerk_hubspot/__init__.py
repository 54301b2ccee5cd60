"""The HubSpot connector."""

from __future__ import annotations

from stellwerk.sdk import hookimpl
from stellwerk_hubspot.connector import HubspotConnector


@hookimpl
def stellwerk_connector() -> type[HubspotConnector]:
    return HubspotConnector
