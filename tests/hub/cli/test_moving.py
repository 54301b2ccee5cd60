"""`stellwerk db move`: everything goes to the server, or nothing; and the file is not run again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import Result

from stellwerk.app import create_hub
from stellwerk.config.load import load
from stellwerk.registry import load_connectors
from stellwerk.relay import instance
from stellwerk.relay.hub import Hub
from stellwerk.relay.place import Place
from stellwerk.store import hold
from stellwerk.store.address import looking
from stellwerk.store.store import Row
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.pg_server import Server

Run = Callable[..., Result]
SQLITE = "sqlite:///stellwerk.db"


@pytest.fixture
def server(pg_server: Server) -> PostgresDatabase:
    return PostgresDatabase(pg_server)


@pytest.fixture
def file(furnished: Callable[..., Path], environ: Mapping[str, str]) -> Path:
    """The file of a hub that has run, and has ended."""
    made = furnished()
    opened(made, environ, instance.begin)
    return made


def opened(file: Path, environ: Mapping[str, str], work: Callable[[Hub], object], place: Place | None = None) -> str:
    """Do `work` with the hub of the file; why it holds what mails afterwards."""

    async def run() -> str:
        registry = load_connectors()
        hub = await create_hub(load(file, dict(environ), registry), registry, folder=file.parent, place=place)
        try:
            await work(hub)  # type: ignore[misc]
            stands = await hub.store.read(hold.standing)
            return "" if stands is None else stands.because
        finally:
            await hub.close()

    return asyncio.run(run())


def contents(database: str, folder: Path) -> dict[str, list[Row]]:
    """Every row of every table that the file has, but for what is about the database itself."""
    with looking(SQLITE, folder) as tx:
        tables = [row["name"] for row in tx.all("select name from sqlite_master where type = 'table'")]
    with looking(database, folder) as tx:
        found = {table: tx.all(f"select * from {table}") for table in tables if "sqlite" not in table}
    found["meta"] = [row for row in found["meta"] if not row["name"].startswith(("instance", "moved"))]
    return {table: sorted(rows, key=str) for table, rows in found.items()}


def on_the_server(file: Path, url: str) -> Path:
    file.write_text(file.read_text("utf-8").replace(SQLITE + " ", f"'{url}' "), "utf-8")
    return file


@pytest.mark.behaviour("trouble-server")
def test_every_row_is_there_and_the_hub_goes_on_with_it(
    stellwerk: Run, file: Path, server: PostgresDatabase, environ: Mapping[str, str]
) -> None:
    before = contents(SQLITE, file.parent)
    assert sum(len(rows) for rows in before.values()) > 10
    told = json.loads(stellwerk("db", "move", server.url, "--config", file, "--json").output)
    assert contents(server.url, file.parent) == before
    assert told["rows"]["inbox"] == len(before["inbox"]) == 2
    on_the_server(file, server.url)
    assert "acme  too-many-asks  1 enter by import" in stellwerk("held", "list", "--config", file).output
    assert opened(file, environ, instance.begin, Place(file.parent / "state")) == ""
    server.server.ask(
        "insert into inbox (account, subject, kind, received, due) values ('a', 's', 'k', 0, 0)", server.schema
    )
    assert server.server.ask("select max(id) from inbox", server.schema) == [(3,)]


@pytest.mark.behaviour("trouble-server")
def test_the_file_is_not_run_any_more(stellwerk: Run, file: Path, server: PostgresDatabase) -> None:
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 0
    result = stellwerk("run", "--config", file, "--port", "0")
    assert result.exit_code == 1
    assert "this database was moved to postgresql://" in result.output
    assert stellwerk("hold", "on", "--config", file).exit_code == 1
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 1


def test_a_database_that_a_hub_has_used_is_refused_and_stays_as_it_is(
    stellwerk: Run, file: Path, server: PostgresDatabase
) -> None:
    stellwerk("db", "move", server.url, "--config", file)
    server.server.ask("delete from inbox", server.schema)
    result = stellwerk("db", "move", server.url, "--config", file)
    assert "has been used by a hub already" in str(result.exception)
    assert server.server.ask("select count(*) from inbox", server.schema) == [(0,)]


def test_a_hub_that_runs_is_not_moved(
    stellwerk: Run, file: Path, server: PostgresDatabase, running: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with running(file):
        result = stellwerk("db", "move", server.url, "--config", file)
    assert "is in use by another hub" in str(result.exception)
    assert stellwerk("hold", "status", "--config", file).exit_code == 0


def test_a_copy_that_breaks_off_leaves_the_server_empty_and_the_file_as_it_was(
    stellwerk: Run, file: Path, server: PostgresDatabase
) -> None:
    before = contents(SQLITE, file.parent)
    server.open()
    server.server.ask("alter table trace add constraint never check (id < 0)", server.schema)
    server.server.ask("alter table repair add constraint never check (id < 0)", server.schema)
    try:
        result = stellwerk("db", "move", server.url, "--config", file)
    finally:
        server.server.ask("alter table trace drop constraint never", server.schema)
        server.server.ask("alter table repair drop constraint never", server.schema)
    assert "did not take a copy" in str(result.exception)
    assert server.server.ask("select count(*) from inbox", server.schema) == [(0,)]
    assert contents(SQLITE, file.parent) == before
    assert stellwerk("hold", "off", "--config", file).exit_code == 0
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 0


@pytest.mark.behaviour("trouble-server")
def test_a_restored_file_is_a_restored_one_there_too(
    stellwerk: Run, file: Path, server: PostgresDatabase, environ: Mapping[str, str]
) -> None:
    (file.parent / "stellwerk.db.instance").write_text('{"id": "of another", "counter": 3}')
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 0
    on_the_server(file, server.url)
    assert opened(file, environ, instance.begin, Place(file.parent / "state")) == "restored"


def test_what_is_no_move_from_a_file_to_a_server_is_said(stellwerk: Run, file: Path, server: PostgresDatabase) -> None:
    result = stellwerk("db", "move", "sqlite:///other.db", "--config", file)
    assert "moves from a file" in str(result.exception)
    result = stellwerk("db", "move", server.url, "--config", on_the_server(file, server.url))
    assert "moves from a file" in str(result.exception)


# --- moved once more


@pytest.mark.behaviour("trouble-server")
def test_a_file_that_was_moved_before_is_a_restored_one_where_a_hub_has_gone_on_since(
    stellwerk: Run, file: Path, server: PostgresDatabase, pg_server: Server, environ: Mapping[str, str]
) -> None:
    before, another = file.read_text("utf-8"), PostgresDatabase(pg_server, pg_server.new_schema())
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 0
    on_the_server(file, server.url)
    assert opened(file, environ, instance.begin, Place(file.parent / "state")) == ""
    file.write_text(before, "utf-8")
    assert stellwerk("db", "move", another.url, "--config", file).exit_code == 0
    on_the_server(file, another.url)
    assert opened(file, environ, instance.begin, Place(file.parent / "state")) == "restored"


def test_moved_to_the_wrong_place_and_never_run_there_it_can_be_moved_to_another(
    stellwerk: Run, file: Path, server: PostgresDatabase, pg_server: Server, environ: Mapping[str, str]
) -> None:
    another = PostgresDatabase(pg_server, pg_server.new_schema())
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 0
    assert stellwerk("db", "move", another.url, "--config", file).exit_code == 0
    on_the_server(file, another.url)
    assert opened(file, environ, instance.begin, Place(file.parent / "state")) == ""


def test_a_file_that_was_moved_stays_so_where_moving_it_once_more_breaks_off(
    stellwerk: Run, file: Path, server: PostgresDatabase, pg_server: Server
) -> None:
    another = PostgresDatabase(pg_server, pg_server.new_schema())
    assert stellwerk("db", "move", server.url, "--config", file).exit_code == 0
    another.open()
    another.server.ask("alter table trace add constraint never check (id < 0)", another.schema)
    another.server.ask("alter table repair add constraint never check (id < 0)", another.schema)
    assert "did not take a copy" in str(stellwerk("db", "move", another.url, "--config", file).exception)
    assert "this database was moved to postgresql://" in str(stellwerk("hold", "on", "--config", file).exception)
