"""Every command that README and docs show exists and takes those options; cheap ones are run and print what is shown."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import rich_click as click
from click.testing import CliRunner, Result

from stellwerk.cli import COMMANDS, cli

RUN = ("connectors", "check --no-secrets", "test", "hubspot project hubspot-app")
ENVIRONMENT = {
    "STELLWERK_PUBLIC_URL": "https://hub.example.com",
    "STELLWERK_WEBHOOK_URL": "https://hooks.example.com",
    "STELLWERK_SECRET_KEY": "0" * 64,
    "HUBSPOT_CLIENT_ID": "client",
    "HUBSPOT_CLIENT_SECRET": "secret",
    "HUBSPOT_APP_ID": "1",
}


def commands(block: Any) -> list[tuple[str, list[str]]]:
    """What stands after each `$`, and the lines that it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif found:
            found[-1][1].append(line)
    return found


def of_stellwerk(command: str) -> list[str] | None:
    """The words after `stellwerk`; None for another program."""
    program, *words = shlex.split(command)
    return words if Path(program).name == "stellwerk" else None


def invoke(words: Sequence[str]) -> Result:
    return CliRunner(env=ENVIRONMENT).invoke(cli, list(words), prog_name="stellwerk")


def command_words(words: Sequence[str]) -> tuple[list[str], click.Command]:
    """The leading words that name a command, and that command."""
    group: click.Command = cli
    named: list[str] = []
    while isinstance(group, click.Group):
        word = words[len(named)]
        found = group.get_command(click.Context(group), word)
        assert found is not None, f"no command {' '.join([*named, word])}"
        group = found
        named.append(word)
    return named, group


def is_shown_by(expected: Sequence[str], printed: str) -> bool:
    """`…` alone in a line stands for any lines, inside a line for any characters."""
    patterns = [
        r"(?:.*\n)*" if line == "…" else re.escape(line.rstrip()).replace("…", ".*") + r" *\n"
        for line in expected
        if line.strip()
    ]
    return re.match("".join(patterns), "\n".join(filter(str.strip, printed.splitlines())) + "\n") is not None


def test_each_command_that_is_shown_exists_and_takes_its_options(console_block: Any) -> None:
    for command, _ in commands(console_block):
        words = of_stellwerk(command)
        if words is None:
            continue
        named, _ = command_words(words)
        help_ = invoke([*named, "--help"])
        assert help_.exit_code == 0, f"{console_block}: {command}: {help_.output}"
        options = [word for word in words if word.startswith("--")]
        assert [option for option in options if option not in help_.output] == [], f"{console_block}: {command}"


def test_cheap_commands_print_what_is_shown(
    console_block: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy2(root / "integration.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    for command, expected in commands(console_block):
        words = of_stellwerk(command)
        if words is None or " ".join(words) not in RUN or "cardbox" in console_block.text:
            continue
        done = invoke(words)
        assert done.exit_code == 0, f"{console_block}: {command}: {done.output}"
        assert is_shown_by(expected, done.output), f"{console_block}: {command} prints:\n{done.output}"


def test_something_else_than_what_is_shown_is_noticed() -> None:
    shown = ["good  integration.yaml:…: nobody is asked twice", "…", "… good, 0 bad"]
    printed = "good  integration.yaml:7: nobody is asked twice\ngood  x\n2 good, 0 bad\n"
    assert is_shown_by(shown, printed)
    assert not is_shown_by(shown, printed.replace("twice", "thrice"))
    assert not is_shown_by(shown, printed.replace("0 bad", "1 bad"))


def test_every_cheap_command_is_shown_somewhere(pages: Mapping[str, str]) -> None:
    shown = "\n".join(pages.values())
    assert [one for one in RUN if f"stellwerk {one}\n" not in shown] == []


def test_every_command_is_described_for_operators(operators: str) -> None:
    table = operators.split("\n## Commands\n", 1)[1].split("\n### ", 1)[0]
    rows = set(re.findall(r"^\| `stellwerk ([\w -]+)` \|", table, re.M))
    assert rows == {*COMMANDS, "hubspot project"}


def test_each_make_target_that_is_shown_exists(pages: Mapping[str, str], root: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (root / "Makefile").read_text("utf-8"), re.M))
    shown = {target for text in pages.values() for target in re.findall(r"`make ([\w-]+)`|\$ make ([\w-]+)", text)}
    assert {name for pair in shown for name in pair if name} <= targets
    assert {"demo", "test"} <= targets


def test_what_the_readme_shows_of_the_demo_is_what_the_demo_says(pages: Mapping[str, str], sources: Any) -> None:
    told = sources.text("demo/stellwerk_demo")
    lines = [line.strip() for line in pages["README.md"].splitlines()]
    steps = [line.removeprefix("ok  ") for line in lines if line.startswith("ok  ")]
    assert len(steps) > 4
    assert [step for step in steps if f'"{step}"' not in told] == []
    assert [line for line in lines if line.startswith("Stellwerk is running") and line not in told] == []
