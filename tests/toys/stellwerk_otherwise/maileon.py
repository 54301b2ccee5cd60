"""How Maileon may answer where its reference leaves it open: another form of the same facts.

Each rule names the section that is silent. Another simulator, or Maileon itself, may well answer so.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

from stellwerk_otherwise.go_between import Exchange

__all__ = ["MaileonOtherwise"]

NOT_FOUND = b"<error><message>nothing found</message></error>"
NAMES = {"1": "none", "2": "soi", "3": "coi", "4": "doi", "5": "doi+", "6": "other"}


class MaileonOtherwise:
    """`turned` counts what each rule has changed."""

    def __init__(self) -> None:
        self.turned: dict[str, int] = {}

    def __call__(self, one: Exchange) -> None:
        path = one.path.removeprefix("/1.0")
        self._statuses(one, path)
        if one.headers.get("content-type", "").startswith("application/vnd.maileon.api+xml") and one.body:
            self._xml(one, path)
        if path.startswith("/webhooks"):
            self._webhooks(one)
        # Section 4 names the headers; a page that is not full is the last one all the same.
        for name in ("x-pages", "x-items", "link"):
            self._count("pages", one.headers.pop(name, None) is not None)

    def _statuses(self, one: Exchange, path: str) -> None:
        """Sections 3 and 6: which good status a write is answered with, and whether an empty list is a 404."""
        if one.status == 204:
            one.status = 200
            self._count("200 for 204", True)
        elif one.method == "PUT" and one.status in (200, 201):
            one.status, one.body = 204, b""
            self._count("204 for a change", True)
        elif re.match(r"/contacts/(emails|externalid)/", path) and one.body.endswith(b"<contacts/>"):
            one.status, one.body = 404, NOT_FOUND
            self._count("404 for nobody", True)

    def _xml(self, one: Exchange, path: str) -> None:
        """Sections 2, 5.4 and 5.5: the media type, the name of a permission, empty fields, the letters of names."""
        root = ElementTree.fromstring(one.body)
        if path.startswith("/mailings/") and root.tag in ("doi_key", "state", "name"):
            one.body, one.headers["content-type"] = (root.text or "").encode(), "text/html"
            self._count("plain text", True)
            return
        for contact in root.iter("contact"):
            self._contact(contact)
        for invalid in root.iter("invalid_contacts"):
            for error in invalid.iter("error"):
                ElementTree.SubElement(error, "error_code").text = error.attrib.pop("code")
                self._count("errors", True)
        for count in [child for child in root if child.tag == "count_unsubscribed_contacts" and child.text == "0"]:
            root.remove(count)
            self._count("no zero", True)
        if root.tag == "id" and path.startswith("/contacts/"):
            root.tag = "contact"
            ElementTree.SubElement(root, "id").text, root.text = root.text, None
            self._count("the id of a start", True)
        root.set("xmlns", "http://api.maileon.com/1.0")
        one.body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
        one.headers["content-type"] = "application/xml; charset=UTF-8"

    def _contact(self, contact: Any) -> None:
        for permission in contact.iter("permission"):
            permission.text = NAMES.get(permission.text or "", permission.text)
            self._count("permission", True)
        fields = contact.find("standard_fields")
        for entry in list(fields) if fields is not None else []:
            name, value = entry.find("name"), entry.find("value")
            if value is not None and value.get("nil") == "true" and fields is not None:
                fields.remove(entry)
                self._count("no blanks", True)
            elif name is not None and name.text is not None:
                name.text = name.text.lower()

    def _webhooks(self, one: Exchange) -> None:
        """Section 10.1: the documentation and two clients of the vendor's read three forms."""
        if one.method == "POST" and one.status == 201:
            number = "".join(ElementTree.fromstring(one.body).itertext()).strip()
            one.body, one.headers["content-type"] = json.dumps({"id": int(number)}).encode(), "application/json"
            self._count("a new webhook", True)
        elif one.method == "GET" and one.status == 200:
            hooks = json.loads(one.body)
            for hook in hooks:
                hook["bodySpec"] = {name: hook.pop(name) for name in ("standardFields", "customFields", "eventFields")}
                hook["nlAccountId"] = hook.pop("newsletterAccountId")
            one.body = json.dumps(hooks).encode()
            self._count("webhooks", bool(hooks))

    def _count(self, rule: str, happened: bool) -> None:
        if happened:
            self.turned[rule] = self.turned.get(rule, 0) + 1
