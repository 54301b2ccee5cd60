"""What a program may read: every command that tells something tells it as JSON too, in the shape that the docs promise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rich_click as click
from click.testing import Result

from stellwerk.cli import COMMANDS, cli

Run = Callable[..., Result]
DOCS = Path(__file__).parents[3] / "docs" / "for-operators.md"
ROW = re.compile(r"^\| `stellwerk ([^`]+) (--json|--format json)` \| (.*) \|$", re.M)
OF_ONE_KIND = {
    "dead show CODE": {"kind", "connection", "contact", "tag", "event", "text"},
    "check": {"fields"},
}
"""Keys that only some of the rows have."""

TELLS_NOTHING = {
    "run": "serves until it is ended",
    "demo": "serves until it is ended",
    "twin": "serves until it is ended",
    "schema": "prints JSON anyway",
}
NAMES = {"CODE": "unreachable", "WHO": "ada@x.example", "ADDRESS": "gone@x.example"}
TIMES = ("began", "on_hold", "opened", "seen", "oldest", "newest", "created", "ended", "since")


@pytest.fixture
def config(furnished: Callable[[], Path], stellwerk: Run) -> Path:
    file = furnished()
    stellwerk("hold", "on", "--config", file)
    return file


def promised() -> list[tuple[str, str, set[str]]]:
    """Command, option and keys of each row of the table."""
    return [
        (words, option, set(re.findall(r"`(\w+)`", keys)) - {"null"}) for words, option, keys in ROW.findall(text())
    ]


def text() -> str:
    return DOCS.read_text("utf-8")


def leaves(command: click.Command, named: str = "") -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield named.strip(), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, f"{named} {name}")


def test_every_command_that_tells_something_tells_it_to_programs_too() -> None:
    found = dict(leaves(cli))
    assert set(COMMANDS) <= {name.partition(" ")[0] for name in found}
    silent = {
        name
        for name, command in found.items()
        if not {"--json", "--format"} & {option for parameter in command.params for option in parameter.opts}
    }
    assert silent == set(TELLS_NOTHING)


@pytest.mark.parametrize(("words", "option", "keys"), promised(), ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_printed_has_the_keys_that_are_promised(
    stellwerk: Run, config: Path, words: str, option: str, keys: set[str]
) -> None:
    given = [NAMES.get(word, word) for word in words.split()]
    at = [str(config)] if words == "check" else [] if words == "connectors" else ["--config", str(config)]
    printed = stellwerk(*given, *option.split(), *at)
    told = json.loads(printed.output)
    rows: list[dict[str, Any]] = told if isinstance(told, list) else [told]
    for row in rows:
        assert set(row) <= keys
        assert keys - set(row) <= OF_ONE_KIND.get(words, set())
        for name in set(TIMES) & set(row):
            assert row[name] is None or datetime.fromisoformat(row[name]).utcoffset() == timedelta(0)
    assert rows
    assert printed.exit_code == stellwerk(*given, *at).exit_code


def test_every_command_named_in_the_table_is_one_and_those_to_be_read_are_there() -> None:
    named = {" ".join(word for word in words.split() if word.islower()) for words, _, _ in promised()}
    assert {
        "status",
        "connections list",
        "repairs",
        "dead list",
        "held list",
        "explain",
        "consent",
        "connectors",
    } <= named


def test_what_keeps_a_command_from_being_done_is_not_on_stdout(stellwerk: Run, config: Path) -> None:
    refused = stellwerk("replay", "no-such-code", "--json", "--config", config)
    assert refused.exit_code == 1
    assert refused.stdout == ""


def test_orders_tell_what_was_done(stellwerk: Run, config: Path) -> None:
    def order(*words: str) -> Any:
        return json.loads(stellwerk(*words, "--json", "--config", config).output)

    assert order("hold", "off") == {"held": False, "connection": None, "went_on": True}
    assert order("hold", "on") == {"held": True, "connection": None}
    assert order("held", "discard", "acme", "too-many-asks") == {"discarded": 1}
    assert order("replay", "unreachable") == {"replayed": 1, "kept": 0}
