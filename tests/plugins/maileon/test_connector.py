"""What the plugin offers."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pluggy
import pytest

from stellwerk.sdk import (
    Asker,
    Batched,
    Catalogue,
    Cautious,
    ConsentSource,
    Doubles,
    Provisioner,
    Reader,
    Reporter,
    Sized,
    Target,
    Titled,
    Twin,
    WebhookSource,
    hookspecs,
)
from stellwerk_maileon.connector import MaileonConnector

ABILITIES = (
    Reader,
    Doubles,
    ConsentSource,
    Reporter,
    WebhookSource,
    Target,
    Provisioner,
    Catalogue,
    Asker,
    Twin,
    Titled,
    Batched,
    Cautious,
    Sized,
)


def test_the_entry_point_brings_the_connector_under_its_own_name() -> None:
    (entry,) = entry_points(group="stellwerk.connectors", name="maileon")
    manager = pluggy.PluginManager("stellwerk")
    manager.add_hookspecs(hookspecs)
    manager.register(entry.load())
    manager.check_pending()
    assert manager.hook.stellwerk_connector() == [MaileonConnector]
    assert MaileonConnector.name == entry.name


@pytest.mark.anyio
async def test_it_has_every_ability_of_a_mail_system(canned: Any) -> None:
    async with canned.open() as connector:
        assert [ability.__name__ for ability in ABILITIES if not isinstance(connector, ability)] == []


def test_only_the_start_of_a_double_opt_in_needs_a_mark() -> None:
    assert MaileonConnector.marked == {"ask"}
    assert set(MaileonConnector.batch_sizes) > MaileonConnector.marked
