"""Testing an API key: all four rights and the account's name, with a reason a person can act on (section 1.1)."""

from __future__ import annotations

from stellwerk.sdk import Account, ReauthorizeError
from stellwerk_maileon.client import MaileonClient, Method

METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "DELETE")


async def check(client: MaileonClient) -> Account:
    """The account; `missing` names the methods that the key may not use.

    Raises `ReauthorizeError` for a refused key, with a reason of `refusal.py`, or with `right-missing` when the key may
    not even read. The ping answers one method at a time.
    """
    missing = tuple([method for method in METHODS if not await client.ping(method)])
    if "GET" in missing:
        raise ReauthorizeError("right-missing", f"the API key lacks the right for {', '.join(missing)}")
    info = await client.account_info()
    return Account(id=info.id, name=info.name, missing=missing, zone=info.zone, rights=METHODS)
