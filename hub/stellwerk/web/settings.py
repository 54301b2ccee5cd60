"""The settings page: shown, tested, changed, saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template
from msgspec import Struct, structs

from stellwerk.errors import DeliveryError, ReauthorizeError
from stellwerk.relay.hub import Hub
from stellwerk.relay.rulebook import Rulebook, typed_settings
from stellwerk.store import connections, leaving
from stellwerk.store.connections import Saved
from stellwerk.view.moment import moment
from stellwerk.web import credentials
from stellwerk.web.agreement import words_for
from stellwerk.web.choose import Here
from stellwerk.web.credentials import TestOutcome
from stellwerk.web.fields import Painter
from stellwerk.web.foresight import foreseen, shown_foresight, warnings_of
from stellwerk.web.forgery import posted
from stellwerk.web.form import YES, Typed, read_settings
from stellwerk.web.inside import nav_of
from stellwerk.web.limits import KEY_TESTS, Limits
from stellwerk.web.lists import COUNTED_DAYS, Door, Lists
from stellwerk.web.over_there import form_recipe, shown_webhooks
from stellwerk.web.pages import Speaker, page, speaker, system_title
from stellwerk.web.save import (
    Refused,
    check_settings,
    key_missing,
    moves_to,
    other_system,
    save_connection,
    set_up,
    tested,
)
from stellwerk.web.scopes import shown_lacking
from stellwerk.web.visitor import Flash, keep_visitor

SAVE, TEST_KEY, CHANGE_KEY, KEEP_KEY, FORESEE = "save", "test-key", "change-key", "keep-key", "foresee"


class Look(Struct, frozen=True, kw_only=True):
    """One showing of the page: what stands in it, and what has just happened."""

    here: Here
    book: Rulebook
    typed: Typed
    form: Mapping[str, str] = {}
    refused: Refused | None = None
    outcome: TestOutcome | None = None
    changing: bool = False
    foresees: bool = False
    earlier: Saved | None = None
    status: int = 200


@get("/settings", name="settings")
async def show_settings(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    here: NamedDependency[Here],
    lists: NamedDependency[Lists],
) -> Template:
    """The page as it is stored, with what the last Save has to say."""
    flashes = here.visitor.flashes
    if flashes:
        keep_visitor(request, structs.replace(here.visitor, flashes=()))
    book = hub.book(here.connection)
    earlier = await _earlier(request, hub, here)
    stored = typed_settings(book.plan, here.connection.settings if earlier is None else earlier.settings)
    look = Look(here=here, book=book, typed=Typed(values=stored), earlier=earlier)
    return await _page(request, hub, lists, look)


@post("/settings", name="change-settings", status_code=200)
async def change_settings(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    here: NamedDependency[Here],
    lists: NamedDependency[Lists],
    limits: NamedDependency[Limits],
) -> Template | Redirect:
    """Test or change the credentials with everything typed kept, or save."""
    form = await posted(request)
    book = hub.book(here.connection)
    stored = typed_settings(book.plan, here.connection.settings)
    if here.from_file:
        return await _page(request, hub, lists, Look(here=here, book=book, typed=Typed(values=stored), status=403))
    look = Look(here=here, book=book, typed=read_settings(book.plan, form, stored), form=form)
    action = form.get("action")
    if action == CHANGE_KEY:
        return await _page(request, hub, lists, structs.replace(look, changing=True))
    if action == KEEP_KEY:
        visitor = keep_visitor(request, structs.replace(here.visitor, tested={}))
        return await _page(request, hub, lists, structs.replace(look, here=structs.replace(here, visitor=visitor)))
    seconds = _tried_often(hub, limits, look) if action in (TEST_KEY, SAVE) else None
    if seconds is not None:
        outcome = TestOutcome(good=False, sentence=speaker(request, here.visitor)("key-tried-often", seconds=seconds))
        return await _page(request, hub, lists, structs.replace(look, outcome=outcome, changing=True, status=429))
    if action == TEST_KEY:
        return await _page(request, hub, lists, await _test(request, hub, look))
    if action == FORESEE:
        return await _page(request, hub, lists, await _foresees(hub, lists, look, speaker(request, here.visitor)))
    if action == SAVE:
        return await _save(request, hub, lists, look)
    raise ClientException("no such action")


def _tried_often(hub: Hub, limits: Limits, look: Look) -> int | None:
    """How long to wait before credentials are tested once more; None where they may be, or none would be."""
    system = other_system(hub)
    typed = any(
        look.form.get(credentials.input_name(system, field), "").strip()
        for field in credentials.account_fields(system.connector.account_type)
        if field.kind != "switch"
    )
    tests = look.form.get("action") == TEST_KEY or typed or system.name in look.here.visitor.tested
    login = look.here.connection.accounts[hub.integration.login or ""]
    return limits.wait(KEY_TESTS, login) if tests else None


async def _earlier(request: Request[Any, Any, Any], hub: Hub, here: Here) -> Saved | None:
    """The line of this connection's own history that `?from=` names: shown to be saved as any other settings are."""
    line = request.query_params.get("from", "")
    if here.from_file or not (line.isascii() and line.isdigit() and len(line) < 18):
        return None
    return await hub.store.read(lambda tx: connections.saved(tx, here.connection.id, int(line)))


async def _save(request: Request[Any, Any, Any], hub: Hub, lists: Lists, look: Look) -> Template | Redirect:
    say = speaker(request, look.here.visitor)
    options = await lists.options(_doors(hub, look.here), look.book.plan.settings_by_id.values())
    saved = await save_connection(hub, look.here, look.book, look.typed, look.form, options, say)
    if isinstance(saved, Refused):
        here = look.here
        if saved.tested is not None:
            here = _with_tested(request, hub, here, saved)
        status = 409 if saved.meanwhile else 422
        look = structs.replace(look, here=here, refused=saved, outcome=saved.account, status=status)
        return await _page(request, hub, lists, structs.replace(look, foresees=bool(saved.agreement)))
    flashes = await set_up(hub, saved, say)
    if look.here.stored and saved.accounts != look.here.connection.accounts:
        flashes = (*flashes, Flash(kind="warning", text=say("moved")))
    keep_visitor(request, structs.replace(look.here.visitor, connection=saved.id, tested={}, flashes=flashes))
    return Redirect("/settings", status_code=303)


async def _foresees(hub: Hub, lists: Lists, look: Look, say: Speaker) -> Look:
    """The page with what would happen, and with what is wrong with the values as Save would tell it."""
    options = await lists.options(_doors(hub, look.here), look.book.plan.settings_by_id.values())
    refused = Refused()
    check_settings(look.book, look.typed, options, say, refused)
    return structs.replace(look, foresees=True, refused=refused)


def _with_tested(request: Request[Any, Any, Any], hub: Hub, here: Here, refused: Refused) -> Here:
    assert refused.tested is not None
    kept = {**here.visitor.tested, other_system(hub).name: refused.tested}
    visitor = keep_visitor(request, structs.replace(here.visitor, tested=kept))
    return structs.replace(here, visitor=visitor)


async def _test(request: Request[Any, Any, Any], hub: Hub, look: Look) -> Look:
    """The page with the answer to a test: of what was typed, else of what waits for Save, else of what is stored."""
    say = speaker(request, look.here.visitor)
    system = other_system(hub)
    settings, wrong = credentials.read_account(system, look.form)
    if wrong:
        return structs.replace(look, outcome=TestOutcome(good=False, sentence=say("key-unusable")), changing=True)
    typed = settings is not None
    waiting = look.here.visitor.tested.get(system.name)
    if settings is None and waiting is not None:
        settings, _ = credentials.settings_from(system, waiting.settings)
    row = look.here.accounts.get(system.name)
    if settings is None and row is not None:
        try:
            settings = hub.account_settings(system, row)
        except ReauthorizeError as failed:
            sentence = credentials.why(say, system_title(system), failed)
            return structs.replace(look, outcome=TestOutcome(good=False, sentence=sentence), changing=True)
    if settings is None:
        return structs.replace(look, outcome=TestOutcome(good=False, sentence=key_missing(system, say)), changing=True)
    account, outcome = await credentials.test_account(hub, system, settings, say)
    if typed and account is not None and outcome.good:
        kept = {**look.here.visitor.tested, system.name: tested(system, settings, account)}
        visitor = keep_visitor(request, structs.replace(look.here.visitor, tested=kept))
        return structs.replace(look, here=structs.replace(look.here, visitor=visitor), outcome=outcome)
    return structs.replace(look, outcome=outcome, changing=typed)


def _doors(hub: Hub, here: Here) -> list[Door]:
    """The accounts that lists can be read from."""
    stored = {name: row for name, row in here.accounts.items() if not _moves(hub, here, name)}
    doors = [Door(account=row.id, system=name, row=row) for name, row in stored.items()]
    for name, waiting in here.visitor.tested.items():
        if name in hub.systems and name not in stored:
            settings, _ = credentials.settings_from(hub.systems[name], waiting.settings)
            if settings is not None:
                doors.append(Door(account=waiting.account, system=name, settings=settings))
    return doors


async def _page(request: Request[Any, Any, Any], hub: Hub, lists: Lists, look: Look) -> Template:
    zone = look.here.zone(hub)
    say = speaker(request, look.here.visitor, zone)
    doors = _doors(hub, look.here)
    options = await lists.options(doors, look.book.plan.settings_by_id.values())
    refused = look.refused or Refused()
    opt_outs = await hub.store.read(lambda tx: leaving.opt_outs_of(tx, look.here.connection.id))
    sections = Painter(hub, look.book.plan, say, look.typed, options, refused.settings).sections(
        hub.integration.settings
    )
    context: dict[str, object] = {
        "here": "/settings",
        "nav": nav_of(look.here) if look.here.stored else (),
        "rights": look.here.rights,
        "connection": look.here.connection,
        "from_file": look.here.from_file,
        "locked": look.here.from_file or look.here.rights == "view",
        "login_account": _login_account(hub, look.here, say),
        "lasts": "" if look.here.stored else say("login-lasts", days=hub.integration.keep.unsaved_login_days),
        "waits": _waits(hub, look.here, say),
        "lacking": await shown_lacking(hub, say, look.here.accounts, logs_in=look.here.rights == "own"),
        "account": _account_part(hub, look, say, opt_outs),
        "sections": sections,
        "agreement": await _agreement_part(hub, lists, doors, look, say),
        # Who may only look is not shown them: whoever knows them can tell us things in the vendor's name.
        "webhooks": [] if look.here.rights == "view" else await shown_webhooks(hub, look.here, say),
        "recipe": form_recipe(hub, look.book, say) if look.here.stored else None,
        "refused": refused,
        "foresight": None
        if not look.foresees
        else {
            **shown_foresight(hub, say, await foreseen(hub, lists, look.here, doors, look.typed.values)),
            "warnings": warnings_of(sections),
        },
        "earlier": look.earlier and say("settings-earlier", at=say.when.at(moment(look.earlier.at))),
        "stored": look.here.stored,
        "again": look.here.again,
        "actions": {"save": SAVE, "test": TEST_KEY, "change": CHANGE_KEY, "keep": KEEP_KEY, "foresee": FORESEE},
    }
    return page(
        request, hub, "settings.html", visitor=look.here.visitor, status=look.status, context=context, zone=zone
    )


def _login_account(hub: Hub, here: Here, say: Speaker) -> str:
    login = hub.integration.login or ""
    row = here.accounts[login]
    return say("connected-with", system=system_title(hub.systems[login]), account=row.name or row.remote)


def _waits(hub: Hub, here: Here, say: Speaker) -> list[str]:
    """What keeps an account from working, for the person who can mend it."""
    sentences = []
    for name, row in here.accounts.items():
        if row.state != "ok":
            title = system_title(hub.systems[name])
            reason = credentials.why(say, title, DeliveryError(row.state_code))
            sentences.append(say("account-waits", system=title, reason=reason))
    return sentences


def _account_part(hub: Hub, look: Look, say: Speaker, opt_outs: int) -> dict[str, object]:
    """The other system's account: inputs while there is nothing stored or it is being changed, else only its name."""
    system = other_system(hub)
    title = system_title(system)
    row = look.here.accounts.get(system.name)
    waiting = look.here.visitor.tested.get(system.name)
    refused = look.refused or Refused()
    key = credentials.key_name(system)
    moves = _moves(hub, look.here, system.name)
    open_ = look.changing or (row is None and waiting is None) or (refused.account is not None and waiting is None)
    return {
        "heading": say("account", system=title),
        "title": title,
        "key": key or say("access"),
        "fields": [
            {
                "field": field,
                "name": credentials.input_name(system, field),
                "label": f"{title} {field.label}",
                "value": "" if field.secret else look.form.get(credentials.input_name(system, field), ""),
                "help": field.german if say.language == "de" else field.description,
                "wrong": field.name in refused.wrong_fields,
            }
            for field in credentials.account_fields(system.connector.account_type)
        ],
        "open": open_,
        "stored_name": None if row is None else row.name or row.remote,
        "waiting_name": None if waiting is None else waiting.name,
        "moving_to": waiting.account if waiting is not None and moves else None,
        "opt_outs": opt_outs if moves else 0,
        "carries": look.form.get("carry", YES) == YES,
        "outcome": look.outcome,
    }


def _moves(hub: Hub, here: Here, name: str) -> bool:
    """Whether what waits for Save is another account of this system than the connection has."""
    waiting = here.visitor.tested.get(name)
    return waiting is not None and moves_to(here.connection, hub.systems[name], waiting.account)


async def _agreement_part(
    hub: Hub, lists: Lists, doors: Sequence[Door], look: Look, say: Speaker
) -> dict[str, object] | None:
    """The sentence to tick, with the number of contacts it would have met; or who agreed to it and when."""
    words = words_for(hub, look.book.plan, look.typed.values)
    if words is None:
        return None
    agreed = None if _moves(hub, look.here, other_system(hub).name) else look.here.connection.agreed
    part: dict[str, object] = {
        "sentence": words.sentences[say.language],
        "hash": words.hash(say.language),
        "where": words.confirmed,
        "place": look.form.get("confirmation_given", ""),
        "standing": None,
        "count": "",
    }
    if (words.stand_in(agreed) or look.here.from_file) and agreed is not None:
        return {**part, "standing": say("agreed", user=agreed.by, day=say.when.day(agreed.at))}
    if look.here.from_file:
        return None
    door = next((door for door in doors if door.system == words.source), None)
    count = None if door is None else await lists.created_lately(door)
    source = system_title(hub.systems[words.source])
    key = "agree-uncounted" if count is None else "agree-count" if count else "agree-nobody"
    return {**part, "count": say(key, source=source, days=COUNTED_DAYS, count=count)}
