"""Nothing acknowledged is lost: every event is one of six, and nothing that was given up or held is out of sight."""

from __future__ import annotations

from stellwerk.store import counts, repairs
from stellwerk.store.store import Tx


def at_rest(tx: Tx) -> None:
    """Asked of the database whenever the hub has come to rest, and after every crash."""
    six, acknowledged = counts.six(tx), counts.acknowledged(tx)
    assert sum(six.values()) == acknowledged, f"{acknowledged} events were acknowledged, and there are {six}"
    received = {row["name"]: row["value"] for row in tx.all("select name, value from counter")}
    told = received.get("events_received", 0) - received.get("events_again", 0)
    assert acknowledged >= told, "an event was answered for and is counted nowhere"
    _waiting_is_on_its_way(tx)
    _skipped_says_why(tx)
    _for_a_person_is_shown(tx)


def _waiting_is_on_its_way(tx: Tx) -> None:
    """An event counts as delivered only when nothing that it led to is still to be made, told from the traces alone."""
    fates = {row["id"]: row["fate"] for row in counts.fates(tx)}
    for row in tx.all("select event, state from outbox where state in ('waiting', 'sent', 'parked', 'held', 'dead')"):
        if row["event"].isdecimal() and int(row["event"]) in fates:
            fate = fates[int(row["event"])]
            assert fate not in ("delivered", "skipped", "erased"), f"{fate}, and a change of it is {row['state']}"


def _skipped_says_why(tx: Tx) -> None:
    for row in tx.all("select id, code from inbox where state = 'skipped'"):
        assert row["code"], "an event was skipped without a reason"
    for row in tx.all("select id, code from outbox where state = 'skipped'"):
        assert row["code"], "a change was skipped without a reason"


def _for_a_person_is_shown(tx: Tx) -> None:
    """Whatever was given up or is held stands in a repair of its account or connection."""
    shown = {
        (row["subject"].partition("/")[0] if "/" in row["subject"] else row["subject"], row["code"])
        for row in repairs.still_open(tx)
    }
    for row in tx.all("select account as subject, code from inbox where state = 'dead' and kind <> 'unread'"):
        assert (row["subject"], row["code"]) in shown, f"an event was given up ({row['code']}), and nobody is told"
    for row in tx.all(
        "select connection as subject, code from outbox where state in ('dead', 'held') and released is null"
    ):
        assert (row["subject"], row["code"]) in shown, (
            f"a change was given up or held ({row['code']}), and nobody is told"
        )
