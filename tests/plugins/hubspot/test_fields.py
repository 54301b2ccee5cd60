"""Writing fields in batches by record id: bad rows, bad fields, merged ids (sections 5 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from stellwerk.sdk import Delivery, FieldSpec, FieldValue, LeftOut, Outcome, SetFields
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def setting(contact_id: str | None, **values: str | None) -> Delivery:
    fields = {name: FieldValue(value=value) for name, value in values.items()}
    return Delivery(
        key=f"{contact_id}/{values}", id=contact_id, email=None, change=SetFields(fields=fields), created_at=NOW
    )


def values(twin: Any, contact_id: str) -> dict[str, str]:
    found: dict[str, str] = twin.contact(contact_id)["properties"]
    return found


async def test_each_row_is_written_and_answered_in_the_callers_order(twin: Any, at_twin: Opener) -> None:
    ids = twin.plant(*({"email": twin.address()} for _ in range(10)))
    async with at_twin() as connector:
        receipts = await connector.apply([setting(one, firstname=f"Ada {one}") for one in ids])
    assert [receipt.id for receipt in receipts] == ids
    assert {receipt.outcome for receipt in receipts} == {Outcome.DONE}
    assert all(receipt.at is not None for receipt in receipts)
    assert [values(twin, one)["firstname"] for one in ids] == [f"Ada {one}" for one in ids]


async def test_a_hundred_contacts_take_one_call(twin: Any, at_twin: Opener, hub: Any) -> None:
    ids = twin.plant(*({"email": twin.address()} for _ in range(100)))
    async with at_twin() as connector:
        await connector.apply([setting(one, firstname="Ada") for one in ids])
    assert hub.spent == 1


async def test_no_value_clears_the_property(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new(firstname="Ada")
    async with at_twin() as connector:
        (receipt,) = await connector.apply([setting(contact_id, firstname=None)])
    assert receipt.outcome is Outcome.DONE
    assert "firstname" not in values(twin, contact_id)


async def test_an_id_that_a_merge_ended_is_written_singly_and_answered_with_the_present_one(
    twin: Any, at_twin: Opener
) -> None:
    primary, loser, other = twin.new(), twin.new(), twin.new()
    survivor = twin.merge(primary, loser)
    async with at_twin() as connector:
        merged, plain = await connector.apply([setting(loser, firstname="Ada"), setting(other, firstname="Ben")])
    assert (merged.outcome, merged.id) == (Outcome.DONE, survivor)
    assert (plain.outcome, plain.id) == (Outcome.DONE, other)
    assert values(twin, survivor)["firstname"] == "Ada"


async def test_a_contact_that_is_gone_is_rejected_alone(twin: Any, at_twin: Opener) -> None:
    there = twin.new()
    async with at_twin() as connector:
        gone, done = await connector.apply([setting("999999999", firstname="A"), setting(there, firstname="B")])
    assert (gone.outcome, gone.code, gone.whole) == (Outcome.REJECTED, "not-found", False)
    assert done.outcome is Outcome.DONE


async def test_a_field_the_portal_does_not_know_is_left_out_and_the_rest_is_written(twin: Any, at_twin: Opener) -> None:
    first, second = twin.new(), twin.new()
    async with at_twin() as connector:
        receipts = await connector.apply(
            [setting(first, firstname="Ada", never_made="x"), setting(second, firstname="Ben")]
        )
        (later,) = await connector.apply([setting(first, never_made="x")])
    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [
        (Outcome.DONE, "fields-left-out"),
        (Outcome.DONE, "done"),
    ]
    assert receipts[0].text == "left out: never_made"
    assert values(twin, first)["firstname"] == "Ada"
    assert receipts[0].left_out == later.left_out == (LeftOut(field="never_made", code="unknown-field"),)
    assert (later.outcome, later.code) == (Outcome.NOT_NEEDED, "fields-left-out")


async def test_a_read_only_field_is_left_out(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    async with at_twin() as connector:
        (receipt,) = await connector.apply([setting(contact_id, firstname="Ada", hs_email_optout="true")])
    assert (receipt.code, receipt.text) == ("fields-left-out", "left out: hs_email_optout")
    assert values(twin, contact_id)["firstname"] == "Ada"


async def test_a_batch_refused_for_one_bad_value_is_whole_and_alone_only_the_value_is_lost(
    twin: Any, at_twin: Opener
) -> None:
    good, bad = twin.new(), twin.new()
    rows = [setting(good, firstname="Ada"), setting(bad, firstname="Ben", hs_language="klingon")]
    async with at_twin() as connector:
        together = await connector.apply(rows)
        alone = await connector.apply(rows[1:])
    assert [(one.outcome, one.whole, one.code) for one in together] == [(Outcome.REJECTED, True, "invalid-option")] * 2
    assert [(one.outcome, one.code, one.text) for one in alone] == [
        (Outcome.DONE, "fields-left-out", "left out: hs_language")
    ]
    assert alone[0].left_out == (LeftOut(field="hs_language", code="invalid-option"),)
    assert values(twin, bad)["firstname"] == "Ben"


async def test_a_record_stands_in_a_call_once_and_its_writes_keep_their_order(
    twin: Any, at_twin: Opener, hub: Any
) -> None:
    """Two connections of one portal may write to one record; rows of a call are in no fixed order (section 5)."""
    ids = twin.plant(*({"email": twin.address()} for _ in range(10)))
    first = [setting(one, city="Graz", firstname="Ada") for one in ids]
    second = [setting(one, city="Ulm", lastname="L") for one in ids]
    async with at_twin() as connector:
        receipts = await connector.apply([row for pair in zip(first, second, strict=True) for row in pair])
    assert (hub.spent, {receipt.outcome for receipt in receipts}) == (2, {Outcome.DONE})
    assert [receipt.id for receipt in receipts] == [one for one in ids for _ in range(2)]
    wanted = {"city": "Ulm", "firstname": "Ada", "lastname": "L"}
    assert all(values(twin, one).items() >= wanted.items() for one in ids)


async def test_beside_a_row_without_an_id_a_bad_value_is_looked_for_here(twin: Any, at_twin: Opener) -> None:
    ids = [twin.new() for _ in range(3)]
    rows = [setting(None, firstname="A"), *(setting(one, firstname="B") for one in ids[:2])]
    async with at_twin() as connector:
        receipts = await connector.apply([*rows, setting(ids[2], firstname="C", hs_language="klingon")])
    assert [(one.outcome, one.code, one.whole) for one in receipts] == [
        (Outcome.REJECTED, "no-contact", False),
        (Outcome.DONE, "done", False),
        (Outcome.DONE, "done", False),
        (Outcome.DONE, "fields-left-out", False),
    ]


async def test_a_row_with_nothing_to_write_is_not_needed(at_twin: Opener, hub: Any) -> None:
    async with at_twin() as connector:
        (receipt,) = await connector.apply([setting("7")])
    assert (receipt.outcome, hub.spent) == (Outcome.NOT_NEEDED, 0)


async def test_words_become_hubspots_on_the_way(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": [{"id": "7"}]})
    specs = [FieldSpec(name="news", kind="yes_no"), FieldSpec(name="since", kind="time")]
    async with scripted(specs) as connector:
        await connector.apply([setting("7", news="no", since="2026-11-24T10:00:00+01:00", firstname=None)])
    (body,) = script.bodies()
    assert body["inputs"][0]["properties"] == {"news": "false", "since": "2026-11-24T09:00:00.000Z", "firstname": ""}


# --- scripted: mixed answers -------------------------------------------------------------------------------------------


def mixed(*errors: dict[str, Any], done: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"status": "COMPLETE", "results": [{"id": one} for one in done], "numErrors": len(errors), "errors": errors}


def row_error(trace: int, category: str = "VALIDATION_ERROR", **more: Any) -> dict[str, Any]:
    return {"status": "error", "category": category, "context": {"objectWriteTraceId": [str(trace)]}, **more}


IN_MESSAGE = 'Property values were not valid: [{"isValid":false,"message":"bad","error":"INVALID_DATE","name":"born"}]'


async def test_a_row_refused_for_a_field_is_written_without_it(script: Any, scripted: Opener) -> None:
    script.add(207, mixed(row_error(1, message=IN_MESSAGE), done=("7",))).add(200, mixed(done=("8",)))
    async with scripted() as connector:
        receipts = await connector.apply([setting("7", a="1"), setting("8", a="1", born="x")])
    assert [receipt.code for receipt in receipts] == ["done", "fields-left-out"]
    assert script.bodies()[1]["inputs"][0]["properties"] == {"a": "1"}


async def test_a_row_that_loses_its_only_field_is_no_dead_letter(script: Any, scripted: Opener) -> None:
    script.add(207, mixed(row_error(0, message=IN_MESSAGE)))
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("8", born="x")])
    assert (receipt.outcome, receipt.text) == (Outcome.NOT_NEEDED, "left out: born")
    assert [one.field for one in receipt.left_out] == ["born"]


async def test_a_row_refused_for_something_else_is_rejected_with_its_reason(script: Any, scripted: Opener) -> None:
    script.add(207, mixed(row_error(0, "CONFLICT"), row_error(1, subCategory="TOO_MANY"), done=("9",)))
    async with scripted() as connector:
        conflict, other, done = await connector.apply([setting("7", a="1"), setting("8", a="1"), setting("9", a="1")])
    assert (conflict.outcome, conflict.code) == (Outcome.REJECTED, "conflict")
    assert (other.outcome, other.code, other.text) == (Outcome.REJECTED, "refused", "TOO_MANY")
    assert done.outcome is Outcome.DONE


async def test_a_row_that_failed_for_a_while_is_tried_singly(script: Any, scripted: Opener) -> None:
    script.add(207, mixed(row_error(0, "INTERNAL_ERROR"))).add(503)
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1")])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "outage")
    assert [request.method for request in script.asked] == ["POST", "PATCH"]


async def test_rows_are_paired_by_trace_where_the_id_became_another(script: Any, scripted: Opener) -> None:
    results = [{"id": "9", "objectWriteTraceId": "1"}, {"id": "10", "objectWriteTraceId": "0"}]
    script.add(200, {"results": results})
    async with scripted() as connector:
        receipts = await connector.apply([setting("7", a="1"), setting("8", a="1")])
    assert [(receipt.outcome, receipt.id) for receipt in receipts] == [(Outcome.DONE, "10"), (Outcome.DONE, "9")]
    assert len(script.asked) == 1


async def test_a_row_passed_over_in_silence_is_written_singly(script: Any, scripted: Opener) -> None:
    script.add(200, mixed()).add(200, {"id": "7"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1")])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "7")


async def test_when_an_unknown_field_was_all_of_one_row_the_others_are_still_bisected_here(
    script: Any, scripted: Opener
) -> None:
    gone = {"errors": [{"code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["gone"]}}]}
    script.add(400, gone).add(400, {"message": IN_MESSAGE}).add(200, mixed(done=("8",)))
    script.add(400, {"message": IN_MESSAGE}).add(200, mixed(done=("9",)))
    async with scripted() as connector:
        receipts = await connector.apply([setting("7", gone="x"), setting("8", a="1"), setting("9", a="1", born="x")])
    assert [(one.outcome, one.code) for one in receipts] == [
        (Outcome.NOT_NEEDED, "fields-left-out"),
        (Outcome.DONE, "done"),
        (Outcome.DONE, "fields-left-out"),
    ]


async def test_a_refusal_that_names_no_field_is_halved_down_to_the_field(script: Any, scripted: Opener) -> None:
    silent = {"category": "VALIDATION_ERROR", "message": "something is wrong"}
    script.add(400, silent).add(400, silent).add(200, mixed(done=("7",)))
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1", b="2", c="3")])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "7")
    assert [one.field for one in receipt.left_out] == ["a"]
    written = [request["inputs"][0]["properties"] for request in script.bodies()]
    assert written == [{"a": "1", "b": "2", "c": "3"}, {"a": "1"}, {"b": "2", "c": "3"}]


async def test_a_row_of_a_mixed_answer_that_names_no_field_is_halved_too(script: Any, scripted: Opener) -> None:
    script.add(207, mixed(row_error(0))).add(200, mixed(done=("7",))).add(400, {"category": "VALIDATION_ERROR"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1", b="2")])
    assert (receipt.outcome, [one.field for one in receipt.left_out]) == (Outcome.DONE, ["b"])


async def test_a_contact_of_which_no_field_is_taken_is_refused_as_it_was(script: Any, scripted: Opener) -> None:
    for _ in range(3):
        script.add(400, {"category": "VALIDATION_ERROR", "message": "something is wrong"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1", b="2")])
    assert (receipt.outcome, receipt.code, receipt.left_out) == (Outcome.REJECTED, "refused", ())


async def test_halving_that_meets_an_outage_is_for_later(script: Any, scripted: Opener) -> None:
    script.add(400, {"category": "VALIDATION_ERROR"}).add(503)
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1", b="2")])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "outage")


@pytest.mark.parametrize(
    ("status", "outcome"), [(413, Outcome.REJECTED), (409, Outcome.REJECTED), (503, Outcome.RETRY)]
)
async def test_only_a_refusal_of_the_whole_batch_may_be_bisected(
    script: Any, scripted: Opener, status: int, outcome: Outcome
) -> None:
    script.add(status)
    async with scripted() as connector:
        receipts = await connector.apply([setting("7", a="1"), setting("8", a="1")])
    assert [(one.outcome, one.whole) for one in receipts] == [(outcome, outcome is Outcome.REJECTED)] * 2


async def test_a_cut_answer_is_for_later(script: Any, scripted: Opener) -> None:
    script.fail(httpx.RemoteProtocolError("cut"))
    async with scripted() as connector:
        (receipt,) = await connector.apply([setting("7", a="1")])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "no-answer")
