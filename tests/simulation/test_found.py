"""Histories in which the hub was once wrong, as the simulation found and shrank them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_simulation.history import (
    BackUp,
    By,
    Confirm,
    Deed,
    Delete,
    EditThere,
    Erase,
    GoBack,
    History,
    Leave,
    Merge,
    Move,
    OptOut,
    Restore,
    Save,
    Step,
    Sync,
    Trouble,
    Wait,
    Watch,
    Write,
)
from stellwerk_simulation.player import play

USUAL: dict[str, Any] = {
    "double_opt_in": True,
    "double_opt_in_plus": False,
    "doi_mailing": "K1",
    "permission": "confirmed",
    "no_answer": "no",
    "on_confirmed": {"enabled": True, "source": "lead", "target": "marketingqualifiedlead", "reset": False},
    "on_unsubscribed": {"enabled": True, "source": "marketingqualifiedlead", "target": "lead", "reset": True},
    "timeline": "note",
    "on_no": "unsubscribe",
    "form_no_unsubscribes": False,
    "on_deleted": "keep",
}


def says(answer: str | None, by: By = "form", firstname: str = "") -> Write:
    values = {} if answer is None else {"maileon_subscribe": answer}
    return Write(who=0, by=by, values={**values, **({"firstname": firstname} if firstname else {})})


def history(*deeds: Deed | Step, skew: float = 0.0, seed: int = 0, **settings: Any) -> History:
    steps = tuple(one if isinstance(one, Step) else Step(deed=one) for one in deeds)
    return History(seed=seed, settings={**USUAL, **settings}, steps=steps, skew=skew)


FOUND = {
    "a token that ends twice within one call asks nobody to log in again": history(
        Step(
            deed=Write(who=1, by="form", values={"maileon_subscribe": "true", "firstname": "Ada"}),
            trouble=Trouble(calls=((7, "token"), (9, "token"), (5, "lost"))),
            hasty=True,
        ),
        Step(deed=Erase(who=2), trouble=Trouble(disorder=True)),
        skew=45.0,
        seed=8122,
        permission="single",
        no_answer="yes",
        timeline="properties_only",
        on_no="keep",
        form_no_unsubscribes=True,
        on_deleted="delete",
    ),
    "a yes after a no that was only watched is asked, and the no is carried out before": history(
        says("true"),
        Confirm(who=0),
        Watch(meanwhile=says("false", by="person"), then={"maileon_subscribe": "true"}),
        Confirm(who=0),
        says(None, by="person", firstname="Zoë"),
    ),
    "a no of somebody who left and was asked back unsubscribes, so that the mail on its way confirms nothing": history(
        says("true"), Leave(who=0), says("true"), says("false", by="person"), Confirm(who=0)
    ),
    "who was asked back and leaves again at once has left again, though the hub's clock is ahead of it": history(
        says("true"), Leave(who=0), says("true"), Leave(who=0), skew=20.0
    ),
    "who left as another record went, was asked back as a new one and leaves again at once has left again": history(
        says("true"), Delete(who=0), says("true", by="person"), Leave(who=0), skew=45.0, on_deleted="unsubscribe"
    ),
    "a new record of an address that was asked and has not answered is linked and shown as pending": history(
        says("true"), Delete(who=0), says("true", by="person"), skew=45.0
    ),
    "an opt-out is told to the record that is there, though one in the bin had the address before": history(
        Step(deed=says("true", firstname="Zoë"), hasty=True),
        Delete(who=0),
        says("true", firstname="Ada"),
        Step(deed=Leave(who=0), trouble=Trouble(disorder=True)),
        skew=-45.0,
        double_opt_in=False,
        permission="single",
        on_deleted="unsubscribe",
    ),
    "who is out because its record went reads no once that is restored": history(
        says("true"), Delete(who=0), Restore(who=0), on_deleted="unsubscribe"
    ),
    "a restore brings nobody back to the newsletter, whatever a workflow writes": history(
        says("true"),
        Delete(who=0),
        Restore(who=0),
        says("true", by="workflow", firstname="Ada"),
        on_deleted="delete",
    ),
    "nobody is pending who was asked, deleted and restored: the link leads nowhere": history(
        says(None, firstname="Zoë"), Delete(who=0), Restore(who=0), on_deleted="delete", no_answer="yes"
    ),
    "after a back-up was put back, nobody gets a second mail for a yes that was said within a day of the first": history(
        BackUp(), says(None, firstname="Cem"), says("true", by="person"), GoBack(), no_answer="yes", skew=-45.0
    ),
    "a contact whose id could not be read when it was made still gets what changes later": history(
        Step(deed=says("true", firstname="Zoë"), trouble=Trouble(calls=((6, "unheard"),))),
        says(None, by="workflow", firstname="Byron"),
        says(None, by="person", firstname="Ada"),
        double_opt_in=False,
    ),
    "an opt-out that the report tells again after the contact came back keeps nobody out": history(
        says("true"), Leave(who=0), says("true"), Confirm(who=0), Wait(hours=2.0), says(None, "person", "Byron")
    ),
    "who was deleted over there by a call whose answer was lost is asked like anybody else when she comes back": history(
        says("true"),
        Confirm(who=0),
        Step(deed=Delete(who=0), trouble=Trouble(calls=((6, "unheard"),))),
        says("true", "import"),
        on_deleted="delete",
    ),
    "a no that was said while the connection watched is carried out by what happens next": history(
        says("true"), Confirm(who=0), Watch(meanwhile=says("false", "person"))
    ),
    "a no of somebody asked back, said while the connection rested, is carried out by what happens next": history(
        says("true"), Leave(who=0), says("true"), Watch(meanwhile=says("false", "import"), state="rests")
    ),
    "the CRM's own opt-out, said while the connection watched, is no less of one": history(
        says("true"), OptOut(who=0), Watch(meanwhile=says("true")), Confirm(who=0)
    ),
    "whose old address was unsubscribed after a move is not unsubscribed at the new one": history(
        says("true"), Move(who=0, to=3, by="import"), Wait(hours=2.0), double_opt_in=False, on_moved_old="unsubscribe"
    ),
    "a contact that moved to an address that does not come in shows no state of the old one": history(
        says("true", "workflow"), Save(settings={"on_no": "keep"}), says("false", "person"), Move(who=0, to=3)
    ),
    "a contact that took in another one by a merge shows no state of that one": history(
        Write(who=1, by="import", values={"firstname": "Byron"}),
        says("true"),
        Merge(who=1, other=0),
        double_opt_in=False,
    ),
    "who was never brought in and is out because its record went shows that once it is restored": history(
        Write(who=0, by="workflow", values={"maileon_subscribe": "false"}),
        Delete(who=0),
        Restore(who=0),
        on_deleted="unsubscribe",
    ),
    "whoever was asked after the back-up that was put back still shows as pending": history(
        BackUp(), says("true", "person"), says("false", "import", "Augusta"), GoBack(), on_no="keep"
    ),
    "whose old address was unsubscribed by a call whose answer was lost is out there as anybody": history(
        says("true"), Step(deed=Move(who=0, to=3, by="import"), trouble=Trouble(crash=105)), on_moved_old="unsubscribe"
    ),
    "a name that came with a yes is carried, though the contact's id could not be read when a sync made it": replace(
        history(
            Step(deed=Sync(), trouble=Trouble(calls=((9, "broken"), (8, "failed")))),
            Write(who=2, by="person", values={"maileon_subscribe": "true", "firstname": "Cem"}),
            seed=21394,
            skew=-45.0,
            no_answer="yes",
        ),
        older=tuple(Write(who=who, by="import", values={"firstname": "Olga"}) for who in (1, 2)),
    ),
    "a confirmation that went along to another address is told once": history(
        says("true"),
        Confirm(who=0),
        Move(who=0, to=2),
        Wait(hours=2.0, asleep=True),
        on_moved="keep_permission",
        skew=45.0,
    ),
    "a yes soon after an opt-out that set no answer to no is the older one, and asks nobody": history(
        says("true"), Delete(who=0), Leave(who=0), says("true")
    ),
    "what a merge filled in is carried to a contact whose id could not be read when it was made": replace(
        history(
            Step(deed=Write(who=1, by="form", values={"maileon_subscribe": "true"}), hasty=True),
            Step(deed=Confirm(who=2), trouble=Trouble(calls=((8, "lost"), (6, "unheard")))),
            Merge(who=1, other=2),
            seed=30135,
            skew=-45.0,
            double_opt_in=False,
            permission="none",
            no_answer="yes",
        ),
        older=(Write(who=2, by="form", values={"firstname": "Olga"}),),
    ),
    "a timeline entry from before a back-up was put back is not made a second time": history(
        Step(deed=says("true"), hasty=True), BackUp(), Confirm(who=0), GoBack()
    ),
    "a yes of whom a back-up takes for confirmed, and an erasure had deleted, is asked": history(
        says("true", by="import"),
        Confirm(who=0),
        BackUp(),
        Erase(who=0),
        GoBack(),
        says("true", by="person"),
        Confirm(who=0),
    ),
    "who had left, came back and was deleted is led back by her second yes": history(
        says("true"),
        Leave(who=0),
        says("true"),
        Confirm(who=0),
        Erase(who=0),
        says("true"),
        says("true"),
        Confirm(who=0),
        double_opt_in=False,
        permission="single",
    ),
    "a name that is changed at the newsletter between the way back and its click is the younger": history(
        says("true"),
        Leave(who=0),
        says("true", firstname="Cem"),
        EditThere(who=0, field="FIRSTNAME", value="Ada"),
        Confirm(who=0),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_the_simulation_found_stays_mended(name: str) -> None:
    assert play(FOUND[name]).wrong is None
