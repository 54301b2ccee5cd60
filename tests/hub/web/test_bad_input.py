"""What people really type: far too much, emoji, names written from right to left, markup. Nothing breaks, nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import ReauthorizeError

pytestmark = pytest.mark.anyio

GOOD = "very-hidden-good-key"
STRANGE = {
    "emoji": "Newsletter 🎉👩‍👩‍👧‍👦",
    "right-to-left": "نشرة أخبار العميل",
    "turned-around": "abc\u202etxt.exe",
    "markup": "<b title=\"x\">&amp; 'quoted'</b>",
    "combined": "e\u0301" * 20,
    "blanks": "  in the middle  ",
}
LONG = "ä" * 10_000


@pytest.mark.parametrize("typed", STRANGE.values(), ids=STRANGE.keys())
async def test_a_setting_keeps_every_letter_and_shows_it_as_text(person: Any, hub: Any, typed: str) -> None:
    await person.sets_up()
    page = await person.open("/settings")
    assert (await person.submit(page, action="save", setting__sender=typed)).status == 303
    (one,) = await hub.connections_of("shop:7")
    assert one.settings["sender"] == typed.strip()
    page = await person.open("/settings")
    assert page.form.values["setting.sender"] == typed.strip()
    assert "<b title" not in (await person.open("/history")).answer.text


@pytest.mark.parametrize("typed", [*STRANGE.values(), LONG], ids=[*STRANGE.keys(), "long"])
async def test_every_other_field_answers_with_a_page(person: Any, typed: str) -> None:
    await person.sets_up()
    for path, action, name in (
        ("/people", "invite", "name"),
        ("/access", "make", "name"),
        ("/activity", None, "who"),
        ("/try", "watch", "email"),
    ):
        token = (await person.open(path)).read.forms[0].values["token"]
        sent = {"token": token, name: typed, "rights": "view", "days": "90"}
        page = await person.post(path, sent if action is None else {**sent, "action": action})
        assert page.status in (200, 303, 422), (path, page.text[:300])
        assert "<b title" not in page.answer.text
        assert "Something went wrong" not in page.text


async def test_ten_thousand_characters_are_refused_at_the_field_and_kept(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await person.open("/settings")
    refused = await person.submit(page, action="save", setting__sender=LONG)
    assert refused.status == 422
    assert "Sender : 1000 characters at most, please." in refused.text
    assert refused.form.values["setting.sender"] == LONG
    (one,) = await hub.connections_of("shop:7")
    assert one.settings["sender"] == "Shop"


async def test_ten_thousand_characters_as_a_key_are_a_sentence(person: Any) -> None:
    page = await person.logs_in()
    refused = await person.submit(page, action="test-key", account__post__api_key=LONG, setting__sender="Mine")
    assert refused.status in (200, 422)
    assert refused.form.values["setting.sender"] == "Mine"
    assert LONG not in refused.answer.text, "a secret is never rendered back"
    assert (await person.open("/settings")).status == 200


async def test_a_key_that_expires_while_the_page_is_open_costs_nothing_that_was_typed(
    person: Any, hub: Any, world: Any
) -> None:
    await person.sets_up()
    page = await person.open("/settings")
    world.keys.clear()
    tested = await person.submit(page, action="test-key", setting__sender="Mine")
    assert "Toypost does not know this key. It may be mistyped, expired or switched off." in tested.text
    assert tested.form.values["setting.sender"] == "Mine"
    assert (await person.submit(tested, action="save", setting__sender="Mine")).status == 303


async def test_what_cannot_be_set_up_at_a_save_is_told_of_the_system_that_refused(
    person: Any, hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def expired(self: Any, wanted: Any, /) -> Any:
        raise ReauthorizeError("key-expired")

    await person.sets_up()
    monkeypatch.setattr(hub.systems["post"].connector, "provide", expired)
    page = await person.open("/settings")
    assert (await person.submit(page, action="save", setting__sender="Mine")).status == 303
    after = await person.open("/settings")
    assert "could be set up: Toypost says that this key has expired." in after.text
    assert after.form.values["setting.sender"] == "Mine"
