"""Before Save: what the typed settings would have come to for the last real contacts, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stellwerk.relay.foresight import Foresight, OfContact, foresight
from stellwerk.relay.hub import Hub
from stellwerk.web.activity import Words
from stellwerk.web.choose import Here
from stellwerk.web.fields import ShownSection
from stellwerk.web.lists import Door, Lists
from stellwerk.web.pages import Speaker, system_title
from stellwerk_rules.outlook import Outlook
from stellwerk_rules.spec import SettingValue


async def foreseen(
    hub: Hub, lists: Lists, here: Here, doors: Sequence[Door], values: Mapping[str, SettingValue]
) -> Foresight | None:
    """None where the contacts cannot be read now, or nobody can tell."""
    book = hub.book(here.connection)
    door = next((one for one in doors if one.system == book.plan.wish_system and one.row is not None), None)
    if door is None or door.row is None:
        return None
    contacts = await lists.newest(door.row, book)
    if contacts is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(values)
    return await foresight(hub, here.connection, plain, contacts, begun=here.stored)


def shown_foresight(hub: Hub, say: Speaker, seen: Foresight | None) -> dict[str, object]:
    """The sentences, and the table of contacts behind them."""
    if seen is None:
        return {"sentences": [say("foresight-unread")], "rows": [], "before": False}
    if not seen.contacts:
        return {"sentences": [say("foresight-nobody", system=_title(hub, seen.system))], "rows": [], "before": False}
    word = Words(say, hub)
    return {
        "sentences": _sentences(hub, say, seen),
        "rows": [_row(say, word, row) for row in seen.contacts],
        "before": seen.before is not None,
    }


def warnings_of(sections: Sequence[ShownSection]) -> list[str]:
    """What to look at before it is saved, of the settings that are in effect; what is wrong stands above the page."""
    return [
        f"{shown.first.label}: {shown.note}"
        for section in sections
        for shown in section.fields
        if shown.warns and shown.visible
    ]


def _sentences(hub: Hub, say: Speaker, seen: Foresight) -> list[str]:
    sentences = [say("foresight-of", count=len(seen.contacts), system=_title(hub, seen.system))]
    for what, after in seen.after.items():
        before = None if seen.before is None else seen.before[what]
        if after or before:
            sentences.append(
                say(f"foresight-{what}", count=after)
                if before is None or before == after
                else say(f"foresight-{what}", count=after) + " " + say("foresight-so-far", count=before)
            )
    if seen.before is not None:
        changed = sum(1 for row in seen.contacts if _differs(row))
        sentences.append(say("foresight-changed", count=changed) if changed else say("foresight-same"))
    return sentences


def _differs(row: OfContact) -> bool:
    before = row.before
    return before is not None and (before.what, before.permission) != (row.after.what, row.after.permission)


def _row(say: Speaker, word: Words, row: OfContact) -> dict[str, object]:
    return {
        "id": row.id,
        "differs": _differs(row),
        "before": None if row.before is None else _outlook(say, row.before),
        "after": _outlook(say, row.after),
        "why": word.reason(row.after.because.code, row.after.because.text),
    }


def _outlook(say: Speaker, one: Outlook) -> str:
    return say(f"outlook-{one.what.value}", permission=say(f"permission-{one.permission.value}"))


def _title(hub: Hub, system: str) -> str:
    return system_title(hub.systems[system])
