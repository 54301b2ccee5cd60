"""`stellwerk new-connector`: what it writes is installed, found, usable, and true to the contract at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from stellwerk.cli.new_connector import files_of

Run = Callable[..., Result]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def made(stellwerk: Run, tmp_path: Path) -> Path:
    """The folder of a new connector."""
    folder = tmp_path / "made"
    assert stellwerk("new-connector", "acme_crm", "--folder", folder).exit_code == 0
    return folder


def python(*arguments: object, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Run with `path` importable before everything else, as whoever installed it would."""
    paths = os.pathsep.join([str(path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_its_own_tests_pass_at_once(made: Path) -> None:
    done = python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", folder=made, path=made)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted is not None
    assert int(counted[1]) > 100
    assert "skipped" not in done.stdout


@pytest.mark.slow
def test_installed_it_is_a_connector_like_every_other(made: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    pip = ("pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", place, made)
    installed = python("-m", *pip, folder=tmp_path, path=place)
    assert installed.returncode == 0, installed.stderr[-2000:]
    listed = python("-m", "stellwerk", "connectors", "--json", folder=tmp_path, path=place)
    told = json.loads(listed.stdout)
    assert told["problems"] == []
    (found,) = [one for one in told["connectors"] if one["name"] == "acme_crm"]
    assert set(found["abilities"]) == {"Reader", "WebhookSource", "Target"}
    taken = python("-m", "stellwerk", "new-connector", "acme_crm", folder=tmp_path, path=place)
    assert taken.returncode == 2
    assert "is called 'acme_crm' already" in " ".join(taken.stderr.split())


@pytest.mark.parametrize("name", ["x", "acme_crm", "a1_b2_c3", "a_connector_of_thirty_letters1"])
def test_whatever_its_name_it_passes_the_linter(stellwerk: Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "made"
    assert stellwerk("new-connector", name, "--folder", folder).exit_code == 0
    configuration = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    done = python("-m", "ruff", "check", "--ignore=I001", *configuration, folder, folder=tmp_path, path=folder)
    assert done.returncode == 0, done.stdout
    for path in folder.rglob("*.py"):
        compile(path.read_text("utf-8"), str(path), "exec", dont_inherit=True)
        assert "ardbox" not in path.read_text("utf-8")


def test_it_imports_nothing_of_ours_but_the_sdk() -> None:
    modules = [text for path, text in files_of("acme").items() if path.startswith("stellwerk_acme/")]
    ours = set(re.findall(r"^(?:from|import) (stellwerk[\w.]*)", "\n".join(modules), re.M))
    assert {name for name in ours if not name.startswith("stellwerk_acme")} == {"stellwerk.sdk"}


@pytest.mark.parametrize(
    "name", ["Acme", "1acme", "acme-crm", "acme__crm", "_acme", "acme_", "ac me", "a" * 31, "../acme"]
)
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_written(stellwerk: Run, tmp_path: Path, name: str) -> None:
    refused = stellwerk("new-connector", name, "--folder", tmp_path / "made")
    assert refused.exit_code == 2
    assert "small letters" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused(stellwerk: Run, tmp_path: Path) -> None:
    refused = stellwerk("new-connector", "maileon", "--folder", tmp_path / "made")
    assert refused.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_as_it_is(stellwerk: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refused = stellwerk("new-connector", "acme", "--folder", tmp_path)
    assert refused.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_it_says_what_it_wrote_and_what_to_do_next(
    stellwerk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = stellwerk("new-connector", "acme_crm").output.splitlines()
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.is_file())
    assert sorted(lines[: lines.index("")]) == written
    assert lines[lines.index("") + 1] == "cd stellwerk-acme-crm"


def test_what_it_wrote_can_be_read_by_a_program(stellwerk: Run, tmp_path: Path) -> None:
    told = json.loads(stellwerk("new-connector", "acme", "--folder", tmp_path / "made", "--json").output)
    assert told == {"folder": str(tmp_path / "made"), "files": list(files_of("acme"))}
