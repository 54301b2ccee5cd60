"""Both remotes, their clock, what goes wrong, and the people who use them. No sockets: thousands of histories a minute.

Connectors find a world by its name, which stands in their account's settings.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from stellwerk_toys.clock import Clock
from stellwerk_toys.crm import Crm, Record
from stellwerk_toys.faults import Faults
from stellwerk_toys.mail import Address, DoiMail, Mail
from stellwerk_toys.post import Post

T = TypeVar("T")
HOOK_KEY = "the toy shop's hook key"
MAIL_KEY = "key-4711-of-the-toy-news"

_WORLDS: weakref.WeakValueDictionary[str, World] = weakref.WeakValueDictionary()


class World:
    """`posts` are webhook requests that were sent and not delivered yet, oldest first.

    `meanwhile` happens once, while the next call is under way.
    """

    def __init__(self, name: str = "toyland", beside: World | None = None) -> None:
        """`beside` another world: a shop and a newsletter more, with the same clock, post and faults."""
        self.name = name
        self.clock: Clock = Clock() if beside is None else beside.clock
        self.faults: Faults = Faults() if beside is None else beside.faults
        self.posts: list[Post] = [] if beside is None else beside.posts
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.crm = Crm(f"{name}-shop", HOOK_KEY, self.clock, self.posts)
        self.mail = Mail(MAIL_KEY, self.clock, self.posts)
        _WORLDS[name] = self

    @staticmethod
    def named(name: str) -> World:
        return _WORLDS[name]

    async def call(self, step: Callable[[], T]) -> T:
        """One call of a connector. Others may come in between, as over a network."""
        await asyncio.sleep(0)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return self.faults.around(step)

    # --- people at the shop -------------------------------------------------------------------------------------------

    def form(self, email: str, fields: Mapping[str, str | None] | None = None) -> str:
        """A form is sent: makes the contact or changes the one with that address. Hidden fields are fields like others."""
        return self._put("form", email, fields)

    def import_(self, email: str, fields: Mapping[str, str | None] | None = None) -> str:
        return self._put("upload", email, fields)

    def person_creates(self, email: str | None, fields: Mapping[str, str | None] | None = None) -> str:
        return self.crm.create({"email": email, **(fields or {})}, "clerk")

    def person_edits(self, contact: str, field: str, value: str | None) -> None:
        self.crm.write(contact, {field: value}, "clerk")

    def workflow_sets(self, contact: str, field: str, value: str | None) -> None:
        self.crm.write(contact, {field: value}, "robot")

    def person_deletes(self, contact: str) -> None:
        self.crm.remove(contact)

    def person_restores(self, contact: str) -> None:
        self.crm.restore(contact)

    def person_erases(self, contact: str) -> None:
        self.crm.erase(contact)

    def person_merges(self, winner: str, loser: str, *, new_number: bool = True) -> str:
        return self.crm.merge(winner, loser, new_number=new_number)

    def _put(self, source: str, email: str, fields: Mapping[str, str | None] | None) -> str:
        known = self.shop(email)
        if known is None:
            return self.crm.create({"email": email, **(fields or {})}, source)
        self.crm.write(known.id, fields or {}, source)
        return known.id

    # --- people with a mailbox ----------------------------------------------------------------------------------------

    def confirm(self, mail: DoiMail | None = None) -> bool:
        """Click on the link of `mail`, default the last one."""
        return self.mail.confirm(mail or self.mail.sent[-1])

    def unsubscribe(self, email: str, letter: str = "7", how: str = "link") -> bool:
        return self.mail.unsubscribe(email, letter=letter, how=how)

    def edit_at_mail(self, email: str, field: str, value: str | None) -> None:
        self.mail.edit(email, {field: value})

    # --- what a test looks at -----------------------------------------------------------------------------------------

    def shop(self, email: str) -> Record | None:
        """The shop's contact with that address."""
        return self.crm.get(lambda one: not one.gone and (one.value("email") or "").casefold() == email.casefold())

    def news(self, email: str) -> Address | None:
        """The mail system's contact with that address."""
        return self.mail.find(email)

    def mails_to(self, email: str) -> list[DoiMail]:
        return [mail for mail in self.mail.sent if mail.email == email]

    def picture(self) -> dict[str, object]:
        """Everything at both remotes that a person could notice, without times and numbers that only order things."""
        return {
            "shop": {
                one.value("email") or one.id: {
                    "values": {name: one.value(name) for name in sorted(one.history) if name != "left_on"},
                    "stages": one.stages,
                    "notes": sorted(note.text for note in one.notes),
                    "gone": one.gone,
                }
                for one in self.crm.records.values()
            },
            "news": sorted(
                (one.email or "", one.permission, sorted(one.fields.items()), one.extern or "")
                for one in self.mail.records.values()
            ),
            "mails": sorted((mail.email, mail.letter, mail.plus) for mail in self.mail.sent),
            "left": sorted(entry.email for entry in self.mail.report),
            "markers": sorted(self.mail.markers),
        }
