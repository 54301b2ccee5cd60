"""The key of the other system's account: asked for, tested, changed, never shown."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

GOOD, OTHER, WEAK = "very-hidden-good-key", "very-hidden-other-key", "very-hidden-weak-key"


def buttons(page: Any) -> list[str]:
    return [text for name, _, text in page.form.buttons if name == "action"]


async def test_the_page_asks_for_the_key_under_the_systems_name(person: Any) -> None:
    page = await person.logs_in()
    assert page.read.labels["account.post.api_key"] == "Toypost API Key"
    assert "Test API Key" in buttons(page)
    assert "Change API Key" not in buttons(page)


async def test_a_good_key_is_answered_with_account_and_rights(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key=GOOD)
    assert page.status == 200
    assert "Toypost accepts it. Account: Acme Letters." in page.text
    for right in ("GET granted", "POST granted", "PUT granted", "DELETE granted"):
        assert right in page.text


async def test_a_key_without_all_rights_is_told_which_are_missing(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key=WEAK)
    assert "Missing: PUT, DELETE" in page.text
    assert "GET granted" in page.text
    assert "PUT missing" in page.text


async def test_an_unknown_key_is_a_sentence(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key="nobody-s-key")
    assert "Toypost does not know this key" in page.text
    assert "nobody-s-key" not in page.answer.text


async def test_a_key_encoded_for_another_tool_is_recognised(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key="bm9ib2R5==")
    assert "encoded for another tool" in page.text


async def test_blanks_around_a_pasted_key_do_not_matter(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key=f"  {GOOD}\n")
    assert "Account: Acme Letters." in page.text


async def test_an_outage_is_not_called_a_wrong_key(person: Any, world: Any) -> None:
    page = await person.logs_in()
    world.post_down = True
    page = await person.submit(page, action="test-key", account__post__api_key=GOOD)
    assert "Toypost cannot be reached at the moment" in page.text


async def test_testing_without_a_key_asks_for_one(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key")
    assert "Please enter the API Key of your Toypost account." in page.text


async def test_testing_keeps_what_was_typed_elsewhere(person: Any) -> None:
    page = await person.logs_in()
    page = await person.submit(
        page, action="test-key", account__post__api_key=GOOD, setting__sender="Ada & Co", setting__ask="yes"
    )
    assert page.form.values["setting.sender"] == "Ada & Co"
    assert page.form.values["setting.ask"] == "yes"


async def test_testing_stores_nothing(person: Any, hub: Any) -> None:
    await person.submit(await person.logs_in(), action="test-key", account__post__api_key=GOOD)
    assert await hub.account("post:900") is None
    assert await hub.connections_of("shop:7") == []


async def test_a_tested_key_waits_for_save_without_being_typed_again(person: Any, hub: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key=GOOD)
    assert "account.post.api_key" not in page.form.values
    saved = await person.submit(page, action="save", setting__silence="no")
    assert saved.status == 303
    assert (await hub.account("post:900")).name == "Acme Letters"


async def test_a_stored_key_is_not_asked_for_and_can_be_tested(person: Any) -> None:
    page = await _saved(person)
    assert "account.post.api_key" not in page.form.values
    assert buttons(page) == ["Save", "Test API Key", "Change API Key", "Save", "Show what this would do"]
    page = await person.submit(page, action="test-key")
    assert "Account: Acme Letters." in page.text


async def test_change_shows_an_empty_field_and_keeps_what_was_typed(person: Any) -> None:
    page = await person.submit(await _saved(person), action="change-key", setting__sender="Typed")
    assert page.form.values["account.post.api_key"] == ""
    assert page.form.values["setting.sender"] == "Typed"


async def test_a_new_key_of_the_same_account_replaces_the_old_one(person: Any, world: Any, hub: Any) -> None:
    page = await person.submit(await _saved(person), action="change-key")
    world.keys["very-hidden-new-key"] = world.keys.pop(GOOD)
    saved = await person.submit(page, action="save", account__post__api_key="very-hidden-new-key")
    assert saved.status == 303
    row = await hub.account("post:900")
    assert hub.account_settings(hub.systems["post"], row).api_key.reveal() == "very-hidden-new-key"


async def test_leaving_the_changed_field_empty_keeps_the_old_key(person: Any, hub: Any) -> None:
    page = await person.submit(await _saved(person), action="change-key")
    assert (await person.submit(page, action="save")).status == 303
    row = await hub.account("post:900")
    assert hub.account_settings(hub.systems["post"], row).api_key.reveal() == GOOD


async def test_saving_with_a_refused_key_stores_nothing(person: Any, hub: Any) -> None:
    page = await person.logs_in()
    refused = await person.submit(page, action="save", account__post__api_key=WEAK, setting__silence="no")
    assert refused.status == 422
    assert "Missing: PUT, DELETE" in refused.text
    assert await hub.connections_of("shop:7") == []
    assert await hub.account("post:902") is None


async def test_a_good_key_outlives_an_error_elsewhere_on_the_page(person: Any) -> None:
    page = await person.logs_in()
    refused = await person.submit(page, action="save", account__post__api_key=GOOD, setting__per_day="99")
    assert refused.status == 422
    assert "Tested for the account Acme Letters" in refused.text
    assert (await person.submit(refused, action="save", setting__per_day="9", setting__silence="no")).status == 303


async def test_no_secret_is_in_any_answer_or_log(person: Any, all_logs: Any) -> None:
    page = await _saved(person)
    page = await person.submit(page, action="change-key")
    page = await person.submit(page, action="test-key", account__post__api_key=OTHER)
    page = await person.submit(page, action="test-key", account__post__api_key="very-hidden-wrong-key")
    await person.submit(page, action="save", account__post__api_key=WEAK)
    answers = "\n".join(person.seen)
    assert "very-hidden" not in answers
    assert "very-hidden" not in all_logs.text


async def _saved(person: Any) -> Any:
    page = await person.logs_in()
    done = await person.submit(page, action="save", account__post__api_key=GOOD, setting__silence="no")
    assert done.status == 303, done.text
    return await person.open(done.where)
