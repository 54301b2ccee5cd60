"""Every ability over real HTTP against the twin, and what no request of the whole run may do (DESIGN, section 8)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from stellwerk.sdk import (
    AskTerms,
    Create,
    DeleteContact,
    EventKind,
    FieldSpec,
    FieldValue,
    Hook,
    MarkState,
    Outcome,
    Permission,
    Presence,
    Ref,
    SetFields,
    SetPeer,
    Unsubscribe,
    Wanted,
)
from stellwerk_toys.reports import run

pytestmark = pytest.mark.anyio

HOOKS = tuple(
    Hook(topic=topic, url=f"https://hub.test/webhooks/maileon/secret/{topic}") for topic in ("doi", "unsubscription")
)


def until(condition: Callable[[], Any], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


async def every_ability(twin: Any, asking: Any, delivery: Any) -> None:
    """One long life of an account: set up, asked, confirmed, changed, opted out, back again, deleted."""
    twin.seed(
        {"email": "old@example.com", "permission": 2},
        {"email": "doomed@example.com", "permission": 4},
        markers=("out@example.com",),
    )
    async with twin.open() as connector:
        await connector.check()
        await connector.options("doi_mailings")
        await connector.fields()
        wanted = Wanted(used=(FieldSpec(name="custom:Fresh", kind="date"),), hooks=HOOKS)
        assert await connector.provide(wanted) == []
        assert await connector.provide(wanted) == []
        _, cursor = await run(connector, None)

        ask = delivery(asking(email="ada+x@example.com", plus=True))
        (asked,) = await connector.apply([ask])
        assert asked.outcome is Outcome.DONE
        assert (await connector.find_mark(ask))[0] is MarkState.FOUND
        twin.click(twin.dump()["mails"][-1])
        creates = [
            delivery(Create(email=f"{name}@example.com", peer_id=name, permission=permission, fields={"CITY": "Bonn"}))
            for name, permission in (("new", Permission.SINGLE), ("out", Permission.SINGLE), ("old", Permission.NONE))
        ]
        await connector.apply(creates)
        await connector.apply([delivery(SetFields(fields={"CITY": FieldValue(value="Ulm")}), email="old@example.com")])
        old_id = str(twin.contact("old@example.com")["id"])
        await connector.apply([delivery(SetPeer(peer_id="hs-old"), id=old_id)])
        refs = [
            Ref(by="id", value=old_id),
            Ref(by="email", value="old@example.com"),
            Ref(by="peer_id", value="hs-old"),
        ]
        await connector.read(refs, ["CITY", "custom:Position"])
        await connector.apply([delivery(Unsubscribe(), id=old_id, email="old@example.com")])
        await connector.opt_outs(email="old@example.com", contact_id=old_id, since=None)
        await connector.apply([delivery(asking(email="old@example.com", peer_id=None, mark="w2", way_back=True))])
        await connector.apply([delivery(Unsubscribe(), email="old@example.com")])
        doomed = str(twin.contact("doomed@example.com")["id"])
        await connector.apply([delivery(DeleteContact(), id=doomed)])
        await connector.apply([delivery(DeleteContact(), email="new@example.com")])
        await run(connector, cursor)


@pytest.mark.behaviour("fields-permission")
async def test_no_update_carries_a_permission_and_no_write_names_an_external_id(
    twin: Any, asking: Any, delivery: Any
) -> None:
    start = twin.last_number()
    await every_ability(twin, asking, delivery)
    requests = twin.requests(start)
    assert {request["method"] for request in requests} == {"GET", "POST", "PUT", "DELETE"}
    with_permission = 0
    for request in requests:
        query = parse_qs(request["query"])
        path = request["path"].removeprefix("/1.0")
        starts_doi = (
            request["method"] == "POST" and path.startswith("/contacts/email/") and query.get("doi") == ["true"]
        )
        creates = request["method"] == "POST" and path == "/contacts" and query.get("update_only") == ["false"]
        if "permission" in query:
            with_permission += 1
            assert starts_doi or creates, request
            assert not starts_doi or query["permission"] == ["1"], request
        assert "<permission" not in request["body"], request
        assert "use_external_id" not in query, request
        if request["method"] != "GET":
            assert "/externalid/" not in path, request
        if request["method"] == "POST" and path.startswith("/contacts/email/"):
            assert starts_doi, request
    assert with_permission == 4


async def test_the_twin_knows_every_call_in_this_form(twin: Any, asking: Any, delivery: Any) -> None:
    start = twin.last_number()
    await every_ability(twin, asking, delivery)
    assert [request for request in twin.requests(start) if request["refused"]] == []


async def test_an_ask_sends_one_mail_with_the_right_key_and_gives_no_permission(
    twin: Any, asking: Any, delivery: Any
) -> None:
    async with twin.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(email="ada@example.com", fields={"FIRSTNAME": "Ada"}))])
    (mail,) = twin.dump()["mails"]
    ada = twin.contact("ada@example.com")
    assert (mail["mailing_key"], mail["to"]) == ("K1", "ada@example.com")
    assert (ada["permission"], ada["external_id"], ada["source"]) == (1, "hs-1001", "Stellwerk")
    assert (receipt.id, receipt.permission) == (str(ada["id"]), Permission.NONE)
    assert ada["custom_fields"]["Stellwerk Ask"] == "wish-7"


@pytest.mark.parametrize(("plus", "permission"), [(False, Permission.DOUBLE), (True, Permission.DOUBLE_PLUS)])
async def test_a_confirmation_is_read_back_and_found_in_the_report(
    twin: Any, asking: Any, delivery: Any, plus: bool, permission: Permission
) -> None:
    async with twin.open() as connector:
        _, cursor = await run(connector, None)
        await connector.apply(
            [delivery(asking(email="ada@example.com", terms=AskTerms(plus=plus, options={"mailing": "K1"})))]
        )
        twin.click(twin.dump()["mails"][-1])
        (ada,) = await connector.read([Ref(by="email", value="ada@example.com")], ["FIRSTNAME"])
        signals, _ = await run(connector, cursor)
    assert (ada.permission, ada.mark, ada.fields["FIRSTNAME"]) == (permission, "wish-7", "Ada")
    confirmed = [signal for signal in signals if signal.kind is EventKind.CONFIRMED]
    assert [signal.ref.value for signal in confirmed] == ["ada@example.com"]


@pytest.mark.behaviour("asks-unknown-outcome")
@pytest.mark.parametrize("kind", ["fail_after", "cut"])
async def test_a_start_that_was_applied_without_an_answer_is_settled_by_its_mark(
    twin: Any, asking: Any, delivery: Any, kind: str
) -> None:
    match = {"method": "POST", "path": f"/contacts/email/a{twin.id}"}
    twin.control("POST", "/faults", {"kind": kind, "times": 1, "match": match})
    start = delivery(asking(email=f"a{twin.id}@example.com"))
    async with twin.open() as connector:
        (receipt,) = await connector.apply([start])
        state, settled = await connector.find_mark(start)
    assert receipt.outcome is Outcome.AMBIGUOUS
    assert state is MarkState.FOUND
    assert settled is not None
    assert settled.id == str(twin.contact(f"a{twin.id}@example.com")["id"])
    assert len(twin.dump()["mails"]) == 1


async def test_a_start_that_never_arrived_has_no_mark(twin: Any, asking: Any, delivery: Any) -> None:
    match = {"method": "POST", "path": f"/contacts/email/b{twin.id}"}
    twin.control("POST", "/faults", {"kind": "fail_before", "times": 1, "match": match})
    start = delivery(asking(email=f"b{twin.id}@example.com"))
    async with twin.open() as connector:
        (receipt,) = await connector.apply([start])
        state, _ = await connector.find_mark(start)
    assert (receipt.outcome, state) == (Outcome.AMBIGUOUS, MarkState.ABSENT)


async def test_an_opt_out_leaves_an_anonymous_contact_a_marker_and_an_entry(
    twin: Any, asking: Any, delivery: Any
) -> None:
    (contact_id,) = twin.seed({"email": "ada@example.com", "permission": 4})
    async with twin.open() as connector:
        _, cursor = await run(connector, None)
        await connector.apply([delivery(Unsubscribe(), id=contact_id, email="ada@example.com")])
        until(lambda: all(one["anonymous"] for one in twin.dump()["contacts"]))
        found = await connector.opt_outs(email="ada@example.com", contact_id=contact_id, since=None)
        signals, _ = await run(connector, cursor)
        (asked,) = await connector.apply([delivery(asking(email="ada@example.com"))])
        (created,) = await connector.apply(
            [delivery(Create(email="ada@example.com", peer_id="p", permission=Permission.SINGLE, fields={}))]
        )
    assert (found.contact.presence, found.contact.id, found.marker) == (Presence.ANONYMOUS, contact_id, True)
    (entry,) = found.entries
    assert entry.contact_id == contact_id
    assert abs((entry.at - datetime.now(UTC)).total_seconds()) < 60
    assert [signal.ref.value for signal in signals if signal.kind is EventKind.UNSUBSCRIBED] == [contact_id]
    assert (asked.outcome, created.outcome) == (Outcome.OPTED_OUT, Outcome.OPTED_OUT)
    assert twin.dump()["mails"] == []


async def test_a_contact_that_opted_out_a_moment_ago_is_not_created_again(twin: Any, delivery: Any) -> None:
    twin.option(anonymise_seconds=60)
    twin.seed({"email": "ada@example.com", "permission": 4, "external_id": "p"})
    async with twin.open() as connector:
        await connector.apply([delivery(Unsubscribe(), email="ada@example.com")])
        create = Create(email="ada@example.com", peer_id="p", permission=Permission.SINGLE, fields={})
        (receipt,) = await connector.apply([delivery(create)])
    assert receipt.outcome is Outcome.OPTED_OUT


async def test_an_update_keeps_permissions_and_creates_nobody(twin: Any, delivery: Any) -> None:
    twin.seed({"email": "ada@example.com", "permission": 2})
    values = {"CITY": "Bonn", "custom:Is Customer": "yes", "custom:Since": "2026-01-02"}
    change = SetFields(fields={name: FieldValue(value=value) for name, value in values.items()})
    async with twin.open() as connector:
        await connector.apply([delivery(change, email="ADA@example.com"), delivery(change, email="no@example.com")])
        (ada,) = await connector.read([Ref(by="email", value="ada@example.com")], list(values))
    assert ada.fields == values
    assert (ada.permission, len(twin.dump()["contacts"])) == (Permission.SINGLE, 1)


async def test_a_bad_row_holds_up_none_of_its_neighbours(twin: Any, delivery: Any) -> None:
    twin.seed({"email": "ada@example.com"}, {"email": "ben@example.com"})
    good, bad = (SetFields(fields={"GENDER": FieldValue(value=value)}) for value in ("f", "unsure"))
    async with twin.open() as connector:
        ada, ben = await connector.apply(
            [delivery(good, email="ada@example.com"), delivery(bad, email="ben@example.com")]
        )
    assert (ada.outcome, ada.left_out, ben.outcome, ben.code) == (
        Outcome.DONE,
        (),
        Outcome.NOT_NEEDED,
        "fields-left-out",
    )
    assert twin.contact("ada@example.com")["standard_fields"] == {"GENDER": "f"}


async def test_a_batch_above_what_maileon_takes_may_be_bisected(twin: Any, delivery: Any) -> None:
    twin.option(bulk_limit=1)
    change = SetFields(fields={"CITY": FieldValue(value="Bonn")})
    async with twin.open() as connector:
        receipts = await connector.apply([delivery(change, email=f"{name}@example.com") for name in "ab"])
    assert [(receipt.code, receipt.whole) for receipt in receipts] == [("too-large", True)] * 2


async def test_a_created_contact_comes_back_with_its_id_and_an_existing_one_is_left_alone(
    twin: Any, delivery: Any
) -> None:
    twin.seed({"email": "old@example.com", "permission": 4, "external_id": "shop-1"})
    batch = [
        delivery(Create(email=f"{name}@example.com", peer_id=f"hs-{name}", permission=Permission.SINGLE, fields={}))
        for name in ("new", "old")
    ]
    async with twin.open() as connector:
        new, old = await connector.apply(batch)
    assert (new.outcome, new.id) == (Outcome.DONE, str(twin.contact("new@example.com")["id"]))
    assert (old.outcome, old.code) == (Outcome.NOT_NEEDED, "exists")
    assert (twin.contact("old@example.com")["permission"], twin.contact("old@example.com")["external_id"]) == (
        4,
        "shop-1",
    )


@pytest.mark.parametrize("others", [(), ("new",), ("new", "newer")])
async def test_of_somebody_who_was_there_already_no_grant_is_told(
    twin: Any, delivery: Any, others: tuple[str, ...]
) -> None:
    """Whoever made it, and be it with the id that we would have given it."""
    twin.seed({"email": "old@example.com", "permission": 1, "external_id": "hs-old"})
    batch = [
        delivery(Create(email=f"{name}@example.com", peer_id=f"hs-{name}", permission=Permission.SINGLE, fields={}))
        for name in ("old", *others)
    ]
    async with twin.open() as connector:
        old, *new = await connector.apply(batch)
    assert (old.outcome, old.code) == (Outcome.NOT_NEEDED, "exists")
    assert twin.contact("old@example.com")["permission"] == 1
    assert [one.outcome for one in new] == [Outcome.DONE] * len(others)


async def test_rights_that_a_key_lacks_are_named(twin: Any) -> None:
    twin.control("POST", "/keys", {"account": twin.id, "key": twin.key, "rights": ["GET", "POST", "PUT"]})
    async with twin.open() as connector:
        account = await connector.check()
    assert (account.id, account.name, account.missing) == (str(twin.id), f"Account {twin.id}", ("DELETE",))
    assert account.zone in ("+01:00", "+02:00")


async def test_doi_mailings_are_offered_with_their_state(twin: Any) -> None:
    async with twin.open() as connector:
        found = await connector.options("doi_mailings")
    assert {(one.value, one.label, one.active) for one in found} == {
        ("K1", "Double opt-in", True),
        ("OFF", "Switched off", False),
    }


async def test_provisioning_registers_each_webhook_once_and_replaces_the_secret(twin: Any) -> None:
    async with twin.open() as connector:
        for secret in ("one", "one", "two"):
            hooks = tuple(Hook(topic=hook.topic, url=hook.url.replace("secret", secret)) for hook in HOOKS)
            assert await connector.provide(Wanted(hooks=hooks)) == []
    registered = sorted((hook["event"], hook["url"]) for hook in twin.dump()["webhooks"])
    assert registered == sorted((hook.topic, hook.url.replace("secret", "two")) for hook in HOOKS)


async def test_an_account_that_is_not_provided_for_yet_can_be_read(twin: Any) -> None:
    (contact_id,) = twin.seed({"email": "ada@example.com", "permission": 4})
    async with twin.open() as connector:
        (found,) = await connector.read([Ref(by="id", value=contact_id)], ["custom:Not There Yet", "CITY"])
    assert (found.presence, dict(found.fields)) == (Presence.PRESENT, {"CITY": None})


@pytest.mark.behaviour("fields-back")
async def test_a_change_in_maileon_is_polled_by_id(twin: Any, delivery: Any) -> None:
    (contact_id,) = twin.seed({"email": "ada@example.com", "permission": 4})
    async with twin.open() as connector:
        _, cursor = await run(connector, None)
        change = SetFields(fields={"CITY": FieldValue(value="Bonn")})
        await connector.apply([delivery(change, email="ada@example.com")])
        signals, _ = await run(connector, cursor)
    assert [(one.kind, one.ref.by, one.ref.value) for one in signals] == [(EventKind.CHANGED, "id", contact_id)]
