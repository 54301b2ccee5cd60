"""One call of HubSpot's API and what becomes of it. The only module that sees a status code, and it maps all of them.

Statuses: reference page, section 12. A call that may be repeated turns "nobody knows" into "later again"; one that may not
(a note) leaves it ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import Struct

from stellwerk.sdk import (
    UNREADABLE,
    AmbiguousError,
    Http,
    HttpResponse,
    PauseError,
    ReauthorizeError,
    RejectedError,
    RetryableError,
    Services,
)
from stellwerk_hubspot import lenient
from stellwerk_hubspot.clock import clock_offset
from stellwerk_hubspot.refusal import (
    Conflict,
    ErrorBody,
    NotFound,
    Refused,
    code_of,
    parse_error,
    property_problems,
    redact,
    required_scopes,
    without_values,
)
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

__all__ = ["VERSION", "Call", "Session", "post_form"]

VERSION = "2026-09"
NOT_ARRIVED = frozenset({521, 522, 523, 525, 526})
NOT_THERE = "OBJECT_NOT_FOUND"
"""The category of a 404 that is about what was named, also where a batch named several."""

LOCK_SECONDS = 2.0
OF_THE_APP = "TEN_SECONDLY_ROLLING"
RATE_SECONDS = {OF_THE_APP: 10.0, "SECONDLY": 1.0}
MOVING_SECONDS = 3600.0
BLIND_DAILY_SECONDS = 3600.0
"""How long to rest at the daily limit while the account's midnight is not known."""

WORD = re.compile(r"[A-Za-z_]{1,40}")
MOST_READ = 20_000
"""Characters of an answer that are looked at before it is redacted and cut."""

T = TypeVar("T")
TokenSource = Callable[[str | None], Awaitable[str]]


class Call(Struct, frozen=True, kw_only=True):
    """A call to make. Parameters without a value are left out; `private` values never show in what is kept of the answer.

    `one` says that the call names one thing, so that a 404 is about that; any other is about the path, unless its body says
    that something named was not found.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: Any = None
    private: tuple[str, ...] = ()
    repeatable: bool = True
    one: bool = False


class Session:
    """The way to one portal: token, budget, time-out, and the named error of every answer that is not good.

    `offset` is the account's distance from UTC, where it is known: the daily limit ends at its midnight.
    """

    def __init__(self, system: HubspotSystem, account: HubspotAccount, services: Services) -> None:
        self._url = system.api_url.rstrip("/")
        self._timeout = system.timeout_seconds
        self._services = services
        # Nothing that HubSpot might echo may show the secret.
        self._secrets = system.secrets()
        self._rate: tuple[int, float] | None = None
        self.token = services.token if account.access_token is None else _static(account.access_token.reveal())
        self.offset: timedelta | None = None
        self.clock_offset = 0.0

    async def ask(self, kind: type[T], call: Call) -> T:
        """The answer as `kind`; a named error when it is cut, empty or of another shape."""
        answer = await self._answer(call)
        try:
            return lenient.read(answer.body, kind)
        except UNREADABLE:
            self._unreadable(answer, call, f"not a {kind.__name__}")

    def _unreadable(self, answer: HttpResponse, call: Call, why: str) -> NoReturn:
        kept = redact(without_values(_text(answer)), call.private)
        text = f"status {answer.status}, {why}"
        if call.repeatable:
            raise RetryableError("unreadable-answer", text, answer=kept)
        raise AmbiguousError("unreadable-answer", text, answer=kept)

    async def ask_maybe(self, kind: type[T], call: Call) -> T | None:
        """The same; None where HubSpot answers that there is nothing (204)."""
        answer = await self._answer(call)
        if answer.status == 204:
            return None
        try:
            return lenient.read(answer.body, kind)
        except UNREADABLE:
            raise RetryableError("unreadable-answer", f"status {answer.status}, not a {kind.__name__}") from None

    async def tell(self, call: Call) -> None:
        """For calls whose answer says no more than that it is done. A web page comes from something between us and HubSpot."""
        answer = await self._answer(call)
        if answer.body.lstrip().startswith(b"<"):
            self._unreadable(answer, call, "a web page")

    async def _answer(self, call: Call) -> HttpResponse:
        """A good answer. A token that is refused is renewed once, and the call repeated once.

        Whoever consented is asked to log in again by a refresh that is refused, not by a token that ended early twice.
        """
        token = await self.token(None)
        answer = await self._send(call, token)
        if answer.status == 401:
            stale, token = token, await self.token(token)
            answer = await self._send(call, token)
            if answer.status == 401 and token != stale:
                kept = _kept(answer, (*call.private, token, *self._secrets))
                raise RetryableError("token-refused", "a token that was just renewed is refused", answer=kept)
        if not 200 <= answer.status < 300:
            self._raise(answer, call, (*call.private, token, *self._secrets))
        self._hear(answer)
        return answer

    async def _send(self, call: Call, token: str) -> HttpResponse:
        await self._services.spend(1)
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if call.body is not None:
            headers["content-type"] = "application/json"
        sent = self._services.now()
        try:
            answer = await self._services.http.request(
                call.method,
                self._url + call.path,
                params=[(key, value) for key, value in call.params if value],
                headers=headers,
                content=None if call.body is None else msgspec.json.encode(call.body),
                timeout_seconds=self._timeout,
            )
        except AmbiguousError as error:
            if call.repeatable:
                raise RetryableError(error.code, error.text) from None
            raise
        self._tell_time(answer, sent)
        return answer

    def _tell_time(self, answer: HttpResponse, sent: datetime) -> None:
        """Pass on how far HubSpot's clock is from ours. Only of good answers: others may be a proxy's."""
        if 200 <= answer.status < 300:
            offset = clock_offset(answer.headers.get("date", ""), sent, self._services.now())
            if offset is not None:
                self.clock_offset = offset
                self._services.clock_seen(offset)

    def _hear(self, answer: HttpResponse) -> None:
        """Pass on the budget that the portal's plan allows, when it differs from what was told before."""
        most = answer.headers.get("x-hubspot-ratelimit-max", "")
        span = answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
        if most.isdecimal() and span.isdecimal() and int(most) and int(span):
            rate = (int(most), int(span) / 1000)
            if rate != self._rate:
                self._rate = rate
                self._services.rate_seen(*rate)

    def _raise(self, answer: HttpResponse, call: Call, private: Collection[str]) -> NoReturn:
        """The named error of an answer that is not good."""
        error = parse_error(answer.body)
        kept = _kept(answer, private)
        wait = _retry_after(answer, self._services.now())
        match answer.status:
            case 401:
                raise ReauthorizeError("unauthorized", "the access token is refused", answer=kept)
            case 403:
                raise _forbidden(error, kept)
            case 404 if call.one or error.category == NOT_THERE:
                raise NotFound("not-found", "not there", answer=kept)
            case 404:
                # The version has ended, or something else answers at this address: no delivery is to blame.
                raise RetryableError("no-such-call", f"HubSpot has no such call in {VERSION}", answer=kept)
            case 409:
                raise Conflict("conflict", "exists already", answer=kept)
            case 414:
                raise RejectedError(
                    "too-long", "the address is too long, or the record has too many merges", answer=kept
                )
            case 408:
                self._unknown("no-answer", "HubSpot gave up waiting", kept, call)
            case 423:
                raise RetryableError(
                    "locked", "locked after many writes", answer=kept, retry_after=max(wait or 0, LOCK_SECONDS)
                )
            case 429:
                raise self._limited(error, kept, wait, call)
            case 477:
                raise PauseError(
                    "moving", "the account moves to another data centre", answer=kept, seconds=wait or MOVING_SECONDS
                )
            case status if status in NOT_ARRIVED:
                raise RetryableError("unreachable", f"status {status}", answer=kept, retry_after=wait)
            case status if status >= 500:
                self._unknown("outage", f"status {status}", kept, call, wait)
            case status if 400 <= status < 500:
                problems = property_problems(error)
                names = ", ".join(f"{problem.name} {problem.code}" for problem in problems)
                raise Refused(code_of(problems, error), names or f"status {status}", answer=kept, problems=problems)
            case status:
                raise RetryableError("unexpected-answer", f"status {status}", answer=kept)

    def _unknown(self, code: str, text: str, kept: str, call: Call, wait: float | None = None) -> NoReturn:
        if call.repeatable:
            raise RetryableError(code, text, answer=kept, retry_after=wait)
        raise AmbiguousError(code, text, answer=kept)

    def _limited(self, error: ErrorBody, kept: str, wait: float | None, call: Call) -> RetryableError | PauseError:
        """A limit is the whole account's; but searches have one of their own, which every app of the portal spends."""
        if error.policy_name == "DAILY":
            seconds = wait or self._until_midnight()
            return PauseError("daily-limit", "the day's calls are used up", answer=kept, seconds=seconds)
        seconds = wait or RATE_SECONDS.get(error.policy_name or "", RATE_SECONDS[OF_THE_APP])
        if call.path.endswith("/search") and error.policy_name != OF_THE_APP:
            return RetryableError("rate-limit", error.policy_name or "", answer=kept, retry_after=seconds)
        return PauseError("rate-limit", error.policy_name or "", answer=kept, seconds=seconds)

    def _until_midnight(self) -> float:
        """Seconds until the account's day turns; an hour while its zone is not known."""
        if self.offset is None:
            return BLIND_DAILY_SECONDS
        there = self._services.now().astimezone(UTC) + self.offset
        midnight = datetime(there.year, there.month, there.day, tzinfo=UTC) + timedelta(days=1)
        return (midnight - there).total_seconds()


def _static(token: str) -> TokenSource:
    """A token that cannot be renewed: when it is refused, a person must give another."""

    async def source(stale: str | None) -> str:
        if stale is not None:
            raise ReauthorizeError("unauthorized", "the static access token is refused")
        return token

    return source


def _forbidden(error: ErrorBody, kept: str) -> ReauthorizeError:
    scopes = required_scopes(error)
    if scopes or error.category == "MISSING_SCOPES":
        return ReauthorizeError("missing-scopes", ", ".join(scopes) or "not named", answer=kept)
    return ReauthorizeError("forbidden", "the account refuses this app", answer=kept)


def _kept(answer: HttpResponse, private: Collection[str] = ()) -> str:
    return redact(_text(answer), private)


def _text(answer: HttpResponse) -> str:
    return f"{answer.status} {answer.body[:MOST_READ].decode('utf-8', 'replace')}"


def _retry_after(answer: HttpResponse, now: datetime) -> float | None:
    """Seconds from `Retry-After`, written as seconds or, as proxies may, as a date."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, now)
    return seconds if 0 < seconds <= 86_400 else None


def _seconds_until(text: str, now: datetime) -> float:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    return 0 if at.tzinfo is None else (at - now).total_seconds()


async def post_form(http: Http, url: str, content: bytes, *, timeout_seconds: float, private: Collection[str]) -> bytes:
    """The body of a good answer of the token endpoints. Raises `Refused` for a 400 or 401, `RetryableError` for the rest.

    `Refused.code` is HubSpot's `status` word in our spelling: `bad-refresh-token`.
    """
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    try:
        answer = await http.request("POST", url, headers=headers, content=content, timeout_seconds=timeout_seconds)
    except AmbiguousError as error:
        raise RetryableError(error.code, error.text) from None
    if 200 <= answer.status < 300:
        return answer.body
    kept = _kept(answer, private)
    if answer.status in (400, 401, 403):
        raise Refused(_token_code(answer.body), f"status {answer.status}", answer=kept)
    code = "rate-limit" if answer.status == 429 else "outage" if answer.status >= 500 else "unexpected-answer"
    raise RetryableError(
        code, f"status {answer.status}", answer=kept, retry_after=_retry_after(answer, datetime.now(UTC))
    )


class TokenRefusal(Struct, frozen=True):
    """The token endpoint's refusal: HubSpot's older `status` beside the keys of RFC 6749."""

    status: str | None = None
    error: str | None = None


def _token_code(body: bytes) -> str:
    try:
        found = lenient.read(body, TokenRefusal)
    except UNREADABLE:
        return "refused"
    for word in (found.status, found.error):
        # Another `status` is the HTTP status, or merely says that this is an error.
        if word and word.lower() != "error" and WORD.fullmatch(word):
            return word.lower().replace("_", "-")
    return "refused"
