"""Node-RED: a flow that stores each body and answers then. It keeps nothing by itself; its documented SQLite node does."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from stellwerk_bench.peers import room
from stellwerk_bench.peers.serving import served
from stellwerk_demo.scene import _free_port

PATH, PLAIN = "/hook", "/plain"
SETTINGS = "Node-RED {version}, Node.js 24, NODE_ENV=production, editor off; http in → function → sqlite (prepared insert, file in WAL mode) → http response"


def flow(database: Path) -> list[dict[str, Any]]:
    """As the editor exports one."""
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {"id": "db", "type": "sqlitedb", "db": str(database), "mode": "RWC"},
        {"id": "in", "z": "tab", "type": "http in", "url": PATH, "method": "post", "upload": False, "wires": [["fn"]]},
        {
            "id": "fn", "z": "tab", "type": "function", "outputs": 1, "wires": [["sql"]],
            "func": "msg.params = {$body: JSON.stringify(msg.payload)}; return msg;",
        },
        {
            "id": "sql", "z": "tab", "type": "sqlite", "mydb": "db", "sqlquery": "prepared", "name": "",
            "sql": "insert into hook (body) values ($body)", "wires": [["out"]],
        },
        {"id": "in2", "z": "tab", "type": "http in", "url": PLAIN, "method": "post", "upload": False, "wires": [["out"]]},
        {"id": "out", "z": "tab", "type": "http response", "statusCode": "200", "headers": {}, "wires": []},
    ]  # fmt: skip


@contextmanager
def node_red() -> Iterator[tuple[tuple[int, str, int], str]]:
    """`((port, path, process), settings)` of one that answers. Raises `Absent`."""
    folder = room.node_with("node-red", room.PRIVATE, "node-red", "node-red-node-sqlite")
    environment = {**room.node_environment(), "NODE_ENV": "production"}
    version = json.loads((folder / "node_modules/node-red/package.json").read_text())["version"]
    with tempfile.TemporaryDirectory(prefix="stellwerk-bench-") as name:
        user = Path(name)
        with closing(sqlite3.connect(user / "hooks.db")) as database:
            database.execute("pragma journal_mode=wal")
            database.execute("create table hook (id integer primary key, body text not null)")
        port = _free_port()
        settings = {
            "uiHost": "127.0.0.1",
            "uiPort": port,
            "httpAdminRoot": False,
            "apiMaxLength": "5mb",
            "flowFile": "flows.json",
        }
        settings |= {
            "logging": {"console": {"level": "warn"}},
            "nodesDir": str(folder / "node_modules/node-red-node-sqlite"),
        }
        (user / "settings.js").write_text(f"module.exports = {json.dumps(settings)}", "utf-8")
        (user / "flows.json").write_text(json.dumps(flow(user / "hooks.db")), "utf-8")
        command = [
            str(folder / "node_modules/.bin/node-red"),
            "--userDir",
            str(user),
            "--settings",
            str(user / "settings.js"),
        ]
        with (
            (user / "log").open("w") as log,
            served(
                subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log), port, PATH, user / "log"
            ) as process,
        ):
            yield (port, PATH, process.pid), SETTINGS.format(version=version)
