"""The Maileon connector: its hook."""

from __future__ import annotations

from stellwerk.sdk import Connector, hookimpl
from stellwerk_maileon.connector import MaileonConnector


@hookimpl
def stellwerk_connector() -> type[Connector]:
    return MaileonConnector
