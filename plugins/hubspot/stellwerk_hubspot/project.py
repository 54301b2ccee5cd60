"""`stellwerk hubspot project DIR`: the developer project that an operator uploads with HubSpot's CLI.

Shapes: reference page, sections 2 and 8. One target URL and one set of subscriptions serve all portals of the app, so they
are made from the fields of all connections; a change of fields needs the command and an upload again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stellwerk.sdk import CommandContext
from stellwerk_hubspot.app_event import event_type_file
from stellwerk_hubspot.oauth import OPTIONAL_SCOPES, scopes_of
from stellwerk_hubspot.settings import HubspotSystem
from stellwerk_hubspot.webhook import NOT_POSSIBLE

__all__ = ["project_files", "write_project"]

PLATFORM = "2026.09"
MOST_UID = 64
CONCURRENT_REQUESTS = 10
MOST_SUBSCRIPTIONS = 1_000
ALWAYS = ("email", "hs_email_optout")
"""Watched whatever the file names: a new address, and the portal's own opt-out."""
EVENTS = ("object.creation", "object.deletion", "object.merge", "object.restore")
PRIVACY = "contact.privacyDeletion"


def write_project(context: CommandContext, arguments: Sequence[str]) -> int:
    """Writes the files below the one argument, a folder; writing again changes nothing. 0 good, 1 problems, 2 wrong usage."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: stellwerk hubspot project DIR")
        return 2
    if problems := _problems(context):
        print("\n".join(problems))
        return 1
    folder = Path(arguments[0])
    for path, content in project_files(context).items():
        print(f"{_write(folder / path, content):<10} {path}")
    print(
        "\nNext: in that folder run `hs project validate`, `hs project upload`, then `hs project deploy`;\n"
        "copy client ID, client secret and app ID from the app's Auth tab into the environment that integration.yaml names."
    )
    return 0


def project_files(context: CommandContext) -> dict[str, str]:
    """Path below the project's folder to content."""
    uid = _uid(context)
    files: dict[str, dict[str, Any]] = {
        "hsproject.json": {"name": uid, "srcDir": "src", "platformVersion": PLATFORM},
        "src/app/app-hsmeta.json": _app(context, uid),
        "src/app/webhooks/webhooks-hsmeta.json": _webhooks(context, uid),
    }
    if _has_events(context):
        files["src/app/app-events/entry-hsmeta.json"] = event_type_file()
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in files.items()}


def _app(context: CommandContext, uid: str) -> dict[str, Any]:
    api = context.system.api_url if isinstance(context.system, HubspotSystem) else "https://api.hubapi.com"
    return {
        "uid": _suffixed(uid, "app"),
        "type": "app",
        "config": {
            "name": context.title,
            "description": f"{context.title}, run by Stellwerk.",
            "distribution": "marketplace" if _has_events(context) else "private",
            "auth": {
                "type": "oauth",
                "redirectUrls": [context.redirect_url],
                "requiredScopes": list(scopes_of(context.system)),
                "optionalScopes": list(OPTIONAL_SCOPES),
                "conditionallyRequiredScopes": [],
            },
            "permittedUrls": {"fetch": [api] if api.startswith("https://") else [], "iframe": [], "img": []},
            "support": {"supportUrl": context.public_url} if context.public_url.startswith("https://") else {},
        },
    }


def _webhooks(context: CommandContext, uid: str) -> dict[str, Any]:
    subscriptions: list[dict[str, Any]] = [
        {"subscriptionType": kind, "objectType": "contact", "active": True} for kind in EVENTS
    ]
    subscriptions += [
        {"subscriptionType": "object.propertyChange", "objectType": "contact", "propertyName": name, "active": True}
        for name in _watched(context)
    ]
    return {
        "uid": _suffixed(uid, "webhooks"),
        "type": "webhooks",
        "config": {
            "settings": {"targetUrl": _target(context), "maxConcurrentRequests": CONCURRENT_REQUESTS},
            "subscriptions": {
                "crmObjects": subscriptions,
                "legacyCrmObjects": [],
                "hubEvents": [{"subscriptionType": PRIVACY, "active": True}],
            },
        },
    }


def _watched(context: CommandContext) -> list[str]:
    """The properties whose changes are subscribed to."""
    return sorted(({spec.name for spec in context.fields} | set(ALWAYS)) - NOT_POSSIBLE)


def _target(context: CommandContext) -> str:
    return context.webhook_url.rstrip("/") + "/webhooks/hubspot"


def _uid(context: CommandContext) -> str:
    """The project's name, under which HubSpot finds its event types."""
    named = context.system.app_events if isinstance(context.system, HubspotSystem) else None
    return named or re.sub(r"[^a-z0-9]+", "_", context.title.lower()).strip("_") or "stellwerk"


def _has_events(context: CommandContext) -> bool:
    return isinstance(context.system, HubspotSystem) and context.system.app_events is not None


def _suffixed(uid: str, what: str) -> str:
    return f"{uid[: MOST_UID - len(what) - 1]}_{what}"


def _problems(context: CommandContext) -> list[str]:
    """What HubSpot would refuse, in sentences that say how to mend it."""
    found = []
    if not context.title.strip():
        found.append("title: an app needs a name; set `title` in integration.yaml")
    target = urlsplit(context.webhook_url)
    if target.scheme != "https" or not target.hostname:
        found.append(f"webhook_url: HubSpot calls https only, not {context.webhook_url}; set `hub.webhook_url`")
    redirect = urlsplit(context.redirect_url)
    if redirect.scheme != "https" and (redirect.scheme, redirect.hostname) != ("http", "localhost"):
        found.append(
            f"redirect: HubSpot takes https, or http://localhost, not {context.redirect_url}; set `hub.public_url`"
        )
    strange = sorted(spec.name for spec in context.fields if not re.fullmatch(r"[a-z][a-z0-9_]{0,98}", spec.name))
    found += [f"fields: {name} cannot be a property: lower case, fewer than 100 characters" for name in strange]
    subscribed = len(_watched(context)) + len(EVENTS) + 1
    if subscribed > MOST_SUBSCRIPTIONS:
        found.append(
            f"fields: {subscribed} subscriptions, and HubSpot takes {MOST_SUBSCRIPTIONS} an app; use fewer fields or brands,"
            " or a hub and an app for each part"
        )
    return found


def _write(path: Path, content: str) -> str:
    """`unchanged`, or `written` after writing whole or not at all."""
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return "unchanged"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)
    return "written"
