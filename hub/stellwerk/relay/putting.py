"""A planned change on its way: into the outbox, with its urgency, its effect key, and joined with what waits already."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stellwerk.relay.case import Case
from stellwerk.relay.hub import Hub
from stellwerk.store import held as held_rows
from stellwerk.store import lease, meta, outbox
from stellwerk.store.store import Tx
from stellwerk.store.urgency import BACKFILL, LIVE, MANY, OPT_OUT
from stellwerk_rules.brake import source_of
from stellwerk_rules.model import Enter, Held, Planned, SetFields
from stellwerk_rules.wishes import WISHING

AS_RELEASED = frozenset({"enter", "delete_contact"})
"""What passes the brake and the limit of age where a person let go one of its kind; other changes ask for no such word."""

NOTHING_LET_GO: Mapping[int, str] = {}
ONCE = frozenset({"enter", "ask", "create", "move_stage", "add_entry", "unsubscribe", "opt_out"})
OPT_OUT_TAGS = frozenset({"unsubscribe", "opt_out"})


def put(
    tx: Tx,
    hub: Hub,
    case: Case,
    planned: Planned,
    *,
    event: str,
    run: int | None = None,
    now: float,
    hold: Held | None = None,
    let_go: Mapping[int, str] = NOTHING_LET_GO,
) -> None:
    """One change into the outbox, or `hold` with its reason: an effect that stands already is only counted.

    Field values join a write that waits for the same contact. `let_go` has deliveries that a person released, by number their
    tag: this one takes the place of its like among them.
    """
    account = case.connection.accounts[planned.system]
    tag = tag_of(planned)
    new = outbox.NewDelivery(
        account=account,
        connection=case.connection.id,
        contact=case.state.id,
        tag=tag,
        once=planned.key if tag in ONCE else None,
        urgency=_urgency(case, planned, tag, backfill=run is not None),
        due=now,
        body=hub.vault.seal(account, msgspec.json.encode(planned)),
        event=event,
        created=now,
        state="waiting" if hold is None else "held",
        code="" if hold is None else hold.repair,
        text="" if hold is None else hold.because.text,
        origin=source_of(planned.change).value,
        released=now if tag in AS_RELEASED and tag in let_go.values() else None,
        run=run,
    )
    if let_go and held_rows.renew(tx, let_go, new) is not None:
        lease.wake(tx, account, now)
        return

    def merge(waiting: bytes, new_body: bytes) -> bytes | None:
        joined = join(_planned(hub, account, waiting), _planned(hub, account, new_body))
        return None if joined is None else hub.vault.seal(account, msgspec.json.encode(joined))

    if not outbox.put(tx, new, merge if tag == "set_fields" and hold is None else None):
        meta.count(tx, "effects_again")
    lease.wake(tx, account, now)


def _urgency(case: Case, planned: Planned, tag: str, *, backfill: bool) -> int:
    """How soon a change goes out (`store/urgency.py`).

    Who comes in where nobody is mailed goes before what follows from that, of the same class. Values of somebody who is
    not in over there, perhaps never will be, wait with the many: an import that was discarded must not hold back a form.
    """
    if tag in OPT_OUT_TAGS:
        return OPT_OUT
    if backfill:
        return BACKFILL
    if planned.system != case.book.plan.mail_system:
        return LIVE
    change = planned.change
    if isinstance(change, Enter):
        return LIVE if change.origin in WISHING else MANY
    return MANY if isinstance(change, SetFields) and planned.system not in case.state.remembered.ids else LIVE


def join(waiting: Planned, new: Planned) -> Planned | None:
    """Two field writes as one: the later value of each field, decided on the basis of the earlier; None when not alike."""
    if (
        not (isinstance(waiting.change, SetFields) and isinstance(new.change, SetFields))
        or waiting.change.mirror != new.change.mirror
    ):
        return None
    fields = dict(waiting.change.fields)
    for name, value in new.change.fields.items():
        before = fields.get(name)
        fields[name] = value if before is None else msgspec.structs.replace(value, basis=before.basis)
    return msgspec.structs.replace(new, change=msgspec.structs.replace(new.change, fields=fields))


def tag_of(planned: Planned) -> str:
    tag = planned.change.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _planned(hub: Hub, account: str, sealed: bytes) -> Planned:
    return msgspec.json.decode(hub.vault.open(account, sealed), type=Planned)
