"""What goes wrong, what is full and what is long, in Chromium and both languages: axe, and a phone's width."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec import structs
from playwright.async_api import Browser, Page

from stellwerk.store import connections
from stellwerk.store.store import Tx
from stellwerk.web.phrases import PHRASES

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
AXE = Path(__file__).parent / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LogIn: TypeAlias = Callable[[Page], Awaitable[None]]
ARABIC, EMOJI = "عائشة بنت أبي بكر الصديق رضي الله عنها", "👩\u200d👩\u200d👧\u200d👦🏳️\u200d🌈"
UNBROKEN = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 200
LONG = (f"{ARABIC} {EMOJI} " + UNBROKEN)[:10_000]


class Person:
    """Somebody who has set a connection up, and looks at what the hub shows in one language."""

    def __init__(self, page: Page, url: str, language: str) -> None:
        self.page = page
        self.url = url
        self.language = language
        self.wrong: list[str] = []

    def say(self, key: str, /, **values: object) -> str:
        return PHRASES[key][self.language == "de"].format(**values)

    async def goes(self, path: str) -> None:
        await self.page.goto(f"{self.url}{path}?lang={self.language}")

    async def presses(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).last.click()

    async def looks(self, what: str) -> None:
        """Notes the faults of what is shown now, on a phone in light and on a desk in dark."""
        await self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        await self.page.add_script_tag(path=AXE)
        for scheme, width in (("light", 320), ("dark", 1200)):
            await self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await self.page.set_viewport_size({"width": width, "height": 800})
            found = await self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            here = f"{what} {self.language} {scheme} {width}"
            self.wrong += [f"{here}: {v['id']}: {n['html'][:120]}" for v in found["violations"] for n in v["nodes"]]
            wide = await self.page.evaluate("document.documentElement.scrollWidth")
            self.wrong += [f"{here} is {wide} wide"] if wide > width else []


@pytest.fixture(params=["en", "de"])
async def person(request: pytest.FixtureRequest, browser: Browser, served: str, log_in: LogIn) -> Person:
    context = await browser.new_context(locale="en-GB", bypass_csp=True)
    opened = await context.new_page()
    await log_in(opened)
    await opened.get_by_label("Toypost API Key").fill("very-hidden-good-key")
    await opened.get_by_label("Silence means").select_option("no")
    await opened.get_by_role("button", name="Save").last.click()
    await opened.get_by_text("Saved. The connection is running.").wait_for()
    return Person(opened, served, str(request.param))


async def test_what_was_refused_is_accessible_and_keeps_what_was_typed(person: Person, hub: Any) -> None:
    page, say = person.page, person.say
    sender = page.get_by_label("Sender" if person.language == "en" else "Absender")
    await person.goes("/settings")
    await sender.fill("Typed before")
    await person.presses(say("key-change", key="API Key"))
    await page.get_by_label("Toypost API Key").fill("not-the-key")
    await person.presses(say("key-test", key="API Key"))
    await page.locator("#account-outcome.wrong").wait_for()
    assert await sender.input_value() == "Typed before"
    await person.looks("a wrong key")

    await person.goes("/settings")
    await page.get_by_label("Letters a day" if person.language == "en" else "Briefe am Tag").evaluate(
        "one => { one.type = 'text'; one.value = 'many' }"
    )
    await sender.fill("Typed before")
    await person.presses(say("save"))
    await page.locator("#problems").wait_for()
    assert await sender.input_value() == "Typed before"
    await person.looks("a refused save")

    await person.goes("/settings")
    (one,) = await hub.connections_of("shop:7")

    def somebody_else_saves(tx: Tx) -> None:
        connections.save(tx, structs.replace(one, state="watches"), who="somebody", now=hub.now())

    await hub.store.write(somebody_else_saves)
    await sender.fill("Typed before")
    async with page.expect_response(lambda answer: answer.request.method == "POST") as saving:
        await person.presses(say("save"))
    assert (await saving.value).status == 409
    await page.locator("#problems").wait_for()
    await person.looks("saved by somebody else meanwhile")

    await person.goes("/activity/erase")
    await page.get_by_label(say("person-address")).fill("ada@example.com")
    await page.get_by_label(say("erase-again")).fill("other@example.com")
    await person.presses(say("erase-do"))
    await page.get_by_text(say("erase-again-differs")).wait_for()
    await person.looks("an erasure with two addresses")

    await person.goes("/disconnect")
    await person.presses(say("parting-do"))
    await page.get_by_text(say("parting-sure-needed")).wait_for()
    await person.looks("a disconnection without the tick")
    assert person.wrong == []


async def test_the_pages_of_errors_are_accessible(person: Person, browser: Browser, hub: Any) -> None:
    page, say = person.page, person.say
    # What is nowhere has no session: it speaks the browser's language.
    locale = "de-DE" if person.language == "de" else "en-GB"
    stranger = await (await browser.new_context(locale=locale, bypass_csp=True)).new_page()
    lost = Person(stranger, person.url, person.language)
    await lost.goes("/nowhere")
    await stranger.get_by_text(say("error-404")).wait_for()
    await lost.looks("404")
    assert lost.wrong == []

    await person.goes("/overview")
    await page.evaluate("for (const one of document.querySelectorAll('[name=token]')) one.value = 'forged'")
    await page.get_by_role("button", name=say("state-watches-do")).click()
    await page.get_by_text(say("error-403")).wait_for()
    await person.looks("403")

    async def fails(self: Any) -> Any:
        raise RuntimeError("a bug for this test")

    hub.systems["post"].connector.fields = fails
    await person.goes("/fields")
    await page.get_by_text(say("error-500")).wait_for()
    await person.looks("500")
    assert person.wrong == []


async def test_names_and_values_of_any_length_and_direction_are_shown(person: Person) -> None:
    page, say = person.page, person.say
    await person.goes("/settings")
    sender = page.get_by_label("Sender" if person.language == "en" else "Absender")
    await sender.fill(LONG)
    await person.presses(say("save"))
    await page.get_by_text(say("saved")).or_(page.locator("#problems")).first.wait_for()
    assert await sender.input_value() == LONG
    await person.looks("a setting of 10,000 characters")
    await person.goes("/history")
    await person.looks("the history of it")

    await person.goes("/people")
    await page.get_by_label(say("people-name"), exact=True).fill(f"{ARABIC[:30]} {EMOJI} {UNBROKEN[:30]}"[:80])
    await person.presses(say("people-do"))
    await page.locator("#made").wait_for()
    await person.looks("a colleague with a name from right to left")

    for number, name in enumerate((f"{ARABIC} {EMOJI}"[:80], UNBROKEN[:80], "Eva")):
        await person.goes("/notifications")
        await page.get_by_label(say("told-name"), exact=True).fill(name)
        await page.get_by_label(say("told-to")).fill(f"https://hooks.example.com/{number}/{'x' * 300}")
        await person.presses(say("told-do"))
        await page.locator("#secret").wait_for()
    await person.looks("notifications, filled, one just added")
    await person.presses(say("told-test"))
    await page.get_by_text(say("told-tested")).wait_for()
    await person.looks("notifications, one under way")
    await person.goes("/notifications")
    await page.get_by_label(say("told-name"), exact=True).fill(LONG[:80])
    await page.get_by_label(say("told-to")).fill("nowhere")
    await person.presses(say("told-do"))
    await page.get_by_role("alert").wait_for()
    await person.looks("a notification refused")

    await person.goes("/activity")
    await page.get_by_label(say("search-who")).fill(f"{ARABIC}{EMOJI}{UNBROKEN}"[:300])
    await person.presses(say("search"))
    await page.wait_for_load_state()
    await person.looks("a search for a long name")
    await person.goes("/try")
    await page.get_by_label(say("try-email")).fill(
        f"{UNBROKEN[:60].replace('ü', 'u')}@{UNBROKEN[:50].replace('ü', 'u')}.example"
    )
    await person.presses(say("try-watch"))
    await page.locator("#way").wait_for()
    await person.looks("a long address tried")
    assert person.wrong == []
