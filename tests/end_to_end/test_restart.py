"""What a killed hub had taken in is done once it runs again, and nothing is done twice."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PEOPLE = 50
HOURS_71 = 71 * 3600


def mails(there: Any) -> list[str]:
    """To whom a confirmation mail was sent, one entry a mail."""
    told = there.scene.maileon.control("GET", "/accounts/9001/contacts")
    return [mail["to"] for mail in told["mails"] if mail["kind"] == "doi"]


def faster(file: Any) -> None:
    """More calls a second than our cautious default, which would take a minute for fifty people."""
    file["systems"]["mail"]["calls_per_second"] = 100


def pending(there: Any) -> int:
    """How many HubSpot shows as pending; not asked for one by one, since that would use up an app's calls."""
    contacts = there.scene.hubspot.control("GET", "/portals/4711/contacts")["contacts"]
    return [one["properties"].get("maileon_status") for one in contacts].count("pending")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fifty_people_sign_up_the_hub_is_killed_and_each_gets_one_mail(town: Callable[..., Any], seed: int) -> None:
    there = town(faster)
    dice = random.Random(seed)
    people = [there.visitor("Runner") for _ in range(PEOPLE)]
    after = dice.randrange(1, PEOPLE)
    with ThreadPoolExecutor(4) as forms:
        sent = [forms.submit(who.submits_form, ticks=True) for who in people]
        there.until(f"{after} mails", lambda: len(mails(there)) >= after)
        time.sleep(dice.uniform(0.0, 0.05))
        there.scene.kill_hub()
        for one in sent:
            one.result()
    there.scene.start_hub()
    there.until("that everybody is pending", lambda: pending(there) == PEOPLE)
    there.quiet()
    assert sorted(mails(there)) == sorted(who.email for who in people)
    assert "Traceback" not in there.scene.hub_log


def test_a_webhook_delivered_again_after_71_hours_and_a_restart_is_known(town: Callable[..., Any]) -> None:
    there = town()
    who = there.visitor("Early")
    who.submits_form(ticks=True)
    there.until("the mail", lambda: who.mails("doi"))
    there.quiet()
    there.scene.hub.terminate()
    there.scene.hub.wait(20)
    with closing(sqlite3.connect(there.scene.folder / "demo.db")) as database, database:
        database.execute("update inbox set received = received - ?, ended = ended - ?", (HOURS_71, HOURS_71))
        ((oldest,),) = database.execute("select max(received) from inbox")
    assert time.time() - oldest > 70 * 3600
    there.scene.start_hub()
    time.sleep(0.5)  # the first round of tidying
    before = there.metrics()
    delivered = there.scene.hubspot.control("GET", "/webhooks")["deliveries"]
    events = sum(one["body"].count('"eventId"') for one in delivered)
    resent = there.scene.hubspot.control("POST", "/webhooks/resend", {"all": True})["sent"]
    assert {one["status"] for one in resent} == {200}
    there.quiet()
    moved = there.moved(before)
    assert moved == {"stellwerk_events_received_total": events, "stellwerk_events_again_total": events}
    assert len(who.mails("doi")) == 1
