"""What the control API takes: the JSON bodies as Structs, unknown keys refused."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from .keys import METHODS


class NewMailing(Struct, kw_only=True, forbid_unknown_fields=True):
    """A DOI mailing; an existing one with this key is changed."""

    key: str
    name: str
    default: bool = False
    active: bool = True


class NewAccount(Struct, kw_only=True, forbid_unknown_fields=True):
    id: int
    name: str
    key: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    mailings: list[NewMailing] = field(default_factory=list)
    custom_fields: dict[str, str] = field(default_factory=dict)


class KeyOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    account: int
    key: str
    state: Literal["active", "expired", "deactivated"] = "active"
    rights: tuple[str, ...] = METHODS


class MailingOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    account: int
    key: str
    name: str
    default: bool = False
    active: bool = True


class SeedContact(Struct, kw_only=True, forbid_unknown_fields=True):
    """`marker` sets the unsubscription marker, `blocked` blocks by bounce policy; neither calls a webhook."""

    email: str
    permission: int = 1
    external_id: str | None = None
    standard_fields: dict[str, str] = field(default_factory=dict)
    custom_fields: dict[str, str] = field(default_factory=dict)
    marker: bool = False
    blocked: bool = False


class Seed(Struct, kw_only=True, forbid_unknown_fields=True):
    """`markers` are addresses that carry a marker without any contact."""

    account: int
    contacts: list[SeedContact] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)


class ClockOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    offset_seconds: float


class Release(Struct, kw_only=True, forbid_unknown_fields=True):
    """`numbers` of held calls; without them all."""

    numbers: list[int] | None = None


class EventOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Something that happens to a contact in the world: what a person, a mail server or Maileon does."""

    account: int
    email: str
    event: Literal["unsubscription", "bounce", "block", "unblock", "contact_field_change"]
    method: str = "link"
    msg_id: str | None = None
    mailing_id: int | None = None
    type: Literal["permanent", "transient"] = "permanent"
    status_code: str = "5.1.1"
    source: Literal["mta-listener", "reply"] = "mta-listener"
    property: str | None = None
    value: str | None = None


def read(body: bytes, kind: type[Any]) -> Any:
    """The body as `kind`; raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    return msgspec.json.decode(body or b"{}", type=kind)
