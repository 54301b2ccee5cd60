"""The developer project that an operator deploys: read and validated as `hs project validate` would (sections 2, 8)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from .event_types import EventType, EventTypeFile, check_event_types

__all__ = ["Project", "ProjectError", "Subscription", "load", "subscribed"]

T = TypeVar("T")

PLATFORMS = ("2025.2", "2026.03", "2026.09", "2026.09-beta")
KINDS = ("creation", "deletion", "merge", "restore", "propertyChange", "associationChange")
NEVER = ("num_unique_conversion_events", "hs_lastmodifieddate")
MAX_UID = 64
MAX_SUBSCRIPTIONS = 1_000


class ProjectError(Exception):
    """What is wrong in which file."""


class _Strict(Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    pass


class _Root(_Strict, frozen=True):
    name: str
    src_dir: str
    platform_version: str


class Auth(_Strict, frozen=True):
    type: Literal["oauth", "static"]
    redirect_urls: list[str] = []
    required_scopes: list[str] = []
    optional_scopes: list[str] = []
    conditionally_required_scopes: list[str] = []


class PermittedUrls(_Strict, frozen=True):
    fetch: list[str] = []
    iframe: list[str] = []
    img: list[str] = []


class Support(_Strict, frozen=True):
    support_email: str | None = None
    documentation_url: str | None = None
    support_url: str | None = None
    support_phone: str | None = None


class AppConfig(_Strict, frozen=True):
    name: str
    distribution: Literal["private", "marketplace"]
    auth: Auth
    description: str = ""
    permitted_urls: PermittedUrls = PermittedUrls()
    support: Support = Support()


class AppFile(_Strict, frozen=True):
    uid: str
    type: Literal["app"]
    config: AppConfig


class CrmObject(_Strict, frozen=True):
    subscription_type: str
    object_type: str
    property_name: str | None = None
    active: bool = True


class LegacyCrmObject(_Strict, frozen=True):
    subscription_type: str
    property_name: str | None = None
    active: bool = True


class HubEvent(_Strict, frozen=True):
    subscription_type: str
    active: bool = True


class Subscriptions(_Strict, frozen=True):
    crm_objects: list[CrmObject] = []
    legacy_crm_objects: list[LegacyCrmObject] = []
    hub_events: list[HubEvent] = []


class WebhookSettings(_Strict, frozen=True):
    target_url: str
    max_concurrent_requests: int = 10


class WebhookConfig(_Strict, frozen=True):
    settings: WebhookSettings
    subscriptions: Subscriptions


class WebhooksFile(_Strict, frozen=True):
    uid: str
    type: Literal["webhooks"]
    config: WebhookConfig


class Subscription(Struct, frozen=True):
    """One active entry: `generic` ones carry `objectTypeId`, classic ones do not; `of` is a property."""

    id: int
    type: str
    generic: bool
    of: str | None

    @property
    def kind(self) -> str:
        return self.type.partition(".")[2]


class Project(Struct, frozen=True):
    """A deployed app: what it may ask for, where it is called, and the event types of its timeline by their symbol."""

    name: str
    distribution: str
    auth: Auth
    project_name: str = ""
    event_types: dict[str, EventType] = {}
    target_url: str | None = None
    max_concurrent_requests: int = 10
    subscriptions: tuple[Subscription, ...] = ()


def load(folder: Path) -> Project:
    """The project in `folder`; raises ProjectError naming file and problem."""
    root = _read(folder / "hsproject.json", _Root)
    if root.platform_version not in PLATFORMS:
        raise ProjectError(f"hsproject.json: platformVersion is one of {', '.join(PLATFORMS)}")
    source = folder / root.src_dir / "app"
    app = _read(source / "app-hsmeta.json", AppFile)
    _check_app(app)
    types = _event_types(source / "app-events", app.config)
    files = sorted((source / "webhooks").glob("*-hsmeta.json"))
    if len(files) > 1:
        raise ProjectError("src/app/webhooks: one webhooks component per app")
    config = app.config
    if not files:
        return Project(
            name=config.name,
            distribution=config.distribution,
            auth=config.auth,
            project_name=root.name,
            event_types=types,
        )
    hooks = _read(files[0], WebhooksFile)
    settings = hooks.config.settings
    _check_uid(files[0].name, hooks.uid)
    if urlsplit(settings.target_url).scheme != "https" or not urlsplit(settings.target_url).netloc:
        raise ProjectError(f"{files[0].name}: targetUrl must be https")
    if settings.max_concurrent_requests <= 5:
        raise ProjectError(f"{files[0].name}: maxConcurrentRequests must be above 5")
    return Project(
        name=config.name,
        distribution=config.distribution,
        auth=config.auth,
        project_name=root.name,
        event_types=types,
        target_url=settings.target_url,
        max_concurrent_requests=settings.max_concurrent_requests,
        subscriptions=_subscriptions(files[0].name, hooks.config.subscriptions),
    )


def _event_types(folder: Path, app: AppConfig) -> dict[str, EventType]:
    files = [(path, _read(path, EventTypeFile)) for path in sorted(folder.glob("*-hsmeta.json"))]
    for path, one in files:
        _check_uid(path.name, one.uid)
    found, problem = check_event_types(files, app.distribution, app.auth.required_scopes)
    if problem is not None:
        raise ProjectError(problem)
    return found


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError:
        raise ProjectError(f"{path.name}: cannot be read in {path.parent}") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as problem:
        raise ProjectError(f"{path.name}: {problem}") from None


def _check_uid(file: str, uid: str) -> None:
    if not 1 <= len(uid) <= MAX_UID:
        raise ProjectError(f"{file}: uid has 1 to {MAX_UID} characters")


def _check_app(app: AppFile) -> None:
    _check_uid("app-hsmeta.json", app.uid)
    auth = app.config.auth
    if app.config.distribution == "marketplace" and auth.type != "oauth":
        raise ProjectError("app-hsmeta.json: distribution marketplace allows auth type oauth only")
    if "oauth" not in auth.required_scopes:
        raise ProjectError("app-hsmeta.json: requiredScopes must contain oauth")
    if auth.type == "oauth" and not auth.redirect_urls:
        raise ProjectError("app-hsmeta.json: auth type oauth needs redirectUrls")
    for url in auth.redirect_urls:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == "localhost"):
            raise ProjectError(f"app-hsmeta.json: redirect URL {url} must be https, http://localhost excepted")


def _subscriptions(file: str, wanted: Subscriptions) -> tuple[Subscription, ...]:
    rows: list[tuple[str, bool, str | None]] = []
    for one in wanted.crm_objects:
        if one.object_type not in ("contact", "0-1"):
            raise ProjectError(f"{file}: this twin knows objectType contact only, not {one.object_type}")
        _check_type(file, one.subscription_type, "object", one.property_name)
        rows += [(one.subscription_type, True, one.property_name)] if one.active else []
    for old in wanted.legacy_crm_objects:
        _check_type(file, old.subscription_type, "contact", old.property_name)
        rows += [(old.subscription_type, False, old.property_name)] if old.active else []
    for hub in wanted.hub_events:
        if hub.subscription_type != "contact.privacyDeletion":
            raise ProjectError(f"{file}: unknown hub event {hub.subscription_type}")
        rows += [(hub.subscription_type, False, None)] if hub.active else []
    if len(rows) > MAX_SUBSCRIPTIONS:
        raise ProjectError(f"{file}: at most {MAX_SUBSCRIPTIONS} subscriptions")
    if len(set(rows)) != len(rows):
        raise ProjectError(f"{file}: the same subscription stands twice")
    return tuple(Subscription(7_000_001 + place, *row) for place, row in enumerate(rows))


def _check_type(file: str, subscription_type: str, prefix: str, name: str | None) -> None:
    known = [f"{prefix}.{kind}" for kind in KINDS] + (["contact.privacyDeletion"] if prefix == "contact" else [])
    if subscription_type not in known:
        raise ProjectError(f"{file}: unknown subscriptionType {subscription_type}; one of {', '.join(known)}")
    if subscription_type.endswith(".propertyChange") != (name is not None):
        raise ProjectError(f"{file}: {subscription_type}: propertyName stands with propertyChange, and only there")
    if name in NEVER:
        raise ProjectError(f"{file}: no subscription is possible on {name}")


def subscribed(project: Project, kind: str, name: str | None) -> list[Subscription]:
    """The subscriptions that want a happening of this kind, of this property if it is one."""
    return [one for one in project.subscriptions if one.kind == kind and one.of == name]
