"""The settings page: drawn from the file, saved as a whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.sdk import Difference, Option

pytestmark = pytest.mark.anyio

GOOD = "very-hidden-good-key"


async def saved(person: Any, **values: str) -> Any:
    """A page after a first Save."""
    page = await person.logs_in()
    typed = {"account__post__api_key": GOOD, "setting__silence": "no", **values}
    done = await person.submit(page, action="save", **typed)
    assert done.status == 303, done.text
    return await person.open(done.where)


def settings_of(connection: Any) -> dict[str, Any]:
    return dict(connection.settings)


async def test_sections_and_labels_come_from_the_file_in_its_order(person: Any) -> None:
    page = await person.logs_in()
    text = page.text
    for before, after in (("Letter settings", "Ask first"), ("Ask first", "Template"), ("Sender", "Shop settings")):
        assert text.index(before) < text.index(after)
    assert page.read.labels["setting.per_day"] == "Letters a day"
    assert "What no answer means." in text


async def test_new_connections_have_the_files_defaults(person: Any) -> None:
    values = (await person.logs_in()).form.values
    assert values["setting.ask"] == "no"
    assert values["setting.grant"] == "none"
    assert values["setting.silence"] == "yes"
    assert values["setting.per_day"] == "10"
    assert values["setting.sender"] == "Shop"
    assert values["setting.on_left.enabled"] == "no"


async def test_nothing_is_stored_before_save(person: Any, hub: Any) -> None:
    await person.logs_in()
    assert await hub.connections_of("shop:7") == []


async def test_save_stores_every_value_and_begins_the_connection(person: Any, hub: Any) -> None:
    await saved(person, setting__per_day="12", setting__sender="Ada")
    (connection,) = await hub.connections_of("shop:7")
    assert connection.origin == "web"
    assert connection.began is not None
    assert settings_of(connection) == {
        "ask": False,
        "template": "",
        "grant": "none",
        "silence": "no",
        "per_day": 12,
        "sender": "Ada",
        "on_left": {"enabled": False, "source": None, "target": None, "reset": False},
    }


async def test_save_sets_up_both_systems_and_says_so_once(person: Any, world: Any) -> None:
    page = await saved(person)
    assert len(world.provided) == 2
    (hooks,) = [wanted.hooks for wanted in world.provided if wanted.hooks]
    assert [hook.topic for hook in hooks] == ["doi", "unsubscription", "bounce"]
    assert "Saved. The connection is running." in page.text
    assert "Saved. The connection is running." not in (await person.open("/settings")).text


async def test_the_page_says_what_comes_first_and_after_a_save_what_comes_next(person: Any) -> None:
    first = await person.logs_in()
    assert "Test the key of your Toypost account Choose what shall happen Save" in first.text
    after = await saved(person)
    assert "Choose what shall happen" not in after.text
    assert ("a", {"href": "/try"}) in after.read.tags
    assert "What now:" not in (await person.open("/settings")).text


async def test_what_differs_over_there_is_shown_after_save(person: Any, world: Any) -> None:
    world.differences = [Difference(code="field-missing", subject="first", text="there is no such field")]
    page = await saved(person)
    assert "first: there is no such field" in page.text


async def test_another_integration_that_hears_the_account_is_named_after_save_in_the_pages_language(
    person: Any, world: Any
) -> None:
    world.differences = [Difference(code="foreign-webhook", subject="webhooks", text="7 calls old.example.")]
    await person.open("/?lang=de")
    page = await saved(person)
    assert "Läuft die frühere Integration noch?" in page.text
    assert "7 calls old.example." in page.text


async def test_a_second_save_changes_the_same_connection(person: Any, hub: Any) -> None:
    page = await saved(person)
    assert (await person.submit(page, action="save", setting__sender="Bea")).status == 303
    (connection,) = await hub.connections_of("shop:7")
    assert connection.settings["sender"] == "Bea"
    assert connection.version == 2


async def test_the_next_login_leads_straight_to_the_stored_connection(person: Any, somebody: Any) -> None:
    await saved(person, setting__sender="Mine")
    page = await somebody().logs_in()
    assert page.form.values["setting.sender"] == "Mine"


async def test_errors_are_shown_at_the_field_and_above_and_keep_what_was_typed(person: Any, hub: Any) -> None:
    page = await saved(person)
    refused = await person.submit(page, action="save", setting__per_day="99", setting__sender="<b>Typed</b>")
    assert refused.status == 422
    assert refused.text.count("Between 1 and 50, please.") == 2
    assert ("a", "#setting-per_day") in [(tag, given.get("href")) for tag, given in refused.read.tags]
    assert refused.form.values["setting.per_day"] == "99"
    assert refused.form.values["setting.sender"] == "<b>Typed</b>"
    assert "<b>Typed</b>" not in refused.answer.text
    (connection,) = await hub.connections_of("shop:7")
    assert connection.settings["per_day"] == 10


async def test_text_in_a_number_is_an_error_and_stays_as_typed(person: Any) -> None:
    refused = await person.submit(await saved(person), action="save", setting__per_day="a dozen")
    assert refused.status == 422
    assert "A whole number, please." in refused.text
    assert refused.form.values["setting.per_day"] == "a dozen"


async def test_a_value_that_is_none_of_the_choices_is_refused(person: Any) -> None:
    refused = await person.submit(await saved(person), action="save", setting__silence="perhaps")
    assert refused.status == 422
    assert "This is none of the choices." in refused.text


async def test_a_hidden_setting_keeps_its_value_whatever_is_posted(person: Any, hub: Any) -> None:
    page = await saved(person, setting__ask="yes", setting__template="T1")
    done = await person.submit(page, action="save", setting__ask="no", setting__template="T9")
    assert done.status == 303
    (connection,) = await hub.connections_of("shop:7")
    assert connection.settings["ask"] is False
    assert connection.settings["template"] == "T1"


async def test_dependent_settings_say_on_what_they_depend_and_whether_they_are_shown(person: Any) -> None:
    page = await person.logs_in()
    places = {given["data-setting"]: given for _, given in page.read.tags if "data-setting" in given}
    assert places["template"]["data-only-if"] == '{"setting":"ask","is":true}'
    assert places["template"]["data-shown"] == "no"
    assert places["grant"]["data-shown"] == "yes"
    assert "Your browser runs no scripts, so all settings are shown." in page.text


async def test_pick_lists_are_read_from_the_system_once_its_account_is_known(person: Any) -> None:
    page = await person.logs_in()
    assert "The list could not be read from Toypost just now." in page.text
    page = await saved(person)
    labels = {given.get("value"): given.get("label") for tag, given in page.read.tags if tag == "option"}
    assert labels["T1"] == "Welcome"
    assert labels["T2"] == "Old one (not active)"


async def test_a_typed_value_outside_the_list_is_kept_with_a_warning(person: Any) -> None:
    page = await saved(person, setting__ask="yes", setting__template="T9")
    assert page.form.values["setting.template"] == "T9"
    assert "Toypost does not list this at the moment" in page.text


async def test_stages_stand_in_the_systems_order_with_none_and_any(person: Any) -> None:
    page = await person.logs_in()
    assert page.form.options["setting.on_left.source"] == ["", "any", "guest", "buyer"]
    assert page.form.options["setting.on_left.target"] == ["", "guest", "buyer"]


async def test_the_parts_of_a_stage_move_have_the_references_labels(person: Any) -> None:
    labels = (await person.logs_in()).read.labels
    assert labels["setting.on_left.enabled"] == "When they leave"
    assert labels["setting.on_left.reset"] == "Reset Before Updating"
    assert labels["setting.on_left.source"] == "Source Lifecycle Stage"
    assert labels["setting.on_left.target"] == "Target Lifecycle Stage"


async def test_a_stage_move_is_stored_as_chosen(person: Any, hub: Any) -> None:
    move = {
        "setting__on_left__enabled": "yes",
        "setting__on_left__source": "buyer",
        "setting__on_left__target": "guest",
        "setting__on_left__reset": "yes",
    }
    page = await saved(person, **move)
    (connection,) = await hub.connections_of("shop:7")
    assert connection.settings["on_left"] == {"enabled": True, "source": "buyer", "target": "guest", "reset": True}
    assert page.form.values["setting.on_left.source"] == "buyer"


@pytest.mark.behaviour("stage-backward")
async def test_a_move_backward_without_reset_is_refused(person: Any) -> None:
    refused = await person.submit(
        await saved(person),
        action="save",
        setting__on_left__enabled="yes",
        setting__on_left__source="buyer",
        setting__on_left__target="guest",
    )
    assert refused.status == 422
    assert "switch the reset on" in refused.text


async def test_a_stage_that_is_gone_over_there_stays_visible(person: Any, world: Any, hub: Any) -> None:
    await saved(person, setting__on_left__enabled="yes", setting__on_left__target="buyer")
    world.stages = [Option(value="guest", label="Guest")]
    later = hub.now() + 61
    hub.now = lambda: later
    page = await person.open("/settings")
    assert page.form.values["setting.on_left.target"] == "buyer"
    assert "buyer (not in the list)" in page.text


async def test_an_outage_costs_the_lists_but_not_the_page(person: Any, world: Any, hub: Any) -> None:
    await saved(person)
    world.shop_down = world.post_down = True
    later = hub.now() + 61
    hub.now = lambda: later
    page = await person.open("/settings")
    assert page.status == 200
    assert "The list could not be read from ToyShop just now." in page.text
    assert page.form.values["setting.on_left.target"] == ""
    done = await person.submit(page, action="save", setting__on_left__enabled="yes", setting__on_left__target="buyer")
    assert done.status == 303


async def test_webhook_urls_are_shown_whole_with_the_topics_names(person: Any, hub: Any) -> None:
    assert "The URLs are shown here after the first Save." in (await person.logs_in()).text
    page = await saved(person)
    urls = [given["value"] for tag, given in page.read.tags if tag == "input" and given.get("type") == "url"]
    assert len(urls) == 3
    assert all(url.startswith("http://hub.test/webhooks/toypost/") for url in urls)
    assert urls[0].endswith("/doi")
    names = [name for key, name in page.read.labels.items() if key.startswith("webhook-")]
    assert names == ["Double Opt-in Confirmation", "Unsubscription", "Bounce"]


async def test_who_saved_meanwhile_is_not_overwritten(person: Any, somebody: Any, hub: Any) -> None:
    page = await saved(person)
    other = somebody()
    theirs = await other.logs_in()
    assert (await other.submit(theirs, action="save", setting__sender="Theirs")).status == 303
    refused = await person.submit(page, action="save", setting__sender="Mine")
    assert refused.status == 409
    assert "This connection was saved in the meantime, by somebody else or in another tab." in refused.text
    assert "Sender : Saved in the meantime: Theirs." in refused.text
    assert refused.text.count("Saved in the meantime: ") == 2, "only what was typed otherwise, above and beside it"
    assert refused.form.values["setting.sender"] == "Mine"
    (connection,) = await hub.connections_of("shop:7")
    assert connection.settings["sender"] == "Theirs"


async def test_a_first_save_pressed_twice_makes_one_connection(person: Any, hub: Any) -> None:
    page = await person.logs_in()
    typed = {"action": "save", "account__post__api_key": GOOD, "setting__silence": "no"}
    assert (await person.submit(page, **typed)).status == 303
    assert (await person.submit(page, **typed)).status == 409
    assert len(await hub.connections_of("shop:7")) == 1


async def test_two_accounts_are_connected_only_once(person: Any, somebody: Any, hub: Any) -> None:
    other = somebody()
    theirs = await other.logs_in()
    await saved(person)
    refused = await other.submit(theirs, action="save", account__post__api_key=GOOD, setting__silence="no")
    assert refused.status == 422
    assert "These two accounts are connected already." in refused.text
    assert len(await hub.connections_of("shop:7")) == 1


async def test_an_account_that_waits_for_a_person_is_named_with_its_reason(person: Any, hub: Any) -> None:
    from stellwerk.store import accounts

    await saved(person)
    await hub.store.write(lambda tx: accounts.set_state(tx, "post:900", "reauthorize", "key-refused", "x"))
    page = await person.open("/settings")
    assert "Work with Toypost has stopped until somebody mends this: Toypost does not know this key." in page.text


async def test_an_unknown_action_is_refused(person: Any) -> None:
    assert (await person.submit(await person.logs_in(), action="explode")).status == 400


async def test_pressing_enter_saves_rather_than_tests(person: Any) -> None:
    assert (await person.logs_in()).form.buttons[0][:2] == ("action", "save")
