"""A login or a key that never led to a saved connection is let go of after its days, as a disconnected account is."""

from __future__ import annotations

from stellwerk.relay.hub import Hub, log
from stellwerk.store import accounts, connections, meta
from stellwerk.store.accounts import LEAVING
from stellwerk.store.connections import ENDED
from stellwerk.store.store import Tx

LOGGED_IN = "logged in"
DAY_SECONDS = 86_400.0


def logged_in(tx: Tx, account: str, now: float) -> None:
    """Write down when somebody last logged in with the account: its days count from then."""
    meta.set_cursor(tx, account, LOGGED_IN, str(now))


async def let_go_of_unsaved(hub: Hub) -> None:
    """Accounts that no connection uses and nobody logged in with for `keep.unsaved_login_days` begin to be left.

    What served us over there is then undone, and tokens and keys go, by the same steps as after a disconnect.
    """
    now = hub.now()
    before = now - hub.integration.keep.unsaved_login_days * DAY_SECONDS

    def work(tx: Tx) -> list[str]:
        found = []
        for account in accounts.older_than(tx, before):
            last = meta.cursor(tx, account, LOGGED_IN)
            if (last is None or float(last) < before) and not connections.of_account(tx, account):
                text = "nobody saved a connection with this account"
                accounts.set_state(tx, account, LEAVING, ENDED, text)
                found.append(account)
        return found

    for account in await hub.store.write(work):
        log.info("account %s: nobody saved a connection with it; it is let go of", account)
