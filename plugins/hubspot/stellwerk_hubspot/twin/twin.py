"""What there is: the options of a twin and its whole state, put together once."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from time import time as wall

from msgspec import Struct

from .clock import Clock
from .events import events_for
from .faults import Faults, Holds
from .grants import Grant, Grants
from .journal import Journal
from .limits import Budgets, Limit
from .portal import Happening, Portal
from .project import Project
from .record import Record
from .webhooks import DEFAULT_RETRIES, Transport, Webhooks, spread

__all__ = ["VERSION", "App", "Options", "Twin", "assemble"]

VERSION = "2026-09"
STATIC_SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "communication_preferences.read_write",
)


class Options(Struct, frozen=True, kw_only=True):
    """What the command line sets; times in seconds."""

    portals: tuple[tuple[int, str], ...] = ((4711, "Acme GmbH"), (4712, "Beta AG"))
    project: Project | None = None
    client_id: str = ""
    client_secret: str = ""
    app_id: str = "1234567"
    reach: dict[str, str] = {}
    static_tokens: dict[str, int] = {}
    limit: Limit = Limit(190, 10.0)
    retry_seconds: float | None = None
    token_seconds: float = 1800.0
    code_seconds: float = 60.0
    search_lag_seconds: float = 3.0
    cookie_sharing: bool = True
    rotate_refresh_tokens: bool = False
    control_token: str = ""
    seed: int | None = None


class App(Struct, frozen=True):
    """What the app's Auth tab shows after the deploy, and the project behind it."""

    client_id: str
    client_secret: str
    app_id: str
    project: Project


@dataclass
class Twin:
    options: Options
    clock: Clock
    app: App | None
    portals: dict[int, Portal]
    grants: Grants
    budgets: Budgets
    rng: random.Random
    control_token: str
    journal: Journal
    webhooks: Webhooks | None = None
    faults: Faults = field(default_factory=Faults)
    holds: Holds = field(default_factory=Holds)
    record: Record = field(default_factory=Record)
    url: str = ""
    approved: bool = True
    """Whether HubSpot has approved the app for app events; nothing else shows it."""

    @property
    def private(self) -> bool:
        return self.app is not None and self.app.project.distribution == "private"


def assemble(options: Options, *, time: Callable[[], float] | None = None, transport: Transport | None = None) -> Twin:
    """A twin as `options` say; call inside a running event loop.

    `time` takes the place of the machine's clocks, `transport` of the network that webhooks go by.
    """
    clock, rng = Clock(time or wall), random.Random(options.seed)
    app = None
    if options.project is not None:
        app = App(
            options.client_id or secrets.token_hex(16),
            options.client_secret or secrets.token_hex(16),
            options.app_id,
            options.project,
        )
    portals = {
        number: Portal(number, name, clock, search_lag_seconds=options.search_lag_seconds)
        for number, name in options.portals
    }
    grants = Grants(options.token_seconds, options.rotate_refresh_tokens, options.code_seconds, time or monotonic)
    control_token = options.control_token or secrets.token_urlsafe(24)
    budgets = Budgets(options.limit, time or monotonic)
    journal = Journal(clock, lambda portal: portal in grants.installed)
    twin = Twin(options, clock, app, portals, grants, budgets, rng, control_token, journal)
    _hand_out_static_tokens(twin)
    if app is not None and app.project.target_url is not None:
        retries = DEFAULT_RETRIES if options.retry_seconds is None else spread(options.retry_seconds)
        twin.webhooks = Webhooks(
            clock, app.project, app.client_secret, options.reach, retries, rng, transport=transport
        )
    if app is not None:
        for portal in portals.values():
            portal.tell = _teller(twin, app, portal.id)
    return twin


def _hand_out_static_tokens(twin: Twin) -> None:
    """A static token belongs to the project's app if that is of auth type static, else to a second app of its own."""
    own = twin.app is not None and twin.app.project.auth.type == "static"
    app_id = twin.options.app_id if own else str(int(twin.options.app_id) + 1)
    for token, number in twin.options.static_tokens.items():
        scopes = tuple(twin.app.project.auth.required_scopes) if own and twin.app else STATIC_SCOPES
        grant = Grant(number, app_id, scopes, static=True)
        twin.grants.access[token] = (grant, float("inf"))
        if own:
            twin.grants.installed[number] = grant


def _teller(twin: Twin, app: App, portal_id: int) -> Callable[[Happening], None]:
    """Only portals that have installed the app, with the scope to read contacts, are told of (section 4)."""

    def tell(told: Happening) -> None:
        grant = twin.grants.installed.get(portal_id)
        if grant is not None and "crm.objects.contacts.read" in grant.scopes:
            twin.journal.note(portal_id, told)
            if twin.webhooks is not None:
                for event in events_for(app.project, app.app_id, portal_id, told):
                    twin.webhooks.announce(portal_id, event)

    return tell
