"""The double opt-in: the mail, and the click that confirms (sections 6.1, 6.2, 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .account import Account, Contact, Entry, Mail
from .permission import DOUBLE, DOUBLE_PLUS, after_confirmation

if TYPE_CHECKING:
    from .maileon import Maileon

DAY = 86_400.0


def start(maileon: Maileon, account: Account, contact: Contact, key: str | None, plus: bool) -> None:
    """Send the DOI mail if there is one to send; the caller is told nothing either way (section 6.1).

    No mail goes out without a mailing: no key and no default one, an unknown key, an inactive mailing. None goes to
    a contact with permission 4 or 5 either, unless the account says so.
    """
    wanted = key or account.default_doi_mailing
    mailing = account.mailing_by_key(wanted) if wanted else None
    if mailing is None or not mailing.active:
        return
    if contact.permission in (DOUBLE, DOUBLE_PLUS) and not account.options.doi_mail_despite_permission:
        return
    maileon.send_mail(account, mailing, contact, "Please confirm your subscription", plus=plus)


def confirm(maileon: Maileon, mail: Mail) -> str:
    """What a click on the link in the mail did: `confirmed`, `already`, `expired` or `gone`.

    The webhook and the report entry belong to the click that changed the permission, and to the first click in a
    further DOI mail where the account sends those (section 10.1).
    """
    account = maileon.accounts[mail.account]
    now = maileon.clock.now()
    account.settle(now)
    contact = account.contacts.get(mail.contact)
    if contact is None or contact.unsubscribed is not None:
        return "gone"
    if mail.clicked is not None:
        return "already"
    if now - mail.sent > account.options.doi_days * DAY:
        return "expired"
    mail.clicked = now
    permission = after_confirmation(contact.permission, mail.plus)
    if permission == contact.permission and not account.options.doi_mail_despite_permission:
        return "already"
    contact.permission = permission
    contact.updated = now
    account.subscribers.append(Entry(time=now, contact=contact, mailing=mail.mailing, msg_id=mail.msg_id))
    maileon.raise_event(account, "doi", contact, {"msg_id": mail.msg_id})
    return "confirmed"
