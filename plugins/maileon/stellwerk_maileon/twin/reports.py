"""Reports: unsubscriptions and their reasons, subscribers, bounces, blocks, each also as a count (section 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

from . import elements, paging
from .account import Entry
from .exchange import Answer
from .permission import NAMES, NONE
from .problem import Problem
from .routing import Call, Route

Kind = Literal["unsubscriptions", "subscribers", "bounces", "blocks"]
COMMON = (
    "from_date",
    "to_date",
    "mailing_id*",
    "ids*",
    "emails*",
    "eids*",
    "standard_field*",
    "custom_field*",
    "embed_field_backups",
)
SINGULAR = {"unsubscriptions": "unsubscription", "subscribers": "subscriber", "bounces": "bounce", "blocks": "block"}
OWN: dict[Kind, tuple[str, ...]] = {
    "unsubscriptions": ("source*", "exclude_anonymous", "embed_transaction_id", "embed_contact_hash"),
    "subscribers": ("exclude_anonymous_contacts",),
    "bounces": ("status_code*", "type", "source_filter", "exclude_anonymous_bounces", "embed_transaction_id"),
    "blocks": ("reasons*", "old_status", "new_status", "exclude_anonymous_blocks"),
}
EXCLUDE: dict[Kind, str] = {
    "unsubscriptions": "exclude_anonymous",
    "subscribers": "exclude_anonymous_contacts",
    "bounces": "exclude_anonymous_bounces",
    "blocks": "exclude_anonymous_blocks",
}
FLAGS = ("embed_field_backups", "embed_transaction_id", "embed_contact_hash")
SOURCES = ("link", "reply", "other")
STATUSES = ("allowed", "blocked")
FAR = 2**53


def select(call: Call, kind: Kind) -> list[Entry]:
    """The entries asked for, oldest first. `from_date` is inclusive, `to_date` exclusive, both in milliseconds.

    Anonymous people are left out unless `exclude_anonymous...=false` (the documentation's default is true).
    """
    parameters = call.parameters
    for flag in FLAGS:
        parameters.flag(flag, False)
    start = parameters.whole("from_date", 0, FAR)
    end = parameters.whole("to_date", 0, FAR)
    hides = parameters.flag(EXCLUDE[kind], True)
    emails = {email.lower() for email in parameters.many("emails")}
    ids, eids, mailings = (set(parameters.many(name)) for name in ("ids", "eids", "mailing_id"))
    for number in (*ids, *mailings):
        if not number.isascii() or not number.isdigit():
            raise Problem(400, f"not a number: {number}")
    special = special_filter(call, kind)
    entries: list[Entry] = getattr(call.account, kind)
    found = []
    for entry in entries:
        contact = entry.contact
        if (hides and contact.anonymous) or not special(entry):
            continue
        if not (start or 0) <= int(entry.time * 1000) < (FAR if end is None else end):
            continue
        if emails and (contact.email or "").lower() not in emails:
            continue
        if (ids and str(contact.id) not in ids) or (eids and contact.external_id not in eids):
            continue
        if mailings and str(entry.mailing) not in mailings:
            continue
        found.append(entry)
    return found


def special_filter(call: Call, kind: Kind) -> Callable[[Entry], bool]:
    """The filters that only this report knows."""
    parameters = call.parameters
    if kind == "unsubscriptions":
        sources = known(parameters.many("source"), SOURCES)
        return lambda e: not sources or (e.source if e.source in ("link", "reply") else "other") in sources
    if kind == "bounces":
        codes, bounce_type = set(parameters.many("status_code")), parameters.choice("type", ("permanent", "transient"))
        source = parameters.choice("source_filter", ("mta-listener", "reply"))
        return lambda e: (
            (not codes or e.status_code in codes) and bounce_type in (None, e.type) and source in (None, e.source)
        )
    if kind == "blocks":
        reasons = known(parameters.many("reasons"), ("blacklist", "bounce_policy"))
        old, new = parameters.choice("old_status", STATUSES), parameters.choice("new_status", STATUSES)
        return lambda e: (
            (not reasons or e.reason in reasons) and old in (None, e.old_status) and new in (None, e.new_status)
        )
    return lambda e: True


def known(values: list[str], options: tuple[str, ...]) -> set[str]:
    for value in values:
        if value not in options:
            raise Problem(400, f"unknown value {value}, known are {', '.join(options)}")
    return set(values)


def render(call: Call, kind: Kind, entry: Entry) -> str:
    """One entry; the email is there until anonymisation, other fields only of those who are not gone."""
    contact = entry.contact
    parts = [elements.text("id", contact.id), elements.optional("external_id", contact.external_id)]
    if contact.email is not None:
        parts.append(elements.text("email", contact.email))
    if kind != "unsubscriptions" and not contact.anonymous:
        status = "none" if contact.permission == NONE else "available"
        parts.append(elements.text("permissionStatus", status))
        parts.append(elements.text("permissionType", NAMES[contact.permission]))
        parts.append(fields("standard_fields", call.parameters.many("standard_field"), contact.standard))
        parts.append(fields("custom_fields", call.parameters.many("custom_field"), contact.custom))
    attributes = {"anonymous": "true"} if contact.anonymous else {}
    details = [elements.element("contact", *parts, **attributes)]
    details.append(elements.text("timestamp", call.maileon.clock.report_text(entry.time)))
    if entry.mailing is not None:
        details.append(elements.text("mailing_id", entry.mailing))
    for name in ("type", "status_code", "source", "msg_id", "old_status", "new_status", "reason"):
        value = getattr(entry, name)
        if value is not None:
            details.append(elements.text(name, value))
    return elements.element(SINGULAR[kind], *details)


def fields(root: str, names: list[str], stored: dict[str, str]) -> str:
    filled = [(name, stored[name]) for name in names if name in stored]
    return elements.element(
        root, *(elements.element("field", elements.text("name", n), elements.text("value", v)) for n, v in filled)
    )


def listing(kind: Kind) -> Callable[[Call], Answer]:
    def handle(call: Call) -> Answer:
        page, headers = paging.cut(select(call, kind), call.request, call.parameters)
        return elements.answer(elements.element(kind, *(render(call, kind, e) for e in page)), headers=headers)

    return handle


def counting(kind: Kind) -> Callable[[Call], Answer]:
    return lambda call: elements.answer(elements.text("count", len(select(call, kind))))


def reasons(call: Call) -> Answer:
    """How often each reason was given, by count (default, most first) or by name."""
    counts = Counter(reason for entry in select(call, "unsubscriptions") for reason in entry.reasons)
    by_name = call.parameters.choice("order", ("count", "name")) == "name"
    rising = call.parameters.flag("asc", by_name)
    pairs = sorted(counts.items(), key=lambda pair: pair[0] if by_name else (pair[1], pair[0]), reverse=not rising)
    page, headers = paging.cut(pairs, call.request, call.parameters)
    rendered = (
        elements.element("unsubscription_reason", elements.text("reason", reason), elements.text("count", number))
        for reason, number in page
    )
    return elements.answer(elements.element("unsubscription_reasons", *rendered), headers=headers)


KINDS: tuple[Kind, ...] = ("unsubscriptions", "subscribers", "bounces", "blocks")
ROUTES = (
    *(
        Route(
            method="GET",
            template=f"/reports/{kind}",
            handle=listing(kind),
            parameters=(*COMMON, *OWN[kind], *paging.PARAMETERS),
        )
        for kind in KINDS
    ),
    *(
        Route(
            method="GET",
            template=f"/reports/{kind}/count",
            handle=counting(kind),
            parameters=(*COMMON, *OWN[kind]),
        )
        for kind in KINDS
    ),
    Route(
        method="GET",
        template="/reports/unsubscriptions/reasons",
        handle=reasons,
        parameters=(*COMMON, *OWN["unsubscriptions"], *paging.PARAMETERS, "order", "asc"),
    ),
)
