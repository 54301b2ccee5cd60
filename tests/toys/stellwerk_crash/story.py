"""What people do while the hub dies and comes back: each signs up and confirms, every third leaves again."""

from __future__ import annotations

import threading
import time
import urllib.error
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from msgspec import Struct

from stellwerk_crash.effects import Person, amiss, wrong
from stellwerk_crash.scene import LONGEST_SECONDS, CrashScene, End, Ended
from stellwerk_demo.people import Visitor
from stellwerk_demo.vendors import Unsure

FORMS_AT_ONCE = 4


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a run. `wrong` is every effect that is missing or there twice, by person; it is to be empty."""

    ends: tuple[Ended, ...]
    acknowledged: int
    wrong: tuple[str, ...]


def play(
    scene: CrashScene,
    ends: Sequence[End],
    *,
    wave: int,
    patience: float = LONGEST_SECONDS,
    answer_later: bool = False,
) -> Outcome:
    """At the start of each life `wave` people sign up; it ends at its end. Afterwards the hub runs on until all is quiet.

    With `answer_later` nobody looks into their mail before the last life: a second one would go out unnoticed else, to
    somebody who has confirmed.
    """
    scene.stop_hub()
    crowd: list[Person] = []
    ended: list[Ended] = []
    failed: list[BaseException] = []
    numbers = count(scene.people)

    def dies() -> None:
        try:
            with ThreadPoolExecutor(FORMS_AT_ONCE) as forms:
                for end in ends:
                    signing = [forms.submit(_signs_up, scene, next(numbers), crowd) for _ in range(wave)]
                    ended.append(scene.lives_until(end, patience))
                    for one in signing:
                        one.result()
            scene.start_hub()
        except BaseException as error:
            failed.append(error)

    nurse = threading.Thread(target=dies, name="nurse")
    nurse.start()
    try:
        if answer_later:
            nurse.join()
        go_on(scene, crowd, nurse)
    finally:
        nurse.join()
    if failed:
        raise failed[0]
    scene.people = next(numbers)
    come_to_rest(scene, crowd)
    return Outcome(ends=tuple(ended), acknowledged=scene.acknowledged(), wrong=tuple(_wrong(scene, crowd)))


def undisturbed(scene: CrashScene, *, wave: int) -> Sequence[str]:
    """The points that one life passes in which `wave` people go all their way and nothing ends it."""
    scene.stop_hub()
    crowd: list[Person] = []
    for number in range(scene.people, scene.people + wave):
        _signs_up(scene, number, crowd)
    scene.people += wave

    def all_done() -> bool:
        move_on(scene, crowd)
        return not _wrong(scene, crowd) and all(person.left or not person.leaves for person in crowd)

    passed = scene.points_of(all_done)
    scene.start_hub()
    return passed


def _signs_up(scene: CrashScene, number: int, crowd: list[Person]) -> None:
    person = Person(email=f"p{number}@visitors.example", leaves=number % 3 == 0)
    visitor(scene, person).submits_form(ticks=True)
    crowd.append(person)


def go_on(scene: CrashScene, crowd: Sequence[Person], nurse: threading.Thread) -> None:
    """Until everybody went all their way; for what is missing after the last life there is a bound, and `wrong` tells it."""
    end = time.monotonic() + LONGEST_SECONDS
    while nurse.is_alive() or (any(_has_more_to_do(person) for person in crowd) and time.monotonic() < end):
        if nurse.is_alive():
            end = time.monotonic() + LONGEST_SECONDS
        move_on(scene, crowd)
        time.sleep(0.2)


def move_on(scene: CrashScene, crowd: Sequence[Person]) -> None:
    """Whoever got a mail confirms, whoever wants to leave does once everything of the confirmation is seen."""
    if not any(_has_more_to_do(person) for person in crowd):
        return
    mailed = {mail["to"] for mail in scene.newsletter()["mails"] if mail["kind"] == "doi"}
    records = scene.records()
    for person in tuple(crowd):
        if not person.confirmed and person.email in mailed:
            person.confirmed = _clicked(scene, person)
        elif person.leaves and not person.left and not amiss(person, records.get(person.email)):
            order = {"account": 9001, "email": person.email, "event": "unsubscription"}
            scene.maileon.control("POST", "/events", order)
            person.left = True


def _has_more_to_do(person: Person) -> bool:
    return not person.confirmed or (person.leaves and not person.left)


def visitor(scene: CrashScene, person: Person) -> Visitor:
    return Visitor(scene, person.email, "Pat", person.email.partition("@")[0])


def _wrong(scene: CrashScene, crowd: Sequence[Person]) -> list[str]:
    return wrong(crowd, scene.records(), scene.newsletter()["mails"])


def _clicked(scene: CrashScene, person: Person) -> bool:
    try:
        visitor(scene, person).confirms()
    except (Unsure, urllib.error.URLError, ConnectionError, IndexError):
        return False
    return True


def come_to_rest(scene: CrashScene, crowd: Sequence[Person]) -> None:
    """Wait until everybody has what is theirs, or for long enough to be sure that they never will; and then for echoes."""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end and _wrong(scene, crowd):
        time.sleep(0.3)
    calm = 0
    while time.monotonic() < end and calm < 5:
        idle = not scene.hubspot.control("GET", "/idle")["pending"] and scene.maileon.control("GET", "/idle")["idle"]
        calm = calm + 1 if idle else 0
        time.sleep(0.2)
