"""An answer that is not as the reference says."""

from __future__ import annotations


class WireError(Exception):
    """An answer that cannot be read. Never leaves the connector: `client.py` turns it into a `DeliveryError`."""
