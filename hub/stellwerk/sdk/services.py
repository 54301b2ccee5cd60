"""What a connector is handed: fields, services, and the account it answers with."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from stellwerk.errors import DeliveryError
from stellwerk.sdk.http import Http

__all__ = ["Account", "FieldSpec", "Services"]


class FieldSpec(Struct, frozen=True, kw_only=True):
    """A field this account is used with. `label` stands only for those we create over there.

    `on_forms` says whether people fill it in, also by hidden form fields; None: the connector tells by the kind.

    The rest a connector tells of the fields it lists (`Catalogue.fields`), where `label` is what people over there read:
    `suggested` is False where no row of `fields:` may be suggested, since it is hidden, cannot be written, is an id, tells of
    consent, or is spelt in a way of its own; `also` are further names of the same thing; `choices` the only values it takes
    (none: any), and `separator` what stands between several of them, None where it holds one.
    """

    name: str
    kind: Literal["text", "yes_no", "permission", "status", "time", "number", "integer", "date"] = "text"
    label: str | None = None
    on_forms: bool | None = None
    suggested: bool = True
    also: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    separator: str | None = None


def _unheard(calls: int, seconds: float) -> None:
    """For a hub that does not listen to `Services.rate_seen`."""


def _untold(seconds: float) -> None:
    """For a hub that does not listen to `Services.clock_seen`."""


def _unkept(zone: str) -> None:
    """For a hub that keeps nothing of an account that is only tested."""


def _unasked(part: str, failed: DeliveryError | None) -> None:
    """For a hub that does not listen to `Services.part_asked`."""


class Services(Struct, frozen=True, kw_only=True):
    """What a connector may use. It creates no client, reads no environment, calls no clock of its own.

    `token(stale)` gives a valid access token for an OAuth account and refreshes it once for all callers; `stale` is a token
    the remote has just refused. `spend(calls)` waits for room in the account's budget and must precede every request;
    `rate_seen(calls, seconds)` may be called when the remote itself tells the account's budget, `clock_seen(seconds)` when it
    tells the time: how far its clock is ahead of ours (negative: behind). `fields` is by the remote's own field names.

    `zone` is the time zone of the remote's printed times as it was learnt by what was written there (a name, or an offset
    such as `+02:00`); None while it is not known, and then times of that clock are compared with a margin of a day.
    `zone_seen(zone)` keeps it for the next time the account is opened: until then all times stay as doubtful as they were read.
    A remote whose times bear their offset needs neither.

    `part_asked(part, failed)` is for a poll that asks several places: `failed` is what one of them answered, and the poll went on
    without it, or None where it answered well. A person is told of a part that fails again and again.
    """

    http: Http
    now: Callable[[], datetime]
    log: logging.Logger
    token: Callable[[str | None], Awaitable[str]]
    spend: Callable[[int], Awaitable[None]]
    timeout_seconds: float = 30.0
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    rate_seen: Callable[[int, float], None] = _unheard
    clock_seen: Callable[[float], None] = _untold
    zone: str | None = None
    zone_seen: Callable[[str], None] = _unkept
    part_asked: Callable[[str, DeliveryError | None], None] = _unasked


class Account(Struct, frozen=True, kw_only=True):
    """Who the remote says we are. `id` is stable and names the account; `missing` lists rights that are not there.

    `rights` has every right that was looked for, the missing ones included, so that a page can name them all.
    """

    id: str
    name: str
    missing: tuple[str, ...] = ()
    zone: str | None = None
    rights: tuple[str, ...] = ()
