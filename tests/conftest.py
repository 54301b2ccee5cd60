"""What every test may ask for. `make test-all` sets STELLWERK_TEST_ALL: then nothing may be left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EVERYTHING = "STELLWERK_TEST_ALL" in os.environ

# Shared machines are slow now and then; a deadline would report the neighbour.
settings.register_profile("stellwerk", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("stellwerk")


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
ONE_WORKER = ("test_bad_answers.py", "test_bad_webhooks.py")
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
