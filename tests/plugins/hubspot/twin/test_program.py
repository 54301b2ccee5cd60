"""The program: its command line, its one line of output, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def program(*arguments: str, stdin: int | None = None) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "stellwerk_hubspot.twin", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=stdin, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_prints_one_line_when_ready_and_ends_on_a_signal(number: signal.Signals) -> None:
    with program("--static-token", "pat-1=4711", "--control-token", "c") as process:
        line = ready(process)
        assert line.keys() == {"url", "control_url", "control_token"}
        assert line["url"].startswith("http://localhost:")
        assert line["control_url"].startswith("http://127.0.0.1:")
        assert line["control_token"] == "c"
        request = urllib.request.Request(
            f"{line['url']}/crm/objects/2026-09/contacts", headers={"Authorization": "Bearer pat-1"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert json.load(answer) == {"results": []}
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_program_ends_with_its_stdin() -> None:
    with program("--exit-with-stdin", stdin=subprocess.PIPE) as process:
        ready(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0
        process.stdin = None


def test_program_ends_while_it_holds_a_call_and_a_connection() -> None:
    with program("--static-token", "pat-1=4711", "--control-token", "c") as process:
        line = ready(process)
        fault = urllib.request.Request(
            f"{line['control_url']}/faults",
            data=b'{"name":"h","kind":"hold"}',
            headers={"X-Control-Token": "c"},
        )
        urllib.request.urlopen(fault, timeout=5).close()
        waiting = subprocess.Popen([sys.executable, "-c", f"import urllib.request as r; r.urlopen('{line['url']}/x')"],
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        holds = urllib.request.Request(f"{line['control_url']}/holds", headers={"X-Control-Token": "c"})
        while True:
            with urllib.request.urlopen(holds, timeout=5) as answer:
                if json.load(answer):
                    break
            time.sleep(0.01)
        process.terminate()
        assert process.wait(5) == 0
        waiting.wait(5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--project", "/nowhere"], "hsproject.json"),
        (["--portal", "x"], "ID:NAME"),
        (["--static-token", "x"], "TOKEN=PORTAL"),
        (["--static-token", "x=1"], "no portal 1"),
        (["--reach", "x"], "--reach"),
        (["--app-id", "x"], "number"),
        (["--nope"], "--nope"),
    ],
)
def test_program_exits_2_with_a_clear_error(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from stellwerk_hubspot.twin.cli import main

    try:
        code: object = main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert words in capsys.readouterr().err


def test_program_tells_a_port_that_is_taken() -> None:
    with program() as first:
        port = ready(first)["url"].rpartition(":")[2]
        with program("--port", port) as second:
            assert second.wait(10) == 2
            assert second.stderr is not None
            assert "cannot listen" in second.stderr.read()
