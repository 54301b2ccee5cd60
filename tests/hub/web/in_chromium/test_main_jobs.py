"""The main job of each page, done by a person in Chromium, in both languages: one hub and one browser for all of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
import uvicorn
from playwright.async_api import Browser, Locator, Page, async_playwright

from stellwerk.app import create_app
from stellwerk.relay.operator_link import operator_link
from stellwerk.relay.trace import Trace
from stellwerk.sdk import Contact, FieldSpec
from stellwerk.store import consent, contacts, outbox, traces
from stellwerk.store.contacts import ContactState
from stellwerk.store.outbox import NewDelivery
from stellwerk.web.phrases import PHRASES
from stellwerk_rules.model import Because, Fact, FactKind, Permission, Remembered

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
SHOPS = {"en": "7", "de": "8"}
GOOD_KEY = "very-hidden-good-key"
Say: TypeAlias = Callable[..., str]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class There:
    """The hub that all tests of this module share, and a person of each language who has set a connection up."""

    hub: Any
    world: Any
    url: str
    browser: Browser
    people: dict[str, Page] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    numbers: int = 0

    async def logs_in(self, language: str, shop: str) -> Page:
        """From the login page to the settings, by a context of its own."""
        context = await self.browser.new_context(locale="de-DE" if language == "de" else "en-GB")
        page = await context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

        async def grant(route: Any) -> None:
            asked = dict(part.split("=", 1) for part in route.request.url.partition("?")[2].split("&"))
            self.numbers += 1
            code = f"granted-{self.numbers}"
            self.world.codes[code] = (shop, asked["code_challenge"])
            location = f"{self.url}/oauth/shop/callback?code={code}&state={asked['state']}"
            await route.fulfill(status=303, headers={"location": location})

        await page.route("https://shop.test/**", grant)
        await page.goto(self.url + "/")
        # By a click: a login begun with the Enter key is one that the browser lets nobody answer in another's place.
        await page.get_by_role("link", name=says(language)("log-in-with", system="ToyShop")).click()
        await page.wait_for_url("**/settings")
        return page

    async def sets_up(self, language: str, shop: str) -> Page:
        say = says(language)
        page = await self.logs_in(language, shop)
        await page.get_by_label("Toypost API Key").fill(GOOD_KEY)
        await page.get_by_label("Silence means" if language == "en" else "Schweigen heißt").select_option("no")
        await page.get_by_role("button", name=say("save"), exact=True).last.click()
        await page.get_by_text(say("saved")).wait_for()
        return page

    async def somebody(self, shop: str) -> str:
        """A contact with a history, consent, one change given up and one held; its address."""
        self.numbers += 1
        number, email = self.numbers, f"ada{self.numbers}@example.com"
        (one,) = await self.hub.connections_of(f"shop:{shop}")
        because = Because(code="said-no", text="wants_letters is no", rule="enter", line=31)
        step = Trace(what="created", reasons=(because,), outcome="skipped")

        def work(tx: Any) -> None:
            hub, now = self.hub, self.hub.now()
            address = hub.vault.address(email)
            ids = {"shop": f"47{number}", "post": f"12{number}"}
            state = ContactState(connection=one.id, address=address, remembered=Remembered(ids=ids))
            stored = contacts.save(tx, state, now)
            body = hub.vault.seal(f"shop:{shop}", msgspec.json.encode(step))
            traces.add(
                tx, connection=one.id, contact=stored.id, address=address, event="e1", kind=step.outcome, body=body, now=now
            )  # fmt: skip
            at = datetime(2026, 11, 24, tzinfo=UTC)
            facts = [
                Fact(kind=FactKind.ASKED, key="a", at=at, event="e1", told_by="post"),
                Fact(kind=FactKind.CONFIRMED, key="c", at=at, event="e2", told_by="post", permission=Permission.DOUBLE),
            ]
            consent.add(tx, "post:900", address, one.id, facts, now)
            for state_, code in (("dead", f"refused-{number}"), ("held", f"held-{number}")):
                once = f"{number}-{state_}"
                outbox.put(tx, NewDelivery(
                    account="post:900", connection=one.id, contact=stored.id, tag="create", once=once, urgency=1,
                    due=4e9, body=b"x", event="e1", created=now, state="held", text="",
                ))  # fmt: skip
                tx.run(
                    "update outbox set state = :to, code = :code where once = :once", to=state_, code=code, once=once
                )

        await self.hub.store.write(work)
        return email


@pytest.fixture(scope="module")
async def there(chromium: str, open_a_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[There]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://localhost:{door.getsockname()[1]}"
        world, opening = open_a_hub(url, Path(tmp_path_factory.mktemp("hub")))
        at = datetime(2026, 1, 1, tzinfo=UTC)
        world.contacts = [
            Contact(id=str(n), email=f"c{n}@example.com", fields={"wants_letters": "yes"}, created_at=at, read_at=at)
            for n in range(3)
        ]
        async with opening as hub:
            server = uvicorn.Server(uvicorn.Config(create_app(hub), log_config=None, access_log=False, lifespan="on"))
            running = asyncio.create_task(server.serve([door]))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                yield There(hub=hub, world=world, url=url, browser=browser)
                await browser.close()
            server.should_exit = True
            await running


@pytest.fixture(params=["en", "de"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def say(language: str) -> Say:
    return says(language)


@pytest.fixture
async def page(there: There, language: str) -> AsyncIterator[Page]:
    if language not in there.people:
        there.people[language] = await there.sets_up(language, SHOPS[language])
    there.complaints.clear()
    yield there.people[language]
    assert there.complaints == []


def says(language: str) -> Say:
    """What a page says by the key of a phrase."""

    def say(key: str, /, **values: object) -> str:
        return PHRASES[key][language == "de"].format(**values)

    return say


async def enter(page: Page, wanted: Locator) -> None:
    """To a link or button by the Tab key alone, and press it."""
    for _ in range(120):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("one => one === document.activeElement"):
            break
    assert await wanted.evaluate("one => one === document.activeElement"), "no Tab leads there"
    await page.keyboard.press("Enter")


Opens: TypeAlias = Callable[[str], Awaitable[None]]


@pytest.fixture
def opens(there: There, page: Page) -> Opens:
    async def go(path: str) -> None:
        await page.goto(there.url + path)

    return go


async def test_overview_a_connection_only_watches_and_runs_again(page: Page, opens: Opens, say: Say) -> None:
    await opens("/overview")
    for state in ("watches", "runs"):
        await enter(page, page.get_by_role("button", name=say(f"state-{state}-do")))
        await page.get_by_text(say(f"state-{state}-now")).wait_for()


async def test_settings_a_value_is_changed_and_saved_with_the_keyboard(
    page: Page, opens: Opens, say: Say, language: str
) -> None:
    await opens("/settings")
    field_ = page.get_by_label("Sender" if language == "en" else "Absender")
    await field_.fill("")
    await page.keyboard.type("Lady & Co")
    await page.keyboard.press("Enter")
    await page.get_by_text(say("saved")).wait_for()
    assert await field_.input_value() == "Lady & Co"


async def test_account_a_key_is_changed_and_tested(page: Page, opens: Opens, say: Say) -> None:
    await opens("/settings")
    await page.get_by_role("button", name=say("key-change", key="API Key")).click()
    await page.get_by_label("Toypost API Key").fill(GOOD_KEY)
    await page.get_by_role("button", name=say("key-test", key="API Key")).click()
    await page.get_by_text(say("key-good", system="Toypost", account="Acme Letters")).wait_for()


async def test_connections_another_one_is_begun(
    page: Page, opens: Opens, say: Say, there: There, language: str
) -> None:
    await opens("/connections")
    await enter(page, page.get_by_role("button", name=say("connection-new")))
    await page.wait_for_url("**/settings")
    assert await page.get_by_label("Toypost API Key").input_value() == ""
    await opens("/connections")
    (one,) = await there.hub.connections_of(f"shop:{SHOPS[language]}")
    await page.locator(f"button[value='{one.id}']").click()
    await page.wait_for_url("**/overview")


async def test_fields_a_suggested_line_is_there_to_be_copied(
    page: Page, opens: Opens, say: Say, there: There, language: str
) -> None:
    async def fields(self: Any) -> list[FieldSpec]:
        return [FieldSpec(name="shoe_size")]

    for system in there.hub.systems.values():
        system.connector.fields = fields
    await opens("/fields")
    box = page.get_by_role("group", name=say("fields-suggested"))
    await page.get_by_role("heading", name=say("fields-suggested")).wait_for()
    assert await box.inner_text() == "  - {shop: shoe_size, post: shoe_size}\n"


async def test_activity_a_contact_is_found_with_the_reason(
    page: Page, opens: Opens, say: Say, there: There, language: str
) -> None:
    email = await there.somebody(SHOPS[language])
    await opens("/activity")
    await page.get_by_label(say("search-who")).fill(email)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name=say("findings")).wait_for()
    assert await page.get_by_text("Wants letters").count()


async def test_activity_a_contact_is_unlinked_once_that_is_confirmed_and_linked_again(
    page: Page, opens: Opens, say: Say, there: There, language: str
) -> None:
    email = await there.somebody(SHOPS[language])
    await opens("/activity")
    await page.get_by_label(say("search-who")).fill(email)
    await page.keyboard.press("Enter")
    await enter(page, page.get_by_role("button", name=say("unlink-ask"), exact=True))
    await page.get_by_role("heading", name=say("unlink-title")).wait_for()
    await page.get_by_text(say("unlink-goes-on")).wait_for()
    await enter(page, page.get_by_role("button", name=say("unlink-not")))
    await enter(page, page.get_by_role("button", name=say("unlink-ask"), exact=True))
    await enter(page, page.get_by_role("button", name=say("unlink"), exact=True))
    await page.get_by_text(say("unlink-told-unlinked")).wait_for()
    await enter(page, page.get_by_role("button", name=say("link-again")))
    await page.get_by_text(say("link-again-told-asked-for")).wait_for()


async def test_consent_history_a_persons_is_shown_and_saved(
    page: Page, opens: Opens, say: Say, there: There, language: str
) -> None:
    email = await there.somebody(SHOPS[language])
    await opens("/activity/consent")
    await page.get_by_label(say("person-address")).fill(email)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name=say("consent-of", address=email)).wait_for()
    async with page.expect_download() as saving:
        await page.get_by_role("button", name=say("consent-save")).click()
    saved = await (await saving.value).path()
    assert email in await asyncio.to_thread(saved.read_text)


async def test_erase_a_person_is_erased_once_the_address_is_typed_twice(
    page: Page, opens: Opens, say: Say, there: There, language: str
) -> None:
    email = await there.somebody(SHOPS[language])
    await there.hub.store.write(lambda tx: tx.run("delete from outbox"))
    await opens("/activity/erase")
    await page.get_by_label(say("person-address")).fill(email)
    await page.get_by_label(say("erase-again")).fill(email)
    await enter(page, page.get_by_role("button", name=say("erase-do")))
    await page.get_by_text("Erased: 1 contact" if language == "en" else "Gelöscht: 1 Kontakt").wait_for()


@pytest.mark.parametrize(("what", "button"), [("refused", "letters-dismiss"), ("held", "letters-discard")])
async def test_letters_one_that_was_given_up_or_is_held_is_ended_with_a_reason(
    page: Page, opens: Opens, say: Say, there: There, language: str, what: str, button: str
) -> None:
    await there.somebody(SHOPS[language])
    await opens("/letters")
    group = page.get_by_role("article").filter(has_text=f"{what}-{there.numbers}")
    await group.get_by_label(say("letters-why")).fill("no longer wanted")
    await group.get_by_role("button", name=say(button), exact=True).press("Enter")
    await page.get_by_text(say("letters-dismissed", count=1)).wait_for()


async def test_sync_a_dry_run_is_started_and_shows_each_contact(page: Page, opens: Opens, say: Say) -> None:
    await opens("/sync")
    await enter(page, page.get_by_role("button", name=say("sync-dry-run"), exact=True))
    await page.get_by_role("heading", name=say("sync-state-done", kind=say("sync-dry-run"))).wait_for()
    await page.get_by_role("rowheader", name="c2@example.com").wait_for()


async def test_notifications_somebody_is_added_and_removed(page: Page, opens: Opens, say: Say) -> None:
    await opens("/notifications")
    await page.get_by_label(say("told-name"), exact=True).fill("Eva")
    await page.get_by_label(say("told-to")).fill("https://hooks.example.com/in")
    await page.keyboard.press("Enter")
    await page.get_by_text(say("told-made", name="Eva")).wait_for()
    assert await page.get_by_label(say("told-secret")).input_value()
    await enter(page, page.get_by_role("button", name=say("told-remove")))
    await page.get_by_text(say("told-removed")).wait_for()


async def test_try_a_persons_own_address_is_watched(page: Page, opens: Opens, say: Say) -> None:
    await opens("/try")
    await page.get_by_label(say("try-email")).fill("own@example.com")
    await enter(page, page.get_by_role("button", name=say("try-watch")))
    await page.get_by_role("heading", name=say("try-way", email="own@example.com")).wait_for()
    await enter(page, page.get_by_role("button", name=say("try-end")))
    await page.get_by_label(say("try-email")).wait_for()


async def test_people_a_colleague_is_invited_and_comes_in(page: Page, opens: Opens, say: Say, there: There) -> None:
    await opens("/people")
    await page.get_by_label(say("people-name"), exact=True).fill("Eva")
    await page.keyboard.press("Enter")
    link = await page.get_by_label(say("people-link"), exact=True).input_value()
    colleague = await (await there.browser.new_context(locale=await page.evaluate("navigator.language"))).new_page()
    await colleague.goto(link)
    await enter(colleague, colleague.get_by_role("button", name=say("invited-accept")))
    await colleague.wait_for_url("**/overview")
    await colleague.context.close()


async def test_api_a_token_is_made_and_revoked(page: Page, opens: Opens, say: Say) -> None:
    await opens("/access")
    await page.get_by_label(say("access-name"), exact=True).fill("report")
    await page.keyboard.press("Enter")
    await page.get_by_text(say("access-made")).wait_for()
    await enter(page, page.get_by_role("button", name=say("access-revoke")))
    await page.get_by_text(say("access-revoked"), exact=False).first.wait_for()


async def test_history_an_earlier_state_is_returned_to(page: Page, opens: Opens, say: Say, language: str) -> None:
    await opens("/settings")
    sender = page.get_by_label("Sender" if language == "en" else "Absender")
    before = await sender.input_value()
    await sender.fill(f"{before} II")
    await page.keyboard.press("Enter")
    await page.get_by_text(say("saved")).wait_for()
    await opens("/history")
    await enter(page, page.get_by_role("link", name=say("history-return")).first)
    await page.wait_for_url("**/settings?from=*")
    assert await sender.input_value() == before
    await page.get_by_role("button", name=say("save"), exact=True).last.click()
    await page.get_by_text(say("saved")).wait_for()
    assert await sender.input_value() == before


async def test_operator_everything_is_stopped_and_goes_on(there: There, page: Page, say: Say) -> None:
    context = await there.browser.new_context(locale=await page.evaluate("navigator.language"))
    operator = await context.new_page()
    await operator.goto((await operator_link(there.hub, by="root"))["url"])
    await enter(operator, operator.get_by_role("button", name=say("operator-follow")))
    await enter(operator, operator.get_by_role("button", name=say("stop-do")))
    await operator.get_by_text(say("operator-stopped")).wait_for()
    await enter(operator, operator.get_by_role("button", name=say("go-on-do")))
    await operator.get_by_text(say("operator-went-on")).wait_for()
    await context.close()


async def test_disconnect_a_connection_is_ended(there: There, language: str, say: Say) -> None:
    page = await there.sets_up(language, f"9{SHOPS[language]}")
    await page.goto(there.url + "/disconnect")
    await page.get_by_label(say("parting-sure")).focus()
    await page.keyboard.press("Space")
    await enter(page, page.get_by_role("button", name=say("parting-do"), exact=True))
    await page.get_by_text(say("parted-now")).wait_for()
    await page.context.close()
