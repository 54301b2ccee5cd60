"""The twin as a program of its own: command line, start and end, and what it imports."""

from __future__ import annotations

import ast
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import stellwerk_maileon.twin
from stellwerk_maileon.twin.__main__ import read_plan

FOLDER = Path(stellwerk_maileon.twin.__file__).parent
FOREIGN = {"msgspec", "litestar", "uvicorn", "jinja2", "httpx"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def test_section_8_of_the_design_the_twin_imports_no_module_of_ours_from_outside() -> None:
    for path in FOLDER.rglob("*.py"):
        for name in imported(path):
            depth = len(path.relative_to(FOLDER).parts)
            inside = name.startswith(".") and len(name) - len(name.lstrip(".")) <= depth
            first = name.split(".")[0]
            assert inside or first in FOREIGN or first in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_exactly_one_module_speaks_http_as_a_client() -> None:
    assert [path.name for path in FOLDER.rglob("*.py") if "httpx" in imported(path)] == ["outgoing.py"]


def test_no_module_is_longer_than_400_lines() -> None:
    assert [path.name for path in FOLDER.rglob("*.py") if len(path.read_text().splitlines()) > 400] == []


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stellwerk_maileon.twin", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has ended by itself; `TimeoutExpired` when it does not."""
    try:
        process.wait(10)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_the_program_prints_one_line_and_ends_even_with_calls_held() -> None:
    process = start("--control-token", "secret-token")
    try:
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "api_url", "control_url", "control_token"}
        assert ready["url"].startswith("http://localhost:")
        assert ready["api_url"] == ready["url"] + "/1.0"
        assert ready["control_url"].startswith("http://127.0.0.1:")
        assert ready["control_token"] == "secret-token"
        headers = {"Authorization": "Basic ZGVtby1rZXktMDEyMzQ1Njc4OQ=="}
        with httpx.Client(trust_env=False, verify=False) as client:
            assert client.get(ready["api_url"] + "/ping", headers=headers).status_code == 200
            control = {"X-Control-Token": "secret-token"}
            client.post(ready["control_url"] + "/faults", json={"kind": "hold"}, headers=control)
            with pytest.raises(httpx.ReadTimeout):
                client.get(ready["api_url"] + "/ping", headers=headers, timeout=0.2)
        process.send_signal(signal.SIGTERM)
    finally:
        finish(process)
    assert process.returncode == 0


def test_section_10_2_retries_of_webhooks_are_unknown_and_come_only_when_asked_for(receiver) -> None:
    target = f"https://hub.test=http://127.0.0.1:{receiver.server.server_port}"
    process = start("--control-token", "secret-token", "--webhook-retries", "1", "--reach", target)
    try:
        ready = json.loads(process.stdout.readline())
        key = {"Authorization": "Basic ZGVtby1rZXktMDEyMzQ1Njc4OQ=="}
        control = {"X-Control-Token": "secret-token"}
        with httpx.Client(trust_env=False, verify=False) as client:
            hook = {"url": "https://hub.test/9001/refuse", "event": "bounce"}
            client.post(ready["api_url"] + "/webhooks", json=hook, headers=key)
            seed = {"account": 9001, "contacts": [{"email": "ada@example.com"}]}
            client.post(ready["control_url"] + "/seed", json=seed, headers=control)
            event = {"account": 9001, "email": "ada@example.com", "event": "bounce"}
            client.post(ready["control_url"] + "/events", json=event, headers=control)
            while not client.get(ready["control_url"] + "/idle", headers=control).json()["idle"]:
                time.sleep(0.05)
            (delivery,) = client.get(ready["control_url"] + "/webhooks", headers=control).json()["webhooks"]
        process.terminate()
    finally:
        finish(process)
    assert (delivery["attempts"], delivery["status"]) == (2, 500)


def test_the_program_ends_with_its_standard_input_when_told_so() -> None:
    process = start("--exit-with-stdin")
    process.stdout.readline()
    process.stdin.close()
    finish(process)
    assert process.returncode == 0


def test_a_port_that_is_taken_is_said_in_one_line(ready) -> None:
    port = ready.url.rpartition(":")[2]
    process = subprocess.run(
        [sys.executable, "-m", "stellwerk_maileon.twin", "--port", port], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith("cannot listen: ")
    assert "Traceback" not in process.stderr


def test_both_loopback_addresses_are_served(ready) -> None:
    port = int(ready.url.rpartition(":")[2])
    for address in ("127.0.0.1", "::1"):
        with socket.create_connection((address, port), timeout=2):
            pass


def test_the_command_line_fills_the_plan() -> None:
    plan, with_stdin = read_plan(
        [
            *("--account", "1:Acme", "--account", "2:Other: shoes"),
            *("--key", "1=abc:def:0123456789", "--key", "2=0123456789ab:GET,POST"),
            *("--doi-mailing", "1=K1:One:default", "--doi-mailing", "2=K9:Two:inactive"),
            *("--reach", "https://hub.demo=http://127.0.0.1:8123/"),
            *("--anonymise-seconds", "0.5", "--bulk-limit", "10", "--zone", "UTC", "--webhook-retries", "2"),
        ]
    )
    assert with_stdin is False
    assert plan.accounts == {1: "Acme", 2: "Other: shoes"}
    assert [(key.key, key.rights) for key in plan.keys] == [
        ("abc:def:0123456789", ("GET", "POST", "PUT", "DELETE")),
        ("0123456789ab", ("GET", "POST")),
    ]
    assert [(m.account, m.key, m.name, m.default, m.active) for m in plan.mailings] == [
        (1, "K1", "One", True, True),
        (2, "K9", "Two", False, False),
    ]
    assert plan.reach == {"https://hub.demo": "http://127.0.0.1:8123"}
    assert (plan.options.anonymise_seconds, plan.options.bulk_limit, plan.webhook_retries) == (0.5, 10, 2)
    assert plan.zone == "UTC"


def test_without_arguments_there_is_one_account_without_a_default_mailing() -> None:
    plan, _ = read_plan([])
    assert plan.accounts == {9001: "Acme Newsletter"}
    assert [key.key for key in plan.keys] == ["demo-key-0123456789"]
    assert [(m.key, m.name, m.default) for m in plan.mailings] == [
        ("K1", "Double opt-in", False),
        ("K2", "Double opt-in Plus", False),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--account", "1"],
        ["--account", "x:y"],
        ["--key", "1=0123456789ab"],
        ["--key", "9001=short"],
        ["--doi-mailing", "9001=K1"],
        ["--doi-mailing", "9001=K1:Name:often"],
        ["--reach", "http://hub.demo=http://127.0.0.1:1"],
        ["--zone", "Middle/Earth"],
        ["--unknown"],
    ],
)
def test_wrong_usage_ends_with_2(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        read_plan(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
