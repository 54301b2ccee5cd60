"""Signals of webhooks and polls, and the ability to take webhooks in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Struct, field

from stellwerk_rules.model import EventKind, Origin

__all__ = ["Announcing", "Ref", "Signal", "Unread", "WeakSource", "WebhookRequest", "WebhookSource"]


class Ref(Struct, frozen=True, kw_only=True):
    """How a contact is named to the remote: its own id, an address, or the other system's id stored there."""

    by: Literal["id", "email", "peer_id"]
    value: str


class Signal(Struct, frozen=True, kw_only=True):
    """One event of a webhook or a poll: look at this contact now.

    `key` is the vendor's own event key, None where it has none (then never de-duplicated). `account` is the remote
    account's id where the request names it, None where the path's secret already did. Among the `details`, which a timeline
    may show, `entry` is the remote's own name of what happened where it has one: what follows from it then follows once.
    """

    kind: EventKind
    ref: Ref
    key: str | None = None
    account: str | None = None
    occurred_at: datetime | None = None
    field_name: str | None = None
    origin: Origin | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class Unread(Struct, frozen=True, kw_only=True):
    """An authentic item that was not understood: kept as a dead letter with the code `because`.

    A code is one of few and shows nothing of `raw`, which alone is sealed. The pages have words for `names-nobody`, `unknown-kind`
    and `not-as-described`.
    """

    raw: bytes
    because: str
    account: str | None = None


class WebhookRequest(Struct, frozen=True, kw_only=True):
    """A request as it came. `url` is the configured webhook URL plus path and query; header names are lower case.

    `path` is what follows `/webhooks/{connector}/` (without the secret where the hub has checked one).
    """

    method: str
    url: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@runtime_checkable
class WebhookSource(Protocol):
    webhook_trust: ClassVar[Literal["signature", "path"]]

    @classmethod
    def receive(cls, request: WebhookRequest, system: Any, /) -> Sequence[Signal | Unread]:
        """The request's signals; no I/O.

        With trust `signature` it checks the raw bytes first and raises `WebhookError(401)` for a forged or stale request.
        With `path` the hub has checked the secret in the path. Never raises for content it does not understand: `Unread`.
        """
        ...


@runtime_checkable
class WeakSource(Protocol):
    @classmethod
    def receive_weak(cls, request: WebhookRequest, system: Any, account: Any, /) -> Sequence[Signal | Unread]:
        """The signals of a request that `receive` refused and that a weaker proof makes one of this account's; no I/O.

        Asked only for accounts of which no request with the stronger proof was ever taken. Raises `WebhookError(401)` where
        the weaker one is missing, wrong or not enough for this account.
        """
        ...


@runtime_checkable
class Announcing(Protocol):
    @classmethod
    def announced(cls, fields: Sequence[str], /) -> frozenset[str]:
        """Those of `fields` whose changes come as events, once whoever runs this has set up there what is needed."""
        ...
