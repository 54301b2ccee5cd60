"""The one hook a plugin implements. It does no I/O and returns a class."""

from __future__ import annotations

import pluggy

from stellwerk.sdk.connector import Connector

hookspec = pluggy.HookspecMarker("stellwerk")
hookimpl = pluggy.HookimplMarker("stellwerk")


@hookspec
def stellwerk_connector() -> type[Connector]:
    """Return the connector class this plugin brings. Called once, at start; do no I/O here.

    The entry point's name, the class's `name` and the `connector:` key in integration.yaml are one and the same word.
    """
    raise NotImplementedError
