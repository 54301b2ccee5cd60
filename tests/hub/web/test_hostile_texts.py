"""Whatever a vendor calls its things, and whatever somebody types: it is shown as text, and is nothing else on any page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.sdk import Difference, Option
from stellwerk.store import repairs

pytestmark = pytest.mark.anyio

HOSTILE = (
    "\"'><script src=//evil.example></script><a href=javascript:alert(1)>{{ 7 * 7 }}</a><img src=x onerror=alert(1)>"
)
PAGES = (
    "/settings", "/overview", "/activity", "/activity/consent", "/activity/erase", "/letters", "/sync", "/fields", "/history",
    "/access", "/people", "/notifications", "/disconnect", "/try", "/connections",
)  # fmt: skip


def harmless(page: Any) -> None:
    """Nothing of the text became a part of the page."""
    for tag, given in page.read.tags:
        assert tag != "img" or given.get("src", "").startswith("/static/"), page.answer.url
        assert not [name for name in given if name.startswith("on")]
        for name in ("href", "src", "action"):
            assert "javascript:" not in given.get(name, "")
            assert "evil.example" not in given.get(name, "")


async def test_what_a_vendor_or_a_person_writes_is_shown_as_text_on_every_page(
    person: Any, somebody: Any, hub: Any, world: Any
) -> None:
    world.keys = {key: msgspec.structs.replace(one, name=HOSTILE) for key, one in world.keys.items()}
    world.templates = [Option(value=HOSTILE, label=HOSTILE)]
    world.stages = [Option(value="guest", label=HOSTILE)]
    world.differences = [Difference(code="field-missing", subject=HOSTILE, text=HOSTILE)]
    page = await person.logs_in()
    typed = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no", "setting__sender": HOSTILE}
    tested = await person.submit(page, action="test-key", **typed)
    harmless(tested)
    assert HOSTILE in tested.text
    assert (await person.submit(tested, action="save", **typed)).status == 303
    (one,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: repairs.open_(tx, one.id, f"strange-{HOSTILE}", HOSTILE, 1.0))
    invited = await person.submit(await person.open("/people"), action="invite", name=HOSTILE, rights="view")
    (link,) = [given["value"] for tag, given in invited.read.tags if given.get("id") == "made"]
    made = await person.submit(await person.open("/access"), action="make", name=HOSTILE, rights="view", days="90")
    guest = somebody()
    followed = await guest.open(link.removeprefix("http://hub.test"))
    for answered in (invited, made, followed):
        harmless(answered)
    shown = [await person.open(f"{path}?lang={language}") for path in PAGES for language in ("en", "de")]
    for page in shown:
        assert page.status == 200, page.answer.url
        harmless(page)
    beginning = HOSTILE[:40]
    assert sum(beginning in page.text or beginning in repr(page.read.tags) for page in shown) >= 12


@pytest.mark.parametrize("path", ["/activity", "/activity/consent", "/activity/erase", "/try", "/settings"])
async def test_what_was_typed_comes_back_as_text(person: Any, path: str) -> None:
    await person.sets_up()
    token = (await person.open(path)).read.forms[0].values["token"]
    names = ("who", "again", "email", "name", "to", "setting.sender", "setting.per_day", "action", "version", "what")
    harmless(await person.post(path, {"token": token, **{name: HOSTILE for name in names if name != "action"}}))
    harmless(await person.open(f"{path}?from={HOSTILE}&what={HOSTILE}&after={HOSTILE}&connection={HOSTILE}"))
    harmless(await person.open(f"/oauth/shop/callback?error={HOSTILE}&error_description={HOSTILE}"))
