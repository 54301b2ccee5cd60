"""A connection of integration.yaml: shown, and changed only there."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
def text(text: str) -> str:
    return text + (
        "connections:\n"
        "  - id: acme\n"
        '    shop: {account: "7", token: env:SHOP_TOKEN}\n'
        "    post: {api_key: env:FILE_KEY}\n"
        '    settings: {sender: Acme from the file, silence: "no"}\n'
    )


async def test_it_is_shown_with_its_name_and_without_buttons(person: Any) -> None:
    page = await person.logs_in()
    assert "This connection is called acme and stands in the hub's file" in page.text
    assert "Acme from the file" in page.answer.text
    assert "Toypost account: File Letters" in page.text
    assert [text for name, _, text in page.form.buttons if name == "action"] == []


async def test_its_inputs_cannot_be_changed(person: Any) -> None:
    page = await person.logs_in()
    inputs = [
        given
        for tag, given in page.read.tags
        if tag in ("input", "select") and given.get("id", "").startswith("setting.")
    ]
    assert inputs
    assert all("disabled" in given for given in inputs)


@pytest.mark.parametrize("action", ["save", "test-key", "change-key"])
async def test_a_form_made_by_hand_changes_nothing(person: Any, hub: Any, action: str) -> None:
    page = await person.logs_in()
    (before,) = await hub.connections_of("shop:7")
    refused = await person.submit(
        page, action=action, setting__sender="Mine", account__post__api_key="very-hidden-good-key", version="1"
    )
    assert refused.status == 403
    assert await hub.connections_of("shop:7") == [before]


async def test_its_secrets_are_in_no_answer(person: Any) -> None:
    await person.logs_in()
    assert "very-hidden" not in "\n".join(person.seen)


async def test_it_is_ended_in_the_file_alone(person: Any, hub: Any) -> None:
    token = (await person.logs_in()).form.values["token"]
    assert "/disconnect" not in (await person.open("/overview")).answer.text
    assert "stands in the hub's file" in (await person.open("/disconnect")).text
    assert (await person.post("/disconnect", {"token": token, "sure": "yes"})).status == 400
    (one,) = await hub.connections_of("shop:7")
    assert one.state == "runs"
