"""memory: what a hub takes while 10,000 and while 1,000,000 events wait, and how fast it drains them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from stellwerk.store.vault import Vault
from stellwerk_bench import machine
from stellwerk_bench.figures import Line, Series, Verdict, number
from stellwerk_bench.posted import requests
from stellwerk_bench.posting import Client
from stellwerk_bench.scene import PORTAL, BenchScene, people
from stellwerk_demo.scene import HOOK_HOST

FEW, MANY = 10_000, 1_000_000
EVENTS_A_CONTACT = 10
WATCHED_SECONDS = 60.0
COLUMNS = ("account", "dedup", "subject", "kind", "body", "occurred", "received", "class", "due")


def measured(scale: float) -> Line:
    """The largest resident memory within a minute after the start, while the hub drains what waits."""
    found: dict[int, float] = {}
    rates: dict[int, float] = {}
    counts = (FEW, max(FEW * 2, int(MANY * scale)))
    seconds = WATCHED_SECONDS if scale >= 1 else max(10.0, WATCHED_SECONDS * scale * 4)
    for count in counts:
        found[count], rates[count] = _largest(count, seconds)
    few, many = (found[count] for count in counts)
    return Line(
        name="memory",
        title="Memory",
        what=f"largest resident memory of the hub within {seconds:.0f} s of its start, while it drains",
        unit="MiB",
        better="lower",
        series=[
            Series(subject=f"{count:,} events waiting", rounds=[found[count]], settings=f"{EVENTS_A_CONTACT} events a contact, SQLite; {number(rates[count])} events/s were decided on meanwhile")
            for count in counts
        ],
        verdicts=[
            Verdict(
                aim="no more than 1.5 times that of 10,000",
                found=f"{many / few:.2f} times",
                met=many <= 1.5 * few,
                why="What is read at once grew with the backlog.",
            )
        ],
        limits="the modules that are loaded and SQLite's cache: a hub takes no more of the backlog than the contacts of one call",
    )  # fmt: skip


def _largest(count: int, seconds: float) -> tuple[float, float]:
    """MiB, and events a second that were decided on."""
    with BenchScene() as scene:
        scene.seed(people(count // EVENTS_A_CONTACT))
        scene.connect()
        secret, app = (scene.environment[name] for name in ("HUBSPOT_CLIENT_SECRET", "HUBSPOT_APP_ID"))
        (one,) = requests(1, secret=secret, base_url=HOOK_HOST, portal=PORTAL, app=int(app), events=1)
        Client(scene.port).send([one])
        scene.stop_hub()
        _multiply(scene, count)
        scene.start_hub()
        process = scene.processes()["hub"]
        began, largest = time.monotonic(), 0.0
        while time.monotonic() - began < seconds:
            largest = max(largest, machine.memory_mib(process))
            time.sleep(0.05)
        (left,) = scene.rows("select count(*) from inbox where state = 'waiting'")[0]
    return largest, (count - left) / seconds


def _multiply(scene: BenchScene, count: int) -> None:
    """The one event that came, as often as asked for, of the portal's contacts in turn, sealed as the hub seals."""
    vault = Vault(scene.secret_key)
    with closing(sqlite3.connect(scene.folder / "demo.db")) as database, database:
        database.row_factory = sqlite3.Row
        template = dict(
            database.execute(f"select {', '.join(COLUMNS)} from inbox where body is not null limit 1").fetchone()
        )
        account = template["account"]
        (key,) = database.execute("select data_key from account where id = ?", (account,)).fetchone()
        vault.use_account_key(account, key)
        signal = json.loads(vault.open(account, template["body"]))

        def rows() -> Iterator[dict[str, object]]:
            for number_ in range(count):
                one = scene.ids[number_ % len(scene.ids)]
                told = {**signal, "ref": {**signal["ref"], "value": one}, "key": f"bench/{number_}"}
                body = vault.seal(account, json.dumps(told).encode())
                yield {**template, "dedup": told["key"], "subject": f"id:{one}", "body": body}

        names = ", ".join(f":{name}" for name in COLUMNS)
        database.executemany(f"insert into inbox ({', '.join(COLUMNS)}) values ({names})", rows())
        database.execute("update lease set wake = 0")
