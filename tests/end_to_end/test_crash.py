"""The hub is killed and frozen at points drawn by the commit's hash; what was acknowledged has its effects, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stellwerk_crash.draw import COUNT, LAST_POINT, WITHOUT_GIT, drawn, seed_of
from stellwerk_crash.effects import CONFIRMED, LEFT, Person, amiss, wrong
from stellwerk_crash.scene import CrashScene, End
from stellwerk_crash.story import play, undisturbed
from stellwerk_toys.pg_server import Server

ROOT = Path(__file__).parents[2]
PEOPLE_A_LIFE = 2
WEBHOOKS = 200
LIVES_BESIDE = 4
LAST_POINT_BESIDE = 40
"""The other process does its part of the work: a life passes fewer points than one that is alone."""
PATIENCE_BESIDE_SECONDS = 20.0
PEOPLE_WHO_MAY_BE_ASKED_BY_EITHER = 10


@pytest.mark.slow
@pytest.mark.timeout(600)  # a bound for a machine that others use too; it takes a tenth of it
def test_no_acknowledged_webhook_is_lost_and_no_effect_doubled_wherever_the_hub_ends() -> None:
    seed = seed_of(ROOT)
    ends = drawn(seed)
    with CrashScene() as scene:
        passed = undisturbed(scene, wave=PEOPLE_A_LIFE)
        outcome = play(scene, ends, wave=PEOPLE_A_LIFE)
        log = scene.hub_log
    told = f"STELLWERK_CRASH_SEED={seed}\n{outcome.ends}\n{log[-3000:]}"
    assert [one.at is not None and one.at.startswith(f"{one.end.number} ") for one in outcome.ends] == [True] * COUNT, (
        told
    )
    assert len(passed) > LAST_POINT, "a life does not come to every point that may be drawn"
    assert outcome.acknowledged >= WEBHOOKS, told
    assert outcome.wrong == (), told
    assert "Traceback" not in log


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
def test_on_a_server_another_process_takes_over_and_nothing_is_lost_or_doubled(pg_server: Server) -> None:
    seed = seed_of(ROOT)
    ends = drawn(seed, LIVES_BESIDE, LAST_POINT_BESIDE, freeze_each=2)
    with CrashScene(pg_server.url(pg_server.new_schema())) as scene:
        outcome = play(scene, ends, wave=PEOPLE_A_LIFE, patience=PATIENCE_BESIDE_SECONDS)
        log = scene.hub_log
    told = f"STELLWERK_CRASH_SEED={seed}\n{outcome.ends}\n{log[-3000:]}"
    assert any(one.at is not None and one.end.how == "freeze" for one in outcome.ends), told
    assert any(one.at is not None and one.end.how == "kill" for one in outcome.ends), told
    assert outcome.wrong == (), told
    assert "Traceback" not in log


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_process_that_stood_still_before_an_ask_does_not_send_it_after_another_did(pg_server: Server) -> None:
    still = End(how="freeze", named="before call: POST /….…/contacts/email/")
    with CrashScene(pg_server.url(pg_server.new_schema())) as scene:
        outcome = play(scene, [still], wave=PEOPLE_WHO_MAY_BE_ASKED_BY_EITHER, answer_later=True)
        log = scene.hub_log
    told = f"{outcome.ends}\n{log[-3000:]}"
    assert [one.at is not None for one in outcome.ends] == [True], told
    assert outcome.wrong == (), told
    assert "Traceback" not in log


def record(stages: list[str], notes: list[str], **properties: str) -> dict[str, Any]:
    """A contact of the portal as its twin shows it: history newest first."""
    return {
        "properties": {"maileon_status": "subscribed", **properties},
        "propertiesWithHistory": {"lifecyclestage": [{"value": one} for one in reversed(stages)]},
        "notes": [{"hs_note_body": f"<p>{text}</p>"} for text in notes],
    }


JOINED = record(["lead", "marketingqualifiedlead"], [CONFIRMED])
LEFT_AGAIN = record(
    ["lead", "marketingqualifiedlead", "", "lead"], [CONFIRMED, LEFT], maileon_status="unsubscribed", maileon_subscribe="false"
)  # fmt: skip


def test_who_has_everything_once_has_nothing_amiss() -> None:
    assert amiss(Person(email="a@x.example", leaves=False), JOINED) == []
    assert amiss(Person(email="a@x.example", leaves=True, left=True), LEFT_AGAIN) == []


@pytest.mark.parametrize(
    "shown",
    [
        None,
        record(["lead"], [CONFIRMED]),
        record(["lead", "marketingqualifiedlead", "marketingqualifiedlead"], [CONFIRMED]),
        record(["lead", "marketingqualifiedlead"], []),
        record(["lead", "marketingqualifiedlead"], [CONFIRMED, CONFIRMED]),
        record(["lead", "marketingqualifiedlead"], [CONFIRMED, LEFT]),
        record(["lead", "marketingqualifiedlead"], [CONFIRMED], maileon_status="pending"),
        LEFT_AGAIN,
    ],
)
def test_an_effect_that_is_missing_or_there_twice_is_seen(shown: dict[str, Any] | None) -> None:
    assert amiss(Person(email="a@x.example", leaves=False), shown) != []


@pytest.mark.parametrize("count", [0, 2])
def test_a_mail_that_is_missing_or_there_twice_is_seen(count: int) -> None:
    mails = [{"to": "a@x.example", "kind": "doi"}] * count + [{"to": "b@x.example", "kind": "doi"}]
    assert wrong([Person(email="a@x.example", leaves=False)], {"a@x.example": JOINED}, mails) == [
        f"a@x.example: {count} mails"
    ]


def test_a_commit_draws_the_same_points_each_time_and_another_one_others() -> None:
    assert drawn("4ef54b8") == drawn("4ef54b8")
    assert drawn("4ef54b8") != drawn("25698cc")
    ends = drawn("4ef54b8")
    assert {one.how for one in ends} == {"kill", "freeze"}
    assert all(1 <= one.number <= LAST_POINT for one in ends)


def test_without_a_commit_the_points_are_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STELLWERK_CRASH_SEED", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert seed_of(tmp_path) == WITHOUT_GIT
    monkeypatch.setenv("STELLWERK_CRASH_SEED", "of mine")
    assert seed_of(tmp_path) == "of mine"
