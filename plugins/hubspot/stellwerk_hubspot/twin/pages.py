"""The portal as a person sees it: front page, contacts, one contact's record, the recycle bin."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from . import consent, forms, imports
from .app_events import events_of
from .call import Answer, Call, Route
from .catalogue import Property
from .clock import iso
from .deletion import archive, erase, restore
from .errors import not_found
from .lifecycle import STAGE
from .merge import merge
from .portal import Contact, Portal, Source
from .preferences import opt_out
from .rendering import go_to, page, refusal_page, stylesheet
from .writing import create, prepared, update

__all__ = ["PAGES", "refusal_page"]

PERSON = Source("CRM_UI", "userId:1", user_id=1)
ALWAYS_SHOWN = ("email", "firstname", "lastname", "company", "phone", "city", "jobtitle", STAGE)
ASKED_FIRST = ("email", "firstname", "lastname", "company")
PER_PAGE = 100


def _contact(call: Call, portal: Portal, *, archived: bool = False) -> Contact:
    text = call.params["id"]
    contact = portal.contacts.get(portal.survivor(int(text))) if text.isdecimal() else None
    if contact is None or (contact.archived_ms is not None) != archived:
        raise not_found(f"There is no contact {text} here")
    return contact


def front(call: Call) -> Answer:
    """Portals, forms, and the app's Auth tab."""
    return page("front.html", title="Accounts", twin=call.twin, installed=call.twin.grants.installed)


def contact_list(call: Call) -> Answer:
    """Newest first; `?q=` searches names and addresses at once, without search lag."""
    portal, query = call.named_portal, dict(call.query_pairs())
    needle = query.get("q", "").lower()
    found = (
        contact
        for number in reversed(portal.ids)
        if (contact := portal.alive(number)) is not None and (not needle or needle in _line(contact).lower())
    )
    shown = list(islice(found, PER_PAGE))
    return page(
        "contacts.html", title=f"Contacts of {portal.name}", portal=portal, shown=shown, q=query.get("q", ""),
        fields=[(one, "") for one in _on_creation(portal)], total=sum(1 for number in portal.ids if portal.alive(number)),
    )  # fmt: skip


def _on_creation(portal: Portal) -> list[Property]:
    """What the form for a new contact asks for: the usual ones, and the account's own as its admins put them there."""
    usual = [portal.properties[name] for name in ASKED_FIRST]
    own = [one for one in portal.properties.values() if not one.built_in and one.archived_ms is None]
    return [*usual, *(one for one in own if not one.read_only and not one.calculated)]


def _line(contact: Contact) -> str:
    names = (*ASKED_FIRST, "hs_additional_emails")
    return " ".join(contact.values.get(name, "") for name in names)


def add_contact(call: Call) -> Answer:
    portal = call.named_portal
    given = {name: value for name, value in call.pairs() if value}
    contact = create(portal, prepared(portal, given, None), PERSON)
    return go_to(f"/contacts/{portal.id}/record/0-1/{contact.id}")


def record(call: Call) -> Answer:
    """The contact with its edit form and its timeline."""
    portal = call.named_portal
    contact = _contact(call, portal)
    return page(
        "record.html",
        title=_name(contact),
        portal=portal,
        contact=contact,
        fields=[(one, contact.values.get(one.name, "")) for one in _editable(portal, contact)],
        read_only=sorted(
            (n, v) for n, v in contact.values.items() if n in portal.properties and portal.properties[n].read_only
        ),
        timeline=_timeline(portal, contact),
    )


def _name(contact: Contact) -> str:
    full = f"{contact.values.get('firstname', '')} {contact.values.get('lastname', '')}".strip()
    return full or contact.values.get("email", str(contact.id))


def _editable(portal: Portal, contact: Contact) -> list[Property]:
    """The usual ones, everything with a value, and every custom property."""
    return [
        one
        for one in portal.properties.values()
        if one.archived_ms is None
        and not one.read_only
        and not one.calculated
        and (one.name in ALWAYS_SHOWN or not one.built_in or contact.values.get(one.name))
    ]


def _timeline(portal: Portal, contact: Contact) -> list[dict[str, Any]]:
    """Notes, app events and property changes, newest first."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for number in contact.notes:
        note = portal.notes[number]
        when = note.values["hs_timestamp"]
        rows.append((when, {"kind": "Note", "time": when, "text": note.values.get("hs_note_body", ""), "by": ""}))
    for event in events_of(portal, contact):
        text = ", ".join(value for value in event.properties.values() if value)
        rows.append((iso(event.at_ms), {"kind": "App event", "time": iso(event.at_ms), "text": text, "by": event.type}))
    for name, entries in contact.history.items():
        for entry in entries:
            by = f"{entry.source.kind} {entry.source.label or entry.source.id}"
            row = {
                "kind": "Property",
                "time": iso(entry.at_ms),
                "text": f"{name} = {entry.value or '(cleared)'}",
                "by": by,
            }
            rows.append((iso(entry.at_ms), row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True)]


def save(call: Call) -> Answer:
    """Writes the fields posted, whichever they are; a person may move the stage backward."""
    portal = call.named_portal
    contact = _contact(call, portal)
    update(portal, contact, prepared(portal, dict(call.pairs()), contact), PERSON, backward=True)
    return go_to(f"/contacts/{portal.id}/record/0-1/{contact.id}")


def _then(act: Callable[[Portal, Contact, Source], object], where: str) -> Callable[[Call], Answer]:
    """A button of the record page: do it as a person, then go on."""

    def run(call: Call) -> Answer:
        portal = call.named_portal
        act(portal, _contact(call, portal), PERSON)
        return go_to(where.format(portal=portal.id, id=call.params["id"]))

    return run


def _opt_out(portal: Portal, contact: Contact, source: Source) -> None:
    if email := contact.values.get("email"):
        opt_out(portal, email, contact.values.get("hs_email_optout") != "true", source)


def merge_into(call: Call) -> Answer:
    """The field `other` names the contact that is merged into this one."""
    portal, other = call.named_portal, dict(call.pairs()).get("other", "")
    primary = _contact(call, portal)
    loser = portal.alive(int(other)) if other.isdecimal() else None
    if loser is None or loser is primary:
        raise not_found(f"There is no other contact {other}")
    return go_to(f"/contacts/{portal.id}/record/0-1/{merge(portal, primary, loser, PERSON).id}")


def bin_list(call: Call) -> Answer:
    portal = call.named_portal
    shown = [contact for contact in portal.contacts.values() if contact.archived_ms is not None]
    return page("recycle_bin.html", title=f"Recycle bin of {portal.name}", portal=portal, shown=shown)


def put_back(call: Call) -> Answer:
    portal = call.named_portal
    contact = _contact(call, portal, archived=True)
    restore(portal, contact, PERSON)
    return go_to(f"/contacts/{portal.id}/record/0-1/{contact.id}")


def disconnect(call: Call) -> Answer:
    """The customer uninstalls the app; nobody is told (section 3.4)."""
    portal = call.named_portal
    call.twin.grants.uninstall(portal.id)
    return go_to("/")


RECORD = "/contacts/{portal}/record/0-1/{id}"

PAGES: tuple[Route, ...] = (
    Route("GET", "/", front, open=True),
    Route("GET", "/twin.css", stylesheet, open=True),
    Route("GET", "/oauth/authorize", consent.choose_account, open=True),
    Route("GET", "/oauth/{portal}/authorize", consent.show_scopes, open=True),
    Route("POST", "/oauth/{portal}/authorize", consent.decide, open=True),
    Route("GET", "/contacts/{portal}", contact_list, open=True),
    Route("POST", "/contacts/{portal}", add_contact, open=True),
    Route("GET", "/contacts/{portal}/archived", bin_list, open=True),
    Route("POST", "/contacts/{portal}/archived/{id}/restore", put_back, open=True),
    Route("GET", RECORD, record, open=True),
    Route("POST", RECORD, save, open=True),
    Route("POST", f"{RECORD}/delete", _then(archive, "/contacts/{portal}"), open=True),
    Route("POST", f"{RECORD}/gdpr-delete", _then(erase, "/contacts/{portal}"), open=True),
    Route("POST", f"{RECORD}/optout", _then(_opt_out, RECORD), open=True),
    Route("POST", f"{RECORD}/merge", merge_into, open=True),
    Route("GET", "/forms/{portal}/newsletter", forms.show_form, open=True),
    Route("POST", "/forms/{portal}/newsletter", forms.submit_form, open=True),
    Route("GET", "/imports/{portal}", imports.show_import, open=True),
    Route("POST", "/imports/{portal}", imports.take_import, open=True),
    Route("POST", "/integrations/{portal}/uninstall", disconnect, open=True),
)
