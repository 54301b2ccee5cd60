"""Orders: hold, held, dead, repairs, status - with no hub, and to a hub that has the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import Result

from stellwerk.relay.orders import socket_of
from stellwerk_toys.databases import PostgresDatabase

Run = Callable[..., Result]
Running = Callable[[Path], AbstractContextManager[None]]
Furnished = Callable[..., Path]
NOON = 1_790_000_000.0


@pytest.fixture(params=["no hub", "a hub", "a hub on a server"])
def config(request: pytest.FixtureRequest, furnished: Furnished, running: Running) -> Iterator[Path]:
    """The file of a hub that is not running, of one that is, and of one whose database is on a server."""
    if request.param == "a hub on a server":
        url = PostgresDatabase(request.getfixturevalue("pg_server")).url
        file = furnished(("sqlite:///stellwerk.db ", f"'{url}' "))
    else:
        file = furnished()
    if request.param == "no hub":
        yield file
        return
    with running(file):
        yield file


def told(stellwerk: Run, *arguments: object) -> object:
    return json.loads(stellwerk(*arguments, "--json").output)


def test_hold_is_on_until_it_is_off(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    assert stellwerk("hold", "status", *at).exit_code == 0
    assert stellwerk("hold", "on", "--reason", "a wrong import", *at).exit_code == 0
    status = stellwerk("hold", "status", *at)
    assert (status.exit_code, "[held]: a wrong import" in status.output) == (1, True)
    assert stellwerk("hold", "off", *at).output == "goes on\n"
    assert stellwerk("hold", "off", *at).output == "nothing was held\n"


def test_what_is_held_is_listed_and_discarded(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    listed = stellwerk("held", "list", *at)
    assert listed.exit_code == 1
    assert "acme  too-many-asks  1 enter by import" in listed.output
    wrong = stellwerk("held", "discard", "acme", "too-many-asks", "--origin", "form", *at)
    assert wrong.exit_code != 0
    discarded = stellwerk("held", "discard", "acme", "too-many-asks", "--reason", "a test", *at)
    assert (discarded.output, discarded.exception) == ("1 discarded\n", None)
    assert stellwerk("held", "list", *at).output == "nothing is held\n"
    assert stellwerk("repairs", *at).output == "nothing is to be mended\n"


def test_dead_letters_are_listed_shown_and_dismissed(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    assert "unreachable  1 event (changed) at crm:4711" in stellwerk("dead", "list", *at).output
    shown = stellwerk("dead", "show", "unreachable", *at)
    assert "event 2  changed at crm:4711" in shown.output
    assert stellwerk("dead", "replay", "unreachable", "--number", "2", *at).exit_code == 2
    assert stellwerk("dead", "dismiss", "unreachable", *at).output == "1 dismissed\n"
    assert stellwerk("dead", "list", *at).exit_code == 0


@pytest.mark.parametrize("words", [("replay",), ("dead", "replay")])
def test_a_dead_letter_is_replayed(stellwerk: Run, config: Path, words: tuple[str, ...]) -> None:
    at = ("--config", config)
    assert stellwerk(*words, "unreachable", *at).output == "1 replayed\n"
    assert told(stellwerk, "dead", "list", *at) == []
    again = stellwerk(*words, "unreachable", *at)
    assert "`stellwerk dead list` says what there is" in str(again.exception)


def test_a_preview_of_a_replay_changes_nothing(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    before = told(stellwerk, "dead", "list", *at)
    shown = stellwerk("replay", "unreachable", "--dry-run", *at)
    assert shown.exit_code == 0
    assert shown.output.splitlines()[0] == "event 2 (changed) at crm:4711"
    assert shown.output.splitlines()[-1] == "1 would be replayed; nothing was changed"
    (one,) = json.loads(stellwerk("replay", "unreachable", "--dry-run", "--json", *at).output)["replays"]
    assert one["letters"] == [{"what": "event", "number": 2, "change": "changed"}]
    assert told(stellwerk, "dead", "list", *at) == before


def test_status_says_what_became_of_every_event(stellwerk: Run, config: Path) -> None:
    status = stellwerk("status", "--config", config)
    assert status.exit_code == 1
    assert "2 events acknowledged: 0 waiting, 1 held, 0 delivered, 0 skipped, 1 dead, 0 erased" in status.output
    assert "add up" not in status.output


def test_an_unknown_state_of_affairs_is_refused_with_what_to_do(stellwerk: Run, config: Path) -> None:
    refused = stellwerk("held", "release", "nobody", "old-wish", "--config", config)
    assert refused.exit_code != 0
    assert "stellwerk held list" in str(refused.exception or refused.output)


def test_a_socket_of_a_hub_that_is_gone_is_no_hub(stellwerk: Run, furnished: Furnished, running: Running) -> None:
    file = furnished()
    with running(file):
        socket = socket_of(file.parent / "stellwerk.db")
        assert socket.stat().st_mode & 0o777 == 0o600
    socket.touch()
    assert stellwerk("hold", "on", "--config", file).exit_code == 0


@pytest.mark.parametrize("place", ["a folder", "nowhere"])
def test_a_hub_that_cannot_make_its_socket_works_without_one_and_says_so(
    furnished: Furnished,
    running: Running,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    file = furnished()
    if place == "a folder":
        socket_of(file.parent / "stellwerk.db").mkdir()
    else:
        monkeypatch.setattr(asyncio, "start_unix_server", no_sockets)
    with running(file):
        assert [record.levelname for record in caplog.records if "no orders are taken" in record.message] == ["WARNING"]
    assert socket_of(file.parent / "stellwerk.db").exists() is (place == "a folder")


async def no_sockets(*_: object, **__: object) -> None:
    raise OSError(95, "Operation not supported")


def test_webhooks_get_new_addresses_also_where_they_cannot_be_registered_yet(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    assert told(stellwerk, "connections", "renew-webhooks", "acme", *at) == ["mail:9"]
    again = stellwerk("connections", "renew-webhooks", "acme", *at)
    assert (again.output, again.exit_code) == ("mail:9 has new addresses\n", 0)
    assert stellwerk("connections", "renew-webhooks", "nobody", *at).exit_code != 0


@pytest.mark.parametrize("state", ["watches", "rests", "runs"])
def test_a_connection_is_told_to_run_watch_or_rest(stellwerk: Run, config: Path, state: str) -> None:
    at = ("--config", config)
    before = "rests" if state == "runs" else "runs"
    stellwerk("connections", before, "acme", *at)
    done = stellwerk("connections", state, "acme", *at)
    assert (done.output, done.exit_code) == (f"acme {state}\n", 0)
    assert told(stellwerk, "connections", "list", *at)[0]["state"] == state
    assert stellwerk("connections", state, "nobody", *at).exit_code != 0


def test_one_connection_is_held_and_goes_on(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    held = stellwerk("hold", "on", "--connection", "acme", *at)
    assert held.output == (
        "held: nobody is mailed or granted anything by acme until `stellwerk hold off --connection acme`\n"
    )
    assert "nobody is mailed or granted anything since" in stellwerk("connections", "list", *at).output
    assert stellwerk("hold", "status", *at).exit_code == 0
    assert stellwerk("hold", "off", *at).output == "nothing was held\n"
    assert stellwerk("hold", "off", "--connection", "acme", *at).output == "goes on\n"
    assert told(stellwerk, "connections", "list", *at)[0]["on_hold"] is None
    assert stellwerk("hold", "on", "--connection", "acme", "--reason", "x", *at).exit_code == 2


def test_the_operators_link_is_given_by_the_hub_that_runs_and_where_none_does(stellwerk: Run, config: Path) -> None:
    at = ("--config", config)
    link = stellwerk("operator-link", *at)
    assert link.exit_code == 0
    assert link.output.startswith("https://hub.example/operator/")
    assert told(stellwerk, "operator-link", *at)["seconds"] == 600
