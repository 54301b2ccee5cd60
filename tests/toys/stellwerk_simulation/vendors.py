"""Both vendors' twins in this process, and the people who use them. Only these deeds and the hub's own calls change anything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import httpx

from stellwerk_hubspot.twin import deletion, merge, preferences
from stellwerk_hubspot.twin.app import VendorApp
from stellwerk_hubspot.twin.grants import Grant
from stellwerk_hubspot.twin.pages import PERSON
from stellwerk_hubspot.twin.portal import Contact as Record
from stellwerk_hubspot.twin.portal import Portal, Source
from stellwerk_hubspot.twin.project import Project, load
from stellwerk_hubspot.twin.seeding import SOURCES, Seed, plant
from stellwerk_hubspot.twin.twin import Options as HubspotOptions
from stellwerk_hubspot.twin.twin import assemble
from stellwerk_hubspot.twin.webhooks import Disorder as HubspotDisorder
from stellwerk_hubspot.twin.writing import prepared, update
from stellwerk_maileon.twin import bounces, doi, profile, unsubscribe
from stellwerk_maileon.twin.account import Account, Contact, Mail, Options
from stellwerk_maileon.twin.app import Api
from stellwerk_maileon.twin.clock import Clock
from stellwerk_maileon.twin.keys import Key
from stellwerk_maileon.twin.maileon import Maileon
from stellwerk_maileon.twin.outgoing import Manners, Outgoing
from stellwerk_simulation.history import PEOPLE, SECOND

PORTALS = ((4711, "Acme GmbH"), (4712, "Acme Sports"))
NEWSLETTER = 9001
CLIENT, SECRET, APP = "simulated-client", "simulated-secret-of-the-app", "1234567"
KEY = "simulated-key-0123456789"
HUB = "https://hub.test"
MAILING = "K1"
BY = {"form": "FORM", "import": "IMPORT", "person": "CRM_UI", "workflow": "AUTOMATION_PLATFORM"}


def _source(by: str) -> Source:
    return SOURCES.get(BY[by]) or Source(BY[by], f"{by}-1")


@cache
def project(folder: Path) -> Project:
    return load(folder)


class Vendors:
    """`portals` are the CRM's accounts, one for each connection, `news` the newsletter's. `answering` takes their webhooks to the hub."""

    def __init__(
        self,
        deployed: Project,
        dice: random.Random,
        time: Callable[[], float],
        answering: httpx.AsyncBaseTransport,
        connections: int,
    ) -> None:
        options = HubspotOptions(
            portals=PORTALS[:connections],
            project=deployed,
            client_id=CLIENT,
            client_secret=SECRET,
            app_id=APP,
            reach={HUB: HUB},
            seed=dice.randrange(2**32),
        )
        self.hubspot = assemble(options, time=time, transport=answering)
        self.hubspot_app = VendorApp(self.hubspot)
        self.portals: list[Portal] = [self.hubspot.portals[number] for number, _ in PORTALS[:connections]]
        outgoing = Outgoing({HUB: HUB}, rng=random.Random(dice.randrange(2**32)), transport=answering)
        self.maileon = Maileon(Clock("Europe/Berlin", time), outgoing, Options())
        self.news: Account = self.maileon.open_account(NEWSLETTER, "Acme Newsletter")
        self.maileon.keys[KEY] = Key(account=NEWSLETTER, key=KEY)
        self.maileon.put_doi_mailing(self.news, MAILING, "Double opt-in", False, True)
        self.maileon_app = Api(self.maileon)
        assert self.hubspot.webhooks is not None
        self.hooks = self.hubspot.webhooks
        self._sending = asyncio.get_running_loop().create_task(self.hooks.run())

    def code(self, portal: int, redirect: str, challenge: str | None, scopes: tuple[str, ...]) -> str:
        """Somebody of the portal consents to the app: what HubSpot then gives the browser."""
        return self.hubspot.grants.install(Grant(portal, APP, scopes), redirect, challenge)

    def forget_tokens(self) -> None:
        """Every access token ends before its time."""
        self.hubspot.grants.access.clear()

    def disorder(self, on: bool) -> None:
        """Webhooks come twice, late and in another order, or as they should."""
        shuffled = (0.1, 90.0) if on else None
        self.hooks.disorder = HubspotDisorder(duplicates=0.5 if on else 0.0, reorder_seconds=shuffled)
        self.maileon.outgoing.behave(Manners(duplicates=0.5 if on else 0.0, reorder_seconds=shuffled or (0.0, 0.0)))

    @property
    def telling(self) -> int:
        """Webhooks that are on their way or will be tried again."""
        return self.hooks.pending() + self.maileon.outgoing.pending

    # --- what people do at HubSpot ------------------------------------------------------------------------------------

    def portal(self, email: str) -> Portal:
        """Where whoever has this address is a contact."""
        return self.portals[-1 if PEOPLE.index(email) in SECOND else 0]

    def astray(self, email: str) -> list[int]:
        """Portals that know the address and should not."""
        own = self.portal(email)
        return [one.id for one in self.portals if one is not own and one.holder(email) is not None]

    def record(self, email: str) -> Record | None:
        portal = self.portal(email)
        number = portal.holder(email)
        return None if number is None else portal.alive(number)

    def own(self, email: str) -> Record | None:
        """The contact whose address this is, and not a secondary one."""
        known = self.record(email)
        return known if known is not None and known.values.get("email") == email else None

    def refuses(self, email: str) -> bool:
        """Whether the contact opted out of all mail at the CRM."""
        known = self.own(email)
        return known is not None and known.values.get("hs_email_optout") == "true"

    def write(self, by: str, email: str, values: dict[str, str]) -> str:
        """Make the contact with this address, or change it where there is one; an empty value empties. Its first address."""
        known, portal = self.record(email), self.portal(email)
        if known is None:
            plant(portal, Seed(contacts=[{"email": email, **values}], source=BY[by]))
            return email
        given = prepared(portal, values, known)
        update(portal, known, given, _source(by), backward=by == "person")
        return known.values["email"]

    def delete(self, email: str) -> int | None:
        known = self.own(email)
        if known is None:
            return None
        deletion.archive(self.portal(email), known, PERSON)
        return known.id

    def restore(self, email: str, number: int) -> bool:
        portal = self.portal(email)
        known = portal.contacts.get(number)
        if known is None or known.archived_ms is None:
            return False
        if any(portal.holder(address) is not None for address in known.addresses()):
            return False
        deletion.restore(portal, known, PERSON)
        return True

    def erase(self, email: str) -> bool:
        known = self.own(email)
        if known is not None:
            deletion.erase(self.portal(email), known, PERSON)
        return known is not None

    def merge(self, winner: str, loser: str) -> bool:
        one, other = self.own(winner), self.own(loser)
        if one is None or other is None or one is other or self.portal(winner) is not self.portal(loser):
            return False
        merge.merge(self.portal(winner), one, other, PERSON)
        return True

    def move(self, by: str, email: str, to: str) -> bool:
        known, portal = self.own(email), self.portal(email)
        if known is None or portal.holder(to) is not None or portal is not self.portal(to):
            return False
        update(portal, known, prepared(portal, {"email": to}, known), _source(by), backward=True)
        return True

    def opt_out(self, email: str, *, out: bool) -> bool:
        """Of all mail, or back; whether there is a contact for whom that was news."""
        known = self.own(email)
        if known is None or self.refuses(email) is out:
            return False
        preferences.opt_out(self.portal(email), email, out, PERSON)
        return True

    def notes(self, email: str, record: Record) -> list[str]:
        notes = self.portal(email).notes
        return [notes[number].values.get("hs_note_body", "") for number in record.notes]

    # --- what people do with their mails ------------------------------------------------------------------------------

    def subscriber(self, email: str) -> Contact | None:
        """The newsletter's contact with this address, unless it has left."""
        self.maileon.settle()
        living = self.news.living(email)
        return living[0] if living else None

    def mails(self, email: str) -> list[Mail]:
        return [mail for mail in self.news.mails if mail.to == email and mail.kind == "doi"]

    def confirm(self, email: str) -> str:
        """A click on the link of the last mail: what it did."""
        mails = self.mails(email)
        return doi.confirm(self.maileon, mails[-1]) if mails else "gone"

    def leave(self, email: str) -> bool:
        known = self.subscriber(email)
        if known is not None:
            unsubscribe.opt_out(self.maileon, self.news, known, "link", msg_id="55")
        return known is not None

    def edit_there(self, email: str, field: str, value: str | None) -> bool:
        known = self.subscriber(email)
        if known is not None:
            profile.change_by_link(self.maileon, self.news, known, field, value)
        return known is not None

    def bounce(self, email: str) -> bool:
        known = self.subscriber(email)
        if known is not None:
            bounces.bounce(self.maileon, self.news, known, msg_id="56")
        return known is not None
