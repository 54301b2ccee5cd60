"""The tables, as migrations. Times are seconds since 1970; `body` and `secrets` are sealed by the vault."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("stellwerk")

TABLES = """
create table meta (name text primary key, value blob not null);

create table account (
    id text primary key, system text not null, remote text not null, name text not null default '',
    data_key blob not null, secrets blob, oauth blob, oauth_version integer not null default 0, info text not null default '{}',
    hook_hash text, hook_hash_old text, hook_secret blob,
    state text not null default 'ok', state_code text not null default '', state_text text not null default '',
    paused_until real not null default 0, created real not null
);
create unique index account_remote on account (system, remote);
create index account_hook on account (hook_hash) where hook_hash is not null;
create index account_hook_old on account (hook_hash_old) where hook_hash_old is not null;

create table connection (
    id text primary key, origin text not null, state text not null, brand text not null default '', accounts text not null,
    settings text not null, version integer not null default 1, began real, agreed text, created real not null
);
create table setting_history (
    id integer primary key, connection text not null, at real not null, who text not null, settings text not null, agreed text
);

create table inbox (
    id integer primary key, account text not null, dedup text, subject text not null, kind text not null, body blob,
    occurred real, received real not null, class integer not null default 1, due real not null,
    attempts integer not null default 0, state text not null default 'waiting', code text not null default '', answer blob,
    ended real
);
create unique index inbox_dedup on inbox (account, dedup) where dedup is not null;
create index inbox_waiting on inbox (account, class, id) where state = 'waiting';
create index inbox_subject on inbox (account, subject) where state = 'waiting';
create index inbox_ended on inbox (ended) where ended is not null;

create table outbox (
    id integer primary key, account text not null, connection text not null, contact integer not null, tag text not null,
    once text, class integer not null, due real not null, attempts integer not null default 0,
    state text not null default 'waiting', progress text not null default '', sent real, body blob, event text not null,
    code text not null default '', text text not null default '', answer blob, created real not null, ended real
);
create unique index outbox_once on outbox (connection, once) where once is not null;
create index outbox_waiting on outbox (account, class, id) where state = 'waiting';
create index outbox_due on outbox (account, due) where state = 'waiting';
create index outbox_interrupted on outbox (account, class, id) where state = 'waiting' and progress <> '';
create index outbox_sent on outbox (account) where state = 'sent';
create index outbox_contact on outbox (contact) where state in ('waiting', 'sent', 'parked');
create index outbox_dead on outbox (connection) where state = 'dead';
create index outbox_ended on outbox (ended) where ended is not null;

create table contact (
    id integer primary key, connection text not null, address text, version integer not null default 1,
    remembered text not null, created real not null
);
create index contact_address on contact (connection, address);
create table link (
    connection text not null, system text not null, remote text not null, contact integer not null,
    primary key (connection, system, remote)
) without rowid;
create index link_contact on link (contact);

create table ledger (
    id integer primary key, account text not null, address text not null, connection text not null, kind text not null,
    fact text not null, body text not null, recorded real not null
);
create unique index ledger_fact on ledger (account, address, kind, fact);
create table suppression (account text not null, address text not null, since real not null, primary key (account, address)) without rowid;

create table trace (
    id integer primary key, connection text not null, contact integer, address text, event text not null, at real not null,
    kind text not null, body blob not null
);
create index trace_contact on trace (connection, contact);
create index trace_address on trace (address);

create table repair (
    id integer primary key, subject text not null, code text not null, text text not null, count integer not null default 1,
    opened real not null, seen real not null, closed real
);
create unique index repair_open on repair (subject, code) where closed is null;

create table lease (
    account text primary key, owner text, epoch integer not null default 0, until real not null default 0, wake real,
    served real not null default 0, calls blob
);
create table cursor (account text not null, name text not null, value text not null, primary key (account, name)) without rowid;
create table counter (name text primary key, value integer not null) without rowid;
"""


@migrations()
def tables(db: Database) -> None:
    """The first set of tables."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.conn.execute(statement)


API_TOKENS = """
create table api_token (
    id integer primary key, connection text not null, name text not null, rights text not null, digest text not null unique,
    made_by text not null, created real not null, expires real not null, used real, revoked real
);
create index api_token_connection on api_token (connection);
create index ledger_connection on ledger (connection, kind, recorded);
create index inbox_dead on inbox (account) where state = 'dead';
alter table setting_history add column state text not null default 'runs';
alter table setting_history add column note text not null default '';
"""


@migrations()
def api_tokens(db: Database) -> None:
    """Tokens of the JSON API, what the pages count, and what a person did besides changing settings."""
    for statement in API_TOKENS.split(";"):
        if statement.strip():
            db.conn.execute(statement)


LEFT_OUT = """
create table left_out (
    connection text not null, system text not null, field text not null, contact integer not null, code text not null,
    seen real not null, primary key (connection, system, field, contact)
) without rowid;
create index left_out_contact on left_out (contact);
"""


@migrations()
def left_out(db: Database) -> None:
    """Fields that a target did not take, by contact."""
    for statement in LEFT_OUT.split(";"):
        if statement.strip():
            db.conn.execute(statement)


HELD_AND_COUNTED = """
alter table inbox add column together integer;
create index inbox_together on inbox (together) where together is not null;
alter table outbox add column origin text not null default 'other';
alter table outbox add column released real;
create index outbox_held_by on outbox (connection, code, origin) where state = 'held';
create table effect (event integer not null, delivery integer not null, primary key (event, delivery)) without rowid;
create index effect_delivery on effect (delivery);
create table braked (delivery integer primary key, connection text not null, kind text not null, origin text not null, at real not null);
create index braked_by on braked (connection, kind, origin);
create index braked_at on braked (at);
insert into counter (name, value) select 'events_acknowledged', n from (select count(*) as n from inbox) as taken where n > 0;
"""


@migrations()
def held_and_counted(db: Database) -> None:
    """Which event led to which delivery; what was started within the hour, by the origin of its record; what is released."""
    for statement in HELD_AND_COUNTED.split(";"):
        if statement.strip():
            db.conn.execute(statement)


WITHIN = """
alter table contact add column within text;
create index contact_within on contact (connection, within) where within is not null;
"""


@migrations()
def within(db: Database) -> None:
    """Contacts that were merged into another one, found by its id."""
    for statement in WITHIN.split(";"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def on_hold(db: Database) -> None:
    """Since when a connection holds what mails or grants."""
    db.conn.execute("alter table connection add column on_hold real")


WRITTEN = """
create table written (
    id integer primary key, contact integer not null, system text not null, field text not null, at real not null,
    by_hand integer not null
);
create index written_contact on written (contact);
create index written_at on written (at);
create index outbox_held_of on outbox (contact, code) where state = 'held';
"""


@migrations()
def written(db: Database) -> None:
    """Which fields were written in the last minutes, for the breaker."""
    for statement in WRITTEN.split(";"):
        if statement.strip():
            db.conn.execute(statement)


INVITATIONS = """
create table invitation (
    id integer primary key, connection text not null, name text not null, rights text not null, digest text not null unique,
    made_by text not null, created real not null, expires real not null, used real, revoked real
);
create index invitation_connection on invitation (connection);
alter table setting_history add column about text not null default '';
"""


@migrations()
def invitations(db: Database) -> None:
    """Links that let somebody without a login look after a connection, and whom a line of the history concerns."""
    for statement in INVITATIONS.split(";"):
        if statement.strip():
            db.conn.execute(statement)


SYNC = """
create table sync_run (
    id integer primary key, connection text not null, account text not null, kind text not null, ask integer not null,
    permission text not null, confirmed integer not null, state text not null, code text not null default '',
    text text not null default '', made_by text not null, started real not null, ended real, version integer not null,
    plan text not null, cursor text, listed integer not null default 0, pages integer not null default 0,
    contacts integer not null default 0, total integer, counts text not null default '{}',
    attempts integer not null default 0, due real not null
);
create unique index sync_run_open on sync_run (connection) where state in ('running', 'stopped');
create index sync_run_running on sync_run (account) where state = 'running';
create table sync_row (
    id integer primary key, run integer not null, remote text not null, address text, what text not null, code text not null,
    body blob not null
);
create unique index sync_row_of on sync_row (run, remote);
create index sync_row_address on sync_row (address) where address is not null;
alter table inbox add column run integer;
alter table outbox add column run integer;
create index inbox_run on inbox (run, state) where run is not null;
create index outbox_run on outbox (run, state) where run is not null;
"""


@migrations()
def sync(db: Database) -> None:
    """Syncs with where they stand, what a dry run said of each contact, and which events and deliveries belong to one."""
    for statement in SYNC.split(";"):
        if statement.strip():
            db.conn.execute(statement)


PROOFS = """
alter table ledger add column plan text not null default '';
create table words (hash text primary key, language text not null, sentence text not null, saved real not null) without rowid;
"""


@migrations()
def proofs(db: Database) -> None:
    """Under which configuration a fact was written down, and the sentences that people agreed to."""
    for statement in PROOFS.split(";"):
        if statement.strip():
            db.conn.execute(statement)


RECIPIENTS = """
create table recipient (
    id integer primary key, connection text not null, name text not null, kind text not null, language text not null,
    body blob not null, made_by text not null, created real not null
);
create index recipient_connection on recipient (connection);
create table notification (
    id integer primary key, recipient integer not null, body text not null, created real not null, due real not null,
    attempts integer not null default 0, state text not null default 'waiting', code text not null default '', ended real
);
create index notification_recipient on notification (recipient, id);
create index notification_waiting on notification (due) where state = 'waiting';
create table told (
    recipient integer not null, repair integer not null, what text not null, primary key (recipient, repair, what)
) without rowid;
"""


@migrations()
def recipients(db: Database) -> None:
    """Who is told of repairs, what they are told, and which repairs they have been told of."""
    for statement in RECIPIENTS.split(";"):
        if statement.strip():
            db.conn.execute(statement)


COMPARISON = """
create table comparison (
    id integer primary key, connection text not null, mend integer not null, state text not null, code text not null default '',
    text text not null default '', made_by text not null, started real not null, ended real,
    contacts integer not null default 0, counts text not null default '{}', mended integer not null default 0
);
create unique index comparison_open on comparison (connection) where ended is null;
create table comparison_part (
    id integer primary key, run integer not null, account text not null, system text not null, what text not null,
    state text not null default 'compares', cursor text, attempts integer not null default 0, due real not null
);
create index comparison_part_of on comparison_part (run);
create index comparison_part_open on comparison_part (account) where state <> 'done';
create table drift (
    id integer primary key, run integer not null, part integer not null, remote text not null, contact integer, address text,
    kind text not null, mends integer not null, event text, mended integer not null default 0
);
create unique index drift_of on drift (part, remote, kind);
create index drift_run on drift (run, kind);
create index drift_contact on drift (contact) where contact is not null;
create index drift_address on drift (address) where address is not null;
"""


@migrations()
def comparison(db: Database) -> None:
    """Comparisons of both sides: how far, what differed, and what of it was looked at again."""
    for statement in COMPARISON.split(";"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def outbox_of(db: Database) -> None:
    """All that was ever to be written of one contact: asked for at the end of each delivery."""
    db.conn.execute("create index outbox_of on outbox (contact)")


KNOWN_MIGRATIONS = frozenset(
    {
        "tables",
        "api_tokens",
        "left_out",
        "held_and_counted",
        "within",
        "on_hold",
        "written",
        "invitations",
        "sync",
        "proofs",
        "recipients",
        "comparison",
        "outbox_of",
    }
)
