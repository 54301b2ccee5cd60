"""Abilities to set up: create what is needed, list what there is, log in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from stellwerk.errors import ReauthorizeError
from stellwerk.sdk.http import Http
from stellwerk.sdk.services import FieldSpec

__all__ = [
    "AccessTeller",
    "Catalogue",
    "Difference",
    "Disconnector",
    "Grant",
    "Hook",
    "OAuth",
    "Option",
    "Provisioner",
    "Scope",
    "Scoped",
    "Wanted",
    "Words",
]


class Hook(Struct, frozen=True, kw_only=True):
    """A webhook we want registered over there."""

    topic: str
    url: str


class Wanted(Struct, frozen=True, kw_only=True):
    """What must exist over there. `group` is (name, label); `created` we create with labels; `used` must only exist.

    `used` fields that the connector may create (a mail system's custom fields) are created with their kind.
    """

    group: tuple[str, str] | None = None
    created: tuple[FieldSpec, ...] = ()
    used: tuple[FieldSpec, ...] = ()
    hooks: tuple[Hook, ...] = ()


class Difference(Struct, frozen=True, kw_only=True):
    """Something over there that is not as wanted and was not mended. `code` is stable."""

    code: str
    subject: str
    text: str


@runtime_checkable
class Provisioner(Protocol):
    hook_topics: ClassVar[tuple[str, ...]]
    """Topics of webhooks this connector registers itself; empty where an operator deploys them."""

    async def provide(self, wanted: Wanted, /) -> Sequence[Difference]:
        """Create what is missing, idempotently; tell what differs. Raises `DeliveryError`."""
        ...


@runtime_checkable
class Disconnector(Protocol):
    async def disconnect(self, hooks: Sequence[Hook], /) -> Sequence[Difference]:
        """Undo over there what served this hub alone: these webhooks, and the access that a login gave (an installed app).

        Asked once nobody here uses the account any more, and possibly again: what is gone already is done. Contacts, fields
        and their values stay. Tells what a person has to remove by hand. Raises `DeliveryError`.
        """
        ...


class Option(Struct, frozen=True, kw_only=True):
    """One entry of a list read from a system, in its order."""

    value: str
    label: str
    active: bool = True


@runtime_checkable
class Catalogue(Protocol):
    lists: ClassVar[tuple[str, ...]]
    """Names usable as `pick: SYSTEM.LIST`; `stages` where the system has stages."""

    async def options(self, name: str, /) -> Sequence[Option]:
        """The entries of one list. Raises `DeliveryError`."""
        ...

    async def fields(self) -> Sequence[FieldSpec]:
        """Every field of contacts over there. Raises `DeliveryError`."""
        ...


class Grant(Struct, frozen=True, kw_only=True):
    """What a login or a refresh brought. Times are seconds from now."""

    access_token: str
    refresh_token: str
    expires_in: float
    account: str
    account_name: str = ""
    user: str = ""
    scopes: tuple[str, ...] = ()


@runtime_checkable
class OAuth(Protocol):
    @classmethod
    def authorize_url(cls, system: Any, *, redirect_uri: str, state: str, challenge: str) -> str:
        """Where the browser goes; `challenge` is PKCE S256."""
        ...

    @classmethod
    async def exchange(cls, system: Any, http: Http, *, code: str, redirect_uri: str, verifier: str) -> Grant:
        """A code for tokens. Raises `RejectedError` (used or expired code), `RetryableError`, `ReauthorizeError`."""
        ...

    @classmethod
    async def refresh(cls, system: Any, http: Http, *, refresh_token: str, account: str) -> Grant:
        """New tokens. Raises `ReauthorizeError` when the customer must reconnect (`for_good`) or the operator's own settings are
        refused (asked again now and then), `RetryableError` for an outage."""
        ...


@runtime_checkable
class AccessTeller(Protocol):
    @classmethod
    async def why_refused(
        cls, system: Any, http: Http, *, access_token: str, refused: ReauthorizeError
    ) -> ReauthorizeError:
        """A refresh was refused: a reason with a name of its own, as far as the last access token still tells one, and
        `for_good` where only another login helps.

        Never raises; `refused` itself where nothing more can be told.
        """
        ...


class Words(Struct, frozen=True, kw_only=True):
    """A sentence in both languages of the pages."""

    en: str
    de: str


class Scope(Struct, frozen=True, kw_only=True):
    """A right that the login asks for. `without`: what does not work without it, a sentence for each; `granted_by`: who may give it."""

    name: str
    without: tuple[Words, ...]
    granted_by: Words


@runtime_checkable
class Scoped(Protocol):
    @classmethod
    def lacking(cls, system: Any, granted: Sequence[str], /) -> Sequence[Scope]:
        """What the login asks for, also as optional, and `granted` (`Grant.scopes`) does not have."""
        ...
