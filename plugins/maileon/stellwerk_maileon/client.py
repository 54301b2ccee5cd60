"""One method per endpoint of Maileon's REST API 1.0. The only module that sees a status code.

Every method raises `DeliveryError` and nothing else: `RetryableError` (surely not done, or only a read), `AmbiguousError`
(a write that may have been done), `RejectedError` (never as it is), `ReauthorizeError` (the key). Answers are kept redacted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Literal, TypeVar
from urllib.parse import quote

from stellwerk.sdk import (
    AmbiguousError,
    DeliveryError,
    HttpResponse,
    PauseError,
    ReauthorizeError,
    RejectedError,
    RetryableError,
    Secret,
    Services,
)
from stellwerk_maileon import (
    accountinfo,
    bulkreport,
    customfields,
    elements,
    hooks,
    mailinglist,
    refusal,
    reportentry,
    wire,
)
from stellwerk_maileon.accountinfo import AccountInfo
from stellwerk_maileon.bulkreport import BulkReport
from stellwerk_maileon.hooks import StoredHook
from stellwerk_maileon.mailinglist import StoredMailing
from stellwerk_maileon.problem import WireError
from stellwerk_maileon.redaction import kept
from stellwerk_maileon.reportentry import Entry
from stellwerk_maileon.wire import Stored

XML = "application/vnd.maileon.api+xml"
JSON = "application/json"
ACCEPT_XML = f"{XML}, application/xml;q=0.9, */*;q=0.1"
PAGE_SIZE = 1000
RATE_LIMITED = "rate-limited"
RATE_PAUSE_SECONDS = 30.0
"""After a 429 that names no time; what a known reader of reports waits (reference, section 3)."""

Params = Sequence[tuple[str, str]]
Method = Literal["GET", "POST", "PUT", "DELETE"]
Read = TypeVar("Read")
Item = TypeVar("Item")

NOTHING = frozenset({204, 404})
"""Nothing to list, where a 404 counts as an answer. An empty body with 200 says nothing: it may have been cut off."""

_REJECTED = {400: "bad-request", 404: "not-found", 409: "external-id-shared", 413: "too-large"}
_NOT_ACCEPTED = frozenset({405, 406, 415, 501, 505})
_LATER = frozenset({408, 423, 425, 429})
_AWAY = frozenset({502, 503, 504})


def word(value: bool) -> str:
    """A boolean as Maileon's queries take it."""
    return "true" if value else "false"


class MaileonClient:
    """Calls to one account. `services.spend` is awaited before every request."""

    def __init__(self, services: Services, *, api_url: str, api_key: Secret, timeout_seconds: float) -> None:
        self._services = services
        self._base = api_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        key = api_key.reveal()
        # The key alone, without a user name or colon (reference, section 1).
        coded = base64.b64encode(key.encode()).decode()
        self._authorization = f"Basic {coded}"
        self._secrets = (key, coded)

    # --- account ---

    async def ping(self, method: Method) -> bool:
        """True when the key may use `method`, False when it lacks the right. Raises `ReauthorizeError` for a refused key."""
        try:
            await self._call(method, "ping", harmless=True)
        except ReauthorizeError as error:
            if error.code != "right-missing":
                raise
            return False
        return True

    async def account_info(self) -> AccountInfo:
        answer = await self._call("GET", "account", "info", accept=JSON)
        return self._read(answer, accountinfo.read, harmless=True)

    # --- reading contacts ---

    async def contact_by_id(self, id: str, fields: Params) -> Stored | None:  # noqa: A002
        """The contact, anonymised ones included; None when there is none."""
        params = (("id", id), ("ignore_checksum", "true"), *fields)
        return next(iter(await self._contacts("contact", params=params)), None)

    async def contacts_by_email(self, email: str, fields: Params) -> tuple[Stored, ...]:
        return await self._contacts("emails", email, params=fields)

    async def contacts_by_external_id(self, external_id: str, fields: Params) -> tuple[Stored, ...]:
        return await self._contacts("externalid", external_id, params=fields)

    async def contacts_updated_after(self, local_text: str, page: int) -> tuple[tuple[Stored, ...], bool]:
        """One page of the contacts changed since, and whether another follows. `local_text` is in Maileon's zone."""
        params = (("updated_after", local_text), *_page(page))
        answer = await self._call("GET", "contacts", params=params, listed=True)
        contacts = self._listed(answer, wire.read_contacts)
        return contacts, _more(answer, page, len(contacts))

    async def _contacts(self, *path: str, params: Params) -> tuple[Stored, ...]:
        answer = await self._call("GET", "contacts", *path, params=params, missing=True)
        if answer.status in NOTHING:
            return ()
        return self._read(answer, wire.read_contacts, harmless=True)

    async def has_marker(self, email: str) -> bool:
        """Whether the address carries an unsubscription marker."""
        answer = await self._call("GET", "contacts", "email", email, "unsubscription", missing=True, hidden=(email,))
        return answer.status != 404

    # --- writing contacts ---

    async def start_doi(self, email: str, params: Params, body: bytes, hidden: Sequence[str]) -> str | None:
        """Create the address or update its data, and start a double opt-in. The contact's id; None when nothing was said."""
        answer = await self._call(
            "POST", "contacts", "email", email, params=params, body=body, media=XML, hidden=(email, *hidden)
        )
        return self._read(answer, _id_of)

    async def synchronize(self, params: Params, body: bytes, hidden: Sequence[str]) -> BulkReport:
        """The bulk call; its report says what became of the contacts."""
        answer = await self._call("POST", "contacts", params=params, body=body, media=XML, hidden=hidden)
        return self._read(answer, bulkreport.read)

    async def update_by_id(self, id: str, body: bytes, hidden: Sequence[str]) -> bool:  # noqa: A002
        """Write the body to the contact; False when there is none."""
        params = (("id", id), ("ignore_checksum", "true"))
        answer = await self._call(
            "PUT", "contacts", "contact", params=params, body=body, media=XML, missing=True, hidden=hidden
        )
        return answer.status != 404

    async def unsubscribe_by_id(self, id: str) -> bool:  # noqa: A002
        """Unsubscribe; False when there is no such contact."""
        answer = await self._call("DELETE", "contacts", "contact", "unsubscribe", params=(("id", id),), missing=True)
        return answer.status != 404

    async def unsubscribe_by_email(self, email: str) -> bool:
        answer = await self._call("DELETE", "contacts", "email", email, "unsubscribe", missing=True, hidden=(email,))
        return answer.status != 404

    async def delete_by_id(self, id: str) -> bool:  # noqa: A002
        """Delete; False when there is no such contact."""
        answer = await self._call("DELETE", "contacts", "contact", params=(("id", id),), missing=True)
        return answer.status != 404

    async def delete_by_email(self, email: str) -> bool:
        answer = await self._call("DELETE", "contacts", "email", email, missing=True, hidden=(email,))
        return answer.status != 404

    # --- custom fields ---

    async def custom_fields(self) -> dict[str, str]:
        """Type by name: string, integer, float, date or boolean."""
        answer = await self._call("GET", "contacts", "fields", "custom", listed=True)
        return {} if answer.status in NOTHING else self._read(answer, customfields.read, harmless=True)

    async def create_custom_field(self, name: str, type_: str) -> None:
        await self._call("POST", "contacts", "fields", "custom", name, params=(("type", type_),))

    # --- reports ---

    async def unsubscriptions(self, params: Params, page: int) -> tuple[tuple[Entry, ...], bool]:
        """One page of the report, anonymised people included, and whether another follows."""
        return await self._report("unsubscriptions", (("exclude_anonymous", "false"), *params), page)

    async def subscribers(self, params: Params, page: int) -> tuple[tuple[Entry, ...], bool]:
        """One page of the confirmed double opt-ins of people still there, and whether another follows."""
        return await self._report("subscribers", (("exclude_anonymous_contacts", "true"), *params), page)

    async def bounces(self, params: Params, page: int) -> tuple[tuple[Entry, ...], bool]:
        """One page of the bounces of people still there, and whether another follows."""
        return await self._report("bounces", (("exclude_anonymous_bounces", "true"), *params), page)

    async def blocks(self, params: Params, page: int) -> tuple[tuple[Entry, ...], bool]:
        """One page of what was blocked and let go again, of people still there, and whether another follows."""
        return await self._report("blocks", (("exclude_anonymous_blocks", "true"), *params), page)

    async def _report(self, name: str, params: Params, page: int) -> tuple[tuple[Entry, ...], bool]:
        hidden = [value for key, value in params if key == "emails"]
        answer = await self._call("GET", "reports", name, params=(*params, *_page(page)), hidden=hidden, listed=True)
        entries = self._listed(answer, reportentry.read)
        return entries, _more(answer, page, len(entries))

    # --- webhooks ---

    async def webhooks(self) -> tuple[StoredHook, ...]:
        answer = await self._call("GET", "webhooks", accept=JSON)
        return self._listed(answer, hooks.read)

    async def create_webhook(self, body: bytes) -> str | None:
        """Register; the id, or None when the answer does not tell it."""
        answer = await self._call("POST", "webhooks", body=body, media=JSON, accept=f"{JSON}, {XML};q=0.9")
        return hooks.read_id(answer.body)

    async def update_webhook(self, id: str, body: bytes) -> None:  # noqa: A002
        await self._call("PUT", "webhooks", id, body=body, media=JSON, accept=f"{JSON}, {XML};q=0.9")

    async def delete_webhook(self, id: str) -> None:  # noqa: A002
        """Remove; one that is gone already counts as removed."""
        await self._call("DELETE", "webhooks", id, missing=True)

    # --- mailings ---

    async def doi_mailings(self, page: int) -> tuple[tuple[StoredMailing, ...], bool]:
        """One page of the DOI mailings with name and state, and whether another follows."""
        params = (("types", "doi"), ("fields", "name"), ("fields", "state"), *_page(page))
        answer = await self._call("GET", "mailings", "filter", "types", params=params, listed=True)
        mailings = self._listed(answer, mailinglist.read)
        return mailings, _more(answer, page, len(mailings))

    async def doi_key(self, mailing: str) -> str | None:
        return await self._mailing_text(mailing, "settings", "doi_key")

    async def mailing_name(self, mailing: str) -> str | None:
        return await self._mailing_text(mailing, "name")

    async def mailing_state(self, mailing: str) -> str | None:
        return await self._mailing_text(mailing, "state")

    async def _mailing_text(self, mailing: str, *path: str) -> str | None:
        answer = await self._call("GET", "mailings", mailing, *path, missing=True)
        return None if answer.status in NOTHING else self._read(answer, mailinglist.read_text, harmless=True)

    # --- one call ---

    async def _call(
        self,
        method: Method,
        *path: str,
        params: Params = (),
        body: bytes | None = None,
        media: str | None = None,
        accept: str = ACCEPT_XML,
        missing: bool = False,
        listed: bool = False,
        harmless: bool = False,
        hidden: Sequence[str] = (),
    ) -> HttpResponse:
        """The answer of a call that succeeded, or a 404 where `missing` says that it is an answer too.

        Of a list (`listed`) a 404 counts as empty only with Maileon's own error body: another is about the path.
        `harmless` calls may be repeated whatever became of them; every GET is one.
        """
        harmless = harmless or method == "GET"
        headers = {"authorization": self._authorization, "accept": accept}
        if media is not None:
            headers["content-type"] = media
        await self._services.spend(1)
        try:
            answer = await self._services.http.request(
                method,
                "/".join((self._base, *(quote(part, safe="") for part in path))),
                params=params,
                headers=headers,
                content=body,
                timeout_seconds=self._timeout_seconds,
            )
        except AmbiguousError as error:
            if harmless:
                raise RetryableError(error.code, error.text) from None
            raise
        if 200 <= answer.status < 300 and elements.is_page(answer.body):
            said = kept(answer.body, secrets=self._secrets, hidden=hidden)
            unread = RetryableError if harmless else AmbiguousError
            raise unread("unreadable-answer", f"{method} was answered {answer.status} with a web page", answer=said)
        if 200 <= answer.status < 300 or (missing and answer.status == 404):
            return answer
        if listed and answer.status == 404 and elements.is_error(answer.body):
            return answer
        raise self._refusal(method, answer, harmless, hidden)

    def _refusal(self, method: Method, answer: HttpResponse, harmless: bool, hidden: Sequence[str]) -> DeliveryError:
        status = answer.status
        text = f"{method} was answered {status}"
        said = kept(answer.body, secrets=self._secrets, hidden=hidden)
        if status == 401:
            why = refusal.reason(self._secrets[0], said)
            return ReauthorizeError(why, refusal.REASONS[why], answer=said)
        if status == 403:
            return ReauthorizeError("right-missing", f"the API key lacks the right for {method}", answer=said)
        if status == 408 and not harmless:
            # Whoever gave up waiting need not be who it was for.
            return AmbiguousError("later", text, answer=said)
        if status in _LATER:
            wait = self._retry_after(answer)
            if status == 429:
                return PauseError(RATE_LIMITED, text, answer=said, seconds=wait or RATE_PAUSE_SECONDS)
            return RetryableError("later", text, answer=said, retry_after=wait)
        if status in _NOT_ACCEPTED:
            return RejectedError("not-accepted", text, answer=said)
        if 400 <= status < 500:
            return RejectedError(_REJECTED.get(status, "refused"), text, answer=said)
        if status >= 500:
            code = "unavailable" if status in _AWAY else "server-error"
            if harmless:
                return RetryableError(code, text, answer=said, retry_after=self._retry_after(answer))
            return AmbiguousError(code, text, answer=said)
        # A redirect or an informational status: something between us and Maileon answered, and nothing was done.
        return RetryableError("unexpected-answer", text, answer=said)

    def _listed(self, answer: HttpResponse, read: Callable[[bytes], tuple[Item, ...]]) -> tuple[Item, ...]:
        return () if answer.status in NOTHING else self._read(answer, read, harmless=True)

    def _read(self, answer: HttpResponse, read: Callable[[bytes], Read], *, harmless: bool = False) -> Read:
        try:
            return read(answer.body)
        except WireError as error:
            said = kept(answer.body, secrets=self._secrets)
            if harmless:
                raise RetryableError("unreadable-answer", str(error), answer=said) from None
            raise AmbiguousError("unreadable-answer", str(error), answer=said) from None

    def _retry_after(self, answer: HttpResponse) -> float | None:
        """Seconds from `Retry-After`, written as seconds or as a date."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        return None if at.tzinfo is None else max(0.0, (at - self._services.now()).total_seconds())


def _page(page: int) -> Params:
    return (("page_index", str(page)), ("page_size", str(PAGE_SIZE)))


def _more(answer: HttpResponse, page: int, found: int) -> bool:
    """Whether another page follows: by the header `X-Pages`, or where it is missing by the fullness of this one."""
    pages = answer.headers.get("x-pages", "").strip()
    return page < int(pages) if pages.isascii() and pages.isdigit() else found >= PAGE_SIZE


def _id_of(body: bytes) -> str | None:
    if not body.strip():
        return None
    text = hooks.read_id(body) or ""
    if not (text.isascii() and text.isdigit()):
        raise WireError("no id")
    return text
