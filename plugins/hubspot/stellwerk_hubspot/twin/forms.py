"""The newsletter form on a customer's site, and the cookie that ties its visitors to one record (section 16)."""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie

from .call import Answer, Call
from .errors import Refusal
from .portal import Portal, Source
from .rendering import page
from .writing import create, prepared, update

__all__ = ["COOKIE", "show_form", "submit_form"]

COOKIE = "hubspotutk"
FIELDS = ("email", "firstname", "lastname", "company")
HIDDEN = "hidden."
FORM = Source("FORM", "5f0e1a7c-0000-4000-8000-00000000f0f0", "Newsletter")


def _visitor(call: Call) -> str | None:
    try:
        morsel = SimpleCookie(call.header("cookie") or "").get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


def _box(portal: Portal, name: str) -> str | None:
    """The name of the checkbox's property when a form may show it: a booleancheckbox flagged formField."""
    one = portal.properties.get(name)
    fits = one is not None and one.archived_ms is None and one.field_type == "booleancheckbox" and one.form_field
    return name if fits else None


def _show(call: Call, portal: Portal, visitor: str, status: int = 200, *, error: str = "", done: str = "") -> Answer:
    query = dict(call.query_pairs())
    wanted = query.get("subscribe", "maileon_subscribe")
    box = _box(portal, wanted)
    given = {name: value for name, value in call.pairs() if name in FIELDS} if error else {}
    cookie = ("set-cookie", f"{COOKIE}={visitor}; Path=/; Max-Age=15552000; SameSite=Lax")
    return page(
        "newsletter.html",
        status,
        (cookie,),
        title="Newsletter",
        portal=portal,
        action=f"/forms/{portal.id}/newsletter" + (f"?{call.query_text}" if call.query_text else ""),
        fields=[(name, portal.properties[name].label, given.get(name, "")) for name in FIELDS],
        box=box,
        box_label=portal.properties[box].label if box else "",
        wanted=wanted,
        hidden=[(n.removeprefix(HIDDEN), v) for n, v in query.items() if n.startswith(HIDDEN)],
        error=error,
        done=done,
    )


def show_form(call: Call) -> Answer:
    """`?subscribe=NAME` names the checkbox's property, `?hidden.NAME=VALUE` adds a hidden field."""
    return _show(call, call.named_portal, _visitor(call) or secrets.token_hex(16))


def submit_form(call: Call) -> Answer:
    """Written with source FORM. Fields of properties that do not exist, and bad values, are refused with a message."""
    portal, visitor = call.named_portal, _visitor(call) or secrets.token_hex(16)
    try:
        number = _write(portal, visitor, dict(call.pairs()), shared=call.twin.options.cookie_sharing)
    except Refusal as refusal:
        return _show(call, portal, visitor, refusal.status, error=_words(refusal))
    portal.cookies[visitor] = number
    return _show(call, portal, visitor, done="Thank you for your submission.")


def _words(refusal: Refusal) -> str:
    details = [row["message"] for row in refusal.body.get("errors", [])]
    return "; ".join(details) or str(refusal.body["message"])


def _write(portal: Portal, visitor: str, fields: dict[str, str], *, shared: bool) -> int:
    """The id of the record written. A known address is its record; else the cookie's record gets the new address."""
    given = {name: value for name, value in fields.items() if value}
    if "email" not in given:
        raise Refusal(400, {"message": "Please fill in the e-mail address"})
    number = portal.holder(given["email"])
    if number is None and shared and visitor in portal.cookies:
        number = portal.survivor(portal.cookies[visitor])
    contact = portal.alive(number) if number is not None else None
    if contact is None:
        return create(portal, prepared(portal, given, None), FORM).id
    values = prepared(portal, given, contact)
    if portal.holder(given["email"]) == contact.id:
        del values["email"]
    update(portal, contact, values, FORM)
    return contact.id
