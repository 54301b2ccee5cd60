"""Runs the command line in this process, on copies of the sample, with its secrets set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stellwerk.cli import cli

SAMPLE = Path(__file__).parents[3] / "integration.yaml"

ENVIRON = {
    "STELLWERK_PUBLIC_URL": "https://hub.example",
    "STELLWERK_SECRET_KEY": "k" * 40,
    "HUBSPOT_CLIENT_ID": "client",
    "HUBSPOT_CLIENT_SECRET": "very-hidden-secret",
    "HUBSPOT_APP_ID": "77",
}


@pytest.fixture
def stellwerk() -> Callable[..., Result]:
    """`stellwerk("check", file)`: what it printed and its exit code."""

    def run(*arguments: object, environ: dict[str, str] | None = None) -> Result:
        variables: dict[str, str | None] = dict.fromkeys(ENVIRON)
        variables.update(ENVIRON if environ is None else environ)
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], env=variables)

    return run


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the sample with pieces replaced: `sample((old, new), …)`; every old piece must stand there."""

    def write(*pieces: tuple[str, str]) -> Path:
        text = SAMPLE.read_text("utf-8")
        for old, new in pieces:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "integration.yaml"
        file.write_text(text, "utf-8")
        return file

    return write
