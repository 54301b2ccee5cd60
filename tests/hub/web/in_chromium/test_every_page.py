"""Each page in Chromium, filled and empty, in both languages, light and dark: axe, a phone's width, and a silent console.

axe-core 4.14.1 (MPL-2.0) stands in `axe/` for these tests alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from playwright.async_api import Browser, Page

from stellwerk.relay.backfill import Said
from stellwerk.relay.operator_link import operator_link
from stellwerk.relay.trace import Trace
from stellwerk.sdk import Contact, FieldSpec
from stellwerk.store import accounts, consent, contacts, outbox, repairs, syncs, traces
from stellwerk.store.contacts import ContactState
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.syncs import DryRow, Run
from stellwerk_rules.model import Because, Fact, FactKind, Permission, Planned, Remembered, SetFields

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
AXE = Path(__file__).parent / "axe" / "axe.min.js"
LogIn: TypeAlias = Callable[[Page], Awaitable[None]]
PATHS = (
    "/overview",
    "/activity",
    "/activity/contact",
    "/activity/consent",
    "/activity/erase",
    "/letters",
    "/sync",
    "/fields",
    "/history",
    "/access",
    "/settings",
    "/disconnect",
    "/people",
    "/notifications",
    "/try",
    "/activity/contact#unlink",
    "/activity/contact#unlinked",
)
BUTTONS = {
    "/activity/contact": (("Sync now", "Jetzt abgleichen"),),
    "/activity/contact#unlink": (("Unlink …", "Verknüpfung lösen …"),),
    "/activity/contact#unlinked": (("Unlink …", "Verknüpfung lösen …"), ("Unlink", "Verknüpfung lösen")),
}
"""What is pressed there, one after the other, where it is offered."""

LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 4
ADA = "ada@example.com"


@pytest.fixture
def elsewhere() -> list[str]:
    """Requests to anybody but us and the login."""
    return []


async def set_up(opened: Page) -> None:
    """Fills in what the settings page wants and saves."""
    await opened.get_by_label("Toypost API Key").fill("very-hidden-good-key")
    await opened.get_by_label("Silence means").select_option("no")
    await opened.get_by_role("button", name="Save").last.click()


@pytest.fixture
async def page(browser: Browser, served: str, log_in: LogIn, complaints: list[str], elsewhere: list[str]) -> Page:
    """The overview of a connection that was just saved by a person."""
    # axe is put in from outside, which a page's own policy would stop; a test of its own looks at the policy.
    context = await browser.new_context(locale="en-GB", bypass_csp=True)
    opened = await context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda one: None if one.url.startswith((served, "https://shop.test")) else elsewhere.append(one.url),
    )
    await log_in(opened)
    await set_up(opened)
    await opened.get_by_text("Saved. The connection is running.").wait_for()
    return opened


async def fill(hub: Any) -> None:
    """Something of everything, long words among it."""
    (one,) = await hub.connections_of("shop:7")
    because = Because(
        code="said-no", text=f"wants_letters is no, {LONG}", rule="enter", line=31, nearest=f"left: {LONG}"
    )
    write = Planned(
        key="k", system="post", change=SetFields(fields={}), because=Because(code="changed", text="changed: first")
    )
    steps = (
        Trace(what="created", reasons=(because,), outcome="skipped", answer=f"<b>422 {LONG}</b>"),
        Trace(what="changed", changes=(write,), reasons=(write.because,), outcome="decided"),
    )

    def work(tx: Any) -> None:
        now = hub.now()
        address = hub.vault.address(ADA)
        state = ContactState(
            connection=one.id, address=address, remembered=Remembered(ids={"shop": "4711", "post": "12"})
        )
        stored = contacts.save(tx, state, now)
        for step in steps:
            body = hub.vault.seal("shop:7", msgspec.json.encode(step))
            traces.add(
                tx,
                connection=one.id,
                contact=stored.id,
                address=address,
                event="e1",
                kind=step.outcome,
                body=body,
                now=now,
            )
        at = datetime(2026, 11, 24, tzinfo=UTC)
        consent.add(tx, "post:900", address, one.id, [
            Fact(kind=FactKind.ASKED, key="a", at=at, event="e1", told_by="post", plus=True),
            Fact(kind=FactKind.CONFIRMED, key="c", at=at, event="e2", told_by="post", permission=Permission.DOUBLE),
            Fact(kind=FactKind.OPTED_OUT, key="o", at=at, event="e3", told_by="post", final=False),
        ], now)  # fmt: skip
        for number, held in enumerate(("dead", "dead", "held")):
            outbox.put(tx, NewDelivery(
                account="post:900", connection=one.id, contact=stored.id, tag="create", once=f"{number}", urgency=1,
                due=4e9, body=b"x", event="e1", created=now, state="held", text=LONG,
            ))  # fmt: skip
            tx.run(
                "update outbox set state = :state, code = 'invalid-address' where once = :once",
                state=held,
                once=f"{number}",
            )
        for subject, code in (
            (one.id, "field-missing"),
            ("shop:7", "unauthorized"),
            (one.id, "of-its-own"),
            (f"{one.id}/5", "old-wish"),
        ):
            repairs.open_(tx, subject, code, LONG, now)
        accounts.set_state(tx, "shop:7", "reauthorize", "unauthorized", "x")
        plan = hub.book(one).plan.hash
        run = syncs.add(tx, Run(
            connection=one.id, account="shop:7", kind="dry", ask=True, made_by="jo", started=now, version=one.version,
            plan=plan, due=now,
        ))  # fmt: skip
        said = Said(
            email=f"{LONG[:60]}@example.com", text=f"wants_letters is no, {LONG}", rule="enter", line=31, new=True
        )
        sealed = hub.vault.seal("shop:7", msgspec.json.encode(said))
        words = ("mailed", "skipped", "changed")
        rows = [
            DryRow(remote=str(n), address=None, what=what, code="said-no", body=sealed) for n, what in enumerate(words)
        ]
        syncs.put_rows(tx, run.id, rows)
        syncs.count(tx, run.id, words)
        syncs.turned(tx, run, None, len(rows), now)
        syncs.go(tx, run, "done", now)

    await hub.store.write(work)


async def go(page: Page, served: str, path: str, language: str) -> None:
    await page.goto(f"{served}{path.partition('#')[0]}?lang={language}")
    if path in ("/activity", "/activity/consent", *BUTTONS):
        await page.locator("#who").fill(ADA)
        await page.locator("#who").press("Enter")
        await page.wait_for_load_state()
    for english, german in BUTTONS.get(path, ()):
        button = page.get_by_role("button", name=english if language == "en" else german, exact=True)
        if await button.count():
            await button.click()
            await page.wait_for_url("**/activity/contact")
    ask = page.get_by_role("button", name="What would happen?" if language == "en" else "Was würde geschehen?").first
    if path == "/letters" and await ask.count():
        await ask.click()
        await page.wait_for_load_state()
    if path == "/access":
        await page.locator("#name").fill("Nightly report")
        await page.get_by_role("button", name="Make a token" if language == "en" else "Token anlegen").click()
        await page.wait_for_load_state()
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


async def faults(page: Page) -> list[str]:
    await page.add_script_tag(path=AXE)
    found = await page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize(
    ("filled", "language"),
    [
        pytest.param(True, "de", id="filled-de"),
        pytest.param(True, "en", id="filled-en", marks=pytest.mark.long),
        pytest.param(False, "de", id="empty-de", marks=pytest.mark.long),
        pytest.param(False, "en", id="empty-en", marks=pytest.mark.long),
    ],
)
async def test_every_page_is_accessible_and_fits_a_phone_in_light_and_dark(
    page: Page,
    served: str,
    hub: Any,
    world: Any,
    language: str,
    filled: bool,
    complaints: list[str],
    elsewhere: list[str],
) -> None:
    if filled:
        await fill(hub)
        world_fields = [FieldSpec(name="FIRST"), *(FieldSpec(name=f"F{number}{LONG[:40]}") for number in range(30))]

        async def fields(self: Any) -> list[FieldSpec]:
            return world_fields

        hub.systems["post"].connector.fields = fields
    pictures = os.environ.get("STELLWERK_PICTURES")
    wrong: list[str] = []
    for path in PATHS:
        for scheme, width in (("light", 320), ("dark", 1200)):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await page.set_viewport_size({"width": width, "height": 800})
            await go(page, served, path, language)
            wrong += [f"{path} {scheme} {width}: {fault}" for fault in await faults(page)]
            seen = await page.locator("body").inner_text()
            wrong += [f"{path} shows {day} as a program writes it" for day in re.findall(r"\d{4}-\d\d-\d\d", seen)]
            wide = await page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                wrong.append(f"{path} is {wide} wide on a screen of {width}")
            if pictures:
                state = "filled" if filled else "empty"
                name = f"{path[1:].replace('#', '-')}-{state}-{language}-{scheme}-{width}.png"
                await page.screenshot(path=Path(pictures) / name, full_page=True)
    assert wrong == []
    assert elsewhere == []
    assert complaints == []


async def test_the_way_through_all_pages_needs_no_mouse(page: Page, served: str) -> None:
    await page.goto(served + "/overview")
    for name, path in (
        ("Activity", "/activity"),
        ("Dead letters", "/letters"),
        ("Fields", "/fields"),
        ("History", "/history"),
    ):
        link = page.get_by_role("navigation", name="Pages").get_by_role("link", name=name)
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await link.evaluate("one => one === document.activeElement"):
                break
        await page.keyboard.press("Enter")
        await page.wait_for_url("**" + path)
        assert await page.get_by_role("navigation", name="Pages").locator("[aria-current=page]").inner_text() == name


async def test_a_pages_own_policy_stops_nothing_of_ours(
    browser: Browser, served: str, log_in: LogIn, complaints: list[str]
) -> None:
    opened = await (await browser.new_context(locale="en-GB")).new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    await log_in(opened)
    await set_up(opened)
    await opened.get_by_text("Saved. The connection is running.").wait_for()
    for path in PATHS:
        await opened.goto(served + path)
    assert complaints == []


async def test_a_dry_run_and_a_sync_are_seen_through_and_stopped(
    browser: Browser, served: str, log_in: LogIn, world: Any, complaints: list[str]
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    world.contacts = [
        Contact(id=str(n), email=f"c{n}@example.com", fields={"wants_letters": "yes"}, created_at=at, read_at=at)
        for n in range(3)
    ]
    opened = await (await browser.new_context(locale="en-GB")).new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    await log_in(opened)
    await set_up(opened)
    await opened.get_by_text("Saved. The connection is running.").wait_for()
    await opened.goto(f"{served}/sync")
    await opened.get_by_role("button", name="Dry run").click()
    # Nobody loads the page again: the stream tells it that the dry run is over.
    await opened.get_by_role("heading", name="Dry run: done").wait_for()
    await opened.get_by_role("rowheader", name="c2@example.com").wait_for()
    await opened.get_by_role("button", name="Start").click()
    await opened.get_by_role("heading", name="Sync: under way").wait_for()
    await opened.get_by_role("button", name="Stop").click()
    await opened.get_by_role("heading", name="Sync: stopped").wait_for()
    await opened.get_by_role("button", name="Cancel").click()
    await opened.get_by_role("heading", name="Sync: cancelled").wait_for()
    assert complaints == []


async def test_without_scripts_a_person_rests_the_connection_searches_and_makes_a_token(
    browser: Browser, log_in: LogIn
) -> None:
    opened = await (await browser.new_context(locale="en-GB", java_script_enabled=False)).new_page()
    await log_in(opened)
    await set_up(opened)
    await opened.get_by_role("link", name="Overview").click()
    await opened.get_by_role("button", name="Let it rest").click()
    await opened.get_by_text("The connection rests now.").wait_for()
    await opened.get_by_role("link", name="Activity").click()
    await opened.get_by_label("E-mail address or contact number").fill(ADA)
    await opened.get_by_role("button", name="Search").click()
    await opened.get_by_text("No event of this contact has ever arrived.").wait_for()
    await opened.get_by_role("link", name="API").click()
    await opened.get_by_label("Name").fill("report")
    await opened.get_by_role("button", name="Make a token").click()
    await opened.get_by_text("it is not shown again").wait_for()


async def test_a_tried_address_lights_up_step_by_step_without_a_click(page: Page, served: str, hub: Any) -> None:
    await page.goto(served + "/try")
    await page.get_by_label("Your e-mail address").fill(ADA)
    await page.get_by_role("button", name="Only watch").click()
    told = page.get_by_role("listitem").filter(has_text="ToyShop told us of the contact")
    await told.filter(has_text="waiting").wait_for()
    asked_for: list[str] = []
    page.on("request", lambda one: asked_for.append(one.url.removeprefix(served)))
    await fill(hub)
    await told.filter(has_text="done").wait_for()
    await page.get_by_role("listitem").filter(has_text="You confirmed by the link").filter(has_text="done").wait_for()
    # The hub tells it: a page that asks again and again would be late, or a burden.
    assert "/try" not in asked_for


async def shown(page: Page, what: str) -> list[str]:
    """The faults of the page as it stands, on a phone in light and on a desk in dark."""
    wrong: list[str] = []
    for scheme, width in (("light", 320), ("dark", 1200)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 800})
        wrong += [f"{what} {scheme} {width}: {fault}" for fault in await faults(page)]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        wrong += [f"{what} is {wide} wide on a screen of {width}"] if wide > width else []
    return wrong


async def test_what_a_link_opens_is_accessible_and_fits_a_phone(page: Page, served: str, hub: Any) -> None:
    await fill(hub)
    await page.goto(served + "/people")
    await page.get_by_label("Name").fill(LONG[:80])
    await page.get_by_role("button", name="Make the link").click()
    invited = await page.locator("#made").input_value()
    wrong = await shown(page, "an invitation made")
    await page.goto(invited)
    wrong += await shown(page, "an invitation")
    await page.goto((await operator_link(hub, by="root"))["url"])
    wrong += await shown(page, "an operator's link")
    await page.get_by_role("button", name="Show all connections").click()
    await page.wait_for_url("**/operator")
    wrong += await shown(page, "the operator's page")
    assert wrong == []


async def test_settings_foreseen_and_another_account_are_accessible_and_fit_a_phone(
    page: Page, served: str, world: Any
) -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    world.contacts = [
        Contact(id=str(n), email=f"{n}@example.com", fields={"wants_letters": "yes"}, created_at=at, read_at=at)
        for n in range(5)
    ]
    await page.goto(served + "/settings")
    await page.get_by_label("Ask first").check()
    await page.get_by_role("button", name="Show what this would do").click()
    await page.get_by_text("Of the last 5 contacts in ToyShop:").wait_for()
    await page.locator("summary").click()
    wrong = await shown(page, "settings foreseen")
    await page.get_by_role("button", name="Change API Key").click()
    await page.get_by_label("Toypost API Key").fill("very-hidden-other-key")
    await page.get_by_role("button", name="Test API Key").click()
    await page.get_by_text("This is another account: Other Letters").wait_for()
    wrong += await shown(page, "another account")
    assert wrong == []
