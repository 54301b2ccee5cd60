"""The command line: `python -m stellwerk_maileon.twin --port N ...`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from .account import Options
from .keys import METHODS, Key
from .serving import DoiMailing, Plan, announce, serve

ACCOUNT = "9001:Acme Newsletter"
KEY = "9001=demo-key-0123456789"
MAILINGS = ("9001=K1:Double opt-in", "9001=K2:Double opt-in Plus")


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="python -m stellwerk_maileon.twin", description="A strict simulator of Maileon's REST API 1.0 on loopback."
    )
    add = arguments.add_argument
    add("--port", type=int, default=0, help="API and pages; 0 takes a free port")
    add("--control-port", type=int, default=0, help="control API; 0 takes a free port")
    add("--control-token", default=None, help="expected in X-Control-Token; random when absent")
    add("--reach", action="append", default=[], metavar="https://HOST=http://127.0.0.1:PORT")
    add("--account", action="append", default=[], metavar="ID:NAME", help=f"default {ACCOUNT}")
    add("--key", action="append", default=[], metavar="ACCOUNT=KEY[:GET,POST,PUT,DELETE]", help=f"default {KEY}")
    add("--doi-mailing", action="append", default=[], metavar="ACCOUNT=KEY:NAME[:default][:inactive]")
    add("--anonymise-seconds", type=float, default=2.0, help="until an unsubscribed contact cannot be read any more")
    add("--bulk-limit", type=int, default=1000, help="contacts in one bulk call; more are answered 413")
    add("--zone", default="Europe/Berlin", help="zone of the account's times")
    add("--webhook-retries", type=int, default=0, help="further attempts of a webhook call; unknown of Maileon")
    add("--exit-with-stdin", action="store_true", help="end when standard input does")
    return arguments


def read_plan(argv: Sequence[str] | None) -> tuple[Plan, bool]:
    """The plan and whether to end with standard input; wrong usage exits with 2."""
    arguments = parser()
    given = arguments.parse_args(argv)
    try:
        accounts = dict(read_account(text) for text in given.account or [ACCOUNT])
        fallback = not given.account
        keys = tuple(read_key(text) for text in given.key or ([KEY] if fallback else []))
        mailings = tuple(read_mailing(text) for text in given.doi_mailing or (MAILINGS if fallback else ()))
        for number in (*(key.account for key in keys), *(mailing.account for mailing in mailings)):
            if number not in accounts:
                raise ValueError(f"no account {number}")
        plan = Plan(
            port=given.port,
            control_port=given.control_port,
            control_token=given.control_token or secrets.token_urlsafe(24),
            reach=dict(read_reach(text) for text in given.reach),
            accounts=accounts,
            keys=keys,
            mailings=mailings,
            options=Options(anonymise_seconds=given.anonymise_seconds, bulk_limit=given.bulk_limit),
            zone=ZoneInfo(given.zone).key,
            webhook_retries=given.webhook_retries,
        )
    except (ValueError, KeyError) as failure:
        arguments.error(str(failure))
    return plan, given.exit_with_stdin


def read_account(text: str) -> tuple[int, str]:
    number, colon, name = text.partition(":")
    if not colon or not name:
        raise ValueError(f"--account wants ID:NAME, not {text}")
    return int(number), name


def read_key(text: str) -> Key:
    """A last part after a colon is the rights if it names only methods, else a part of the key."""
    number, _, key = text.partition("=")
    head, colon, tail = key.rpartition(":")
    rights = tuple(tail.split(","))
    if colon and all(right in METHODS for right in rights):
        return Key(account=int(number), key=head, rights=rights)
    return Key(account=int(number), key=key)


def read_mailing(text: str) -> DoiMailing:
    number, _, rest = text.partition("=")
    key, *names = rest.split(":")
    marks = {mark for mark in names[1:] if mark in ("default", "inactive")}
    if not names or len(marks) != len(names) - 1:
        raise ValueError(f"--doi-mailing wants ACCOUNT=KEY:NAME[:default][:inactive], not {text}")
    return DoiMailing(
        account=int(number), key=key, name=names[0], default="default" in marks, active="inactive" not in marks
    )


def read_reach(text: str) -> tuple[str, str]:
    origin, equals, target = text.partition("=")
    if not equals or not origin.startswith("https://") or not target.startswith("http"):
        raise ValueError(f"--reach wants https://HOST=http://127.0.0.1:PORT, not {text}")
    return origin.rstrip("/"), target.rstrip("/")


def watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` at the end of standard input, from a thread that does not keep the process alive."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True, name="stdin").start()


async def run(plan: Plan, with_stdin: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_stdin:
        watch_stdin(loop, stop)
    await serve(plan, announce, stop)


def main(argv: Sequence[str] | None = None) -> None:
    plan, with_stdin = read_plan(argv)
    try:
        asyncio.run(run(plan, with_stdin))
    except OSError as failure:
        sys.exit(f"cannot listen: {failure}")


if __name__ == "__main__":
    main()
