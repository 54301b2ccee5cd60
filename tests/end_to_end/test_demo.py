"""`stellwerk demo` as a person types it: what it prints, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stellwerk_demo.browser import Browser, Page

pytestmark = pytest.mark.slow
URL = re.compile(r"http://localhost:\d+[^\s]*")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo in a session of its own, its folders below `tmp_path`; whatever is left of it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stellwerk", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    for one in [process.pid, *children_of(process.pid)]:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate(timeout=20)


def children_of(parent: int) -> list[int]:
    """Living processes whose parent this is."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = status.read_text().partition(" (")
        except OSError:
            continue
        state, ppid = rest.rpartition(") ")[2].split()[:2]
        if int(ppid) == parent and state != "Z":
            found.append(int(number))
    return found


def printed(process: subprocess.Popen[str]) -> str:
    """Everything up to its last line."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            return "".join(lines)
    raise AssertionError("ended early:\n" + "".join(lines))


def test_every_url_that_it_prints_answers(demo: subprocess.Popen[str]) -> None:
    urls = {url.rstrip(".,") for url in URL.findall(printed(demo))}
    assert len(urls) >= 5
    assert {url: Browser().open(url).status for url in urls} == dict.fromkeys(urls, 200)


def test_the_address_it_prints_first_leads_to_the_login(demo: subprocess.Popen[str]) -> None:
    first = URL.findall(printed(demo))[0]
    assert any("/login/" in target for target, _ in Browser().open(first).links)


def test_a_port_that_contains_a_portals_number_is_not_taken_for_the_link_to_the_portal() -> None:
    home, choice = "http://localhost:24711/", "http://localhost:24711/oauth/choose?portal=4711"
    page = Page(home, 200, "", [], [(home, "Accounts"), (choice, "Acme")], "")
    assert page.link("4711") == choice


@pytest.mark.parametrize("whom", ["demo", "everybody"])
def test_ctrl_c_ends_all_of_it_within_seconds_and_leaves_no_folder(
    demo: subprocess.Popen[str], tmp_path: Path, whom: str
) -> None:
    """A terminal sends the signal to everybody in the foreground, `kill -INT` to the demo alone."""
    printed(demo)
    started = children_of(demo.pid)
    assert len(started) == 3
    assert list(tmp_path.iterdir()) != []
    began = time.monotonic()
    if whom == "demo":
        demo.send_signal(signal.SIGINT)
    else:
        os.killpg(demo.pid, signal.SIGINT)
    rest, _ = demo.communicate(timeout=20)
    assert demo.returncode == 0, rest
    assert "Traceback" not in rest
    assert time.monotonic() - began < 15
    assert [one for one in started if Path(f"/proc/{one}").exists()] == []
    assert list(tmp_path.iterdir()) == []
