"""How HubSpot may answer where its reference leaves it open: another form of the same facts.

Each rule names the section that is silent. Another simulator, or HubSpot itself, may well answer so.
"""

from __future__ import annotations

import json
from typing import Any

from stellwerk_otherwise.go_between import Exchange

__all__ = ["HubspotOtherwise"]


class HubspotOtherwise:
    """`turned` counts what each rule has changed."""

    def __init__(self) -> None:
        self.turned: dict[str, int] = {}

    def __call__(self, one: Exchange) -> None:
        if "json" not in one.headers.get("content-type", "") or not one.body:
            return
        told = json.loads(one.body)
        if one.status == 201:
            one.status = 200
            self._count("200 for 201", True)
        self._batch(one, told)
        if one.status >= 400:
            self._refusal(one, told)
        if one.path.startswith("/oauth/"):
            self._token(told)
        for name in [name for name in one.headers if name.startswith("x-hubspot-ratelimit")]:
            del one.headers[name]
            self._count("no rates", True)
        one.body = json.dumps(told).encode()

    def _batch(self, one: Exchange, told: Any) -> None:
        """Section 5: whether missing rows are named, trace ids come back, ids are numbers, blanks are told, what order."""
        rows = told.get("results") if isinstance(told, dict) else None
        if one.path.endswith("/batch/read") and one.status == 207:
            one.status = 200
            for name in ("errors", "numErrors"):
                told.pop(name, None)
            self._count("nobody is missing", True)
        contacts = rows if isinstance(rows, list) else [told]
        for contact in contacts:
            if not isinstance(contact, dict) or "properties" not in contact or "/contacts" not in one.path:
                continue
            self._count("no trace ids", contact.pop("objectWriteTraceId", None) is not None)
            contact["id"] = int(contact["id"])
            before = len(contact["properties"])
            contact["properties"] = {name: value for name, value in contact["properties"].items() if value is not None}
            self._count("no blanks", len(contact["properties"]) < before)
            for entries in (contact.get("propertiesWithHistory") or {}).values():
                entries.reverse()
                self._count("oldest first", len(entries) > 1)

    def _refusal(self, one: Exchange, told: Any) -> None:
        """Section 12: problems with properties stand in `errors` or in the message."""
        details = told.get("errors") or []
        named = [
            {"isValid": False, "message": detail.get("message"), "error": detail["code"], "name": name}
            for detail in details
            if detail.get("code")
            for name in (detail.get("context") or {}).get("propertyName", [])
        ]
        if named:
            told["message"] = f"Property values were not valid: {json.dumps(named)}"
            del told["errors"]
            self._count("in the message", True)

    def _token(self, told: Any) -> None:
        """Section 3: what the answer need not hold."""
        for name in ("hub_id", "user_id", "scopes", "token_use"):
            if "refresh_token" in told:
                self._count("short tokens", told.pop(name, None) is not None)

    def _count(self, rule: str, happened: bool) -> None:
        if happened:
            self.turned[rule] = self.turned.get(rule, 0) + 1
