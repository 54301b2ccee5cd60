"""What Maileon's contacts and reports answer to a poll, can by can, and the runs that read them."""

from __future__ import annotations

from typing import Any

from stellwerk.sdk import EventKind

CONTACTS, OUT, IN = "/contacts", "/reports/unsubscriptions", "/reports/subscribers"
BOUNCES, BLOCKS = "/reports/bounces", "/reports/blocks"
BOUNCE = "<type>{}</type><status_code>5.1.1</status_code><msg_id>m</msg_id><source>mta-listener</source>"


def contact(number: int, updated: str | None = "2026-11-24 12:30:00.0") -> str:
    return f"<contact><id>{number}</id>{f'<updated>{updated}</updated>' if updated else ''}</contact>"


def contacts(*listed: str) -> str:
    return f"<contacts>{''.join(listed)}</contacts>"


def entries(
    root: str, *numbers: int, who: str = "<id>{n}</id><email>a{n}@example.com</email>", more: str = "<msg_id>m</msg_id>"
) -> str:
    one = f"<{root[:-1]}><contact>{who}</contact><timestamp>2026-11-24 12:00:00</timestamp>{more}</{root[:-1]}>"
    return f"<{root}>{''.join(one.replace('{n}', str(n)) for n in numbers)}</{root}>"


def quiet(canned: Any) -> None:
    """Nothing is told by any of the five."""
    canned.on("GET", CONTACTS, body=contacts())
    canned.on("GET", OUT, body=entries("unsubscriptions"))
    canned.on("GET", IN, body=entries("subscribers"))
    canned.on("GET", BOUNCES, body=entries("bounces"))
    canned.on("GET", BLOCKS, body=entries("blocks"))


async def run(connector: Any, cursor: str | None) -> tuple[list[Any], str]:
    """One whole run: until no more waits."""
    found: list[Any] = []
    more = True
    while more:
        signals, cursor, more = await connector.poll(cursor)
        found.extend(signals)
    assert cursor is not None
    return found, cursor


def numbers(signals: list[Any]) -> list[str]:
    """The ids of the contacts that changed."""
    return [signal.ref.value for signal in signals if signal.kind is EventKind.CHANGED]


async def windows(canned: Any, zone: str | None, *pages: str) -> list[str]:
    """What the run after the first asks for, where `pages` are the answers from the first run on."""
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    for page in pages:
        canned.on("GET", CONTACTS, body=page)
    async with canned.open(learnt=zone) as connector:
        _, cursor = await run(connector, None)
        await run(connector, cursor)
    asked = [request.url.params["updated_after"] for request in canned.asked if request.url.path.endswith("/contacts")]
    return asked[1:]
