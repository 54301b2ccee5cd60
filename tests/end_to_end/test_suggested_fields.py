"""What the page of fields suggests at both vendors' twins, pasted into integration.yaml, and then carried."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from stellwerk.config.load import load_bytes
from stellwerk.registry import load_connectors
from stellwerk_demo.scene import KEY, STATIC_TOKEN
from stellwerk_toys.pasting import pasted

pytestmark = pytest.mark.slow

KEPT = ("salutation", "country")
COLOURS = (
    '  - {crm: colours, mail: "custom:Colours", convert: {kind: choices, separators: [";", ", "], '
    'table: {red: red, "dark blue": "dark blue"}}}'
)


def change(file: Any) -> None:
    """Most fields are not mapped, so that there is something to suggest."""
    file["systems"]["crm"]["poll_seconds"] = 1
    file["fields"] = [row for row in file["fields"] if row["crm"] in KEPT]
    del file["tests"]


def called(url: str, method: str, authorization: str, body: dict[str, Any] | None = None) -> None:
    headers = {"authorization": authorization} | ({"content-type": "application/json"} if body is not None else {})
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        answer.read()


def before(there: Any) -> None:
    """Fields of the customer's own on both sides: some belong together, some must not."""
    own = [
        ("shoe_size", "Shoe size", "number", "number", ()),
        ("colours", "Colours", "enumeration", "checkbox", ("red", "dark blue")),
        ("vip", "VIP", "bool", "booleancheckbox", ("true", "false")),
        ("birthday", "Birthday", "date", "date", ()),
        ("newsletter_consent", "Newsletter consent", "bool", "booleancheckbox", ("true", "false")),
        ("customer_id", "Customer ID", "string", "text", ()),
        ("secret_note", "Secret note", "string", "text", ()),
    ]
    for name, label, kind, shown, options in own:
        body = {"name": name, "label": label, "type": kind, "fieldType": shown, "groupName": "contactinformation"}
        body |= {"hidden": name == "secret_note"}
        if options:
            rows = enumerate(options)
            body["options"] = [{"label": one, "value": one, "displayOrder": at, "hidden": False} for at, one in rows]
        called(f"{there.scene.hubspot.url}/crm/properties/2026-09/0-1", "POST", f"Bearer {STATIC_TOKEN}", body)
    key = base64.b64encode(KEY.encode()).decode()
    fields = {"Shoe size": "integer", "Colours": "string", "VIP": "boolean", "Newsletter consent": "boolean"}
    for name, kind in (fields | {"Customer ID": "string", "Secret note": "string", "Owner id": "string"}).items():
        url = f"{there.scene.maileon.url}/1.0/contacts/fields/custom/{quote(name)}?type={kind}"
        called(url, "POST", f"Basic {key}")


def suggested(there: Any) -> list[str]:
    page = there.marketer.browser.open(f"{there.scene.url}/fields")
    found = re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page.html, re.DOTALL)
    assert found is not None, page.text
    return unescape(found[1]).splitlines()


def test_every_row_suggested_at_the_twins_passes_the_check_and_none_carries_consent_or_an_id(changed_town: Any) -> None:
    there = changed_town
    rows = suggested(there)
    assert {row for row in rows if "custom:" in row} == {
        '  - {crm: shoe_size, mail: "custom:Shoe size", type: integer}',
        COLOURS,
    }
    assert [row for row in rows if "custom:" not in row] == [
        "  - {crm: address, mail: ADDRESS}",
        "  - {crm: birthday, mail: BIRTHDAY, type: date}",
        "  - {crm: city, mail: CITY}",
        "  - {crm: company, mail: ORGANIZATION}",
        "  - {crm: firstname, mail: FIRSTNAME}",
        "  - {crm: lastname, mail: LASTNAME}",
        "  - {crm: state, mail: STATE}",
        "  - {crm: zip, mail: ZIP}",
    ]
    file = there.scene.config
    registry = load_connectors()
    for some in (*([row] for row in rows), rows):
        loaded = load_bytes(pasted(file.read_text(), some).encode(), None, registry, path=file)
        assert [str(problem) for problem in loaded.problems] == [], some


def test_what_was_pasted_is_carried_and_no_longer_suggested(changed_town: Any) -> None:
    there = changed_town
    rows = suggested(there)
    file = there.scene.config
    file.write_text(pasted(file.read_text(), rows))
    there.scene.kill_hub()
    there.scene.start_hub()
    page = there.marketer.browser.open(f"{there.scene.url}/fields")
    assert "Nothing to suggest: no field" in page.text
    who = there.subscriber("Shod")
    there.marketer.edits_contact(there.record_id(who), shoe_size="43", colours="red;dark blue")

    wanted = {"Shoe size": "43", "Colours": "red, dark blue"}
    there.until(
        "the values at the other side",
        lambda: wanted.items() <= (there.mail.contact(who.email, custom=tuple(wanted)) or {}).items(),
    )
