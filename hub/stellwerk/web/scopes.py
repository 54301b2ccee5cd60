"""Rights that a login did not bring, in the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.scopes import NOT_GRANTED, lacking
from stellwerk.sdk.connector import Words
from stellwerk.store import repairs
from stellwerk.store.accounts import AccountRow
from stellwerk.web.pages import Speaker, system_title


class ShownScope(Struct, frozen=True, kw_only=True):
    """One right: what does not work without it, line by line, and who may grant it."""

    name: str
    without: tuple[str, ...]
    granted_by: str


class Lacking(Struct, frozen=True, kw_only=True):
    """What one account lacks, how it is added, and where to log in again."""

    heading: str
    scopes: tuple[ShownScope, ...]
    rest: str
    again: str
    label: str


def shown_scopes(hub: Hub, say: Speaker, account: AccountRow) -> tuple[ShownScope, ...]:
    """What the account lacks; empty where it has everything or nobody can tell."""
    return tuple(
        ShownScope(
            name=scope.name,
            without=tuple(_said(line, say) for line in scope.without),
            granted_by=_said(scope.granted_by, say),
        )
        for scope in lacking(hub, account)
    )


def _said(words: Words, say: Speaker) -> str:
    return words.de if say.language == "de" else words.en


async def shown_lacking(hub: Hub, say: Speaker, rows: Mapping[str, AccountRow], *, logs_in: bool) -> list[Lacking]:
    """For each account that lacks something, until somebody says that it can be done without. `logs_in`: the visitor may."""
    still = await hub.store.read(lambda tx: repairs.subjects(tx, NOT_GRANTED))
    found = []
    for name, row in rows.items():
        scopes = shown_scopes(hub, say, row) if row.id in still else ()
        if scopes:
            title = system_title(hub.systems[name])
            again = f"{hub.public_url}/login/{hub.integration.login}"
            heading, label = say("scopes-lacking", system=title), say("log-in-with", system=title)
            rest = say("scopes-rest" if logs_in else "scopes-rest-others", system=title)
            found.append(Lacking(heading=heading, scopes=scopes, rest=rest, again=again, label=label))
    return found
