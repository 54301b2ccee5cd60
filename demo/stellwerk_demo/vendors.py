"""What the two vendors' documented APIs show: how the story checks, never in the hub's own tables."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from typing import Any

__all__ = ["HubSpotApi", "MaileonApi", "Unsure"]

VERSION = "2026-09"
PERMISSIONS = {"1": "none", "2": "single", "3": "confirmed", "4": "double", "5": "double_plus", "6": "other"}


class Unsure(Exception):
    """The vendor gave no usable answer this time: a fault of the scene; ask again."""


def _call(request: urllib.request.Request) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read()
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise Unsure(type(error).__name__) from None
    if status >= 500 or status == 429:
        raise Unsure(str(status))
    return status, body


class HubSpotApi:
    """Read access with a static token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def contact(self, email: str, properties: Sequence[str]) -> dict[str, str] | None:
        """Values by name (unset ones are ""), `id` among them; None when there is no such contact."""
        found = self._get(self._path(email, properties=",".join(properties)))
        return None if found is None else {**{k: v or "" for k, v in found["properties"].items()}, "id": found["id"]}

    def history(self, email: str, name: str) -> list[dict[str, Any]]:
        """Newest first: value, timestamp, sourceType, sourceId."""
        found = self._get(self._path(email, propertiesWithHistory=name))
        entries: list[dict[str, Any]] = [] if found is None else found.get("propertiesWithHistory", {}).get(name, [])
        return entries

    def notes(self, email: str) -> list[str]:
        """The texts of the contact's notes."""
        found = self._get(self._path(email, associations="notes"))
        rows = [] if found is None else found.get("associations", {}).get("notes", {}).get("results", [])
        if not rows:
            return []
        inputs = [{"id": row["id"]} for row in rows]
        answer = self._post(
            f"/crm/objects/{VERSION}/notes/batch/read", {"properties": ["hs_note_body"], "inputs": inputs}
        )
        return [row["properties"].get("hs_note_body") or "" for row in answer["results"]]

    def property(self, name: str) -> dict[str, Any] | None:
        return self._get(f"/crm/properties/{VERSION}/contacts/{name}")

    def property_group(self, name: str) -> dict[str, Any] | None:
        return self._get(f"/crm/properties/{VERSION}/contacts/groups/{name}")

    @staticmethod
    def _path(email: str, **query: str) -> str:
        return f"/crm/objects/{VERSION}/contacts/{urllib.parse.quote(email)}?" + urllib.parse.urlencode(
            {"idProperty": "email", **query}
        )

    def _get(self, path: str) -> dict[str, Any] | None:
        status, body = _call(
            urllib.request.Request(self._url + path, headers={"Authorization": f"Bearer {self._token}"})
        )
        return None if status == 404 else _json(status, body)

    def _post(self, path: str, content: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        status, body = _call(urllib.request.Request(self._url + path, json.dumps(content).encode(), headers))
        answer: dict[str, Any] = _json(status, body)
        return answer


class MaileonApi:
    """Read access with the newsletter account's key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url + "/1.0"
        self._key = base64.b64encode(key.encode()).decode()

    def contact(self, email: str, standard: Sequence[str] = (), custom: Sequence[str] = ()) -> dict[str, str] | None:
        """`id`, `permission`, `external_id` and the fields asked for, unset ones as ""; None when it cannot be read."""
        query = [("standard_field", name) for name in standard] + [("custom_field", name) for name in custom]
        root = self._xml(f"/contacts/email/{urllib.parse.quote(email, safe='')}?{urllib.parse.urlencode(query)}")
        if root is None:
            return None
        found = dict.fromkeys((*standard, *custom), "")
        for name in ("id", "external_id"):
            found[name] = root.findtext(name) or ""
        found["permission"] = PERMISSIONS.get(root.findtext("permission") or "", "?")
        for row in root.iter("field"):
            found[row.findtext("name") or ""] = row.findtext("value") or ""
        return found

    def marker(self, email: str) -> bool:
        """Whether the address carries the unsubscription marker."""
        return self._xml(f"/contacts/email/{urllib.parse.quote(email, safe='')}/unsubscription") is not None

    def custom_fields(self) -> dict[str, str]:
        root = self._xml("/contacts/fields/custom")
        rows = [] if root is None else list(root.iter("custom_field"))
        return {row.findtext("name") or "": row.findtext("type") or "" for row in rows}

    def webhooks(self) -> list[dict[str, Any]]:
        status, body = _call(self._request("/webhooks"))
        rows: Any = _json(status, body)
        return list(rows)

    def _xml(self, path: str) -> ElementTree.Element | None:
        status, body = _call(self._request(path))
        if status == 404:
            return None
        if status not in (200, 201, 204):
            raise Unsure(str(status))
        try:
            return ElementTree.fromstring(body) if body.strip() else ElementTree.Element("empty")
        except ElementTree.ParseError:
            raise Unsure("cut answer") from None

    def _request(self, path: str) -> urllib.request.Request:
        return urllib.request.Request(self._url + path, headers={"Authorization": f"Basic {self._key}"})


def _json(status: int, body: bytes) -> Any:
    if status >= 400:
        raise Unsure(str(status))
    try:
        return json.loads(body)
    except ValueError:
        raise Unsure("cut answer") from None
