"""What every test may ask for. `make test-all` sets STELLWERK_TEST_ALL: then nothing may be left out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EVERYTHING = "STELLWERK_TEST_ALL" in os.environ
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 2**30

# Shared machines are slow now and then; a deadline would report the neighbour.
settings.register_profile("stellwerk", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("stellwerk")


def pytest_configure() -> None:
    """Databases of tests lie in memory where there is room: a killed process loses nothing there, and no disk is waited for."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ.setdefault("TMPDIR", str(MEMORY))
        tempfile.tempdir = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not EVERYTHING:
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes long; make test-all runs it"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's chromium; the test is left out where it is missing, and fails under `make test-all`."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def pg_server() -> Iterator[Any]:
    """A PostgreSQL of this session's own; the test is left out where it is missing, and fails under `make test-all`."""
    from stellwerk_toys.pg_server import programs, running

    if programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with running() as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if EVERYTHING and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"left out although everything is asked for: {report.longrepr}"
    return report


# Tests that share running programs; on two workers each would start its own.
ONE_WORKER = ("test_bad_answers.py", "test_bad_webhooks.py", "test_behaviour.py", "test_other_readings.py")
ONE_WORKER_A_PARAMETER = ("test_story.py",)


def scope_of(nodeid: str) -> str:
    """What must run on one worker with this test; the test alone for most."""
    path, _, rest = nodeid.partition("::")
    name = path.rpartition("/")[2]
    if name in ONE_WORKER:
        return path
    return f"{path}[{rest.partition('[')[2]}" if name in ONE_WORKER_A_PARAMETER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadgroup`: pytest-xdist 3.8 hands groups over in node ids, where pytest 9.2 no longer lets it write."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return Together(config, log)
