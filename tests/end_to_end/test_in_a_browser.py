"""A person in a real browser, from the login to the first confirmed contact, in both languages, against both twins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright

from stellwerk_demo.scene import KEY, Cast, Scene

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

MARA = "mara@marketers.example"
WORDS = {
    "en": {
        "login": "Login with HubSpot", "key": "Maileon API Key", "test": "Test API Key", "good": "Account: Acme Newsletter",
        "ask": "Double Opt-in Process", "mailing": "Double Opt-in Mailing Key", "save": "Save", "agree": "I agree that",
        "saved": "Saved. The connection is running.", "overview": "Overview", "try": "Try it with my address",
        "address": "Your e-mail address", "create": "Create it in HubSpot and watch", "click": "You confirmed", "waits": "waiting",
        "arrived": "Everything arrived", "activity": "Every step in full", "consent": "Asked for confirmation",
    },
    "de": {
        "login": "Anmelden mit HubSpot", "key": "Maileon API Key", "test": "API Key testen", "good": "Konto: Acme Newsletter",
        "ask": "Double-Opt-in-Verfahren", "mailing": "Schlüssel des DOI-Mailings", "save": "Speichern",
        "agree": "Ich bin einverstanden", "saved": "Gespeichert. Die Verbindung läuft.", "overview": "Überblick",
        "try": "Mit meiner Adresse ausprobieren", "address": "Ihre E-Mail-Adresse", "create": "In HubSpot anlegen und zusehen",
        "click": "Sie haben", "waits": "wird erwartet", "arrived": "Alles ist angekommen",
        "activity": "Jeder Schritt im Einzelnen", "consent": "Um Bestätigung gebeten",
    },
}  # fmt: skip


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Scene(Cast()) as started:
        yield started


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()


async def mailed(page: Page, scene: Scene) -> None:
    """Looks into the outbox until the mail is there, and opens it."""
    mail = page.locator("a[href^='/outbox/']")
    await page.goto(f"{scene.maileon.url}/outbox?to={MARA}")
    while not await mail.count():
        await page.reload()
    await mail.first.click()


@pytest.mark.parametrize("language", ["en", pytest.param("de", marks=pytest.mark.long)])
async def test_from_the_login_to_the_first_confirmed_contact(browser: Browser, scene: Scene, language: str) -> None:
    word = WORDS[language]
    context = await browser.new_context(locale="de-DE" if language == "de" else "en-GB")
    page, mailbox = await context.new_page(), await (await browser.new_context()).new_page()
    complaints: list[Any] = []
    page.on("pageerror", lambda error: complaints.append(error))

    await page.goto(scene.url)
    await page.get_by_role("link", name=word["login"]).click()
    await page.get_by_role("link", name="Acme GmbH").click()
    await page.get_by_role("button", name="Grant access").click()

    await page.get_by_label(word["key"]).fill(KEY)
    await page.get_by_role("button", name=word["test"]).click()
    await page.get_by_text(word["good"]).wait_for()
    await page.get_by_label(word["ask"], exact=True).check()
    await page.get_by_label(word["mailing"]).fill("K1")
    await page.get_by_role("button", name=word["save"]).last.click()
    await page.get_by_label(word["agree"]).check()
    await page.get_by_role("button", name=word["save"]).last.click()
    await page.get_by_text(word["saved"]).wait_for()

    await page.get_by_role("link", name=word["overview"]).click()
    await page.get_by_role("link", name=word["try"]).click()
    await page.get_by_label(word["address"]).fill(MARA)
    await page.get_by_role("button", name=word["create"]).click()
    await mailed(mailbox, scene)
    await page.get_by_role("listitem").filter(has_text=word["click"]).filter(has_text=word["waits"]).wait_for()
    await mailbox.get_by_role("link", name="Confirm subscription").click()
    await page.get_by_text(word["arrived"]).wait_for()
    await page.get_by_role("button", name=word["activity"]).click()
    await page.get_by_role("cell", name=word["consent"]).wait_for()
    assert complaints == []


MOST_STOPS = 80
RING = "one => getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) >= 2"


async def tab_to(page: Page, wanted: Locator) -> None:
    """To a control by the Tab key alone; a person sees there where they are."""
    await wanted.wait_for()
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("one => one === document.activeElement"):
            assert await wanted.evaluate(RING), "the focus is not to be seen"
            return
    raise AssertionError(f"no Tab leads to {wanted}")


async def test_the_keyboard_alone_leads_from_the_login_to_a_saved_connection(browser: Browser, scene: Scene) -> None:
    word = WORDS["en"]
    page = await (await browser.new_context(locale="en-GB")).new_page()

    async def press(wanted: Locator, key: str = "Enter") -> None:
        await tab_to(page, wanted)
        await page.keyboard.press(key)

    async def write(wanted: Locator, text: str) -> None:
        await tab_to(page, wanted)
        await page.keyboard.type(text)

    await page.goto(scene.url)
    await press(page.get_by_role("link", name=word["login"]))
    await press(page.get_by_role("link", name="Acme GmbH"))
    await press(page.get_by_role("button", name="Grant access"))
    await page.wait_for_url("**/settings")

    await write(page.get_by_label(word["key"]), KEY)
    await press(page.get_by_role("button", name=word["test"]))
    await page.get_by_text(word["good"]).wait_for()
    await press(page.get_by_label(word["ask"], exact=True), "Space")
    await write(page.get_by_label(word["mailing"]), "K1")
    # What the list of the field suggests is closed first, as a person would.
    await page.keyboard.press("Escape")
    await press(page.get_by_role("button", name=word["save"]).last)
    await page.get_by_role("alert").wait_for()
    await press(page.get_by_label(word["agree"]), "Space")
    await press(page.get_by_role("button", name=word["save"]).last)
    await page.get_by_text(word["saved"]).wait_for()
    assert await page.get_by_label(word["mailing"]).input_value() == "K1"
