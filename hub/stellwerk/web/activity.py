"""Activity: a contact, found by address or id, and why something happened to it or did not.

What is looked for is sent in the body: an address in a URL would stand in the logs of whoever passes it on.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.response import Template

from stellwerk.relay.hub import Hub
from stellwerk.view.activity import Reason
from stellwerk.view.asking_again import Asking
from stellwerk.view.finding import Finding, explained
from stellwerk.view.sync_now import NOBODY_THERE, SyncNow
from stellwerk.web.choose import LOOKS, Here
from stellwerk.web.credentials import why_code
from stellwerk.web.forgery import posted
from stellwerk.web.inside import inside
from stellwerk.web.nearest_miss import in_german
from stellwerk.web.pages import Speaker, speaker, system_title
from stellwerk.web.reason_phrases import REASONS
from stellwerk.web.reason_values import with_values
from stellwerk_rules.unlinked import UNLINKED

LONGEST = 320


@get("/activity", name="activity")
async def show_activity(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """The search, empty."""
    return await activity_page(request, hub, running, "")


@post("/activity", name="search", status_code=200, opt=LOOKS)
async def search(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """What is known of the contact."""
    who = (await posted(request)).get("who", "").strip()[:LONGEST]
    return await activity_page(request, hub, running, who)


async def activity_page(
    request: Request[Any, Any, Any],
    hub: Hub,
    running: Here,
    who: str,
    *,
    good: str = "",
    wrong: str = "",
    status: int = 200,
) -> Template:
    """The search, and what is known of `who`; `good` or `wrong` is what came of what was asked for."""
    found = await explained(hub, running.connection, who) if who else None
    say = speaker(request, running.visitor, running.zone(hub))
    titles = {name: system_title(system) for name, system in hub.systems.items()}
    return inside(
        request,
        hub,
        "activity.html",
        running,
        {
            "who": who,
            "found": found,
            "findings": [_finding(hub, say, titles, one) for one in found.findings] if found else [],
            "titles": titles,
            "word": Words(say, hub),
            "apart": [one for one in found.activity.contacts if one.unlinked] if found else [],
            "asking": "" if found is None or found.ask_again is None else _asking(hub, running, say, found.ask_again),
            "good": good,
            "wrong": wrong,
            "readings": [] if found is None or found.sync_now is None else _readings(hub, say, titles, found.sync_now),
        },
        status=status,
    )


def _readings(hub: Hub, say: Speaker, titles: dict[str, str], asked: SyncNow) -> list[dict[str, object]]:
    """What came of each reading: a sentence, and why."""
    word = Words(say, hub)
    told: list[dict[str, object]] = []
    for one in asked.readings:
        changes = ", ".join(dict.fromkeys(word.of("change", change) for change in one.changes))
        state = "skipped" if one.state == "decided" and not changes else one.state
        system = titles.get(one.system, one.system)
        key = "absent" if state == "skipped" and one.code == NOBODY_THERE else state
        why = [] if changes else [word.reason(reason.code, reason.text) for reason in one.reasons]
        if state == "dead":
            why.append(why_code(say, system, one.code))
        sentence = say(f"reading-{key}", system=system, changes=changes)
        told.append({"sentence": sentence, "why": list(dict.fromkeys(why))})
    return told


def _asking(hub: Hub, running: Here, say: Speaker, told: Asking) -> str:
    """Which condition forbids a mail, with what it saw and until when; or that the rules allow one."""
    later = f"asking-{told.code}-until"
    key = later if told.until is not None and say.knows(later) else f"asking-{told.code}"
    days = hub.book(running.connection).plan.limits.wish_valid_days
    return say(key, seen=say.when.at(told.seen), until=say.when.at(told.until), days=days)


def _finding(hub: Hub, say: Speaker, titles: dict[str, str], one: Finding) -> dict[str, object]:
    system = titles.get(one.system or "", one.system or "")
    word = Words(say, hub)
    about = word.reason(one.about, one.detail)
    if one.code in ("side-paused", "side-stopped"):
        about = why_code(say, system, one.about)
    elif one.code in ("given-up", "never-read", "tried-again"):
        about = word.sense(one.about, one.detail)
    if one.code == "never-heard":
        about = say("finding-unheard-fields", system=system, fields=one.detail) if one.detail else ""
    if one.code == UNLINKED:
        about = ""
    change = word.of("change", one.change)
    return {
        "sentence": say(f"finding-{one.code}", system=system, at=say.when.at(one.at), change=change, by=one.detail),
        "about": about,
        "finding": one,
    }


class Words:
    """What rules and store say in words of their own, in the visitor's language."""

    def __init__(self, say: Speaker, hub: Hub) -> None:
        self._say = say
        self._titles = {name: system_title(system) for name, system in hub.systems.items()}
        self._named = re.compile(rf"(?<=\bat )(?:{'|'.join(map(re.escape, self._titles))})\b")
        provided = [one for side in hub.integration.provide.values() for one in side.properties.values()]
        self._labels = {one.name: one.label for one in provided if "{" not in one.name}
        self._provided = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, self._labels)) or '(?!)'})(?![\w.-])")

    def of(self, family: str, word: str) -> str:
        """The phrase `FAMILY-WORD`; a word without one stands as it is."""
        key = f"{family}-{word.replace('_', '-')}"
        return self._say(key) if self._say.knows(key) else word

    def reason(self, code: str, text: str) -> str:
        """The reason as a sentence: in its exact words, which are English; without them, or in German, in its general sense."""
        if self._say.knows(f"unread-{code}"):
            return self._say(f"unread-{code}")
        german = self._say.language == "de"
        exact = with_values(code, text) if german else text
        general = REASONS[code][german] if code in REASONS else text
        return self._titled(exact or general) or code

    def sense(self, code: str, text: str) -> str:
        """The general sense of the reason, where the exact words are a vendor's answer or stand beside it."""
        return REASONS[code][self._say.language == "de"] if code in REASONS else self.reason(code, text)

    def exact(self, reason: Reason) -> str:
        """The exact words beside a sentence that says only the sense; empty where they say the same."""
        said = self._say.language == "de" and reason.code in REASONS
        return self._titled(reason.text) if said and with_values(reason.code, reason.text) is None else ""

    def nearest(self, miss: str) -> str:
        """What kept the rule from holding that missed by least."""
        return in_german(miss) if self._say.language == "de" else miss

    def _titled(self, text: str) -> str:
        """Systems and what we provided there under the names that people know, and moments by their clock."""
        text = self._named.sub(lambda found: self._titles[found[0]], text)
        text = self._provided.sub(lambda found: self._say("quoted", text=self._labels[found[0]]), text)
        return self._say.when.within(text)
