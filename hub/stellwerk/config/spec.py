"""integration.yaml as a whole: what the rules read (`stellwerk_rules.spec`) and what only the hub does.

`systems` and `connections` have keys that the file itself names; `load` puts them into `System.settings` and
`Connection.accounts`. `tests` stand in `stellwerk.config.trial`.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from stellwerk.config.trial import Trial
from stellwerk.sdk.settings import Secret
from stellwerk_rules.spec import Condition, FieldRow, Limits, Mirror, Provided, Rule, Section, SettingValue

__all__ = ["Agreed", "Connection", "HubSpec", "Integration", "Keep", "Reconcile", "Smtp", "System"]


class Smtp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server that tells people of repairs. Contacts are never mailed by it."""

    host: Annotated[str, Meta(description="Name of the server.", min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65_535, description="Its port: 587 with `starttls`, 465 with `tls`.")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How the way there is encrypted; `none` only for a server on the same host, without a login."),
    ] = "starttls"
    sender: Annotated[str, Meta(description="Address that the mails come from.", pattern="@")]
    username: Annotated[str | None, Meta(description="Name to log in with, where the server wants one.")] = None
    password: Annotated[Secret | None, Meta(description="Password to log in with, by `env:NAME` or `file:PATH`.")] = (
        None
    )


class HubSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This hub: where it keeps things and under which addresses it is reached."""

    public_url: Annotated[
        str, Meta(description="What browsers open, without a path: `https://hub.example`. Login comes back to it.")
    ]
    webhook_url: Annotated[
        str | None, Meta(description="What vendors call and sign, when it is another address than `public_url`.")
    ] = None
    database: Annotated[
        str, Meta(description="`sqlite:///FILE`, from the folder of this file, or `postgresql://…`.")
    ] = "sqlite:///stellwerk.db"
    state: Annotated[
        str,
        Meta(
            description="With PostgreSQL: the folder that each host keeps for itself, from the folder of this file.",
            min_length=1,
        ),
    ] = "state"
    secret_key: Annotated[
        Secret,
        Meta(
            description="Encrypts credentials and signs sessions; 32 characters or more, by `env:NAME` or `file:PATH`."
        ),
    ]
    secret_key_before: Annotated[
        Secret | None,
        Meta(description="The key that `secret_key` replaces, until all is encrypted anew; the log says when."),
    ] = None
    smtp: Annotated[
        Smtp | None, Meta(description="The mail server that tells people of repairs; without it nobody is mailed.")
    ] = None
    notify_internal: Annotated[
        bool,
        Meta(
            description="Whether webhooks that tell of repairs may go to addresses inside this network, and unencrypted."
        ),
    ] = False


class System(Struct, frozen=True, kw_only=True):
    """One side: `settings` is the connector's `system_type`."""

    connector: str
    settings: Any


class Keep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long things are kept."""

    payload_days: Annotated[int, Meta(ge=1, le=3650, description="Payloads of finished events and changes.")] = 14
    trace_days: Annotated[int, Meta(ge=1, le=3650, description="Decisions and their reasons.")] = 30
    dead_letter_days: Annotated[int, Meta(ge=1, le=3650, description="Dead letters.")] = 90
    unsaved_login_days: Annotated[
        int, Meta(ge=1, le=365, description="Tokens of a login that never led to a saved connection.")
    ] = 7
    ledger_years: Annotated[int, Meta(ge=1, le=100, description="The consent ledger, without clear text.")] = 6


class Reconcile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often both sides of each connection that runs are compared, and mended where they differ."""

    every_hours: Annotated[
        int, Meta(ge=0, le=8760, description="Hours from the start of one comparison to the next; 0: only by command.")
    ] = 24


class Agreed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who says that contacts may be mailed or granted a permission as this connection does it."""

    by: Annotated[str, Meta(description="Name of that person; goes into the consent ledger.", min_length=1)]
    at: Annotated[datetime.date, Meta(description="The day, as YYYY-MM-DD.")]
    confirmation_given: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Where contacts confirmed, when `double` or `double_plus` is granted."),
    ] = None


class Connection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one customer sets up: one account a system, and values for the settings."""

    id: Annotated[
        str, Meta(description="Name of the connection in commands and logs.", pattern="^[a-z0-9][a-z0-9_-]{0,62}$")
    ]
    accounts: Annotated[
        dict[str, Any], Meta(description="The account at each system, written as the systems' own keys in the file.")
    ] = field(default_factory=dict)
    only_if: Annotated[Condition | None, Meta(description="Which contacts belong to this connection.")] = None
    settings: Annotated[
        dict[str, SettingValue], Meta(description="Values of settings by id; the others have their defaults.")
    ] = field(default_factory=dict)
    agreed: Annotated[
        Agreed | None, Meta(description="Without it an unset answer counts as no, and nothing is granted.")
    ] = None
    brand: Annotated[
        Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,30}$")] | None,
        Meta(description="Fills `{brand}` in the names under `provide:`."),
    ] = None
    state: Annotated[
        Literal["runs", "watches", "rests"],
        Meta(description="`runs`; `watches`: shows what it would do and writes nothing; `rests`: does nothing."),
    ] = "runs"


class Integration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. `systems` in its order."""

    version: Annotated[Literal[1], Meta(description="Shape of this file: 1.")]
    title: Annotated[str, Meta(description="What pages and logs call this integration.", min_length=1)]
    hub: Annotated[HubSpec, Meta(description="This hub.")]
    systems: Annotated[dict[str, System], Meta(description="The two sides by name, each with its connector.")]
    login: Annotated[str | None, Meta(description="The system that people sign in with.")] = None
    provide: Annotated[dict[str, Provided], Meta(description="What is created over there, by system.")] = field(
        default_factory=dict
    )
    settings: Annotated[tuple[Section, ...], Meta(description="The settings page, top to bottom.")] = ()
    fields: Annotated[
        tuple[FieldRow, ...],
        Meta(description="Which field is which; both ways, newest wins, unless a row says otherwise."),
    ] = ()
    rules: Annotated[
        tuple[Rule, ...], Meta(description="What events mean at the other side; first match per verb.")
    ] = ()
    mirror: Annotated[tuple[Mirror, ...], Meta(description="State shown at the other side.")] = ()
    limits: Annotated[Limits, Meta(description="Brakes and lifetimes.")] = Limits()
    keep: Annotated[Keep, Meta(description="How long things are kept.")] = Keep()
    reconcile: Annotated[Reconcile, Meta(description="How often both sides are compared.")] = Reconcile()
    connections: Annotated[
        tuple[Connection, ...], Meta(description="Connections of an operator who wants no browser.")
    ] = ()
    tests: Annotated[
        tuple[Trial, ...], Meta(description="Decisions that `stellwerk test` checks, with no network.")
    ] = ()
