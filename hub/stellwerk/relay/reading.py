"""One call of a connector that reads: a contact for each reference, or a page of all, whatever the connector does."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.errors import RetryableError, StellwerkError
from stellwerk.relay.applied import BROKEN
from stellwerk.relay.bug import place
from stellwerk.relay.hub import log
from stellwerk.sdk.connector import Lister, Reader, Ref
from stellwerk_rules.model import Contact


async def read_all(
    connector: Reader, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = ()
) -> list[Contact]:
    """One contact for each ref. Raises `DeliveryError`, also where the connector broke."""
    try:
        contacts = list(await connector.read(refs, fields, history))
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("connector %s: %s", type(connector).__name__, place(bug))
        raise RetryableError(BROKEN) from None
    if len(contacts) != len(refs):
        raise RetryableError(BROKEN, f"{len(contacts)} contacts for {len(refs)} references")
    return contacts


async def page_of(connector: Lister, cursor: str | None) -> tuple[list[Ref], str | None]:
    """A page of all contacts, and where the next begins. Raises `DeliveryError`, also where the connector broke."""
    try:
        refs, after = await connector.page(cursor)
        found = list(refs)
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("connector %s: %s", type(connector).__name__, place(bug))
        raise RetryableError(BROKEN) from None
    if after is not None and after == cursor:
        raise RetryableError(BROKEN, "a page leads to itself")
    return found, after
