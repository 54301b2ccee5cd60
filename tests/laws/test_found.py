"""Histories that broke a law once: each as short as it could be made, under the file it broke under."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_laws.happenings import (
    Again,
    Claim,
    Confirm,
    Delete,
    EditThere,
    FailsAfter,
    History,
    Leave,
    Meanwhile,
    Move,
    Restore,
    Scripted,
    SignsUpThere,
    Step,
    Then,
    Wait,
    Write,
)
from stellwerk_laws.laws import play
from stellwerk_laws.variants import File, Row, made
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.faults import Fault
from stellwerk_toys.pg_server import Server

USUAL = made(lambda options: options[0])


def history(file: File, *steps: Step | tuple[Step, Then], seed: int = 0) -> History:
    scripted = [Scripted(*one) if isinstance(one, tuple) else Scripted(one, "settle") for one in steps]
    return History(file=file, steps=tuple(scripted), seed=seed)


def file(*, rows: tuple[Row, ...] = USUAL.rows, **values: Any) -> File:
    return replace(USUAL, rows=rows, values={**USUAL.values, **values})


YES = Write(who=0, by="form", values={"wants_news": "yes", "town": "…"})
ASKS_BACK = Write(who=0, by="person", values={"wants_news": "yes"})
FOUND = {
    "a grant whose answer was lost stands in the ledger": history(
        file(ask_first=False, level="single"), FailsAfter(effect="create", fault=Fault.CUT), YES
    ),
    "a confirmation told again after the shop's own opt-out is the same confirmation": history(
        file(),
        YES,
        Confirm(who=0),
        Write(who=0, by="person", values={"no_mail": "yes"}),
        Again(),
        Write(who=0, by="person", values={"stage": "regular"}),
        Again(),
    ),
    "a value that only comes back is carried although it stood otherwise when the two were linked": history(
        file(rows=(Row(shop="town", news="TOWN", to="shop"),)), YES, Confirm(who=0), EditThere(who=0, field="TOWN")
    ),
    "who was asked back and leaves again, unconfirmed, opted out a second time": history(
        file(), YES, Leave(who=0), Wait(seconds=90_000.0), ASKS_BACK, Leave(who=0)
    ),
    "who was asked back and clicks after the shop's own opt-out is shown as the newsletter has it": history(
        file(),
        YES,
        Leave(who=0),
        Wait(seconds=90_000.0),
        ASKS_BACK,
        Write(who=0, by="person", values={"no_mail": "yes"}),
        Confirm(who=0),
    ),
    "who leaves before anybody knows whether the mail went out has left, and the answer reads no": history(
        file(),
        (FailsAfter(effect="doi", fault=Fault.STOPPED_AFTER), "hold"),
        (YES, "run"),
        (Leave(who=0), "dropped"),
    ),
    "so does who was there without a permission before": history(
        file(),
        SignsUpThere(who=0, permission="nothing"),
        (FailsAfter(effect="doi", fault=Fault.CUT), "hold"),
        (YES, "run"),
        (Leave(who=0), "dropped"),
    ),
    "an opt-out that is claimed counts beside the shop's own": history(
        file(),
        YES,
        Confirm(who=0),
        Write(who=0, by="person", values={"no_mail": "yes"}),
        Claim(who=0, topic="goodbye"),
        Write(who=0, by="form", values={"language": "de"}),
    ),
    "no stage moves for a confirmation while an opt-out is claimed": history(
        file(),
        Write(who=0, by="form", values={"wants_news": "yes", "stage": "visitor"}),
        Leave(who=0),
        Write(who=0, by="form", values={"wants_news": "yes"}),
        (Meanwhile(calls_before=1, step=Leave(who=0), told=True), "hold"),
        (Meanwhile(calls_before=0, step=Write(who=0, by="person", values={"name": "…"})), "hold"),
        SignsUpThere(who=0, permission="full"),
    ),
    "a permission that was granted is no confirmation, whatever is claimed": history(
        replace(file(ask_first=False, level="double"), confirmation_given=True),
        Write(who=0, by="form", values={"wants_news": "yes", "stage": "visitor"}),
        Claim(who=0, topic="yes"),
    ),
    "what changed while a false opt-out was claimed travels once that is withdrawn": history(
        file(ask_first=False, level="none"),
        SignsUpThere(who=0, permission="one"),
        Write(who=0, by="form", values={"wants_news": "yes"}),
        Claim(who=0, topic="goodbye"),
        EditThere(who=0, field="FIRST"),
    ),
    "who was taken out with its record reads no once that is restored": history(
        file(on_removal="unsubscribe"), YES, Confirm(who=0), Delete(who=0), Restore(who=0)
    ),
    "of who was deleted with its record the state is shown once that is restored": history(
        file(on_removal="delete"), YES, Confirm(who=0), Delete(who=0), Restore(who=0)
    ),
    "deleting who was asked and has not answered does not let the address be asked anew": history(
        file(on_move_old="delete"), YES, Move(who=0, to=2), Write(who=0, by="form", values={"wants_news": "yes"})
    ),
    "who comes back to the newsletter by itself has come back, though the shop was closed for it": history(
        file(close_shop=True), YES, Confirm(who=0), Leave(who=0), SignsUpThere(who=0, permission="full")
    ),
    "a contact made without any value is known to have none: what both sides write afterwards is settled": history(
        file(),
        Write(who=0, by="form", values={"wants_news": "yes"}),
        Confirm(who=0),
        EditThere(who=0, field="FIRST"),
        Write(who=0, by="person", values={"name": "…"}),
    ),
}


@pytest.mark.parametrize("name", list(FOUND)[::3])
def test_they_hold_on_a_server_as_well(name: str, pg_server: Server) -> None:
    play(FOUND[name], again=True, server=PostgresDatabase(pg_server))


@pytest.mark.parametrize("name", FOUND)
def test_every_law_holds_where_it_broke_once(name: str) -> None:
    play(FOUND[name], again=True)
