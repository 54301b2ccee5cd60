"""A hub that cannot start as it should starts nothing at all, and says why."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from stellwerk.cli.guarded import LONGEST_HEAD

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "integration.yaml"
ENVIRON = {
    "STELLWERK_PUBLIC_URL": "http://localhost:8000",
    "STELLWERK_WEBHOOK_URL": "https://hub.demo",
    "STELLWERK_SECRET_KEY": "k" * 40,
    "HUBSPOT_CLIENT_ID": "client",
    "HUBSPOT_CLIENT_SECRET": "very-hidden-secret",
    "HUBSPOT_APP_ID": "77",
}


def run(config: Path, port: int, **environ: str) -> subprocess.CompletedProcess[str]:
    """`stellwerk run` to its end."""
    command = [sys.executable, "-m", "stellwerk", "run", "--config", str(config), "--port", str(port)]
    return subprocess.run(
        command, env={**os.environ, **ENVIRON, **environ}, capture_output=True, text=True, timeout=25, check=False
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


MISTAKES = {
    "who: new,": ("who: nwe,", r"enter\.who"),
    "kind: permission, default: none,": ("kind: permision, default: none,", r"permision"),
    "limits: {doi_mails_per_hour: 1000,": ("limits: {doi_mails_per_hour: many,", r"doi_mails_per_hour"),
}


def test_a_file_with_three_mistakes_shows_all_three_and_starts_nothing(tmp_path: Path) -> None:
    text = SAMPLE.read_text("utf-8")
    places: dict[int, str] = {}
    for right, (wrong, word) in MISTAKES.items():
        assert text.count(right) == 1
        places[text[: text.index(right)].count("\n") + 1] = word
        text = text.replace(right, wrong)
    config = tmp_path / "integration.yaml"
    config.write_text(text, "utf-8")
    port = free_port()
    done = run(config, port)
    assert done.returncode == 1
    assert done.stdout == ""
    problems = re.split(r"(?m)^(?=\S*integration\.yaml:\d+:\d+: )", done.stderr)[1:]
    assert len(problems) == 3, done.stderr
    for problem in problems:
        found = re.match(r"\S*integration\.yaml:(\d+):(\d+): ", problem)
        assert found is not None
        assert re.search(places.pop(int(found[1])), problem), problem
        assert re.search(r"(?m)^\s+expected\s+\S", problem), problem
        assert re.search(r"(?m)^\s+to mend\s+\S", problem), problem
        assert re.search(r"\[[a-z-]+\]", problem), problem
    assert "Traceback" not in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["integration.yaml"]
    with socket.create_server(("127.0.0.1", port)):
        pass  # nobody listens there


def test_the_place_of_each_mistake_is_its_column_too(tmp_path: Path) -> None:
    config = tmp_path / "integration.yaml"
    lines = SAMPLE.read_text("utf-8").replace("who: new,", "who: nwe,").splitlines()
    config.write_text("\n".join(lines) + "\n", "utf-8")
    line = next(number for number, one in enumerate(lines, 1) if "who: nwe" in one)
    done = run(config, free_port())
    found = re.search(r"integration\.yaml:(\d+):(\d+): ", done.stderr)
    assert found is not None, done.stderr
    assert int(found[1]) == line
    assert lines[line - 1][int(found[2]) - 1 :].startswith(("who:", "nwe"))


def test_another_secret_key_is_refused_and_the_database_stays_as_it_was(town: Any) -> None:
    there = town()
    config, environ = there.scene.config, dict(there.scene.environment)
    there.scene.hub.terminate()
    there.scene.hub.wait(20)
    before = (there.scene.folder / "demo.db").read_bytes()
    done = run(config, free_port(), **{**environ, "STELLWERK_SECRET_KEY": "another-key-" * 4})
    assert done.returncode == 1
    assert "sealed with another secret_key" in done.stderr
    assert "Traceback" not in done.stderr
    assert (there.scene.folder / "demo.db").read_bytes() == before
    there.scene.start_hub()
    who = there.visitor("Later")
    who.submits_form(ticks=True)
    there.until("that the right key still opens everything", lambda: who.mails("doi"))


def test_a_second_hub_on_the_same_file_is_refused_and_the_first_goes_on(town: Any) -> None:
    there = town()
    port = free_port()
    done = run(there.scene.config, port, **there.scene.environment)
    assert done.returncode == 1
    assert "is in use by another hub" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(urllib.error.URLError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/health", timeout=2)
    who = there.visitor("Undisturbed")
    who.submits_form(ticks=True)
    there.until("that the first hub works", lambda: who.mails("doi"))


def test_a_hub_that_was_killed_leaves_no_lock_behind(town: Any) -> None:
    there = town()
    there.scene.hub.send_signal(signal.SIGKILL)
    there.scene.hub.wait(20)
    there.scene.start_hub()
    assert there.waiting_for_a_person() == 0


def test_a_hub_refuses_a_request_whose_head_does_not_end(town: Any) -> None:
    port = urllib.parse.urlsplit(town().scene.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=25) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-y: ".ljust(LONGEST_HEAD + 1, b"z"))
        assert line.recv(12) == b"HTTP/1.1 400"
