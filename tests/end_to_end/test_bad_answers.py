"""What a vendor answers that is not as its reference says: a named retry with the answer kept, and everybody else goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.long]

HTML = {"content-type": "text/html"}
SECRETS = ("token-ABCDEFGHIJ-that-nobody-must-see-0123456789-0123456789-0123456789",)
PAGE = f"<html><body>Bad gateway, said {{address}} with Bearer {SECRETS[0]}</body></html>"

# Each is planted for one person. `kind: cut` announces the whole answer and hangs up in the middle.
RUBBISH: dict[str, dict[str, Any]] = {
    "a proxy's page": {"kind": "status", "status": 502, "headers": HTML, "body": PAGE},
    "a page with 200": {"kind": "status", "status": 200, "headers": HTML, "body": PAGE},
    "nothing": {"kind": "status", "status": 200, "body": ""},
    "other types": {"kind": "status", "status": 200, "body": '{"results": {"id": 7}, "id": [], "email": "{address}"}'},
    "half of it": {"kind": "cut"},
}
REDIRECT = {"kind": "status", "status": 302, "headers": {"location": "http://elsewhere.invalid/"}, "body": ""}
MIXED = {"kind": "status", "status": 207, "body": '{"status": "COMPLETE", "results": [], "errors": []}'}


def plant(twin: Any, address: str, fault: Mapping[str, Any], **match: str) -> None:
    body = str(fault.get("body", "")).replace("{address}", address)
    twin.control("POST", "/faults", {"name": address, **fault, "match": match, **({"body": body} if body else {})})


def why(here: Any, who: str) -> list[tuple[str, str | None]]:
    """Code and kept answer of everything that waits for this contact or was given up."""
    told = here.explained(who)
    return [(row["code"], row["answer"]) for row in (*told["events"], *told["waiting"]) if row["code"]]


def is_named_and_redacted(found: Sequence[tuple[str, str | None]], fault: Mapping[str, Any], address: str) -> None:
    """There is a code in our own words; what was answered is kept, without address, token or key."""
    assert found
    for code, answer in found:
        assert re.fullmatch(r"[a-z][a-z -]+", code), code
        assert address not in (answer or "")
        assert not any(secret in (answer or "") for secret in SECRETS)
    if fault.get("body"):
        assert any(answer for _, answer in found), found


def settles(
    here: Any, twin: Any, people: Mapping[str, Any], faults: Mapping[str, Mapping[str, Any]], *, harmless: str = ""
) -> None:
    """Everybody's trouble is named; somebody else gets through meanwhile; then the faults end.

    `harmless` is a fault that the next look shows to have been none: what was written stands.
    """
    for name, who in people.items():
        if name == harmless:
            continue
        number = here.record_id(who)
        found = here.until(f"a reason for {name}", lambda who=who, n=number: why(here, n) or why(here, who.email))
        is_named_and_redacted(found, faults[name], who.email)
    other = here.visitor("Otto")
    other.submits_form(ticks=True)
    here.until("somebody else's mail", lambda: other.mails("doi"))
    here.until("somebody else's status", lambda: here.status(other) == "pending")
    twin.control("DELETE", "/faults")


def asked_once(here: Any, people: Mapping[str, Any]) -> None:
    for name, who in people.items():
        here.until(f"status of {name}", lambda who=who: here.status(who) == "pending")
        assert len(who.mails("doi")) == 1, name


def test_rubbish_when_hubspot_is_read(here: Any) -> None:
    faults = {**RUBBISH, "a redirect": REDIRECT}
    people = {name: here.visitor("Reader") for name in faults}
    here.scene.hubspot.control("POST", "/webhooks", {"pause": True})
    for name, who in people.items():
        who.submits_form(ticks=True)
        number = here.record_id(who)
        plant(here.scene.hubspot, who.email, faults[name], path="/contacts/(batch/read|[0-9]+)$", body=f'"{number}"')
        plant(here.scene.hubspot, who.email, faults[name], path=f"/contacts/{number}$")
    here.scene.hubspot.control("POST", "/webhooks", {})
    settles(here, here.scene.hubspot, people, faults)
    asked_once(here, people)


def test_contacts_that_a_batch_read_leaves_out_are_read_alone(here: Any) -> None:
    plant(here.scene.hubspot, "mixed", MIXED, path="/contacts/batch/read")
    who = here.visitor("Mixed")
    who.submits_form(ticks=True)
    asked_once(here, {"somebody left out": who})
    assert [row["fired"] > 0 for row in here.scene.hubspot.control("GET", "/faults")] == [True]


def test_rubbish_when_hubspot_is_written(here: Any) -> None:
    faults = {**RUBBISH, "a redirect": REDIRECT}
    people = {name: here.visitor("Writer") for name in faults}
    here.scene.hubspot.control("POST", "/webhooks", {"pause": True})
    for name, who in people.items():
        who.submits_form(ticks=True)
        path = f"/contacts/(batch/update|{here.record_id(who)})$"
        plant(here.scene.hubspot, who.email, faults[name], method="POST", path=path, body=f'"{here.record_id(who)}"')
        plant(here.scene.hubspot, who.email, faults[name], method="PATCH", path=path)
    here.scene.hubspot.control("POST", "/webhooks", {})
    settles(here, here.scene.hubspot, people, faults, harmless="half of it")
    asked_once(here, people)


def test_rows_that_a_batch_update_leaves_out_are_written_alone(here: Any) -> None:
    plant(here.scene.hubspot, "mixed", MIXED, path="/contacts/batch/update")
    who = here.visitor("Mixed")
    who.submits_form(ticks=True)
    asked_once(here, {"somebody left out": who})
    assert [row["fired"] > 0 for row in here.scene.hubspot.control("GET", "/faults")] == [True]


def confirmed(here: Any, faults: Mapping[str, Any]) -> dict[str, Any]:
    """People who were asked, at the stage that a confirmation moves."""
    people = {name: here.visitor("Mover") for name in faults}
    for who in people.values():
        who.submits_form(ticks=True)
    for who in people.values():
        here.until("the mail", lambda who=who: who.mails("doi"))
        here.marketer.edits_contact(here.record_id(who), lifecyclestage="lead")
    here.quiet()
    return people


def moved_once(here: Any, people: Mapping[str, Any]) -> None:
    for name, who in people.items():
        here.until(
            f"stage of {name}", lambda who=who: here.record(who)["lifecyclestage"] == "marketingqualifiedlead", 28
        )
        here.until(f"status of {name}", lambda who=who: here.status(who) == "subscribed")
        here.until(f"note of {name}", lambda who=who: len(here.crm.notes(who.email)) == 1)


def test_rubbish_when_a_stage_is_set(here: Any) -> None:
    faults = {name: RUBBISH[name] for name in ("a proxy's page", "nothing", "half of it")}
    people = confirmed(here, faults)
    for name, who in people.items():
        plant(
            here.scene.hubspot, who.email, faults[name], method="PATCH",
            path=f"/contacts/{here.record_id(who)}$", body="lifecyclestage",
        )  # fmt: skip
        who.confirms()
    settles(here, here.scene.hubspot, people, faults, harmless="half of it")
    moved_once(here, people)


def test_rubbish_when_a_note_is_written(here: Any) -> None:
    faults = {name: RUBBISH[name] for name in ("a proxy's page", "other types", "half of it")}
    people = confirmed(here, faults)
    for name, who in people.items():
        plant(
            here.scene.hubspot, who.email, faults[name], method="POST", path="/notes$", body=f'"{here.record_id(who)}"'
        )
        who.confirms()
    settles(here, here.scene.hubspot, people, faults, harmless="half of it")
    moved_once(here, people)


def test_rubbish_when_maileon_is_read(here: Any) -> None:
    people = {name: here.visitor("Looker") for name in RUBBISH}
    for name, who in people.items():
        plant(here.scene.maileon, who.email, RUBBISH[name], method="GET", path=f"contacts/emails?/{pattern(who.email)}")
        who.submits_form(ticks=True)
    settles(here, here.scene.maileon, people, RUBBISH)
    asked_once(here, people)


def test_rubbish_when_a_double_opt_in_is_started(here: Any) -> None:
    faults = {**RUBBISH, "a redirect": REDIRECT}
    people = {name: here.visitor("Asked") for name in faults}
    for name, who in people.items():
        plant(here.scene.maileon, who.email, faults[name], method="POST", path=f"contacts/email/{pattern(who.email)}")
        who.submits_form(ticks=True)
    settles(here, here.scene.maileon, people, faults, harmless="half of it")
    asked_once(here, people)


def test_rubbish_to_a_bulk_call(here: Any) -> None:
    people = {name: here.subscriber("Bulky") for name in RUBBISH}
    here.quiet()
    for name, who in people.items():
        plant(here.scene.maileon, who.email, RUBBISH[name], method="POST", path="/contacts$", body=re.escape(who.email))
        here.marketer.edits_contact(here.record_id(who), lastname="Renamed")
        # One after the other: changes that travel in one call share its fault, and one of them would never meet its own.
        settles(here, here.scene.maileon, {name: who}, RUBBISH)
    for name, who in people.items():
        here.until(
            f"new name of {name}", lambda who=who: (here.mail.contact(who.email, ["LASTNAME"]) or {})["LASTNAME"] == "Renamed", 28
        )  # fmt: skip


def test_rubbish_when_the_evidence_of_an_unsubscription_is_asked_for(here: Any) -> None:
    faults = {name: RUBBISH[name] for name in ("a proxy's page", "nothing", "half of it")}
    people = {name: here.subscriber("Leaver") for name in faults}
    here.quiet()
    here.marketer.sends_newsletter()
    for name, who in people.items():
        plant(here.scene.maileon, who.email, faults[name], method="GET", path="/reports/unsubscriptions")
        who.unsubscribes()
        found = here.until(f"a reason for {name}", lambda who=who: why(here, who.email))
        is_named_and_redacted(found, faults[name], who.email)
        here.scene.maileon.control("DELETE", "/faults")
    for name, who in people.items():
        here.until(f"status of {name}", lambda who=who: here.status(who) == "unsubscribed")


def often(file: Any) -> None:
    """Ask Maileon for changes every second."""
    file["systems"]["mail"]["poll_seconds"] = 1


@pytest.mark.parametrize("name", ["a proxy's page", "half of it"])
def test_a_report_that_cannot_be_read_holds_up_nobody(town: Any, name: str) -> None:
    there = town(often)
    there.quiet()
    plant(there.scene.maileon, name, RUBBISH[name], method="GET", path="/reports/unsubscriptions")
    there.until("polls that fail", lambda: there.scene.maileon.control("GET", "/faults")["faults"][0]["hit"])
    who = there.visitor("Patient")
    who.submits_form(ticks=True)
    asked_once(there, {"somebody": who})
    assert there.scene.hub_log.count("cannot be asked for changes") == 1
    there.scene.maileon.control("DELETE", "/faults")
    there.until("that it works again", lambda: "can be asked for changes again" in there.scene.hub_log)
    assert "Traceback" not in there.scene.hub_log


def pattern(address: str) -> str:
    return re.escape(address).replace("@", "(@|%40)")
