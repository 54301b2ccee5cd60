"""Ada's story in its four tellings and that of the others, and what is left of all their people in the hub's files."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from stellwerk.cli.beside import beside
from stellwerk.store import accounts
from stellwerk_demo.program import Telling, tellings
from stellwerk_demo.scene import KEY, Scene
from stellwerk_demo.story import Story, StoryError
from stellwerk_toys.clear_text import assert_no_clear_text

LONG = pytest.mark.long
TELLINGS = (*(pytest.param(name, marks=LONG) for name in ("people", "failing", "disorder", "drawn")), "quiet")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(890),
    pytest.mark.parametrize("told", TELLINGS, indirect=True, scope="module"),
]
SHORTEST = 5
SEED = random.SystemRandom().randrange(1_000_000)


class Told:
    """A telling: its scene, still running, what was said, and what was not so."""

    def __init__(self, scene: Scene, story: Story, said: list[str], problem: str | None) -> None:
        self.scene = scene
        self.story = story
        self.said = said
        self.problem = problem


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """The story, told once for all tests of this telling."""
    telling = named(request.param)
    with Scene(telling.cast) as scene:
        telling.prepare(scene)
        said = [f"{request.param}, seed {SEED}"]
        story = Story(scene, said.append, telling.acts)
        problem = None
        try:
            story.tell()
        except StoryError as not_so:
            problem = str(not_so)
        yield Told(scene, story, said, problem)


def named(name: str) -> Telling:
    return next(one for one in tellings(SEED) if one.name == name)


def test_every_step_of_the_story_comes_true(told: Any) -> None:
    if told.problem is not None:
        pytest.fail("\n".join([*told.said, f"  NOT SO  {told.problem}"]), pytrace=False)
    assert len(told.said) > 50


def test_nothing_went_wrong_inside_the_hub_meanwhile(told: Any) -> None:
    assert "Traceback" not in told.scene.hub_log
    assert " ERROR " not in told.scene.hub_log


def test_no_vendor_was_asked_for_what_its_reference_does_not_know(told: Any) -> None:
    seen = told.scene.hubspot.control("GET", "/requests")
    assert [(one["method"], one["path"]) for one in seen if one["refused"]] == []
    calls = told.scene.maileon.control("GET", "/requests")["requests"]
    assert [(one["method"], one["path"]) for one in calls if one.get("refused")] == []


def test_nothing_of_its_people_and_no_secret_stands_in_the_database_the_wal_or_the_log(told: Any) -> None:
    texts = personal(told) | secrets(told)
    assert_no_clear_text(told.scene.folder / "demo.db", *texts)
    log = told.scene.hub_log.lower()
    assert [len(text) for text in texts if text.lower() in log] == []


def personal(told: Told) -> set[str]:
    """Addresses and everything else that people typed, as HubSpot has it now."""
    people = told.story.people
    found = {part for who in people for part in (who.email, who.email.partition("@")[0], who.first, who.last)}
    # Shorter ones stand in sealed bytes by chance, or in our own words.
    found = {part for part in found if len(part) >= SHORTEST}
    return found | {text for act in told.story.acts for text in act.typed}


def secrets(told: Told) -> set[str]:
    """Keys, tokens and secrets of this telling: as they are, and as they travel."""
    environment = told.scene.environment
    plain = {KEY, environment["STELLWERK_SECRET_KEY"], environment["HUBSPOT_CLIENT_SECRET"]}
    refreshed = [
        one["body"] for one in told.scene.hubspot.control("GET", "/requests") if one["path"].endswith("/token")
    ]
    for body in refreshed:
        plain |= {part.partition("=")[2] for part in body.split("&") if part.startswith(("code=", "refresh_token="))}
    for hook in told.story.witness.sure(told.story.witness.mail.webhooks):
        plain.add(hook["url"].split("/")[-2])
    plain |= held(told)
    return plain | {base64.b64encode(text.encode()).decode() for text in plain}


def held(told: Told) -> set[str]:
    """The tokens that the hub holds now, opened with its key."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in told.scene.environment.items():
            patched.setenv(name, value)
        with beside(told.scene.config) as view:
            rows = [row for row in accounts.every(view.tx, view.vault) if row.oauth is not None]
            sealed = [(row.id, row.oauth) for row in rows]
            tokens = [msgspec.json.decode(view.vault.open(one, body or b"")) for one, body in sealed]
    assert tokens
    return {one[name] for one in tokens for name in ("access_token", "refresh_token")}
