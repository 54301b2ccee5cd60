"""What only a browser shows: fields that appear and vanish, the keyboard, a phone's width, and a policy nobody trips over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from playwright.async_api import Browser, Page

LogIn: TypeAlias = Callable[[Page], Awaitable[None]]

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def page(browser: Browser, log_in: LogIn, complaints: list[str]) -> AsyncIterator[Page]:
    """The settings page, after a login whose system answers at once."""
    context = await browser.new_context(locale="en-GB")
    opened = await context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    await log_in(opened)
    yield opened
    await context.close()


async def test_a_dependent_setting_appears_and_vanishes_with_its_condition(page: Page) -> None:
    ask, template, grant = (page.get_by_label(name) for name in ("Ask first", "Template", "Right"))
    assert not await template.is_visible()
    assert await grant.is_visible()
    await ask.check()
    assert await template.is_visible()
    assert not await grant.is_visible()
    await ask.uncheck()
    assert not await template.is_visible()
    assert await grant.is_visible()


async def test_the_parts_of_a_stage_move_appear_with_its_switch(page: Page) -> None:
    target = page.get_by_label("Target Lifecycle Stage")
    assert not await target.is_visible()
    await page.get_by_label("When they leave").check()
    assert await target.is_visible()


async def test_the_note_for_browsers_without_scripts_is_not_shown_to_others(page: Page) -> None:
    assert not await page.get_by_text("Your browser runs no scripts").is_visible()


async def test_without_scripts_everything_is_shown_and_works(browser: Browser, log_in: LogIn) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="en-GB")
    opened = await context.new_page()
    await log_in(opened)
    assert await opened.get_by_text("Your browser runs no scripts").is_visible()
    assert await opened.get_by_label("Template").is_visible()
    assert await opened.get_by_label("Target Lifecycle Stage").is_visible()
    await opened.get_by_label("Toypost API Key").fill("very-hidden-good-key")
    await opened.get_by_label("Silence means").select_option("no")
    await opened.get_by_role("button", name="Save").last.click()
    await opened.get_by_text("Saved. The connection is running.").wait_for()
    await context.close()


async def test_the_whole_page_can_be_used_with_the_keyboard(page: Page) -> None:
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
    await page.get_by_label("Toypost API Key").focus()
    await page.keyboard.type("very-hidden-good-key")
    await page.get_by_label("Silence means").focus()
    await page.keyboard.type("No")
    await page.get_by_label("Sender").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("Saved. The connection is running.").wait_for()


async def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 320, "height": 700})
    await page.get_by_label("When they leave").check()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground_in_light_and_dark(page: Page, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.get_by_label("Toypost API Key").fill("not-the-key")
    await page.get_by_role("button", name="Test API Key").click()
    await page.get_by_text("Toypost does not know this key").wait_for()
    weak = await page.evaluate(CONTRAST)
    assert weak == []


async def test_the_policy_stops_nothing_of_ours_and_no_script_fails(page: Page, complaints: list[str]) -> None:
    await page.get_by_label("Ask first").check()
    await page.get_by_label("Toypost API Key").fill("very-hidden-good-key")
    await page.get_by_role("button", name="Test API Key").click()
    await page.get_by_text("Account: Acme Letters.").wait_for()
    assert complaints == []


# WCAG 2.2, 1.4.3: every visible text against the first opaque ground behind it.
CONTRAST = """() => {
  const numbers = (colour) => (colour.match(/[0-9.]+/g) || []).map(Number);
  const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  const weak = [];
  for (const one of document.body.querySelectorAll("*")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility() || one.classList.contains("unseen")) continue;
    let behind = one, ground = [0, 0, 0, 0];
    while (behind) {
      ground = numbers(getComputedStyle(behind).backgroundColor);
      if (ground.length < 4 || ground[3] === 1) break;
      behind = behind.parentElement;
    }
    const [dark, bright] = [light(numbers(getComputedStyle(one).color)), light(ground)].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < 4.5) weak.push(one.tagName + " " + one.textContent.trim().slice(0, 40) + " " + ratio.toFixed(2));
  }
  return weak;
}"""
