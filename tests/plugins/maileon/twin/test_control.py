"""The control API: the record, faults, held calls, seeds, and the token that guards it."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

ADA = "ada@example.com"


def fault(maileon, kind, **details):
    order = {"name": kind, "kind": kind, "match": {"path": "/contacts/email/"}, **details}
    return maileon.control("POST", "/faults", order)["id"]


def existing(maileon):
    return [contact["email"] for contact in maileon.dump()["contacts"]]


def test_control_wants_its_token(maileon) -> None:
    answer = maileon.controls.shared.get(maileon.controls.base + "/requests")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json")


def test_control_is_not_on_the_port_of_the_api(maileon) -> None:
    answer = maileon.browser.get("/requests", headers={"X-Control-Token": maileon.ready.control_token})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("POST", "/faults", {"kind": "boom"}, 400),
        ("POST", "/faults", {"kind": "status", "unknown": 1}, 400),
        ("POST", "/faults", {"kind": "status", "match": {"path": "("}}, 400),
        ("POST", "/faults", {"kind": "status", "every": 0}, 400),
        ("POST", "/faults", {"kind": "status", "status": 42}, 400),
        ("DELETE", "/faults/999", None, 404),
        ("POST", "/seed", {"account": 1}, 404),
        ("POST", "/webhooks", {"lost": 1}, 400),
        ("POST", "/options/1", {}, 404),
        ("GET", "/accounts/1/contacts", None, 404),
    ],
)
def test_control_refuses_what_it_does_not_know(maileon, method, path, body, status) -> None:
    assert maileon.controls.request(method, path, json=body).status_code == status


def test_control_records_every_call_with_the_key_redacted(maileon) -> None:
    maileon.create(ADA, {"external_id": "hs-1"}, permission=2)
    entry = maileon.last_request()
    assert (entry["method"], entry["path"], entry["query"]) == ("POST", f"/1.0/contacts/email/{ADA}", "permission=2")
    assert entry["body"] == '{"external_id": "hs-1"}'
    assert entry["headers"]["authorization"] == "(redacted)"
    assert (entry["status"], entry["applied"], entry["refused"]) == (201, True, False)


def test_control_tells_what_came_since(maileon) -> None:
    maileon.get("/ping")
    last = maileon.last_request()["number"]
    maileon.create(ADA)
    found = maileon.controls.get("/requests", params={"since": last}).json()["requests"]
    assert [entry["number"] for entry in found] == [last + 1]


def test_fault_status_answers_without_applying(maileon) -> None:
    fault(maileon, "status", status=429, headers={"Retry-After": "3"}, times=1)
    answer = maileon.create(ADA)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert maileon.last_request()["applied"] is False
    assert existing(maileon) == []
    assert maileon.create(ADA).status_code == 201


def test_fault_fail_before_applies_nothing(maileon) -> None:
    fault(maileon, "fail_before")
    assert maileon.create(ADA).status_code == 500
    assert existing(maileon) == []


def test_fault_fail_after_applies_and_answers_500(maileon) -> None:
    fault(maileon, "fail_after")
    assert maileon.create(ADA).status_code == 500
    entry = maileon.last_request()
    assert (entry["status"], entry["applied"]) == (500, True)
    assert existing(maileon) == [ADA]


@pytest.mark.parametrize(("kind", "left"), [("fail_before", []), ("fail_after", [ADA])])
def test_fault_with_close_gives_no_answer_at_all(maileon, kind, left) -> None:
    fault(maileon, kind, close=True, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        maileon.create(ADA)
    assert maileon.last_request()["status"] is None
    assert existing(maileon) == left


def test_fault_cut_applies_and_sends_half_an_answer(maileon) -> None:
    fault(maileon, "cut", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        maileon.create(ADA)
    assert existing(maileon) == [ADA]


def test_fault_latency_answers_late(maileon) -> None:
    fault(maileon, "latency", seconds=[0.2, 0.3], times=1)
    start = time.monotonic()
    assert maileon.create(ADA).status_code == 201
    assert 0.2 <= time.monotonic() - start < 2


def test_fault_every_hits_each_nth_call(maileon) -> None:
    fault(maileon, "status", every=3)
    assert [maileon.create(ADA).status_code for _ in range(6)] == [201, 200, 503, 200, 200, 503]


def test_fault_matches_method_path_query_and_body(maileon) -> None:
    match = {"method": "POST", "path": "ada", "query": "doi=true", "body": "hs-1"}
    fault(maileon, "status", match=match)
    assert maileon.create(ADA, {"external_id": "hs-2"}, doi="true").status_code == 201
    assert maileon.create(ADA, {"external_id": "hs-1"}).status_code == 200
    assert maileon.create(ADA, {"external_id": "hs-1"}, doi="true").status_code == 503


def test_fault_removed_hits_no_more(maileon) -> None:
    number = fault(maileon, "status")
    maileon.control("DELETE", f"/faults/{number}")
    assert maileon.create(ADA).status_code == 201
    assert maileon.control("GET", "/faults") == {"faults": []}


def test_fault_hold_applies_and_answers_when_released(maileon) -> None:
    fault(maileon, "hold", times=1)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(maileon.create(ADA, doi="true", doimailing="K1")))
    caller.start()
    maileon.until(lambda: maileon.control("GET", "/holds")["holds"])
    (held,) = maileon.control("GET", "/holds")["holds"]
    assert (held["method"], held["path"]) == ("POST", f"/1.0/contacts/email/{ADA}")
    assert len(maileon.mails()) == 1
    assert answers == []
    maileon.control("POST", "/holds/release", {"numbers": [held["number"]]})
    caller.join(5)
    assert [answer.status_code for answer in answers] == [201]


def test_fault_hold_waits_for_its_call_whatever_else_would_hit_it(maileon) -> None:
    fault(maileon, "fail_before")
    fault(maileon, "hold", times=1)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(maileon.create(ADA)))
    caller.start()
    maileon.until(lambda: maileon.control("GET", "/holds")["holds"])
    maileon.control("POST", "/holds/release")
    caller.join(5)
    assert [answer.status_code for answer in answers] == [201]
    assert maileon.create(ADA).status_code == 500


def test_fault_hold_ends_when_the_caller_goes_away(maileon) -> None:
    fault(maileon, "hold", times=1)
    with pytest.raises(httpx.ReadTimeout):
        maileon.client.get(f"/contacts/email/{ADA}", timeout=0.2)
    maileon.until(lambda: maileon.control("GET", "/holds")["holds"] == [])


def test_seed_puts_contacts_in_without_mail_webhook_or_report(maileon) -> None:
    maileon.hook("unsubscription")
    seed = {
        "email": ADA,
        "permission": 4,
        "external_id": "hs-1",
        "standard_fields": {"CITY": "Bonn"},
        "custom_fields": {"Position": "Engineer"},
        "marker": True,
    }
    maileon.control("POST", "/seed", {"account": maileon.id, "contacts": [seed]})
    dump = maileon.dump()
    contact = dump["contacts"][0]
    assert {key: contact[key] for key in seed if key != "marker"} == {k: v for k, v in seed.items() if k != "marker"}
    assert (dump["markers"], dump["mails"], dump["reports"]["unsubscriptions"]) == ([ADA], [], [])
    assert maileon.received() == []


def test_idle_waits_for_anonymisation(maileon) -> None:
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    assert maileon.control("GET", "/idle")["idle"] is False
    maileon.until(lambda: maileon.control("GET", "/idle")["idle"])
    assert maileon.dump()["contacts"][0]["anonymous"] is True


def test_the_clock_moves_everything(maileon) -> None:
    maileon.option(anonymise_seconds=60)
    maileon.create(ADA)
    maileon.unsubscribe(ADA)
    maileon.control("POST", "/clock", {"offset_seconds": 61})
    assert maileon.get(f"/contacts/email/{ADA}").status_code == 404
