"""What a connector is: one required protocol and the abilities it may have. Asked for with `isinstance`.

A connector speaks to one kind of system and knows nothing of the hub but this package. The hub opens it for one account,
uses it from one task at a time, and closes it. Words: `stellwerk.sdk` re-exports the model of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, TypeAlias, runtime_checkable

from msgspec import Struct

from stellwerk.sdk.reading import Batched, ConsentSource, Doubles, Finder, Lister, Reader, Reporter, Sampler, Unzoned
from stellwerk.sdk.services import Account, FieldSpec, Services
from stellwerk.sdk.setting_up import (
    AccessTeller,
    Catalogue,
    Difference,
    Disconnector,
    Grant,
    Hook,
    OAuth,
    Option,
    Provisioner,
    Scope,
    Scoped,
    Wanted,
    Words,
)
from stellwerk.sdk.settings import Settings
from stellwerk.sdk.signal import Announcing, Ref, Signal, Unread, WeakSource, WebhookRequest, WebhookSource
from stellwerk.sdk.writing import Cautious, Delivery, LeftOut, MarkState, Outcome, Receipt, Sized, Target

__all__ = [
    "AccessTeller",
    "Account",
    "Announcing",
    "AskType",
    "Asker",
    "Batched",
    "Capped",
    "Catalogue",
    "Cautious",
    "Command",
    "CommandContext",
    "Commands",
    "Connector",
    "ConsentSource",
    "Counter",
    "Delivery",
    "Difference",
    "Disconnector",
    "Doubles",
    "FieldSpec",
    "Finder",
    "Grant",
    "Hook",
    "LeftOut",
    "Lister",
    "MarkState",
    "OAuth",
    "Option",
    "Outcome",
    "Provisioner",
    "Reader",
    "Receipt",
    "Ref",
    "Reporter",
    "Sampler",
    "Scope",
    "Scoped",
    "Services",
    "Signal",
    "Sized",
    "Target",
    "Titled",
    "Twin",
    "Unread",
    "Unzoned",
    "Wanted",
    "WeakSource",
    "WebhookRequest",
    "WebhookSource",
    "Words",
]


class CommandContext(Struct, frozen=True, kw_only=True):
    """What a connector's command may use: its settings in the file and how the file uses the system."""

    system: Any
    title: str
    public_url: str
    webhook_url: str
    redirect_url: str
    fields: tuple[FieldSpec, ...]


Command: TypeAlias = Callable[[CommandContext, Sequence[str]], int]


@runtime_checkable
class Commands(Protocol):
    @classmethod
    def commands(cls) -> Mapping[str, tuple[str, Command]]:
        """Commands `stellwerk CONNECTOR NAME`: name to (one line of help, function). Returns the exit code."""
        ...


@runtime_checkable
class Twin(Protocol):
    twin_module: ClassVar[str]
    """Module run as `python -m`: a simulator in a process of its own."""


class AskType(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a connector's `ask_type`: the options its ask takes under `consent.with`, all text."""


@runtime_checkable
class Asker(Protocol):
    ask_type: ClassVar[type[AskType]]
    ask_plus: ClassVar[bool]
    """Whether an ask can ask for personal tracking too."""


@runtime_checkable
class Titled(Protocol):
    title: ClassVar[str]
    """The brand as people write it, for pages; without it the hub shows `name` with a capital."""


@runtime_checkable
class Capped(Protocol):
    most_accounts: ClassVar[int]
    """In how many accounts an app of one's own may be installed over there, unless the vendor has raised it."""


@runtime_checkable
class Counter(Protocol):
    async def created_since(self, since: datetime, /) -> int:
        """How many contacts were created over there since then. Raises `DeliveryError`."""
        ...


class Connector(Protocol):
    """One open connection to one account."""

    name: ClassVar[str]
    system_type: ClassVar[type[Settings]]
    account_type: ClassVar[type[Settings]]
    rate: ClassVar[tuple[int, float]]
    """Calls and seconds: the budget of one account where the remote tells nothing better."""

    @classmethod
    def open(cls, system: Any, account: Any, services: Services, /) -> AbstractAsyncContextManager[Self]:
        """Open one account with `system_type` and `account_type` settings."""
        ...

    async def check(self) -> Account:
        """Ask the remote who we are. Raises `ReauthorizeError` when the credentials are refused, with a named reason."""
        ...
