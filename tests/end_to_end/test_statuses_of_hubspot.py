"""Every status of HubSpot's reference (section 12) in the middle of a batch, over HTTP, and its end in the outbox.

Two contacts come in together, and their state is shown at HubSpot in one call. That call, and whatever else writes the one of
them, gets the status; the other one must get through whatever becomes of the first.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BAD_VALUE = {"status": "error", "category": "VALIDATION_ERROR"}
IN_ERRORS = [{"message": "no", "code": "INVALID_OPTION", "context": {"propertyName": ["maileon_status"]}}]
IN_MESSAGE = json.dumps([{"isValid": False, "message": "no", "error": "INVALID_OPTION", "name": "maileon_status"}])


def limited(policy: str) -> dict[str, str]:
    return {"status": "error", "errorType": "RATE_LIMIT", "policyName": policy}


# Status, body, headers, and how the delivery ends.
TABLE: dict[str, tuple[int, dict[str, Any], dict[str, str], str]] = {
    "207": (207, {"results": [], "errors": [{**BAD_VALUE, "context": {"ids": ["RECORD"]}}]}, {}, "dead refused"),
    "400, nothing named": (400, BAD_VALUE, {}, "dead refused"),
    "400, in errors": (400, {**BAD_VALUE, "errors": IN_ERRORS}, {}, "dead invalid-option"),
    "400, in the message": (
        400, {**BAD_VALUE, "message": f"Property values were not valid: {IN_MESSAGE}"}, {}, "dead invalid-option",
    ),
    "401": (401, {"category": "EXPIRED_AUTHENTICATION"}, {}, "done"),
    "403": (403, {"category": "MISSING_SCOPES"}, {}, "done"),
    "404": (404, {"category": "OBJECT_NOT_FOUND"}, {}, "dead not-found"),
    "409": (409, {"category": "CONFLICT"}, {}, "dead conflict"),
    "414": (414, {"category": "LIMIT"}, {}, "dead too-long"),
    "423": (423, {}, {}, "done"),
    "429 of ten seconds": (429, limited("TEN_SECONDLY_ROLLING"), {"retry-after": "1"}, "done"),
    "429 of a second": (429, limited("SECONDLY"), {}, "done"),
    "429 of a day": (429, limited("DAILY"), {"retry-after": "1"}, "done"),
    "477": (477, {}, {"retry-after": "1"}, "done"),
    **{str(status): (status, {}, {}, "done") for status in (408, 500, 502, 503, 504, 521, 522, 523, 524, 525, 526)},
}  # fmt: skip


def ends(here: Any, record: str) -> list[tuple[str, str]]:
    """State and code of the deliveries that write this record's fields at HubSpot."""
    return list(
        here.database(
            "select outbox.state, outbox.code from outbox join link on link.contact = outbox.contact"
            " where link.system = 'crm' and link.remote = ? and outbox.account like 'crm:%' and outbox.tag = 'set_fields'",
            record,
        )
    )


EACH = [name if number % 4 == 0 else pytest.param(name, marks=pytest.mark.long) for number, name in enumerate(TABLE)]


@pytest.mark.parametrize("name", EACH)
def test_a_status_in_the_middle_of_a_batch(here: Any, name: str) -> None:
    status, body, headers, end = TABLE[name]
    final = end != "done"
    twin = here.scene.hubspot
    twin.control("POST", "/webhooks", {"pause": True})
    struck, beside = here.visitor("Struck"), here.visitor("Beside")
    for who in (struck, beside):
        who.submits_form(ticks=True)
    record = here.record_id(struck)
    fault = {"name": name, "kind": "status", "status": status, "body": json.dumps(body).replace("RECORD", record)}
    fault |= {"headers": headers}
    fault |= {} if final else {"times": 1}
    twin.control("POST", "/faults", {**fault, "match": {"path": "/contacts/batch/update$", "body": f'"{record}"'}})
    if final:
        twin.control("POST", "/faults", {**fault, "match": {"method": "PATCH", "path": f"/contacts/{record}$"}})
    twin.control("POST", "/webhooks", {})
    if name == "403":
        here.until("the account waits", here.waiting_for_a_person)
        assert ("waiting", "missing-scopes") in ends(here, record) or ("waiting", "") in ends(here, record)
        here.marketer.logs_in()
    here.until("the other one's state", lambda: here.status(beside) == "pending")
    ended = ("dead", end.partition(" ")[2]) if final else ("done", "done")
    here.until("the end", lambda: ended in ends(here, record))
    assert any(planted["fired"] for planted in twin.control("GET", "/faults"))
    assert here.status(struck) == ("" if final else "pending")
    assert len(struck.mails("doi")) == len(beside.mails("doi")) == 1
