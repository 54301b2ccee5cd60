"""The ruleset most tests use (a CRM and a mail system with everything the file can say), and a world to try it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.ending import Ending
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    Agreement,
    Contact,
    Decision,
    Event,
    EventKind,
    Fact,
    Known,
    OptOutProof,
    Origin,
    Planned,
    Remembered,
    Unlinked,
    Value,
    Written,
)
from stellwerk_rules.plan import Plan, compile_plan
from stellwerk_rules.prepare import Ready, prepare
from stellwerk_rules.settings import defaults
from stellwerk_rules.spec import Ruleset, StageMove
from stellwerk_toys.decisions import fact

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def text(words: str) -> dict[str, str]:
    return {"en": words, "de": words}


def switch(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "switch", "label": text(name), **more}


def choice(name: str, options: list[str], default: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "choice", "options": options, "default": default, "label": text(name), **more}


DOI_ON = {"setting": "double_opt_in", "is": True}

FILE: dict[str, Any] = {
    "systems": ["crm", "mail"],
    "provide": {
        "crm": {
            "group": {"name": "g", "label": "G"},
            "properties": {
                name: {"name": f"x_{name}", "kind": kind, "label": name}
                for name, kind in {
                    "subscribe": "yes_no",
                    "contact_doi": "yes_no",
                    "contact_doi_plus": "yes_no",
                    "contact_mailing": "text",
                    "contact_permission": "permission",
                    "status": "status",
                    "permission": "permission",
                    "unsubscribed_at": "time",
                }.items()
            },
        }
    },
    "settings": [
        {
            "section": text("Mail"),
            "fields": [
                switch("double_opt_in", per_contact="contact_doi"),
                switch("double_opt_in_plus", only_if=DOI_ON, per_contact="contact_doi_plus"),
                {
                    "id": "doi_mailing",
                    "kind": "pick",
                    "of": "mail.doi_mailings",
                    "or_typed": True,
                    "label": text("mailing"),
                    "only_if": DOI_ON,
                    "per_contact": "contact_mailing",
                },
                {
                    "id": "permission",
                    "kind": "permission",
                    "label": text("permission"),
                    "per_contact": "contact_permission",
                    "only_if": {
                        "any": [
                            {"setting": "double_opt_in", "is": False},
                            {"setting": "contacts_may_skip_doi", "is": True},
                        ]
                    },
                },
                switch("contacts_may_skip_doi"),
                switch("forms_may_skip_doi", only_if={"setting": "contacts_may_skip_doi", "is": True}),
                switch("ask_again"),
                choice("no_answer", ["yes", "no"], "yes"),
            ],
        },
        {
            "section": text("Stages"),
            "fields": [
                {"id": "on_confirmed", "kind": "stage_move", "system": "crm", "label": text("confirmed")},
                {"id": "on_unsubscribed", "kind": "stage_move", "system": "crm", "label": text("unsubscribed")},
                choice("timeline", ["app_event", "note", "properties_only"], "note"),
            ],
        },
        {
            "section": text("Changes"),
            "fields": [
                choice("on_no", ["unsubscribe", "keep"], "unsubscribe"),
                switch("form_no_unsubscribes"),
                choice("on_moved", ["ask_again", "keep_permission"], "ask_again"),
                choice("on_moved_old", ["keep", "unsubscribe", "delete"], "keep"),
                choice("on_deleted", ["keep", "unsubscribe", "delete"], "keep"),
                choice("only_in_mail", ["ignore", "create"], "ignore"),
                switch("opt_out_in_crm"),
            ],
        },
    ],
    "fields": [
        {"names": {"crm": "firstname", "mail": "FIRSTNAME"}},
        {"names": {"crm": "lastname", "mail": "LASTNAME"}},
        {"names": {"crm": "company", "mail": "ORGANIZATION"}, "owner": "crm"},
        {"names": {"crm": "city", "mail": "CITY"}, "fill_only": True},
        {
            "names": {"crm": "date_of_birth", "mail": "BIRTHDAY"},
            "to": "mail",
            "convert": {"kind": "date", "formats": ["iso", "DD.MM.YYYY"]},
        },
        {
            "names": {"crm": "gender", "mail": "GENDER"},
            "convert": {"kind": "lookup", "table": {"male": "m", "female": "f"}},
        },
    ],
    "rules": [
        {
            "id": "subscribe",
            "from": "crm",
            "to": "mail",
            "events": ["created", "changed", "moved"],
            "enter": {"who": "new", "answer": "subscribe", "without_answer": "settings.no_answer"},
            "consent": {
                "ask": "settings.double_opt_in",
                "plus": "settings.double_opt_in_plus",
                "with": {"mailing": "settings.doi_mailing"},
                "grant": "settings.permission",
                "may_skip": "settings.contacts_may_skip_doi",
                "may_skip_by_form": "settings.forms_may_skip_doi",
                "again": "settings.ask_again",
                "moved": "settings.on_moved",
                "moved_old": "settings.on_moved_old",
            },
            "fields": "all",
        },
        {
            "id": "said-no",
            "from": "crm",
            "to": "mail",
            "events": ["changed"],
            "only_if": {
                "all": [
                    {"field": "subscribe", "became": "no"},
                    {
                        "any": [
                            {"field": "subscribe", "by_not": ["form"]},
                            {"setting": "form_no_unsubscribes", "is": True},
                        ]
                    },
                ]
            },
            "contact": "settings.on_no",
        },
        {"id": "deleted", "from": "crm", "to": "mail", "events": ["deleted"], "contact": "settings.on_deleted"},
        {"id": "erased", "from": "crm", "to": "mail", "events": ["erased"], "contact": "delete"},
        {
            "id": "only-mail",
            "from": "mail",
            "to": "crm",
            "events": ["created", "changed"],
            "enter": {"who": "settings.only_in_mail"},
        },
        {
            "id": "confirmed",
            "from": "mail",
            "to": "crm",
            "events": ["confirmed"],
            "stage": "settings.on_confirmed",
            "timeline": {"text": text("Confirmed")},
        },
        {
            "id": "unsubscribed",
            "from": "mail",
            "to": "crm",
            "events": ["unsubscribed"],
            "stage": "settings.on_unsubscribed",
            "set": {"subscribe": "no"},
            "opt_out": "settings.opt_out_in_crm",
            "timeline": {"text": text("Unsubscribed"), "show": ["msg_id", "method"]},
        },
        {"id": "bounced", "from": "mail", "to": "crm", "events": ["bounced"], "timeline": {"text": text("Bounced")}},
    ],
    "mirror": [
        {
            "of": "mail",
            "on": "crm",
            "status": "status",
            "permission": "permission",
            "unsubscribed_at": "unsubscribed_at",
        }
    ],
    "rule_lines": {"subscribe": 70, "said-no": 80, "confirmed": 90, "unsubscribed": 95},
    "hash": "h1",
}


class World:
    """One contact at both systems, a ledger, and the rules: events are decided, planned changes prepared and made."""

    def __init__(self, **changes: Any) -> None:
        self.plan = compile_plan(msgspec.convert({**FILE, **changes}, Ruleset))
        self.settings = dict(defaults(self.plan))
        self.now = NOON
        self.began_at: datetime | None = NOON - 10 * DAY
        self.agreed: Agreement | None = Agreement(by="Jo", at=NOON - 10 * DAY, words="w1")
        self.remembered = Remembered()
        self.facts: list[Fact] = []
        self.suppressed = False
        self.stages: tuple[str, ...] = ("subscriber", "lead", "mql", "customer")
        self.count = 0

    def known(self, **more: Any) -> Known:
        return Known(
            digest=lambda value: sha256(value.encode()).hexdigest(),
            began_at=self.began_at,
            agreed=self.agreed,
            remembered=self.remembered,
            facts=tuple(self.facts),
            suppressed=self.suppressed,
            stages=self.stages,
            **more,
        )

    def crm(self, *, by: Origin = Origin.FORM, said_at: datetime | None = None, **fields: Any) -> Contact:
        """A contact at the CRM; text fields by name, the rest of `Contact` as keywords that exist there."""
        return self._contact("crm", by, said_at, {"id": "c1", "created_at": self.now - HOUR, **fields})

    def mail(self, **fields: Any) -> Contact:
        return self._contact("mail", Origin.OTHER, None, {"id": "m1", **fields})

    def _contact(self, system: str, by: Origin, said_at: datetime | None, given: dict[str, Any]) -> Contact:
        own = {name: given.pop(name) for name in list(given) if name in Contact.__struct_fields__}
        named = {self.plan.property_name(system, name): value for name, value in given.items()}
        values: dict[str, Value] = {name: named.get(name) for name in self.plan.reads(system)} | named
        history = {
            name: (Written(value=values[name], at=said_at or self.now - HOUR, origin=by),)
            for name in self.plan.history_fields(system)
            if values.get(name) is not None
        }
        return Contact(
            **{
                "email": "ada@example.com",
                "fields": values,
                "history": history,
                "read_at": self.now,
                "updated_at": self.now,
                **own,
            }
        )

    def event(
        self,
        contact: Contact,
        kind: EventKind = EventKind.CHANGED,
        system: str = "crm",
        proof: OptOutProof | None = None,
        details: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Event:
        self.count += 1
        return Event(
            id=f"e{self.count}",
            kind=kind,
            system=system,
            contact=contact,
            at=self.now,
            proof=proof,
            details=details or {},
            **more,
        )

    def decide(
        self, contact: Contact, kind: EventKind = EventKind.CHANGED, system: str = "crm", **more: Any
    ) -> Decision:
        """Decide on the contact, and keep what the decision says."""
        return self.keep(evaluate(self.plan, self.event(contact, kind, system, **more), self.known(), self.settings))

    def keep(self, decision: Decision) -> Decision:
        self.remembered = decision.remembered
        told = {(fact.kind, fact.key, fact.final) for fact in self.facts}
        self.facts += [fact for fact in decision.facts if (fact.kind, fact.key, fact.final) not in told]
        return decision

    def make(self, planned: Planned, target: Contact, outcome: str = "done", remote_id: str | None = "m1") -> Any:
        """Prepare the change and, where it is ready, make every write with `outcome`. What `prepare` said."""
        ready = prepare(self.plan, planned, target, self.known(), self.settings, self.now)
        follow: list[Planned] = []
        if isinstance(ready, Ready):
            for change in ready.changes:
                ending = Ending(
                    planned=planned,
                    change=change,
                    outcome=outcome,
                    target=target,
                    remote_id=remote_id,
                    remote_at=self.now,
                )
                ended = after(self.plan, ending, self.known(), self.now)
                follow += self.keep(ended).changes
        else:
            ended = dropped(self.plan, planned, ready, target, self.known(), self.now)
            follow += self.keep(ended).changes
        self.follow = follow
        return ready


@pytest.fixture
def world() -> World:
    """Double opt-in with mailing K1, somebody agreed, the connection began ten days ago."""
    made = World()
    made.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    return made


@pytest.fixture(scope="session")
def file() -> dict[str, Any]:
    """The ruleset as written, to be changed where a test wants another."""
    return FILE


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    return World


@pytest.fixture
def plan(world: World) -> Plan:
    return world.plan


@pytest.fixture
def linked(world: Any) -> Any:
    """Asked a day ago with mark w1, linked, with stage moves for both facts."""
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    world.facts = [fact(world, "asked", "w1", told_by="", plus=True)]
    world.settings["on_confirmed"] = StageMove(enabled=True, source="lead", target="mql")
    world.settings["on_unsubscribed"] = StageMove(enabled=True, source="any", target="lead", reset=True)
    return world


@pytest.fixture
def apart(linked: Any) -> Any:
    """A linked contact that Jo unlinked an hour ago."""
    linked.remembered = replace(linked.remembered, unlinked=Unlinked(by="Jo", at=linked.now - HOUR))
    return linked
