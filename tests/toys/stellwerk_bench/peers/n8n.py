"""n8n: a workflow with a Webhook node that answers at once, on PostgreSQL, with what its documentation sets for production."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stellwerk_bench.peers import room
from stellwerk_bench.peers.room import Absent
from stellwerk_bench.peers.serving import served
from stellwerk_demo.scene import _free_port
from stellwerk_toys.pg_server import DURABLE, running

PATH = "/webhook/hook"
# One of its dependencies is named by an address outside of the registry; the registry has another version of it, which
# nothing uses on the way of a webhook.
PACKAGE = '{"private": true, "overrides": {"xlsx": "0.18.5"}}'
SETTINGS = (
    "n8n {version}, Node.js 24, one main process (its queue mode wants Redis), PostgreSQL, Webhook node that responds immediately,"
    " executions saved, pruned, editor and telemetry off"
)
WORKFLOW = {
    "id": "bench000000000001",
    "name": "bench",
    "active": True,
    "settings": {"executionOrder": "v1"},
    "connections": {},
    "nodes": [
        {
            "id": "3f1d3a52-0d5f-4f6e-9c57-000000000001",
            "name": "Webhook",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "position": [0, 0],
            "webhookId": "3f1d3a52-0d5f-4f6e-9c57-000000000002",
            "parameters": {"path": "hook", "httpMethod": "POST", "responseMode": "onReceived", "options": {}},
        }
    ],
}


@contextmanager
def n8n() -> Iterator[tuple[tuple[int, str, int], str]]:
    """`((port, path, process), settings)` of one that answers. Raises `Absent`."""
    folder = room.node_with("n8n", PACKAGE, "n8n", scripts=False)
    version = json.loads((folder / "node_modules/n8n/package.json").read_text())["version"]
    with tempfile.TemporaryDirectory(prefix="stellwerk-bench-") as name, running(DURABLE, _free_port()) as server:
        user, port = Path(name), _free_port()
        environment = {
            **room.node_environment(),
            "NODE_ENV": "production",
            "N8N_USER_FOLDER": name,
            "N8N_PORT": str(port),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_DISABLE_UI": "true",
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_PERSONALIZATION_ENABLED": "false",
            "N8N_PAYLOAD_SIZE_MAX": "16",
            "EXECUTIONS_DATA_PRUNE": "true",
            "DB_TYPE": "postgresdb",
            "DB_POSTGRESDB_HOST": "127.0.0.1",
            "DB_POSTGRESDB_PORT": str(server.port),
            "DB_POSTGRESDB_USER": "postgres",
            "DB_POSTGRESDB_DATABASE": "postgres",
        }
        program = str(folder / "node_modules/.bin/n8n")
        (user / "workflow.json").write_text(json.dumps([WORKFLOW]), "utf-8")
        for command in (
            ["import:workflow", f"--input={user / 'workflow.json'}"],
            ["publish:workflow", f"--id={WORKFLOW['id']}"],
        ):
            done = subprocess.run(
                [program, *command], cwd=user, env=environment, capture_output=True, text=True, timeout=600, check=False
            )
            if done.returncode:
                raise Absent(f"{command[0]}: {' '.join((done.stderr or done.stdout).split())[-300:]}")
        with (
            (user / "log").open("w") as log,
            served(
                subprocess.Popen([program, "start"], cwd=user, env=environment, stdout=log, stderr=log),
                port,
                PATH,
                user / "log",
            ) as process,
        ):
            yield (port, PATH, process.pid), SETTINGS.format(version=version)
