"""`stellwerk connections export`: what stands in the database, as the file says it; `check` takes it, and no secret is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from ruamel.yaml import YAML

from stellwerk.app import create_hub
from stellwerk.config.load import load
from stellwerk.registry import load_connectors
from stellwerk.sdk import Grant, Secret
from stellwerk.store import accounts, connections
from stellwerk.store.connections import IN_FILE, Connection
from stellwerk.store.store import Tx
from stellwerk_rules.model import Agreement

Run = Callable[..., Result]
NOON = 1_790_000_000.0
KEY, TOKEN = "the-very-secret-key-of-acme", "the-very-secret-token"
MOVE = {"enabled": True, "source": "lead", "target": "customer", "reset": False}
SETTINGS = {"double_opt_in": True, "doi_mailing": "K1", "no_answer": "no", "on_confirmed": MOVE}


@pytest.fixture
def config(sample: Callable[..., Path]) -> Path:
    return sample()


@pytest.fixture
def keep(config: Path, environ: Mapping[str, str]) -> Callable[..., None]:
    """`keep(Connection field=…)`: a connection as somebody left it on the page; what is named replaces what is usual."""

    async def run(*, login: bool, crm: bool, more: Mapping[str, Any]) -> None:
        registry = load_connectors()
        hub = await create_hub(load(config, environ, registry), registry, folder=config.parent)
        kinds = {name: one.connector.account_type for name, one in hub.systems.items()}

        def work(tx: Tx) -> None:
            shop = accounts.add(tx, hub.vault, system="crm", remote="4711", name="Acme", now=NOON)
            news = accounts.add(tx, hub.vault, system="mail", remote="9001", name="Acme\n# News", now=NOON)
            stored = {"account": "4711"} if login else {"account": "4711", "access_token": Secret(TOKEN)}
            accounts.set_secrets(tx, shop, hub.seal_settings(shop, kinds["crm"](**stored)))
            accounts.set_secrets(tx, news, hub.seal_settings(news, kinds["mail"](api_key=Secret(KEY))))
            if login:
                grant = Grant(account="4711", account_name="Acme", access_token=TOKEN, refresh_token="r", expires_in=60)
                accounts.set_oauth(tx, shop, hub.tokens.sealed(shop, grant), expected_version=None)
            usual: dict[str, Any] = {
                "id": "4711-17fa8233",
                "origin": "web",
                "accounts": {"crm": shop, "mail": news} if crm else {"mail": news},
                "settings": SETTINGS,
                "began": NOON,
                "agreed": Agreement(by="Jo Doe", at=datetime(2026, 11, 23, 9, tzinfo=UTC), words="w"),
            }
            connections.save(tx, Connection(**{**usual, **more}), who="jo", now=NOON)

        await hub.store.write(work)
        await hub.close()

    def go(*, login: bool = True, crm: bool = True, **more: Any) -> None:
        asyncio.run(run(login=login, crm=crm, more=more))

    return go


def exported(stellwerk: Run, config: Path, *words: str) -> str:
    result = stellwerk("connections", "export", *words, "--config", config)
    assert result.exit_code == 0, result.exception
    return result.output


def entries(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = YAML(typ="safe").load(text)["connections"]
    return found


def whole(config: Path, text: str) -> Path:
    """The file with what was exported put in."""
    file = config.with_name("with-connections.yaml")
    file.write_text(config.read_text("utf-8") + "\n" + text, "utf-8")
    return file


def test_check_accepts_what_was_exported(
    stellwerk: Run, config: Path, keep: Callable[..., None], environ: Mapping[str, str]
) -> None:
    keep()
    file = whole(config, exported(stellwerk, config))
    assert stellwerk("check", file, "--no-secrets").exit_code == 0
    names = {"STELLWERK_CRM_4711_ACCESS_TOKEN": TOKEN, "STELLWERK_MAIL_9001_API_KEY": KEY}
    checked = stellwerk("check", file, environ={**environ, **names})
    assert "0 errors, 0 warnings" in checked.output


def test_the_entry_says_what_the_connection_is(stellwerk: Run, config: Path, keep: Callable[..., None]) -> None:
    keep()
    (one,) = entries(exported(stellwerk, config))
    assert one == {
        "id": "4711-17fa8233",
        "crm": {"account": "4711", "access_token": "env:STELLWERK_CRM_4711_ACCESS_TOKEN"},
        "mail": {"api_key": "env:STELLWERK_MAIL_9001_API_KEY"},
        "settings": SETTINGS,
        "agreed": {"by": "Jo Doe", "at": datetime(2026, 11, 23, tzinfo=UTC).date()},
    }


def test_loaded_again_it_means_the_same(
    stellwerk: Run, config: Path, keep: Callable[..., None], environ: Mapping[str, str]
) -> None:
    keep(state="watches", brand="")
    file = whole(config, exported(stellwerk, config))
    names = {"STELLWERK_CRM_4711_ACCESS_TOKEN": TOKEN, "STELLWERK_MAIL_9001_API_KEY": KEY}
    loaded = load(file, {**environ, **names}, load_connectors())
    assert loaded.integration is not None
    (one,) = loaded.integration.connections
    assert (one.id, one.state) == ("4711-17fa8233", "watches")
    assert one.accounts["mail"].api_key.reveal() == KEY
    assert one.settings["no_answer"] == "no"
    assert one.settings["on_confirmed"].source == "lead"


def test_no_secret_is_told_and_each_variable_is_explained(
    stellwerk: Run, config: Path, keep: Callable[..., None]
) -> None:
    keep(login=False)
    text = exported(stellwerk, config)
    assert KEY not in text
    assert TOKEN not in text
    assert "#   STELLWERK_MAIL_9001_API_KEY  Acme # News: API key as Maileon shows it" in text
    assert all(line.startswith("#") for line in text.split("connections:")[0].splitlines() if line)


def test_who_came_by_a_login_is_told_that_the_file_needs_a_token(
    stellwerk: Run, config: Path, keep: Callable[..., None]
) -> None:
    keep(login=True)
    assert "crm is reached by a login; in the file it needs a token of its own" in exported(stellwerk, config)


def test_what_the_file_does_not_know_today_is_left_out_and_said(
    stellwerk: Run, config: Path, keep: Callable[..., None]
) -> None:
    keep(settings={**SETTINGS, "of_last_year": 1, "on_no": "sing"})
    text = exported(stellwerk, config)
    assert entries(text)[0]["settings"] == SETTINGS
    assert "the setting of_last_year has a value that the file does not know today" in text
    assert "the setting on_no has" in text
    assert stellwerk("check", whole(config, text), "--no-secrets").exit_code == 0


def test_a_connection_that_lacks_an_account_is_left_out_and_said(
    stellwerk: Run, config: Path, keep: Callable[..., None]
) -> None:
    keep(crm=False)
    text = exported(stellwerk, config)
    assert "# 4711-17fa8233: no account at crm yet; left out" in text
    assert entries(text) == []
    assert stellwerk("check", whole(config, text), "--no-secrets").exit_code == 0


def test_one_of_the_file_or_that_was_ended_is_not_exported(
    stellwerk: Run, config: Path, keep: Callable[..., None]
) -> None:
    keep(id="of-the-file", origin=IN_FILE)
    keep(id="ended", state=connections.ENDED)
    assert entries(exported(stellwerk, config)) == []
    refused = stellwerk("connections", "export", "of-the-file", "--config", config)
    assert "has no connection 'of-the-file'" in str(refused.exception)


def test_those_that_are_named_are_exported_and_share_the_variables_of_their_account(
    stellwerk: Run, config: Path, keep: Callable[..., None]
) -> None:
    keep(id="shoes")
    keep(id="hats")
    assert [one["id"] for one in entries(exported(stellwerk, config))] == ["hats", "shoes"]
    (shoes,) = entries(exported(stellwerk, config, "shoes"))
    (hats,) = entries(exported(stellwerk, config, "hats"))
    assert shoes["mail"] == hats["mail"]


def test_it_can_be_read_by_a_program(stellwerk: Run, config: Path, keep: Callable[..., None]) -> None:
    keep()
    told = json.loads(exported(stellwerk, config, "--json"))
    assert [one["id"] for one in told["connections"]] == ["4711-17fa8233"]
    assert set(told["environment"]) == {"STELLWERK_CRM_4711_ACCESS_TOKEN", "STELLWERK_MAIL_9001_API_KEY"}
