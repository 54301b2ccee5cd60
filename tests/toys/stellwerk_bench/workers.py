"""workers: what a second process brings that reads and decides, on one PostgreSQL, with two portals to be drained."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from stellwerk.store.vault import Vault
from stellwerk_bench import machine
from stellwerk_bench.figures import Line, Series, Verdict
from stellwerk_bench.posted import requests
from stellwerk_bench.posting import Client
from stellwerk_bench.scene import BenchScene, people, until
from stellwerk_demo.scene import HOOK_HOST
from stellwerk_toys.pg_server import DURABLE, Server, running

CONTACTS, EVENTS_A_CONTACT, ROUNDS = 2_000, 5, 3
OTHER_PORTAL = 4799
PATIENCE_SECONDS = 1_200.0


def measured(scale: float) -> Line:
    """Events a second that are read and decided on, by one worker process and by two, the same events each time."""
    contacts = max(200, int(CONTACTS * scale))
    rates: dict[int, list[float]] = {1: [], 2: []}
    cores: dict[int, dict[str, float]] = {}
    with running(DURABLE) as server:
        schema = server.new_schema()
        with BenchScene(database=server.url(schema)) as scene:
            for portal in (scene.cast.portal, OTHER_PORTAL):
                scene.cast = replace(scene.cast, portal=portal)
                scene.ids = []
                scene.seed(people(contacts, start=portal * 1_000_000))
                scene.connect()
                _one_event(scene)
                _multiply(server, schema, scene, portal)
            scene.stop_hub()
            events = contacts * EVENTS_A_CONTACT * 2
            for number_ in range(ROUNDS * 2):
                count = number_ % 2 + 1
                _wait_again(server, schema)
                with _workers(scene, count) as processes:
                    until(lambda: _waiting(server, schema) < events, PATIENCE_SECONDS, 0.02)
                    left = _waiting(server, schema)
                    used, began = (
                        machine.Used({**processes, "HubSpot twin": scene.hubspot.process.pid}),
                        time.perf_counter(),
                    )
                    until(lambda: not _waiting(server, schema), PATIENCE_SECONDS, 0.05)
                    seconds = time.perf_counter() - began
                    cores[count] = used.cores(seconds)
                rates[count].append(left / seconds)
    series = [
        Series(
            subject=f"{count} worker process{'es' if count > 1 else ''}",
            rounds=rates[count],
            settings=f"--role worker, PostgreSQL, two portals; cores in use, last round: {machine.told(cores[count])}",
        )
        for count in rates
    ]
    one, two = (each.median for each in series)
    return Line(
        name="workers",
        title="Scaling over worker processes",
        what=f"{events:,} waiting events of {contacts * 2:,} contacts in two portals, from the first that was decided on until none waits",
        unit="events/s",
        better="higher",
        series=series,
        verdicts=[
            Verdict(
                aim="twice as much with two processes (ideal)",
                found=f"{two / one:.2f} times, {two / one / 2:.0%} of ideal",
                met=two >= 1.9 * one,
                why="This machine has two cores, and the database, the twin and both workers share them; and all writes of a"
                " database go one after the other under one lock.",
            )
        ],
        limits="the machine's two cores: two workers, the server and the twin want more; then the one lock under which all write",
    )  # fmt: skip


def _one_event(scene: BenchScene) -> None:
    secret, app = (scene.environment[name] for name in ("HUBSPOT_CLIENT_SECRET", "HUBSPOT_APP_ID"))
    made = requests(
        1, secret=secret, base_url=HOOK_HOST, portal=scene.cast.portal, app=int(app), events=1, start=scene.cast.portal
    )
    Client(scene.port).send(list(made))  # fmt: skip


def _multiply(server: Server, schema: str, scene: BenchScene, portal: int) -> None:
    """The event that came, of each contact of the portal several times, ended for now."""
    vault = Vault(scene.secret_key)
    with server.connected(schema) as connection:
        columns = "account, subject, kind, body, occurred, received, class, due"
        account = f"crm:{portal}"
        rows = connection.execute("select id, data_key from account where id like %s", (f"crm:%{portal}",)).fetchall()
        (account, key) = rows[0]
        vault.use_account_key(account, bytes(key))
        found = connection.execute(
            f"select {columns} from inbox where account = %s and body is not null limit 1".encode(), (account,)
        ).fetchone()
        assert found is not None
        signal = json.loads(vault.open(account, bytes(found[3])))

        def copies() -> Iterator[tuple[object, ...]]:
            for number_ in range(len(scene.ids) * EVENTS_A_CONTACT):
                one = scene.ids[number_ % len(scene.ids)]
                told = {**signal, "ref": {**signal["ref"], "value": one}, "key": f"bench/{number_}"}
                yield (
                    account,
                    f"id:{one}",
                    found[2],
                    vault.seal(account, json.dumps(told).encode()),
                    *found[4:],
                    told["key"],
                )

        connection.cursor().executemany(
            f"insert into inbox ({columns}, dedup, state) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'held')".encode(),
            list(copies()),
        )


def _wait_again(server: Server, schema: str) -> None:
    server.ask(
        "update inbox set state = 'waiting', ended = null, attempts = 0, code = '' where dedup like 'bench/%'", schema
    )
    server.ask("update lease set wake = 0", schema)


def _waiting(server: Server, schema: str) -> int:
    try:
        return int(server.ask("select count(*) from inbox where state = 'waiting'", schema)[0][0])
    except psycopg.OperationalError:
        return 1


@contextmanager
def _workers(scene: BenchScene, count: int) -> Iterator[dict[str, int]]:
    """So many processes, by name."""
    command = [
        sys.executable,
        "-m",
        "stellwerk",
        "run",
        "--config",
        str(scene.config),
        "--role",
        "worker",
        "--port",
        "0",
    ]
    with (scene.folder / "workers.log").open("a") as log:
        running_ = [
            subprocess.Popen(command, env=scene.environment, cwd=scene.folder, stdout=log, stderr=log)
            for _ in range(count)
        ]
    try:
        yield {f"worker {number_ + 1}": one.pid for number_, one in enumerate(running_)}
    finally:
        for one in running_:
            one.terminate()
        for one in running_:
            one.wait(60)
