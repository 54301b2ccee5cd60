"""Section 3: whatever is asked of whatever call, the answer is one of the known ones and well-formed."""

from __future__ import annotations

import json
import random
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from stellwerk_maileon.twin.app import MODULES
from stellwerk_maileon.twin.routing import Route

ROUTES = [route for module in MODULES for route in module.ROUTES]
EMAILS = ["a@b.de", "A@b.de", "c+d@e.fr", "bad", "ü@b.de"]
NAMES = {
    "external_id": ["hs-1", "hs-2"],
    "id": ["1", "301", "1901", "²", "x"],
    "name": ["Position", "FIRSTNAME", "Other one", "ab"],
    "new": ["Position", "New"],
}
VALUES = ["1", "2", "true", "false", "10001", "hs-1", "K1", "a@b.de", "", "doi", "name", "FIRSTNAME", "Position",
          "2024-01-01 00:00:00", "99999999999999999999", "-1", "²", "link"]  # fmt: skip
KINDS = {"xml": "vnd.maileon.api+xml", "contact": "vnd.maileon.api+json", "json": "json"}
FIRSTNAMES = ["Ada", "", "x" * 256, "\x01\ufffe", "<&>"]


def draw_path(route: Route, chance: random.Random) -> str:
    parts = (
        quote(chance.choice(NAMES.get(part[1:-1], EMAILS)), safe="") if part.startswith("{") else part
        for part in route.template.split("/")
    )
    return "/".join(parts)


def draw_body(route: Route, chance: random.Random) -> str | None:
    email, external_id = chance.choice(EMAILS), chance.choice(["hs-1", "hs-2", ""])
    match route.body:
        case "json":
            url = chance.choice(["https://h.x/a", "http://a", "https://[", "x"])
            return json.dumps({"url": url, "event": chance.choice(["doi", "open"]), "standardFields": ["email"]})
        case "contact":
            fields = {"FIRSTNAME": chance.choice(FIRSTNAMES)}
            return chance.choice(["{", "[]", json.dumps({"external_id": external_id, "standard_fields": fields})])
        case "xml":
            contact = f"<contact><email>{email}</email><external_id>{external_id}</external_id></contact>"
            return chance.choice(["<", contact, f"<contacts>{contact * 2}</contacts>"])
        case _:
            return None


@pytest.mark.parametrize("seed", range(3))
def test_section_3_whatever_is_asked_the_answer_is_known_and_well_formed(maileon, seed) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        route = chance.choice(ROUTES)
        params = [(name.rstrip("*"), chance.choice(VALUES)) for name in route.parameters if chance.random() < 0.3]
        body = draw_body(route, chance)
        headers = {"Content-Type": f"application/{KINDS[route.body]}"} if body is not None else {}
        path = draw_path(route, chance)
        answer = maileon.client.request(route.method, path, headers=headers, content=body, params=params)
        assert answer.status_code in (200, 201, 204, 400, 403, 404, 409), (route.method, path, params, body)
        if answer.headers.get("content-type") == "application/vnd.maileon.api+xml":
            ElementTree.fromstring(answer.content)
