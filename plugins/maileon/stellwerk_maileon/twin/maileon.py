"""The whole simulated Maileon: accounts, keys, clock, running numbers, and the calls that leave it."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from .account import Account, Blacklist, Contact, Mail, Mailing, Options
from .clock import Clock
from .keys import Key
from .outgoing import Outgoing
from .webhooks import compose


class Maileon:
    """Numbers of contacts, mailings and webhooks are unique across accounts, so that a page's URL needs no account."""

    def __init__(self, clock: Clock, outgoing: Outgoing, options: Options) -> None:
        self.clock = clock
        self.outgoing = outgoing
        self.options = options
        self.accounts: dict[int, Account] = {}
        self.keys: dict[str, Key] = {}
        self.mails: list[Mail] = []
        self.tokens: dict[str, Mail] = {}
        self.contact_numbers = itertools.count(10_001)
        self.mailing_numbers = itertools.count(301)
        self.webhook_numbers = itertools.count(1901)

    def open_account(self, number: int, name: str) -> Account:
        """A new account; its two global blacklists exist from the start (section 8)."""
        options = Options(**{key: getattr(self.options, key) for key in Options.__struct_fields__})
        account = Account(id=number, name=name, created=self.clock.now(), options=options)
        for identity, label in ((1, "Global blacklist"), (2, "Global complaints"), (number * 10, "Account blacklist")):
            account.blacklists[identity] = Blacklist(id=identity, name=label)
        self.accounts[number] = account
        return account

    def new_mailing(self, account: Account, name: str, kind: str, key: str | None, active: bool = True) -> Mailing:
        mailing = Mailing(id=next(self.mailing_numbers), name=name, type=kind, key=key, active=active)
        account.mailings[mailing.id] = mailing
        return mailing

    def put_doi_mailing(self, account: Account, key: str, name: str, default: bool, active: bool) -> Mailing:
        """A DOI mailing with this key, new or changed."""
        mailing = account.mailing_by_key(key) or self.new_mailing(account, name, "doi", key)
        mailing.name, mailing.active = name, active
        if default:
            account.default_doi_mailing = key
        return mailing

    def new_contact(self, account: Account, email: str, permission: int, now: float) -> Contact:
        """A new contact with a new id; one of this address still on its way to anonymity gets there at once."""
        for former in account.readable(email):
            if former.unsubscribed is not None:
                account.anonymise(former)
        contact = Contact(
            id=next(self.contact_numbers),
            email=email,
            permission=permission,
            created=now,
            updated=now,
            checksum=secrets.token_urlsafe(8),
        )
        account.put(contact)
        return contact

    def send_mail(self, account: Account, mailing: Mailing, contact: Contact, subject: str, **details: Any) -> Mail:
        mail = Mail(
            number=len(self.mails) + 1,
            account=account.id,
            kind=mailing.type,
            contact=contact.id,
            to=contact.email or "",
            subject=subject,
            mailing=mailing.id,
            mailing_name=mailing.name,
            mailing_key=mailing.key,
            msg_id=secrets.token_hex(8),
            token=secrets.token_urlsafe(16),
            sent=self.clock.now(),
            **details,
        )
        mailing.sent += 1
        self.mails.append(mail)
        account.mails.append(mail)
        self.tokens[mail.token] = mail
        return mail

    def raise_event(self, account: Account, event: str, contact: Contact, facts: dict[str, Any]) -> None:
        """Call every webhook of the account that is registered for this event (section 10.1)."""
        if not account.options.webhooks_enabled:
            return
        facts = {"timestamp": self.clock.report_text(self.clock.now()), **facts}
        for webhook in account.webhooks.values():
            if webhook["event"] == event:
                self.outgoing.put(account.id, event, *compose(webhook, contact, facts))

    def settle(self) -> float:
        """Finish what is due in every account; the time it is."""
        now = self.clock.now()
        for account in self.accounts.values():
            account.settle(now)
        return now
