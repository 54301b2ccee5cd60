"""What a recipient is told, in words of their language and as JSON. Nothing of any contact but how many repairs there are."""

from __future__ import annotations

from typing import Any

import msgspec

from stellwerk.relay.hub import Hub
from stellwerk.relay.notifying import Letter
from stellwerk.store.connections import Connection
from stellwerk.store.notifications import Cause, Notification
from stellwerk.store.recipients import Recipient
from stellwerk.view.moment import moment
from stellwerk.web.pages import Speaker, system_title
from stellwerk.web.repair_phrases import repair_text

FORMAT = "stellwerk-notification-1"


def letter(hub: Hub, connection: Connection, recipient: Recipient, one: Notification) -> Letter:
    """The message."""
    say = Speaker(recipient.language)
    content = one.content
    url = f"{hub.public_url}/overview"
    title = hub.integration.title
    opened = [_told(hub, say, cause) for cause in content.opened]
    mended = [_told(hub, say, cause) for cause in content.mended]
    if content.what == "test":
        subject, lines = say("letter-test-subject", title=title), [say("letter-test", name=recipient.name)]
    else:
        key = "letter-opened-subject" if opened else "letter-mended-subject"
        subject = say(key, title=title, count=sum(cause.count for cause in content.opened or content.mended))
        lines = _listed(say("letter-opened"), opened) + _listed(say("letter-mended"), mended)
        lines += [say("letter-left", count=content.left)]
    lines += ["", say("letter-where", url=url), "", say("letter-why", name=recipient.name, by=recipient.made_by)]
    told: dict[str, Any] = {
        "format": FORMAT,
        "id": one.id,
        "what": content.what,
        "at": moment(one.created),
        "connection": connection.id,
        "title": title,
        "url": url,
        "opened": opened,
        "mended": mended,
        "left": content.left,
    }
    return Letter(subject=subject, text="\n".join(lines) + "\n", json=msgspec.json.encode(told))


def _told(hub: Hub, say: Speaker, cause: Cause) -> dict[str, Any]:
    system = hub.systems.get(cause.system)
    title = hub.integration.title if system is None else system_title(system)
    text = repair_text(cause.code)
    german = say.language == "de"
    return {
        "code": cause.code,
        "system": title,
        "count": cause.count,
        "since": moment(cause.since),
        "meaning": text.meaning[german].format(system=title),
        "mend": text.mend[german].format(system=title),
    }


def _listed(heading: str, causes: list[dict[str, Any]]) -> list[str]:
    if not causes:
        return []
    return [heading, *(f"- {one['meaning']} ({one['count']} × {one['code']})" for one in causes), ""]
