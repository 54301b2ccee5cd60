"""SQL is written once: every statement that stands in the hub is one that the server understands too."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import stellwerk
from stellwerk.store.dialect import parameters
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.pg_server import Server

HUB = Path(stellwerk.__file__).parent
OF_THE_OTHER = ("store/sqlite.py", "store/moving.py")
CALLS = ("all", "one", "run", "many")
LEAST = 150
MOST_UNKNOWN = 0.2


def found() -> Iterator[tuple[str, str | None]]:
    """Place and text of the first argument of each call on a transaction; None where it is put together from local names."""
    for path in sorted(HUB.rglob("*.py")):
        inside = path.relative_to(HUB).as_posix()
        if inside in OF_THE_OTHER:
            continue
        module = "stellwerk." + inside.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
            if called and node.args and isinstance(node.func.value, ast.Name) and node.func.value.id == "tx":
                yield f"{inside}:{node.lineno}", text_of(node.args[0], module)


def text_of(argument: ast.expr, module: str) -> str | None:
    """The text of a literal, with what the module's own names mean filled in."""
    if not isinstance(argument, ast.Constant | ast.JoinedStr | ast.BinOp):
        return None
    try:
        # A name in angle brackets: coverage looks for the source of every other.
        code = compile(ast.Expression(argument), f"<{module}>", "eval")
        return str(eval(code, vars(importlib.import_module(module))))
    except NameError:
        return None


def prepared(connection: psycopg.Connection[object], sql: str) -> str | None:
    """What the server has against the statement, nothing of which is run."""
    names: dict[str, int] = {}
    numbered = re.sub(
        r"%\((\w+)\)s", lambda one: f"${names.setdefault(one.group(1), len(names) + 1)}", parameters(sql)
    ).replace("%%", "%")
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"prepare once as {numbered}".encode())
            connection.execute("deallocate once")
    except psycopg.Error as error:
        return str(error)
    return None


@pytest.mark.anyio
async def test_every_statement_of_the_hub_is_understood_by_the_server(pg_server: Server) -> None:
    database = PostgresDatabase(pg_server)
    await database.open().close()
    statements = list(found())
    known = [(place, sql) for place, sql in statements if sql is not None]
    assert len(known) >= LEAST
    assert len(statements) - len(known) <= MOST_UNKNOWN * len(statements)
    with pg_server.connected(database.schema) as connection:
        refused = {place: problem for place, sql in known if (problem := prepared(connection, sql)) is not None}
    assert refused == {}


@pytest.mark.parametrize(
    "sql", ["select max(attempts, 0) from outbox", "select id from inbox where :n is null or id = :n"]
)
def test_a_statement_of_one_adapter_alone_is_noticed(pg_server: Server, sql: str) -> None:
    database = PostgresDatabase(pg_server)
    with pg_server.connected(database.schema) as connection:
        assert prepared(connection, sql) is not None
