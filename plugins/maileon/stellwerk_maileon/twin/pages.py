"""Pages for a person with a browser: outbox, confirmation, newsletter, contacts, webhooks. Plain HTML, no script."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jinja2

from . import doi, profile, unsubscribe
from .account import Account, Contact, Mail
from .app import Api
from .exchange import Answer, Receive, Request, Scope, Send, read_request, send_answer, understand
from .fields import STANDARD_CODES, is_address
from .permission import NAMES, NONE
from .problem import Problem, Refusal

FOLDER = Path(__file__).parent / "templates"
HTML = "text/html; charset=utf-8"
OUTCOMES = {
    "confirmed": "Thank you. Your subscription is confirmed.",
    "already": "Your subscription was confirmed already.",
    "expired": "This link has expired. Nothing was changed.",
    "gone": "This link is no longer valid. Nothing was changed.",
}
PROFILE_FIELDS = ("SALUTATION", "FIRSTNAME", "LASTNAME", "ORGANIZATION", "CITY")

Form = dict[str, str]
Handle = Callable[[Request, str], Answer]


class Pages:
    """`paths` maps method, first segment and number of segments to a page; the second segment is an id or token."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.maileon = api.maileon
        self.jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self.jinja.globals.update(names=NAMES, when=self.maileon.clock.report_text)
        self.style = (FOLDER / "twin.css").read_bytes()
        self.paths: dict[tuple[str, str, int], Handle] = {
            ("GET", "", 1): self.front,
            ("GET", "twin.css", 1): lambda request, key: Answer(body=self.style, content_type="text/css"),
            ("GET", "outbox", 1): self.outbox,
            ("GET", "outbox", 2): self.mail,
            ("GET", "confirm", 2): self.confirm,
            ("GET", "newsletter", 1): self.newsletter_form,
            ("POST", "newsletter", 1): self.newsletter,
            ("GET", "unsubscribe", 2): self.unsubscribe_form,
            ("POST", "unsubscribe", 2): self.unsubscribe,
            ("GET", "profile", 2): self.profile_form,
            ("POST", "profile", 2): self.profile,
            ("GET", "contacts", 1): self.contacts,
            ("GET", "contacts", 2): self.contact,
            ("POST", "contacts", 2): self.edit,
            ("POST", "contacts", 3): self.unsubscribe_by_hand,
            ("GET", "webhooks-registered", 1): self.webhooks,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        try:
            understand(request)
            answer = self.answer(request)
        except Refusal as refusal:
            entry = self.api.record.begin(request, self.maileon.clock.now())
            entry.refused, entry.status = True, refusal.status
            answer = self.page("message.html", refusal.status, message=refusal.message)
        except Problem as problem:
            answer = self.page("message.html", problem.status, message=problem.message)
        await send_answer(send, answer, formatdate(self.maileon.clock.now(), usegmt=True))

    def answer(self, request: Request) -> Answer:
        segments = request.segments
        handle = self.paths.get((request.method, segments[0], len(segments)))
        if handle is None or (len(segments) == 3 and segments[2] != "unsubscribe"):
            raise Refusal(404, "There is no such page.")
        self.maileon.settle()
        return handle(request, segments[1] if len(segments) > 1 else "")

    def page(self, template: str, status: int = 200, **values: Any) -> Answer:
        text = self.jinja.get_template(template).render(**values)
        return Answer(status=status, body=text.encode(), content_type=HTML, headers=(("Cache-Control", "no-store"),))

    def redirect(self, target: str) -> Answer:
        return Answer(status=303, headers=(("Location", target),))

    def form(self, request: Request) -> Form:
        if not request.body:
            return {}
        if request.media_type != "application/x-www-form-urlencoded":
            raise Problem(415, "A form is expected.")
        return {
            name: values[-1]
            for name, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items()
        }

    def front(self, request: Request, key: str) -> Answer:
        return self.page("front.html", accounts=list(self.maileon.accounts.values()))

    def outbox(self, request: Request, key: str) -> Answer:
        wanted = dict(request.pairs).get("to", "").lower()
        mails = [mail for mail in reversed(self.maileon.mails) if wanted in ("", mail.to.lower())]
        return self.page("outbox.html", mails=mails, accounts=self.maileon.accounts)

    def mail(self, request: Request, key: str) -> Answer:
        number = int(key) if key.isascii() and key.isdigit() else 0
        if not 1 <= number <= len(self.maileon.mails):
            raise Problem(404, "There is no such mail.")
        return self.page("mail.html", mail=self.maileon.mails[number - 1])

    def by_token(self, token: str, kind: str) -> tuple[Account, Mail, Contact | None]:
        """The mail of the token and its contact while that is neither gone nor unsubscribed.

        The links of an old newsletter serve whoever has the address now: who came back may use them to leave again.
        """
        mail = self.maileon.tokens.get(token)
        if mail is None or mail.kind != kind:
            raise Problem(404, "This link is not known.")
        account = self.maileon.accounts[mail.account]
        contact = account.contacts.get(mail.contact)
        if contact is not None and contact.unsubscribed is None:
            return account, mail, contact
        return account, mail, next(iter(account.living(mail.to)), None)

    def confirm(self, request: Request, key: str) -> Answer:
        """The click itself confirms: a GET, as with the real links."""
        mail = self.by_token(key, "doi")[1]
        outcome = doi.confirm(self.maileon, mail)
        return self.page("message.html", 200 if outcome in ("confirmed", "already") else 410, message=OUTCOMES[outcome])

    def newsletter_form(self, request: Request, key: str) -> Answer:
        return self.page("newsletter.html", accounts=list(self.maileon.accounts.values()))

    def newsletter(self, request: Request, key: str) -> Answer:
        """Mail everybody with a permission who is not blocked."""
        form = self.form(request)
        number = form.get("account") or str(next(iter(self.maileon.accounts), 0))
        account = self.maileon.accounts.get(int(number) if number.isascii() and number.isdigit() else 0)
        if account is None:
            raise Problem(404, "There is no such account.")
        subject = form.get("subject") or "News"
        mailing = self.maileon.new_mailing(account, subject, "regular", None)
        for contact in list(account.contacts.values()):
            wanted = contact.permission != NONE and contact.unsubscribed is None
            if wanted and account.sendout_status(contact) == "allowed":
                self.maileon.send_mail(account, mailing, contact, subject, text=form.get("text", ""))
        return self.redirect("/outbox")

    def unsubscribe_form(self, request: Request, key: str) -> Answer:
        _, mail, contact = self.by_token(key, "regular")
        return self.page("unsubscribe.html", mail=mail, gone=contact is None)

    def unsubscribe(self, request: Request, key: str) -> Answer:
        """Method `link`; a one-click post of a mail program (RFC 8058) gives `list-unsubscribe-header`."""
        account, mail, contact = self.by_token(key, "regular")
        one_click = self.form(request).get("List-Unsubscribe") == "One-Click"
        if contact is not None:
            method = "list-unsubscribe-header" if one_click else "link"
            unsubscribe.opt_out(self.maileon, account, contact, method, msg_id=mail.msg_id, mailing=mail.mailing)
        return self.page("message.html", message="You are unsubscribed.")

    def profile_form(self, request: Request, key: str) -> Answer:
        _, _, contact = self.by_token(key, "regular")
        if contact is None:
            raise Problem(410, OUTCOMES["gone"])
        return self.page("profile.html", contact=contact, fields=PROFILE_FIELDS, token=key)

    def profile(self, request: Request, key: str) -> Answer:
        account, _, contact = self.by_token(key, "regular")
        if contact is None:
            raise Problem(410, OUTCOMES["gone"])
        for name, value in self.form(request).items():
            if name not in PROFILE_FIELDS:
                raise Problem(400, f"The field {name} is not in this form.")
            profile.change_by_link(self.maileon, account, contact, name, value or None)
        return self.page("message.html", message="Your data are changed.")

    def contacts(self, request: Request, key: str) -> Answer:
        wanted = dict(request.pairs).get("email", "").lower()
        rows = [
            (account, contact)
            for account in self.maileon.accounts.values()
            for contact in account.contacts.values()
            if wanted in ("", (contact.email or "").lower())
        ]
        return self.page("contacts.html", rows=rows[-1000:][::-1], total=len(rows))

    def by_id(self, key: str) -> tuple[Account, Contact]:
        number = int(key) if key.isascii() and key.isdigit() else 0
        for account in self.maileon.accounts.values():
            if number in account.contacts:
                return account, account.contacts[number]
        raise Problem(404, "There is no such contact.")

    def contact(self, request: Request, key: str) -> Answer:
        account, contact = self.by_id(key)
        standard = [(name, contact.standard.get(name, "")) for name in STANDARD_CODES]
        custom = [(name, contact.custom.get(name, "")) for name in account.custom_fields]
        marked = (contact.email or "").lower() in account.markers
        return self.page(
            "contact.html", account=account, contact=contact, standard=standard, custom=custom, marked=marked
        )

    def edit(self, request: Request, key: str) -> Answer:
        """Changes through Maileon's own pages: they move `updated` and call no webhook (section 10.1)."""
        account, contact = self.by_id(key)
        if contact.anonymous:
            raise Problem(400, "The contact is anonymous.")
        now = self.maileon.clock.now()
        for name, value in self.form(request).items():
            kind, _, field = name.partition(".")
            if kind in ("standard", "custom") and field:
                profile.set_field(account, contact, field, value or None, now)
            elif name == "permission" and value in map(str, NAMES):
                contact.permission, contact.updated = int(value), now
            elif name == "external_id":
                account.rename(contact, value or None)
                contact.updated = now
            elif name == "email" and is_address(value):
                account.readdress(contact, value)
                contact.updated = now
            else:
                raise Problem(400, f"The field {name} does not take this.")
        return self.redirect(f"/contacts/{contact.id}")

    def unsubscribe_by_hand(self, request: Request, key: str) -> Answer:
        account, contact = self.by_id(key)
        unsubscribe.opt_out(self.maileon, account, contact, "other")
        return self.redirect(f"/contacts/{contact.id}")

    def webhooks(self, request: Request, key: str) -> Answer:
        rows = [(a, w) for a in self.maileon.accounts.values() for w in a.webhooks.values()]
        return self.page("webhooks.html", rows=rows)
