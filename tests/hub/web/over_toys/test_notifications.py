"""Named people are told of repairs: once when they open, once when they are mended, a storm in one message."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay.notifying import GATHER_SECONDS, MOST_ATTEMPTS, QUIET_SECONDS, tell_of_repairs
from stellwerk.store import connections, repairs
from stellwerk.web.limits import NOTIFICATION_TESTS
from stellwerk.web.notification_letter import letter
from stellwerk_toys.listeners import HookListener, PostOffice, listening
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
KIM = "kim@team.example"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
SECRET_LINE = "  secret_key: env:TOYS_SECRET_KEY\n"


@pytest.fixture
async def hook() -> AsyncIterator[HookListener]:
    made = HookListener()
    async with listening(made.answer) as made.port:
        yield made


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    made = PostOffice()
    async with listening(made.answer) as made.port:
        yield made


@pytest.fixture
def told_by(office: PostOffice) -> str:
    """What the operator says of notifications; a test may say something else."""
    return f"  notify_internal: true\n  smtp: {{host: 127.0.0.1, port: {office.port}, security: none, sender: hub@toys.example}}\n"


@pytest.fixture
async def yard(world: World, tmp_path: Path, told_by: str) -> AsyncIterator[Yard]:
    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8").replace(SECRET_LINE, SECRET_LINE + told_by), "utf-8")
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect({})
    yield made
    await made.stop()


async def press(guest: Any, action: str, **values: str) -> Any:
    token = (await guest.open("/notifications")).form.values["token"]
    return await guest.post("/notifications", {"token": token, "action": action, **values})


async def named(guest: Any, hook: HookListener) -> str:
    """Kim is told by a webhook from now on; its secret."""
    page = await press(guest, "add", name="Kim", kind="webhook", to=hook.url)
    assert page.status == 200, page.text
    (secret,) = [given["value"] for _, given in page.read.tags if given.get("id") == "secret"]
    return str(secret)


async def mailed(guest: Any, language: str = "en") -> None:
    await guest.open(f"/notifications?lang={language}")
    page = await press(guest, "add", name="Kim", kind="email", to=KIM)
    assert page.status == 200, page.text


async def breaks(yard: Yard, code: str = "old-wish", *contacts: int, name: str = "toys") -> None:
    def work(tx: Any) -> None:
        for one in contacts or (None,):
            subject = name if one is None else f"{name}/{one}"
            repairs.open_(tx, subject, code, f"of {ADA}", yard.hub.now())

    await yard.store.write(work)


async def mends(yard: Yard, code: str = "old-wish", subject: str = "toys") -> None:
    await yard.store.write(lambda tx: repairs.close(tx, subject, code, yard.hub.now()))


async def after(yard: Yard, seconds: float) -> None:
    yard.world.clock.now += seconds
    await tell_of_repairs(yard.hub, letter)


def told(hook: HookListener) -> list[dict[str, Any]]:
    return [json.loads(call.body) for call in hook.calls]


async def test_a_repair_is_told_once_when_it_opens_and_once_when_it_is_mended(
    guest: Any, yard: Yard, hook: HookListener
) -> None:
    await named(guest, hook)
    await breaks(yard)
    await after(yard, GATHER_SECONDS)
    (first,) = told(hook)
    assert [(one["code"], one["count"]) for one in first["opened"]] == [("old-wish", 1)]
    assert (first["format"], first["what"], first["connection"], first["left"]) == (
        "stellwerk-notification-1", "repairs", "toys", 1,
    )  # fmt: skip
    assert first["url"] == "https://hub.toys.example/overview"
    for _ in range(3):
        await breaks(yard)
        await after(yard, QUIET_SECONDS)
    assert len(hook.calls) == 1
    await mends(yard)
    await after(yard, GATHER_SECONDS)
    assert [one["code"] for one in told(hook)[1]["mended"]] == ["old-wish"]
    assert (told(hook)[1]["opened"], told(hook)[1]["left"]) == ([], 0)
    await after(yard, QUIET_SECONDS)
    assert len(hook.calls) == 2


async def test_a_storm_of_repairs_is_one_message_that_counts_them(guest: Any, yard: Yard, hook: HookListener) -> None:
    await named(guest, hook)
    for start in (0, 100, 200):
        await breaks(yard, "old-wish", *range(start, start + 100))
        await after(yard, GATHER_SECONDS / 4)
    assert hook.calls == []
    await after(yard, GATHER_SECONDS)
    (one,) = told(hook)
    assert [(cause["code"], cause["count"]) for cause in one["opened"]] == [("old-wish", 300)]


async def test_one_that_opens_and_closes_all_the_time_makes_one_message_in_ten_minutes(
    guest: Any, yard: Yard, hook: HookListener
) -> None:
    await named(guest, hook)
    for _ in range(40):
        await breaks(yard)
        await after(yard, GATHER_SECONDS)
        await mends(yard)
        await after(yard, GATHER_SECONDS)
    minutes = 40 * 2 * GATHER_SECONDS / 60
    assert minutes / 20 <= len(hook.calls) <= minutes * 60 / QUIET_SECONDS + 1


async def test_what_is_mended_before_anybody_was_told_is_not_told(guest: Any, yard: Yard, hook: HookListener) -> None:
    await named(guest, hook)
    await breaks(yard)
    await mends(yard)
    await after(yard, QUIET_SECONDS)
    assert hook.calls == []


async def test_what_was_open_before_somebody_was_named_is_not_told(guest: Any, yard: Yard, hook: HookListener) -> None:
    await breaks(yard)
    yard.world.clock.now += 1
    await named(guest, hook)
    await after(yard, QUIET_SECONDS)
    assert hook.calls == []


async def test_repairs_of_another_connection_are_not_told(guest: Any, yard: Yard, hook: HookListener) -> None:
    await yard.connect(name="second")
    await named(guest, hook)
    await breaks(yard, name="second")
    await after(yard, QUIET_SECONDS)
    assert hook.calls == []


async def test_nothing_of_any_contact_is_told(guest: Any, yard: Yard, hook: HookListener, office: PostOffice) -> None:
    await named(guest, hook)
    await mailed(guest)
    await breaks(yard, "old-wish", 4711)
    await after(yard, GATHER_SECONDS)
    text = hook.calls[0].body.decode() + office.mails[0].get_content()
    assert ADA not in text
    assert "4711" not in text


async def test_a_webhook_is_signed_with_its_secret_over_time_and_body(
    guest: Any, yard: Yard, hook: HookListener
) -> None:
    secret = await named(guest, hook)
    await breaks(yard)
    await after(yard, GATHER_SECONDS)
    (call,) = hook.calls
    moment, _, digest = call.headers["stellwerk-signature"].partition(",")
    assert moment == f"t={int(yard.hub.now())}"
    signed = moment.removeprefix("t=").encode() + b"." + call.body
    assert digest == "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert call.target == "/told?by=stellwerk"
    assert call.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_what_is_not_taken_is_told_again_and_then_no_more(
    guest: Any, yard: Yard, hook: HookListener, status: int
) -> None:
    await named(guest, hook)
    await breaks(yard)
    hook.status = status
    await after(yard, GATHER_SECONDS)
    assert "is tried again: the webhook answered with an error." in (await guest.open("/notifications")).text
    await after(yard, 1)
    assert len(hook.calls) == 1
    hook.status = 200
    await after(yard, 60)
    await after(yard, 3600)
    assert len(hook.calls) == 2
    assert told(hook)[0] == told(hook)[1]
    assert "Last told on" in (await guest.open("/notifications")).text


async def test_what_is_never_taken_is_given_up_and_said_to(guest: Any, yard: Yard, hook: HookListener) -> None:
    await named(guest, hook)
    await breaks(yard)
    hook.status = 500
    for _ in range(MOST_ATTEMPTS + 3):
        await after(yard, 3600)
    assert len(hook.calls) == MOST_ATTEMPTS
    assert "was given up: the webhook answered with an error." in (await guest.open("/notifications")).text


async def test_a_hub_that_ends_before_it_told_tells_after_its_start(guest: Any, yard: Yard, hook: HookListener) -> None:
    await named(guest, hook)
    await breaks(yard)
    hook.status = 500
    await after(yard, GATHER_SECONDS)
    await yard.restart()
    hook.status = 200
    await after(yard, 60)
    assert len(hook.calls) == 2
    await after(yard, 3600)
    assert len(hook.calls) == 2


async def test_a_webhook_that_does_not_answer_holds_up_no_contact(
    guest: Any, yard: Yard, hook: HookListener, world: World
) -> None:
    await named(guest, hook)
    await breaks(yard)
    hook.status = None
    telling = asyncio.create_task(after(yard, GATHER_SECONDS))
    await hook.called.wait()
    world.form(ADA, YES)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
    assert not telling.done()
    hook.let_go.set()
    await telling


async def test_a_mail_says_what_to_mend_where_and_why_it_came(guest: Any, yard: Yard, office: PostOffice) -> None:
    await mailed(guest)
    await breaks(yard, "old-wish", 1, 2)
    await after(yard, GATHER_SECONDS)
    (mail,) = office.mails
    assert office.recipients == [KIM]
    assert mail["subject"] == "The toy shop's newsletter: 2 to be mended"
    assert mail["from"] == "hub@toys.example"
    text = mail.get_content()
    assert "(2 × old-wish)" in text
    assert "https://hub.toys.example/overview" in text
    assert "Sent to Kim, whom Eva (jo) has named for this." in text


async def test_a_mail_is_german_for_who_was_named_on_a_german_page(guest: Any, yard: Yard, office: PostOffice) -> None:
    await mailed(guest, "de")
    await breaks(yard)
    await after(yard, GATHER_SECONDS)
    (mail,) = office.mails
    assert mail["subject"] == "The toy shop's newsletter: 1 zu beheben"
    assert "Näheres und was zu tun ist" in mail.get_content()


async def test_a_mail_that_goes_out_again_has_the_same_id(guest: Any, yard: Yard, office: PostOffice) -> None:
    await mailed(guest)
    await breaks(yard)
    office.refuses = True
    await after(yard, GATHER_SECONDS)
    assert office.mails == []
    assert "the mail server refused the message." in (await guest.open("/notifications")).text
    office.refuses = False
    await after(yard, 60)
    await yard.store.write(lambda tx: tx.run("update notification set state = 'waiting', due = 0"))
    await after(yard, 60)
    assert len({mail["message-id"] for mail in office.mails}) == 1
    assert len(office.mails) == 2


async def test_a_test_message_goes_out_at_once_and_is_counted(guest: Any, yard: Yard, hook: HookListener) -> None:
    await named(guest, hook)
    page = await guest.open("/notifications")
    (value,) = [value for form in page.read.forms for _, value, _ in form.buttons if value.startswith("test:")]
    for _ in range(NOTIFICATION_TESTS.count + 1):
        await press(guest, value)
    assert "Ten test messages an hour are enough." in (await guest.open("/notifications")).text
    await after(yard, 0)
    assert [one["what"] for one in told(hook)] == ["test"] * NOTIFICATION_TESTS.count
    await breaks(yard)
    await after(yard, GATHER_SECONDS)
    assert told(hook)[-1]["what"] == "repairs", "a test is no reason to wait"


async def test_who_is_removed_is_told_nothing_more_and_the_history_names_both(
    guest: Any, yard: Yard, hook: HookListener
) -> None:
    await named(guest, hook)
    page = await guest.open("/notifications")
    (value,) = [value for form in page.read.forms for _, value, _ in form.buttons if value.startswith("remove:")]
    await breaks(yard)
    assert (await press(guest, value)).where == "/notifications"
    await after(yard, QUIET_SECONDS)
    assert hook.calls == []
    history = (await guest.open("/history")).text
    assert "Kim is told of repairs." in history
    assert "Kim is told of repairs no more." in history
    assert "Kim wird nicht mehr benachrichtigt." in (await guest.open("/history?lang=de")).text


async def test_a_connection_that_was_ended_tells_nobody(guest: Any, yard: Yard, hook: HookListener) -> None:
    await named(guest, hook)
    await breaks(yard)
    one = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    await yard.store.write(lambda tx: connections.end(tx, one, who="jo", now=yard.hub.now()))
    await after(yard, QUIET_SECONDS)
    assert hook.calls == []


async def test_neither_address_nor_secret_stands_anywhere_in_clear(
    guest: Any, yard: Yard, hook: HookListener, office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    secret = await named(guest, hook)
    await mailed(guest)
    assert secret not in (await guest.open("/notifications")).answer.text, "it is shown once"
    hook.status, office.refuses = 500, True
    await breaks(yard)
    await after(yard, GATHER_SECONDS)
    assert "recipient" in caplog.text
    for text in (KIM, secret, hook.url):
        assert text not in caplog.text
    await yard.stop()
    yard.assert_no_clear_text(KIM, secret, hook.url)
    await yard.start()


@pytest.mark.parametrize("told_by", [""])
async def test_without_a_mail_server_the_page_says_so_and_offers_a_webhook(guest: Any, yard: Yard) -> None:
    page = await guest.open("/notifications")
    assert "This hub sends no e-mail" in page.text
    assert page.form.options["kind"] == ["webhook"]
    assert "Dieser Hub versendet keine E-Mails" in (await guest.open("/notifications?lang=de")).text
    await guest.open("/notifications?lang=en")
    refused = await press(guest, "add", name="Kim", kind="email", to=KIM)
    assert refused.status == 422
    assert "it cannot send e-mail" in refused.text


@pytest.mark.parametrize("to", ["kim", "kim@team", "a@b.example, c@d.example", "kim@team.example\nBcc: x@y.example", "<k@t.example>", "k@t.example;", "ö" * 300])  # fmt: skip
async def test_what_is_no_single_address_is_refused_and_kept(guest: Any, office: PostOffice, to: str) -> None:
    page = await press(guest, "add", name="Kim", kind="email", to=to)
    assert page.status == 422
    assert "Please enter one e-mail address." in page.text
    assert page.form.values["name"] == "Kim"


async def test_a_program_adds_tests_and_removes(guest: Any, yard: Yard, hook: HookListener) -> None:
    from stellwerk.store import api_tokens

    hub = yard.hub
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="toys", name="r", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    made = (
        await guest.client.post(
            "/api/recipients", headers=sent, json={"name": "Kim", "kind": "webhook", "to": hook.url, "language": "de"}
        )
    ).json()
    assert made["secret"]
    (listed,) = (await guest.client.get("/api/recipients", headers=sent)).json()
    assert (listed["name"], listed["secret"], listed["last"]) == ("Kim", None, None)
    path = f"/api/recipients/{made['id']}"
    assert (await guest.client.post(f"{path}/test", headers=sent)).status_code == 202
    await after(yard, 0)
    assert [one["what"] for one in told(hook)] == ["test"]
    assert (await guest.client.post(f"{path}/remove", headers=sent)).status_code == 204
    assert (await guest.client.post(f"{path}/test", headers=sent)).status_code == 404
    refused = await guest.client.post("/api/recipients", headers=sent, json={"name": "K", "kind": "email", "to": "k@x"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "not-an-address")
