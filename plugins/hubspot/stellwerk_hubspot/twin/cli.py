"""The command line: `python -m stellwerk_hubspot.twin`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec
import uvicorn

from .limits import Limit
from .project import ProjectError, load
from .server import running
from .twin import Options

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """0 after SIGTERM, SIGINT or the end of stdin; 2 for wrong usage or a project that does not validate."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        options = _options(given)
    except ProjectError as problem:
        print(f"project: {problem}", file=sys.stderr)
        return 2
    except ValueError as problem:
        parser.error(str(problem))
    config = uvicorn.Config(_nothing, log_config=None)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        try:
            return runner.run(_serve(options, given))
        except OSError as problem:
            print(f"cannot listen: {problem}", file=sys.stderr)
            return 2


async def _nothing(scope: object, receive: object, send: object) -> None:
    """uvicorn's Config wants an application before it names its event loop."""


async def _serve(options: Options, given: argparse.Namespace) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if given.exit_with_stdin:
        await loop.connect_read_pipe(lambda: _Until(ended), sys.stdin)
    async with running(options, port=given.port, control_port=given.control_port) as twin:
        ready = {"url": twin.url, "control_url": twin.control_url, "control_token": twin.control_token}
        print(msgspec.json.encode(ready).decode(), flush=True)
        await ended.wait()
    return 0


class _Until(asyncio.Protocol):
    """Sets an event when the other end of the pipe closes."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


def _options(given: argparse.Namespace) -> Options:
    """ValueError or ProjectError for what cannot be."""
    portals = tuple(_portal(text) for text in given.portal) or Options().portals
    tokens = dict(_pair(text, "--static-token", "TOKEN=PORTAL") for text in given.static_token)
    static = {token: int(portal) for token, portal in tokens.items()}
    known = {number for number, _ in portals}
    if strange := set(static.values()) - known:
        raise ValueError(f"--static-token: no portal {sorted(strange)[0]}")
    reach = dict(_pair(text, "--reach", "https://HOST=http://127.0.0.1:PORT") for text in given.reach)
    if not str(given.app_id).isdecimal():
        raise ValueError("--app-id is a number")
    return Options(
        portals=portals,
        project=load(Path(given.project)) if given.project else None,
        client_id=given.client_id,
        client_secret=given.client_secret,
        app_id=given.app_id,
        reach={named.rstrip("/"): target.rstrip("/") for named, target in reach.items()},
        static_tokens=static,
        limit=Limit.parse(given.limit),
        retry_seconds=given.retry_seconds,
        token_seconds=given.token_seconds,
        code_seconds=given.code_seconds,
        search_lag_seconds=given.search_lag_seconds,
        cookie_sharing=not given.no_cookie_sharing,
        rotate_refresh_tokens=given.rotate_refresh_tokens,
        control_token=given.control_token,
        seed=given.seed,
    )


def _portal(text: str) -> tuple[int, str]:
    number, _, name = text.partition(":")
    if not number.isdecimal() or not name:
        raise ValueError(f"--portal {text}: write ID:NAME")
    return int(number), name


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    left, found, right = text.partition("=")
    if not found or not left or not right:
        raise ValueError(f"{option} {text}: write {form}")
    return left, right


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stellwerk_hubspot.twin", description="A strict simulator of HubSpot.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="of the vendor; 0 takes a free one")
    add("--control-port", type=int, default=0, help="of the control API; 0 takes a free one")
    add("--control-token", default="", help="random when absent")
    add("--project", help="folder with hsproject.json")
    add("--client-id", default="", help="random when absent, shown on the front page")
    add("--client-secret", default="", help="random when absent, shown on the front page")
    add("--app-id", default="1234567")
    add("--reach", action="append", default=[], metavar="https://HOST=http://127.0.0.1:PORT")
    add("--portal", action="append", default=[], metavar="ID:NAME", help="repeatable; 4711:Acme GmbH, 4712:Beta AG")
    add("--static-token", action="append", default=[], metavar="TOKEN=PORTAL", help="repeatable")
    add("--limit", default="190/10", metavar="N/SECONDS")
    add(
        "--retry-seconds",
        type=float,
        help="until a webhook is repeated, then growing by half; default spreads ten over 24 hours",
    )
    add("--token-seconds", type=float, default=1800.0)
    add("--code-seconds", type=float, default=60.0)
    add("--search-lag-seconds", type=float, default=3.0)
    add("--no-cookie-sharing", action="store_true", help="forms always create a contact for a new address")
    add("--rotate-refresh-tokens", action="store_true", help="a refresh returns another refresh token")
    add("--seed", type=int, help="of shuffles, delays and jitter")
    add("--exit-with-stdin", action="store_true")
    return parser
