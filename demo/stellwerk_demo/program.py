"""The demo as a program: show it and wait, or tell the story and check it."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stellwerk_demo.draw import draw
from stellwerk_demo.scene import KEY, Cast, Scene, SceneError
from stellwerk_demo.story import ADA, PEOPLE, MakeAct, Story, StoryError

__all__ = ["main"]

GOOD, NOT_SO = 0, 1
# Fewer mails an hour than an import brings people; the Maileon twin takes as many calls as come.
HURRIED = Cast(mails_per_hour=25, mail_calls_per_second=100)


@dataclass(frozen=True)
class Telling:
    """A story told in one way: `what` is different in it, `prepare` plants the faults of its scene."""

    name: str
    what: str
    cast: Cast
    prepare: Callable[[Scene], None]
    acts: Sequence[MakeAct] = ADA


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 good, 1 at the first thing that is not so, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="stellwerk demo", description="Hub and both twins on free loopback ports of this machine."
    )
    parser.add_argument(
        "--script",
        action="store_true",
        help="tell Ada's story four times, the others' once, and check every step at the twins",
    )
    parser.add_argument(
        "--only", choices=[telling.name for telling in tellings(0)], help="with --script: only this telling"
    )
    parser.add_argument(
        "--seed", type=int, help="with --script: the seed of the drawn telling (default: a new one, printed)"
    )
    parser.add_argument("--port", type=int, help="port of the hub (default: a free one)")
    given = parser.parse_args(arguments)
    # A terminal sends INT, a supervisor TERM; a shell that starts this in the background may have told it to ignore INT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        return script(given.only, given.seed, given.port) if given.script else show(given.port)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return NOT_SO if given.script else GOOD
    except SceneError as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return NOT_SO


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def show(port: int | None) -> int:
    """Start everything, say what to open and do, and wait for Ctrl-C."""
    with Scene(Cast(), port=port) as scene:
        form = (
            f"{scene.hubspot.url}/forms/{scene.cast.portal}/newsletter?subscribe={scene.property('maileon_subscribe')}"
        )
        print(
            f"""Stellwerk is running, with a HubSpot twin and a Maileon twin; the database goes when you stop it.

  1  Log in              {scene.url}/
                         choose {scene.cast.portal_name}, then Grant access
  2  Connect Maileon     API key {KEY} , Test API Key
     and choose          Double Opt-in Process on, Double Opt-in Mailing Key {scene.cast.mailing}, then Save
  3  Sign up             {form}
                         with an address and a ticked box
  4  Confirm             {scene.maileon.url}/outbox
                         the mail with the link is there
  5  Look                {scene.hubspot.url}/contacts/{scene.cast.portal}
                         stage, Maileon Status and timeline of the contact
  6  Ask why             .venv/bin/stellwerk explain ADDRESS --config {scene.config}
                         with this in the environment: STELLWERK_SECRET_KEY={scene.secret_key}

Everything at the twins: {scene.hubspot.url}/ and {scene.maileon.url}/
Ctrl-C ends all of it. `stellwerk demo --script` plays and checks a whole story by itself.""",
            flush=True,
        )
        while scene.hub is not None and scene.hub.poll() is None:
            time.sleep(0.5)
        raise SceneError(f"the hub ended by itself:\n{scene.hub_log[-4000:]}")


def tellings(seed: int) -> tuple[Telling, ...]:
    """Ada's story in four ways, then that of all the others."""
    drawn = f"quiet, with drawn names, stages, language, keys and properties (seed {seed})"
    return (
        Telling("quiet", "the twins do what they are told", Cast(), quiet),
        Telling("disorder", "with latency, webhooks twice and out of order", Cast(), disorder),
        Telling("failing", "with every tenth call failing after it was applied", Cast(), failing),
        Telling("drawn", drawn, draw(seed), quiet),
        Telling("people", "Cleo, Dan, Dora, Dirk, Eve, Finn, Gus and 3,000 more", HURRIED, quiet, PEOPLE),
    )


def quiet(scene: Scene) -> None:
    del scene


def disorder(scene: Scene) -> None:
    scene.webhook_disorder.update(duplicates=0.5, reorder_seconds=[0, 0.8])
    for twin in (scene.hubspot, scene.maileon):
        twin.control("POST", "/faults", {"name": "latency", "kind": "latency", "every": 1, "seconds": [0.005, 0.12]})
        twin.control("POST", "/webhooks", scene.webhook_disorder)


def failing(scene: Scene) -> None:
    for twin in (scene.hubspot, scene.maileon):
        twin.control("POST", "/faults", {"name": "tenth", "kind": "fail_after", "every": 10})


def script(only: str | None, seed: int | None, port: int | None) -> int:
    """Tell the story in every way (or one); 1 at the first thing that is not so."""
    drawn = seed if seed is not None else random.SystemRandom().randrange(1_000_000)
    for telling in tellings(drawn):
        if only is not None and only != telling.name:
            continue
        began = time.monotonic()
        print(f"\n== {telling.name}: {telling.what}", flush=True)
        with Scene(telling.cast, port=port) as scene:
            telling.prepare(scene)
            try:
                Story(scene, lambda line: print(line, flush=True), telling.acts).tell()
            except StoryError as problem:
                print(f"  NOT SO  {problem}", flush=True)
                return NOT_SO
        print(f"   told in {time.monotonic() - began:.0f} s", flush=True)
    print("\nEvery step came true, at both twins.", flush=True)
    return GOOD
