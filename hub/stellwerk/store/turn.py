"""Whose turn it is in the outbox: a contact's deliveries go out one after the other, and some wait for a person."""

from __future__ import annotations

__all__ = ["TURN"]

# What mails or grants, and waits while the whole hub or its connection holds that.
KEPT_BACK = (
    "({0}.tag in ('enter', 'move_address') and {0}.progress = ''"
    " and (:hold or exists (select 1 from connection as h where h.id = {0}.connection and h.on_hold is not null)))"
)
# Of a sync that a person has stopped. What became urgent since, because something live joined it, goes on.
STOPPED = (
    "({0}.run is not null and {0}.class = 3 and {0}.progress = ''"
    " and exists (select 1 from sync_run as s where s.id = {0}.run and s.state = 'stopped'))"
)
# Rows that nothing holds up, of connections that run. The inner conditions are those of `outbox_contact`, word for word: otherwise each row
# searches the whole backlog.
TURN = (
    "outbox as o where account = :account and state = 'waiting' and not exists"
    " (select 1 from outbox as e where e.contact = o.contact and e.state in ('waiting', 'sent', 'parked')"
    "  and e.account = o.account and e.id <> o.id and e.state <> 'parked'"
    "  and (e.state = 'sent' or (e.id < o.id and o.class > 0 and not {e} and not {se})))"
    " and not {o} and not {so}"
    " and not exists (select 1 from connection as c where c.id = o.connection and c.state <> 'runs')"
).format(e=KEPT_BACK.format("e"), o=KEPT_BACK.format("o"), se=STOPPED.format("e"), so=STOPPED.format("o"))
