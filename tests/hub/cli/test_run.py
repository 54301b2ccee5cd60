"""run: starts whole or not at all, says where it listens, and ends when told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
Sample = Callable[..., Path]
Start = Callable[..., subprocess.Popen[str]]

ENVIRON = {
    "STELLWERK_PUBLIC_URL": "http://localhost:8000",
    "STELLWERK_SECRET_KEY": "k" * 40,
    "HUBSPOT_CLIENT_ID": "client",
    "HUBSPOT_CLIENT_SECRET": "very-hidden-secret",
    "HUBSPOT_APP_ID": "77",
}


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `stellwerk run` as a process; whatever is left is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(config: Path, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "stellwerk", "run", "--config", str(config), *more]
        process = subprocess.Popen(
            command, env={**os.environ, **ENVIRON}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Stellwerk listens on http://127.0.0.1:"), line
    return line.split()[-1]


def get(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_serves_and_ends_cleanly(start: Start, sample: Sample, one: signal.Signals) -> None:
    process = start(sample(), "--port", "0")
    url = url_of(process)
    assert "<h1>" in get(url + "/")
    assert get(url + "/health") == '{"status":"ok"}'
    process.send_signal(one)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "")
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_second_hub_on_the_same_database_says_so_and_ends_with_1(start: Start, sample: Sample) -> None:
    config = sample()
    url_of(start(config, "--port", "0"))
    second = start(config, "--port", "0")
    _, errors = second.communicate(timeout=20)
    assert second.returncode == 1
    assert "is in use by another hub" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_requests_are_not_written_to_the_log(start: Start, sample: Sample) -> None:
    process = start(sample(), "--port", "0")
    get(url_of(process) + "/health?address=ada@x.example")
    process.terminate()
    output, errors = process.communicate(timeout=20)
    assert "ada@x.example" not in output + errors


def test_a_wrong_file_starts_nothing_and_shows_all_its_problems(stellwerk: Run, sample: Sample, tmp_path: Path) -> None:
    config = sample(("who: new", "whoo: new"), ("kind: pick,", "kind: pikc,"))
    result = stellwerk("run", "--config", config)
    assert result.exit_code == 1
    assert "[unknown-key]" in result.output
    assert "[unknown-name]" in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["integration.yaml"]


def test_a_missing_secret_is_named_and_starts_nothing(stellwerk: Run, sample: Sample, tmp_path: Path) -> None:
    result = stellwerk("run", "--config", sample(), environ={**ENVIRON, "STELLWERK_SECRET_KEY": ""})
    assert result.exit_code == 1
    assert "hub.secret_key" in result.output
    assert not (tmp_path / "stellwerk.db").exists()


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_database_file_has_one_process(stellwerk: Run, sample: Sample, tmp_path: Path, role: str) -> None:
    result = stellwerk("run", "--config", sample(), "--port", "0", "--role", role)
    assert result.exit_code == 1
    assert f"--role {role} is for several processes on one database: hub.database: postgresql://" in result.output
    assert not (tmp_path / "stellwerk.db").exists()


def test_a_server_that_is_away_is_said_and_starts_nothing(stellwerk: Run, sample: Sample) -> None:
    config = sample(("database: sqlite:///stellwerk.db", "database: postgresql://localhost:1/hub"))
    result = stellwerk("run", "--config", config, "--port", "0")
    assert result.exit_code == 1
    assert "postgresql://localhost:1/hub cannot be reached" in result.output


def test_a_port_that_is_taken_is_said_before_anything_is_started(
    stellwerk: Run, sample: Sample, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = stellwerk("run", "--config", sample(), "--port", port)
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in result.output
    assert not (tmp_path / "stellwerk.db").exists()
