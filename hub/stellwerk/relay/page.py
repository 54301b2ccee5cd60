"""A page of contacts, read for a dry run or a comparison: whoever cannot be read holds up nobody else.

An event is tried by itself, a page only as a whole. So those of a page that failed are read in ever smaller company, in the end
each alone, and who fails then is left out where the others can be read.
"""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RejectedError, RetryableError
from stellwerk.relay.company import companies
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.read import read_contacts
from stellwerk.relay.retry import LATELY_SECONDS, MAX_ATTEMPTS
from stellwerk.relay.waiting import Waiting, named
from stellwerk.sdk.connector import Reader, Ref, Signal
from stellwerk.store import inbox
from stellwerk.store.connections import Connection
from stellwerk_rules.model import Contact, EventKind

PATIENCE = 3
"""So often a page fails before anybody is left out: by then everybody was asked for alone."""


async def read_page(
    hub: Hub, desk: Desk, connector: Reader, connection: Connection, refs: Sequence[Ref], attempts: int
) -> list[Contact | DeliveryError]:
    """For each ref the contact, or why it was left out. `attempts` at this page have failed. Raises `DeliveryError`."""
    waiting = [Waiting(ref=ref, rows=(), signals=(Signal(kind=EventKind.CHANGED, ref=ref),)) for ref in refs]
    found: list[Contact | DeliveryError] = []
    for together in companies(waiting, lambda _: attempts):
        try:
            read = await read_contacts(hub, desk, connector, [connection], together)
        except (ReauthorizeError, PauseError):
            raise
        except DeliveryError as failed:
            if attempts < PATIENCE:
                raise once_more(failed) from None
            found += [failed] * len(together)
        else:
            found += [named(contact, one.ref) for contact, one in zip(read, together, strict=True)]
    failures = [one for one in found if isinstance(one, DeliveryError)]
    if failures and len(failures) == len(found) and not await _works(hub, desk, attempts):
        raise failures[0] if len(found) > 1 or attempts >= MAX_ATTEMPTS else once_more(failures[0])
    return found


def once_more(failed: DeliveryError) -> DeliveryError:
    """What is refused may be refused for one of them alone."""
    return RetryableError(failed.code, failed.text) if isinstance(failed, RejectedError) else failed


async def _works(hub: Hub, desk: Desk, attempts: int) -> bool:
    """Whether others can be read, where nobody on this page can."""
    since = hub.now() - LATELY_SECONDS
    return attempts >= MAX_ATTEMPTS and await hub.store.read(lambda tx: inbox.works(tx, desk.account.id, since))
