"""Save: everything is checked first and refused as a whole, or stored as a whole and then set up over there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field, structs

from stellwerk.errors import DeliveryError
from stellwerk.relay import connect
from stellwerk.relay.hub import Hub, System
from stellwerk.relay.leaving import OptOutsWait
from stellwerk.relay.provide import provide
from stellwerk.relay.rulebook import Rulebook, typed_settings
from stellwerk.sdk.connector import Account, Difference, Option
from stellwerk.sdk.settings import Settings
from stellwerk.store import connections, leaving
from stellwerk.store import words as kept_words
from stellwerk.store.accounts import account_id
from stellwerk.store.connections import Changed, Connection
from stellwerk.web.agreement import words_for
from stellwerk.web.choose import Here
from stellwerk.web.credentials import (
    TestOutcome,
    key_name,
    read_account,
    revealed,
    settings_from,
    test_account,
    why_there,
)
from stellwerk.web.form import YES, Typed
from stellwerk.web.language import in_language
from stellwerk.web.pages import Speaker, system_title
from stellwerk.web.repair_phrases import repair_text
from stellwerk.web.shown_value import shown_value
from stellwerk.web.visitor import Flash, Tested
from stellwerk_rules.model import Agreement
from stellwerk_rules.settings import check_values

LONGEST_PLACE = 300
NO = "no"
MOST_DIFFERENCES = 8


class Refused(Struct, kw_only=True):
    """Why nothing was saved. `tested` are account settings that were good, so that they need not be typed again."""

    settings: dict[str, list[str]] = field(default_factory=dict)
    account: TestOutcome | None = None
    wrong_fields: frozenset[str] = frozenset()
    agreement: str = ""
    moving: str = ""
    general: str = ""
    meanwhile: bool = False
    tested: Tested | None = None

    def __bool__(self) -> bool:
        return bool(self.settings or self.account or self.agreement or self.moving or self.general)


class Checked(Struct, frozen=True, kw_only=True):
    """Tested account settings of the other system, and who answered to them. None: those that are stored stay."""

    system: System
    settings: Settings | None = None
    account: Account | None = None

    @property
    def id(self) -> str | None:
        """The account's id here."""
        return None if self.account is None else account_id(self.system.name, self.account.id)


def moves_to(connection: Connection, system: System, account: str | None) -> bool:
    """Whether that is another account than the connection has: a new pair, for which all of before means nothing."""
    return account is not None and connection.accounts.get(system.name) not in (None, account)


def other_system(hub: Hub) -> System:
    """The system that people do not log in with: its account is what the page asks for."""
    return next(system for name, system in hub.systems.items() if name != hub.integration.login)


async def save_connection(
    hub: Hub,
    here: Here,
    book: Rulebook,
    typed: Typed,
    form: Mapping[str, str],
    lists: Mapping[str, Sequence[Option] | None],
    say: Speaker,
) -> Connection | Refused:
    """The stored connection, or every reason why nothing was stored."""
    refused = Refused()
    if form.get("version") != str(here.connection.version):
        return changed_meanwhile(here, book, typed, say)
    check_settings(book, typed, lists, say, refused)
    checked = await _check_account(hub, here, form, say, refused)
    moves = moves_to(here.connection, checked.system, checked.id)
    before = None if moves else here.connection.agreed
    agreed = _agreement(hub, here, before, book, typed, form, say, refused)
    anyway = form.get("anyway") == YES
    if moves:
        await _check_moving(hub, here, checked, form, say, refused, anyway=anyway)
    accounts = dict(here.connection.accounts)
    if checked.id is not None:
        accounts[checked.system.name] = checked.id
    if await _connected_already(hub, here.connection, accounts):
        refused.general = say("connected-already")
    if refused:
        if checked.settings is not None and checked.account is not None:
            refused.tested = tested(checked.system, checked.settings, checked.account)
        return refused
    if checked.settings is not None and checked.account is not None:
        await connect.keep_settings(hub, checked.system.name, checked.settings, checked.account)
    plain: dict[str, Any] = msgspec.to_builtins(typed.values)
    fresh = structs.replace(here.connection, accounts=accounts, settings=plain, agreed=agreed)
    note = connections.AGAIN if here.again else connections.MOVED if moves else ""
    who = here.by
    said = words_for(hub, book.plan, typed.values)
    if agreed is not None and agreed is not before and said is not None:
        await hub.store.write(lambda tx: kept_words.keep(tx, agreed.words, said.read(agreed.words), hub.now()))
    try:
        return await connect.save(hub, fresh, who=who, note=note, carry=form.get("carry") != NO, anyway=anyway)
    except Changed:
        return changed_meanwhile(here, book, typed, say)
    except OptOutsWait:
        refused.moving = say("moving-opt-outs-wait")
    return refused


def changed_meanwhile(here: Here, book: Rulebook, typed: Typed, say: Speaker) -> Refused:
    """Somebody saved between: beside each setting that was typed otherwise stands what it is now."""
    refused = Refused(general=say("changed-meanwhile"), meanwhile=True)
    for name, stands in typed_settings(book.plan, here.connection.settings).items():
        if typed.values[name] != stands:
            value = shown_value(say, book.plan.settings_by_id[name], stands)
            refused.settings[name] = [say("stands-now", value=value)]
    return refused


async def set_up(hub: Hub, connection: Connection, say: Speaker) -> tuple[Flash, ...]:
    """Create what must exist over there; what there is to say about it."""
    try:
        differences = await provide(hub, connection)
    except DeliveryError as failed:
        reason = why_there(hub, say, failed)
        return (Flash(kind="warning", text=say("saved-not-provided", reason=reason)),)
    return (
        Flash(kind="good", text=say("saved")),
        *(Flash(kind="warning", text=_differs(hub, say, one)) for one in differences[:MOST_DIFFERENCES]),
    )


def _differs(hub: Hub, say: Speaker, one: Difference) -> str:
    meaning = repair_text(one.code).meaning[say.language == "de"].format(system=hub.integration.title)
    return say("saved-differs", meaning=meaning, subject=one.subject, text=one.text[:300])


def tested(system: System, settings: Settings, account: Account) -> Tested:
    """What the sealed cookie keeps until Save."""
    return Tested(
        account=account_id(system.name, account.id), name=account.name or account.id, settings=revealed(settings)
    )


def check_settings(
    book: Rulebook, typed: Typed, lists: Mapping[str, Sequence[Option] | None], say: Speaker, refused: Refused
) -> None:
    """Write down what is wrong with the typed values."""
    offered = {name: [one.value for one in options] for name, options in lists.items() if options is not None}
    for problem in check_values(book.plan, typed.values, offered):
        refused.settings.setdefault(problem.setting, []).append(in_language(problem.text, say.language))
    for name in typed.unreadable:
        refused.settings.setdefault(name, []).append(say("not-a-number"))


def _agreement(
    hub: Hub,
    here: Here,
    before: Agreement | None,
    book: Rulebook,
    typed: Typed,
    form: Mapping[str, str],
    say: Speaker,
    refused: Refused,
) -> Agreement | None:
    """The agreement to store. A tick counts for the sentence it stood beside, and for no other."""
    words = words_for(hub, book.plan, typed.values)
    if words is None or words.stand_in(before):
        return before
    ticked = form.get("words", "")
    place = form.get("confirmation_given", "").strip()[:LONGEST_PLACE]
    if form.get("agree") != YES or not words.agreed(ticked):
        refused.agreement = say("agree-needed")
    elif words.confirmed and not place:
        refused.agreement = say("agree-where-needed")
    return Agreement(
        by=here.visitor.user, at=hub.time(), words=ticked, confirmation_given=place if words.confirmed else None
    )


async def _check_account(hub: Hub, here: Here, form: Mapping[str, str], say: Speaker, refused: Refused) -> Checked:
    system = other_system(hub)
    settings, wrong = read_account(system, form)
    waiting = here.visitor.tested.get(system.name)
    if wrong:
        refused.account = TestOutcome(good=False, sentence=say("key-unusable"))
        refused.wrong_fields = wrong
        return Checked(system=system)
    if settings is None and waiting is not None:
        settings, _ = settings_from(system, waiting.settings)
    if settings is None:
        if system.name not in here.connection.accounts:
            refused.account = TestOutcome(good=False, sentence=key_missing(system, say))
        return Checked(system=system)
    account, outcome = await test_account(hub, system, settings, say)
    if account is None or not outcome.good:
        refused.account = outcome
        return Checked(system=system)
    return Checked(system=system, settings=settings, account=account)


def key_missing(system: System, say: Speaker) -> str:
    return say("key-needed-for", key=key_name(system) or say("access"), system=system_title(system))


async def _check_moving(
    hub: Hub, here: Here, checked: Checked, form: Mapping[str, str], say: Speaker, refused: Refused, *, anyway: bool
) -> None:
    """Another account is a new pair: only with a tick that was set beside this account's name."""
    if form.get("move") != YES or form.get("moving_to") != checked.id:
        refused.moving = say("moving-needed")
        return
    waiting = await hub.store.read(lambda tx: leaving.opt_outs_of(tx, here.connection.id))
    if waiting and not anyway:
        refused.moving = say("moving-opt-outs-wait")


async def _connected_already(hub: Hub, connection: Connection, accounts: Mapping[str, str]) -> bool:
    if set(accounts) != set(hub.systems):
        return False
    return any(
        other.id != connection.id and dict(other.accounts) == accounts and other.brand == connection.brand
        for other in await hub.connections_of(next(iter(accounts.values())))
    )
