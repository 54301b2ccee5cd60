"""Draws docs/images/: what a marketer sees in the demo, from the login to the first synced contact. `make screenshots`.

Clock, ports, secrets and record numbers are drawn alike each time, so that a picture changes when its page does.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, async_playwright

from stellwerk_demo.scene import KEY, Cast, Scene

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
ADA = "ada.lovelace@example.com"
BEN = "ben.nein@example.com"
MARA = "mara@marketers.example"
DESK, PHONE = {"width": 900, "height": 700}, {"width": 390, "height": 844}
SECONDS = 60.0
A_NOTE_SECONDS = 3.0
"""Notes carry whole seconds: what stands above one in the timeline would be chance within the same second."""
STILL = """() => {
  const alike = (text) => text
    .replace(/\\d{4}-\\d{2}-\\d{2}T[\\d:.]+Z/g, "2026-03-02T09:30:00Z")
    .replace(/\\d{4}-\\d{2}-\\d{2}/g, "2026-03-02")
    .replace(/\\b\\d{1,2} [A-Z][a-z]{2} \\d{4}\\b/g, "2 Mar 2026")
    .replace(/\\b\\d{2}:\\d{2}(:\\d{2})?\\b/g, (found) => "09:30:00".slice(0, found.length))
    .replace(/localhost:\\d+/g, "localhost:8000")
    .replace(/(webhooks\\/[a-z]+\\/)[\\w-]{20,}/g, "$1…")
    .replace(/Ref\\. [\\w-]+/g, "Ref. 7f3a9c21")
    .replace(/\\b(?=[0-9]*[a-f])[0-9a-f]{8,}\\b/g, "7f3a9c21")
    .replace(/INTEGRATION \\d+/g, "INTEGRATION 1234567");
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = alike(texts.currentNode.data);
  for (const one of document.querySelectorAll("input")) {
    if (one.type !== "password" && one.type !== "hidden" && one.type !== "checkbox") one.value = alike(one.value);
  }
  document.activeElement?.blur();
  for (const one of document.querySelectorAll(".save")) one.style.position = "static";  // else it lies over the middle of a whole page
}"""


class Camera:
    """Takes pictures of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def takes(
        self, name: str, *, since: str | None = None, to: str | None = None, phone: bool = False, dark: bool = False
    ) -> None:
        """From `since` (the top without) down to the end of `to` (that of the page without), as docs/images/NAME.png."""
        await self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        await self.page.set_viewport_size(PHONE if phone else DESK)  # type: ignore[arg-type]
        await self.page.evaluate(STILL)
        high = await self._end(self.page.locator(to).last) if to else await self.page.evaluate(END)
        top = 0.0 if since is None else await self._start(self.page.locator(since).first) - 16
        clip = {"x": 0, "y": top, "width": (PHONE if phone else DESK)["width"], "height": high + 16 - top}
        await self.page.screenshot(path=IMAGES / f"{name}.png", full_page=True, clip=clip)  # type: ignore[arg-type]
        print(f"  {name}.png", flush=True)
        await self.page.set_viewport_size(DESK)  # type: ignore[arg-type]
        await self.page.emulate_media(color_scheme="light")

    async def _start(self, first: Locator) -> float:
        return float(await first.evaluate("one => one.getBoundingClientRect().top + window.scrollY"))

    async def _end(self, last: Locator) -> float:
        return float(await last.evaluate("one => one.getBoundingClientRect().bottom + window.scrollY"))


END = """() => Math.max(...[...document.querySelectorAll("main, header, body > *")]
  .map((one) => one.getBoundingClientRect().bottom + window.scrollY))"""


async def until(what: str, look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` finds, as soon as it finds something."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    while loop.time() < end:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.3)
    raise SystemExit(f"pictures: {what} did not come within {SECONDS:.0f} s")


async def logs_in(page: Page, camera: Camera, url: str) -> None:
    await page.goto(url)
    await camera.takes("login")
    await page.get_by_role("link", name="Login with HubSpot").click()
    await page.get_by_role("link", name="Acme GmbH").click()
    await page.get_by_role("button", name="Grant access").wait_for()
    await camera.takes("grant-access")
    await page.get_by_role("button", name="Grant access").click()
    await page.wait_for_url("**/settings")


async def connects(page: Page, camera: Camera) -> None:
    await page.get_by_label("Maileon API Key").fill(KEY)
    await page.get_by_role("button", name="Test API Key").click()
    await page.get_by_text("Acme Newsletter").first.wait_for()
    await camera.takes("key-tested", to="section:has(#account-heading)")
    await page.get_by_label("Double Opt-in Process", exact=True).check()
    await page.get_by_label("Double Opt-in Mailing Key").fill("K1")
    moves = (
        ("confirmed", "lead", "marketingqualifiedlead", False),
        ("unsubscribed", "marketingqualifiedlead", "lead", True),
    )
    for move, source, target, reset in moves:
        setting = f"setting.on_{move}"
        await page.locator(f"[name='{setting}.enabled'][type=checkbox]").check()
        await page.locator(f"[name='{setting}.source']").select_option(source)
        await page.locator(f"[name='{setting}.target']").select_option(target)
        if reset:
            await page.locator(f"[name='{setting}.reset'][type=checkbox]").check()
    await camera.takes("settings", since="section:has(#section-1)", to="#setting-on_unsubscribed")
    await page.get_by_role("button", name="Save").last.click()
    await page.locator("#agreement").screenshot(path=IMAGES / "consent.png")
    print("  consent.png", flush=True)
    await page.get_by_label("I agree that").check()
    await page.get_by_role("button", name="Save").last.click()
    await page.get_by_text("Saved. The connection is running.").wait_for()
    await page.evaluate(STILL)
    await page.locator("section:has(#form)").screenshot(path=IMAGES / "form-recipe.png")
    print("  form-recipe.png", flush=True)


async def signs_up(page: Page, scene: Scene, email: str, first: str, last: str, *, camera: Camera | None) -> None:
    """Fills in the newsletter's form; with a `camera` the box is ticked and a picture taken."""
    await page.goto(f"{scene.hubspot.url}/forms/{scene.cast.portal}/newsletter?subscribe=maileon_subscribe")
    for name, value in (("email", email), ("firstname", first), ("lastname", last)):
        await page.locator(f"[name={name}]").fill(value)
    if camera is not None:
        await page.locator("[name=maileon_subscribe][type=checkbox]").check()
        await camera.takes("form")
    await page.get_by_role("button", name="Submit").click()


async def confirms(page: Page, scene: Scene, who: str) -> Callable[[], Awaitable[None]]:
    """Waits for the mail and opens it; what clicks the link in it."""

    async def there() -> bool:
        await page.goto(f"{scene.maileon.url}/outbox?to={who}")
        return await page.locator("a[href^='/outbox/']").count() > 0

    await until(f"the mail to {who}", there)
    await page.locator("a[href^='/outbox/']").first.click()
    return lambda: page.get_by_role("link", name="Confirm subscription").click()


async def shows(page: Page, camera: Camera, scene: Scene) -> None:
    contacts = f"{scene.hubspot.url}/contacts/{scene.cast.portal}"
    await page.goto(contacts)
    record = await page.locator("a[href*='/record/0-1/']").first.get_attribute("href")

    async def subscribed() -> bool:
        await page.goto(f"{scene.hubspot.url}{record}")
        return await page.get_by_text("Double opt-in confirmed").count() > 0

    await until("the note in HubSpot", subscribed)
    await camera.takes("contact", since="h2:text('Timeline')", to="h2:text('Timeline') ~ table >> nth=0")


async def tries(camera: Camera, page: Page, other: Page, scene: Scene) -> None:
    """The marketer's own address, on a phone: the page is looked at while each step lights up."""
    await page.goto(f"{scene.url}/try")
    await page.get_by_label("Your e-mail address").fill(MARA)
    await page.get_by_role("button", name="Create it in HubSpot and watch").click()
    click = await confirms(other, scene, MARA)
    await page.get_by_role("listitem").filter(has_text="You confirmed").filter(has_text="waiting").wait_for()
    await camera.takes("try-phone", phone=True)
    await click()
    await page.get_by_text("Everything arrived").wait_for()


async def asks_why(page: Page, camera: Camera, scene: Scene) -> None:
    """Why nothing happened to somebody who left the box empty."""

    async def told() -> bool:
        await page.goto(f"{scene.url}/activity")
        await page.locator("#who").fill(BEN)
        await page.get_by_role("button", name="Search").click()
        await page.get_by_role("heading", name="In short").wait_for()
        return await page.locator(".findings").get_by_text("is no").count() > 0

    await until("what was decided of him", told)
    await camera.takes("activity", to=".findings")


async def draws(scene: Scene, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await (await browser.new_context(locale="en-GB", viewport=DESK)).new_page()  # type: ignore[arg-type]
        visitor = await (await browser.new_context(locale="en-GB", viewport=DESK)).new_page()  # type: ignore[arg-type]
        camera = Camera(page)
        await logs_in(page, camera, scene.url)
        await connects(page, camera)
        await signs_up(visitor, scene, ADA, "Ada", "Lovelace", camera=Camera(visitor))
        click = await confirms(visitor, scene, ADA)
        await Camera(visitor).takes("mail")
        await asyncio.sleep(A_NOTE_SECONDS)
        await click()
        await shows(visitor, Camera(visitor), scene)
        await tries(camera, page, visitor, scene)
        await page.goto(f"{scene.url}/overview")
        await camera.takes("overview", to="section:has(#sides)")
        await camera.takes("overview-dark", to="section:has(#sides)", dark=True)
        other = await (await browser.new_context(locale="en-GB")).new_page()
        await signs_up(other, scene, BEN, "Ben", "Nein", camera=None)
        await asks_why(page, camera, scene)
        await browser.close()


def main() -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("pictures: no chromium: apt-get install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with Scene(Cast()) as scene:
        asyncio.run(draws(scene, chromium))
    return 0


if __name__ == "__main__":
    sys.exit(main())
