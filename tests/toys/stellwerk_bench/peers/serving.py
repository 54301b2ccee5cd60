"""A peer's server, from its start until it takes a webhook, and its end."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stellwerk_bench.peers.room import Absent

START_SECONDS = 240.0


@contextmanager
def served(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process once a POST to `path` is answered with a 2xx. Raises `Absent`, with the last it said."""
    try:
        _wait(process, port, path, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end, last = time.monotonic() + START_SECONDS, ""
    while time.monotonic() < end and process.poll() is None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", b'{"ready": true}', {"Content-Type": "application/json"}
        )
        try:
            with opener.open(request, timeout=10) as answer:
                if 200 <= answer.status < 300:
                    return
        except urllib.error.HTTPError as error:
            with error:
                last = f"{error.code}"
        except OSError as error:
            last = type(error).__name__
        time.sleep(0.5)
    said = " ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
    raise Absent(f"did not take a webhook within {START_SECONDS:.0f} s ({last}): {said[-300:]}")
