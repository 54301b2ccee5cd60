"""Commands that plugins bring: a connector's own, its simulator, an installed demo."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
from click.testing import Result

from stellwerk.app import create_hub
from stellwerk.cli.connector_commands import command_context, load_before_secrets
from stellwerk.cli.demo import GROUP, demo_of
from stellwerk.cli.twin import twin_command
from stellwerk.config.fields_used import fields_used
from stellwerk.config.load import Loaded, load, ruleset
from stellwerk.errors import ConfigError, StoreError
from stellwerk.registry import Registry, load_connectors
from stellwerk.sdk import FieldSpec
from stellwerk.store import connections
from stellwerk.store.connections import ENDED, Connection
from stellwerk.store.store import Tx
from stellwerk_rules.plan import compile_plan
from stellwerk_toys.pg_server import Server

Run = Callable[..., Result]
Sample = Callable[..., Path]

ENVIRON = {
    "STELLWERK_PUBLIC_URL": "https://hub.example",
    "STELLWERK_SECRET_KEY": "k" * 40,
    "HUBSPOT_CLIENT_ID": "client",
    "HUBSPOT_CLIENT_SECRET": "very-hidden-secret",
    "HUBSPOT_APP_ID": "77",
    "TOKEN": "t",
    "KEY": "k",
}

CONNECTIONS = """
connections:
  - {id: red, brand: red, crm: {account: "1", access_token: env:TOKEN}, mail: {api_key: env:KEY}}
  - {id: blue, brand: blue, crm: {account: "1", access_token: env:TOKEN}, mail: {api_key: env:KEY}}
"""


def loaded(file: Path) -> Loaded:
    return load(file, ENVIRON, load_connectors())


def used(file: Path, system: str) -> dict[str, FieldSpec]:
    rules = ruleset(loaded(file))
    return {field.name: field for field in fields_used(rules, compile_plan(rules), system)}


def test_a_connectors_command_gets_the_files_settings_and_ends_with_its_code(
    stellwerk: Run, sample: Sample, tmp_path: Path
) -> None:
    result = stellwerk("hubspot", "project", "--config", sample(), tmp_path / "project")
    assert result.exit_code == 0
    assert (tmp_path / "project" / "hsproject.json").exists()
    assert stellwerk("hubspot", "project", "--config", sample()).exit_code == 2


def test_a_connectors_command_of_a_wrong_file_says_what_is_wrong(sample: Sample, tmp_path: Path) -> None:
    file = sample(("who: new", "whoo: new"))
    command = [sys.executable, "-m", "stellwerk", "hubspot", "project", "--config", str(file), str(tmp_path / "p")]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRON, timeout=60, check=False)
    assert done.returncode == 1
    assert "[unknown-key]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_connectors_command_needs_no_secret_that_the_vendor_hands_out_later(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRON:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STELLWERK_PUBLIC_URL", "https://hub.example")
    context = command_context(load_before_secrets(sample(), load_connectors()), "hubspot")
    assert context.webhook_url == "https://hub.example"


def test_a_connectors_command_needs_the_addresses_of_the_hub(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRON:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="STELLWERK_PUBLIC_URL"):
        load_before_secrets(sample(), load_connectors())


def test_a_connector_without_commands_offers_none(stellwerk: Run) -> None:
    result = stellwerk("maileon", "anything")
    assert result.exit_code == 2
    assert "No such command" in result.output


def test_a_command_is_told_where_vendors_come_back_to(sample: Sample) -> None:
    context = command_context(loaded(sample()), "hubspot")
    assert (context.public_url, context.webhook_url) == ("https://hub.example", "https://hub.example")
    assert context.redirect_url == "https://hub.example/oauth/crm/callback"
    assert context.system.app_id == "77"


def test_a_command_of_a_connector_that_the_file_does_not_use_is_wrong_usage(sample: Sample) -> None:
    with pytest.raises(click.UsageError, match="no system of"):
        command_context(loaded(sample()), "another")


def test_fields_are_told_by_their_own_names_with_kinds_and_labels(sample: Sample) -> None:
    fields = used(sample(), "crm")
    assert fields["maileon_subscribe"].label == "Subscribe to Maileon Newsletter"
    assert fields["maileon_subscribe"].on_forms is True
    assert fields["maileon_status"].on_forms is False
    assert (fields["date_of_birth"].kind, fields["date_of_birth"].label) == ("date", None)
    assert set(used(sample(), "mail")) >= {"FIRSTNAME", "custom:Telephone"}


def test_fields_of_all_connections_are_told(sample: Sample) -> None:
    file = sample(
        ("name: maileon_subscribe,", 'name: "maileon_{brand}_subscribe",'),
        ("tests:   ", CONNECTIONS + "\ntests:   "),
    )
    names = [field.name for field in command_context(loaded(file), "hubspot").fields]
    assert {"maileon_red_subscribe", "maileon_blue_subscribe", "firstname"} <= set(names)
    assert len(names) == len(set(names))


BRANDED = ("name: maileon_subscribe,", 'name: "maileon_{brand}_subscribe",')


def save_connections(file: Path, *brands: str, ended: str = "") -> None:
    """Connections as the page stores them, in the database of the file."""

    async def run() -> None:
        hub = await create_hub(loaded(file), load_connectors(), folder=file.parent)

        def work(tx: Tx) -> None:
            for brand in brands:
                one = Connection(
                    id=f"of-{brand}",
                    origin="page",
                    brand=brand,
                    state=ENDED if brand == ended else "runs",
                    accounts={},
                    settings={},
                )
                connections.save(tx, one, who="jo", now=1.0)

        await hub.store.write(work)
        await hub.close()

    asyncio.run(run())


def test_fields_of_connections_that_were_set_up_on_the_page_are_told_too(
    stellwerk: Run, sample: Sample, tmp_path: Path
) -> None:
    file = sample(BRANDED, ("tests:   ", CONNECTIONS + "\ntests:   "))
    save_connections(file, "green", "gone", ended="gone")
    result = stellwerk("hubspot", "project", "--config", file, tmp_path / "p", environ=ENVIRON)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "p" / "src/app/webhooks/webhooks-hsmeta.json").read_text()
    assert [f"maileon_{brand}_subscribe" in text for brand in ("red", "blue", "green", "gone")] == [True] * 3 + [False]


def test_fields_of_the_page_alone_are_told_where_the_file_has_no_connection(sample: Sample) -> None:
    file = sample(BRANDED)
    save_connections(file, "green")
    names = {field.name for field in command_context(loaded(file), "hubspot").fields}
    assert ("maileon_green_subscribe" in names, "maileon_subscribe" in names) == (True, False)


def test_on_a_server_that_no_hub_has_used_yet_nobody_has_set_up_anything(
    stellwerk: Run, sample: Sample, tmp_path: Path, pg_server: Server
) -> None:
    url = pg_server.url(pg_server.new_schema())
    file = sample(("sqlite:///stellwerk.db", url))
    result = stellwerk("hubspot", "project", "--config", file, tmp_path / "p")
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "p" / "hsproject.json").exists()


def test_a_database_that_cannot_be_read_leaves_no_field_out_unsaid(
    stellwerk: Run, sample: Sample, tmp_path: Path
) -> None:
    file = sample()
    (tmp_path / "stellwerk.db").write_bytes(b"no database at all, and longer than a header would be" * 20)
    result = stellwerk("hubspot", "project", "--config", file, tmp_path / "p")
    assert result.exit_code != 0
    assert isinstance(result.exception, StoreError)
    assert not (tmp_path / "p").exists()


# --- twins --------------------------------------------------------------------------------------------------------------


def test_a_twin_is_run_as_a_program_with_all_that_follows_its_name() -> None:
    command = twin_command(load_connectors(), "hubspot", ("--port", "0"))
    assert command == [sys.executable, "-m", "stellwerk_hubspot.twin", "--port", "0"]


@pytest.mark.parametrize("name", [None, "nobody"])
def test_a_twin_that_is_not_there_is_wrong_usage(name: str | None) -> None:
    with pytest.raises(click.UsageError, match="one of: hubspot, maileon"):
        twin_command(load_connectors(), name, ())


def test_without_any_twin_that_is_said() -> None:
    with pytest.raises(click.UsageError, match="there is none"):
        twin_command(Registry(), "hubspot", ())


@pytest.mark.slow
def test_the_twins_own_help_and_exit_code_are_passed_on() -> None:
    for arguments, code, text in ((["--help"], 0, "usage:"), (["--no-such-option"], 2, "unrecognized")):
        command = [sys.executable, "-m", "stellwerk", "twin", "hubspot", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, text in done.stdout + done.stderr) == (code, True)


# --- demos --------------------------------------------------------------------------------------------------------------

DEMO = "def main(arguments):\n    return len(arguments)\n"


@pytest.fixture
def toy_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EntryPoint]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "toy_demo_of_the_tests.py").write_text(DEMO)

    def point(name: str, value: str = "toy_demo_of_the_tests") -> EntryPoint:
        return EntryPoint(name=name, value=value, group=GROUP)

    return point


def test_the_only_demo_needs_no_name_and_gets_all_arguments(toy_demo: Callable[..., EntryPoint]) -> None:
    play, rest = demo_of([toy_demo("toy")], ("--script", "--port", "0"))
    assert (play(rest), rest) == (3, ["--script", "--port", "0"])


def test_a_demo_may_be_a_function(toy_demo: Callable[..., EntryPoint]) -> None:
    play, rest = demo_of([toy_demo("toy", "toy_demo_of_the_tests:main")], ("toy", "x"))
    assert (play(rest), rest) == (1, ["x"])


def test_of_several_demos_one_is_named(toy_demo: Callable[..., EntryPoint]) -> None:
    points = [toy_demo("one"), toy_demo("two")]
    assert demo_of(points, ("two", "--script"))[1] == ["--script"]
    with pytest.raises(click.UsageError, match="one of: one, two"):
        demo_of(points, ("--script",))


def test_without_a_demo_that_is_said(toy_demo: Callable[..., EntryPoint]) -> None:
    with pytest.raises(click.UsageError, match="no demo is installed"):
        demo_of([], ())
    with pytest.raises(click.UsageError, match="no function `main`"):
        demo_of([toy_demo("toy", "json")], ())
