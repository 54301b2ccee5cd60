"""Hub and both twins as processes on free loopback ports, with a throw-away database."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ruamel.yaml import YAML

__all__ = ["HOOK_HOST", "Cast", "Scene", "SceneError", "Twin"]

HOOK_HOST = "https://hub.demo"
START_SECONDS = 30.0
TIMEOUT_SECONDS = 2
PORTS = range(20_000, 32_000)
KEY = "demo-key-0123456789"
STATIC_TOKEN = "pat-na1-demo-watcher"


class SceneError(Exception):
    """Something did not start; the message says what and shows what it printed."""


@dataclass(frozen=True)
class Cast:
    """Who and what is in the scene; a drawn one proves that no name is built in.

    `rename` maps property names of integration.yaml to others, `stages` is the portal's order by internal value.
    `mails_per_hour` and `mail_calls_per_second` are what the file says, where it is another file than the sample.
    """

    portal: int = 4711
    portal_name: str = "Acme GmbH"
    mailing: str = "K1"
    mailing_plus: str = "K2"
    rename: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[tuple[str, str], ...] = ()
    language: str = "en"
    names: tuple[str, ...] = ("Ada", "Lovelace", "Ben", "Nein", "Bea", "Box", "Cem", "Kill")
    move: tuple[str, str] = ("lead", "marketingqualifiedlead")
    mails_per_hour: int | None = None
    mail_calls_per_second: float | None = None


class Twin:
    """A running twin and its control API (faults, and the moment of a kill)."""

    def __init__(self, name: str, process: subprocess.Popen[str], ready: Mapping[str, str]) -> None:
        self.name = name
        self.process = process
        self.url = ready["url"]
        self._control = ready["control_url"]
        self._token = ready["control_token"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API; JSON in, JSON out."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Control-Token": self._token, "Content-Type": "application/json"}
        request = urllib.request.Request(self._control + path, data, headers, method=method)
        with _opener().open(request, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class Scene:
    """Start with `with Scene(cast) as scene:`; everything it started has ended afterwards, and its folder is gone."""

    def __init__(self, cast: Cast, *, port: int | None = None) -> None:
        self.cast = cast
        self._folder = tempfile.TemporaryDirectory(prefix="stellwerk-demo-")
        self.folder = Path(self._folder.name)
        self.port = port or _free_port()
        self.url = f"http://localhost:{self.port}"
        self.config = self.folder / "integration.yaml"
        self._hubspot_port, self._maileon_port = _free_port(), _free_port()
        self.secret_key = secrets.token_hex(32)
        self.environment = {
            **os.environ,
            "STELLWERK_PUBLIC_URL": self.url,
            "STELLWERK_WEBHOOK_URL": HOOK_HOST,
            "STELLWERK_SECRET_KEY": self.secret_key,
            "HUBSPOT_CLIENT_ID": "demo-client-" + secrets.token_hex(4),
            "HUBSPOT_CLIENT_SECRET": secrets.token_hex(16),
            "HUBSPOT_APP_ID": str(1000000 + secrets.randbelow(8999999)),
        }
        self.webhook_disorder: dict[str, Any] = {"duplicates": 0.0, "reorder_seconds": [0, 0], "lose": 0.0}
        self.hub: subprocess.Popen[str] | None = None
        self.hubspot: Twin
        self.maileon: Twin
        self._twins: list[Twin] = []

    def __enter__(self) -> Self:
        try:
            self._write_config()
            self._start_twins()
            self.start_hub()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        processes = [twin.process for twin in self._twins] + ([self.hub] if self.hub is not None else [])
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._folder.cleanup()

    def start_hub(self) -> None:
        """Start the hub on the scene's database and wait until it can work."""
        log = self.folder / "hub.log"
        with log.open("a") as output:
            self.hub = subprocess.Popen(
                [sys.executable, "-m", "stellwerk", "run", "--config", str(self.config), "--port", str(self.port)],
                env=self.environment, cwd=self.folder, stdout=output, stderr=output, text=True,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.hub.poll() is not None:
                raise SceneError(f"the hub ended with {self.hub.returncode}:\n{log.read_text()[-4000:]}")
            try:
                with _opener().open(f"{self.url}/health/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise SceneError(f"the hub was not ready after {START_SECONDS:.0f} s:\n{log.read_text()[-4000:]}")

    def kill_hub(self) -> None:
        """kill -9."""
        assert self.hub is not None
        self.hub.send_signal(signal.SIGKILL)
        self.hub.wait(10)

    def command(self, *words: str) -> str:
        """What a command of `stellwerk` says, beside the running hub."""
        command = [sys.executable, "-m", "stellwerk", *words, "--config", str(self.config)]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    def explain(self, who: str) -> str:
        return self.command("explain", who)

    @property
    def hub_log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def property(self, name: str) -> str:
        """A property's internal name in this scene."""
        return self.cast.rename.get(name, name)

    def _write_config(self) -> None:
        yaml = YAML()
        text = _sample()
        for old, new in self.cast.rename.items():
            text = text.replace(f"name: {old},", f"name: {new},")
        document = yaml.load(text)
        document["hub"]["database"] = "sqlite:///demo.db"
        document["hub"]["webhook_url"] = "env:STELLWERK_WEBHOOK_URL"
        hubspot, maileon = f"http://localhost:{self._hubspot_port}", f"http://localhost:{self._maileon_port}/1.0"
        document["systems"]["crm"].update(api_url=hubspot, app_url=hubspot, timeout_seconds=TIMEOUT_SECONDS)
        document["systems"]["mail"].update(api_url=maileon, timeout_seconds=TIMEOUT_SECONDS)
        if self.cast.mails_per_hour is not None:
            document["limits"]["doi_mails_per_hour"] = self.cast.mails_per_hour
        if self.cast.mail_calls_per_second is not None:
            document["systems"]["mail"]["calls_per_second"] = self.cast.mail_calls_per_second
        with self.config.open("w") as output:
            yaml.dump(document, output)

    def _start_twins(self) -> None:
        project = self.folder / "project"
        command = [sys.executable, "-m", "stellwerk", "hubspot", "project", "--config", str(self.config), str(project)]
        made = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        if made.returncode:
            raise SceneError(f"stellwerk hubspot project:\n{made.stdout}{made.stderr}")
        reach = ["--reach", f"{HOOK_HOST}=http://127.0.0.1:{self.port}", "--exit-with-stdin"]
        app = [
            "--project", str(project), "--client-id", self.environment["HUBSPOT_CLIENT_ID"],
            "--client-secret", self.environment["HUBSPOT_CLIENT_SECRET"], "--app-id", self.environment["HUBSPOT_APP_ID"],
        ]  # fmt: skip
        portal = [
            "--portal", f"{self.cast.portal}:{self.cast.portal_name}", "--portal", "4799:Beta AG",
            "--static-token", f"{STATIC_TOKEN}={self.cast.portal}",
        ]  # fmt: skip
        mailings = [
            "--doi-mailing", f"9001={self.cast.mailing}:Double opt-in", "--doi-mailing", f"9001={self.cast.mailing_plus}:Double opt-in Plus",
        ]  # fmt: skip
        self.hubspot = self._start_twin(
            "hubspot", [*app, *portal, *reach, "--port", str(self._hubspot_port), "--retry-seconds", "0.5"]
        )
        keys = ["--account", "9001:Acme Newsletter", "--key", f"9001={KEY}", "--anonymise-seconds", "1"]
        self.maileon = self._start_twin("maileon", [*keys, *mailings, *reach, "--port", str(self._maileon_port)])
        if self.cast.stages:
            stages = [
                {"value": value, "label": label, "displayOrder": n} for n, (value, label) in enumerate(self.cast.stages)
            ]
            self.hubspot.control("POST", f"/portals/{self.cast.portal}", {"stages": stages})

    def _start_twin(self, name: str, arguments: list[str]) -> Twin:
        log = self.folder / f"{name}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "stellwerk", "twin", name, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=self.folder,
            )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SceneError(f"the {name} twin ended with {process.wait(10)}:\n{log.read_text()[-4000:]}")
        twin = Twin(name, process, json.loads(line))
        self._twins.append(twin)
        return twin


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _free_port() -> int:
    """A port that nobody listens on, below those that a machine gives to outgoing calls: it is taken a moment later."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _sample() -> str:
    """integration.yaml: put into this package by the build, at the root of the repository in an editable install."""
    packaged = files("stellwerk_demo") / "integration.yaml"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).resolve().parents[2] / "integration.yaml").read_text(encoding="utf-8")
