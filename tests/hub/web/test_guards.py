"""Forged forms, changed cookies, headers, and what an error tells whom."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from stellwerk.errors import StoreError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/settings", "/connections", "/logout"])
async def test_a_form_without_the_sessions_token_is_refused(person: Any, path: str) -> None:
    await person.logs_in()
    page = await person.post(path, {"action": "save", "connection": "new"})
    assert page.status == 403
    assert "does not belong to your session" in page.text
    assert (await person.open("/settings")).status == 200


async def test_a_token_of_another_session_is_refused(person: Any, somebody: Any) -> None:
    await person.logs_in()
    foreign = (await somebody().logs_in("8")).form.values["token"]
    assert (await person.post("/settings", {"action": "save", "token": foreign})).status == 403


async def test_an_empty_token_is_no_token(person: Any) -> None:
    assert (await person.post("/settings", {"action": "save", "token": ""})).status == 403


async def test_a_form_sent_by_another_site_is_refused_even_with_the_token(person: Any) -> None:
    token = (await person.logs_in()).form.values["token"]
    sent = {"action": "test-key", "token": token}
    assert (await person.post("/settings", sent, **{"sec-fetch-site": "cross-site"})).status == 403
    assert (await person.post("/settings", sent, **{"sec-fetch-site": "same-origin"})).status == 200


async def test_a_form_of_another_content_type_is_refused(person: Any) -> None:
    token = (await person.logs_in()).form.values["token"]
    answer = await person.client.post("/settings", json={"token": token, "action": "save"})
    assert answer.status_code == 403


async def test_an_oversized_form_is_refused(person: Any) -> None:
    token = (await person.logs_in()).form.values["token"]
    assert (await person.post("/settings", {"token": token, "action": "save", "x": "y" * 200_000})).status == 413


async def test_webhooks_need_no_token(person: Any) -> None:
    # 401 by the webhook itself: the path holds no secret that the hub knows.
    answer = await person.client.post("/webhooks/toypost/nothing/doi", content=b"{}")
    assert answer.status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(person: Any) -> None:
    answer = (await person.open("/login/shop")).answer
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("stellwerk=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


async def test_the_cookie_tells_nothing_to_who_holds_it(person: Any) -> None:
    await person.submit(await person.logs_in(), action="test-key", account__post__api_key="very-hidden-good-key")
    clear = b64decode(person.cookie() + "===")
    assert b"very-hidden" not in clear
    assert b"jo@shop7.example" not in clear
    assert b"shop:7" not in clear


def tampered(cookie: str) -> list[str]:
    raw = b64decode(cookie)
    flipped = bytes([*raw[:20], raw[20] ^ 1, *raw[21:]])
    later = raw.replace(b'"expires_at":1', b'"expires_at":9')
    broken = raw.replace(b'"expires_at"', b'"expired_at"')
    no_json = raw.replace(b'{"expires_at"', b'["expires_at"')
    deep = raw.replace(b'{"expires_at"', b"[" * 20_000 + b'{"expires_at"')
    texts = [b64encode(one).decode() for one in (flipped, later, broken, no_json, deep, raw[:11])]
    return [*texts, "null", "%%%", "ä", cookie[:-8], cookie[:30]]


async def test_a_changed_cookie_is_as_good_as_none(person: Any) -> None:
    await person.logs_in()
    cookie = person.cookie()
    person.client.cookies.clear()
    assert (await person.open("/settings", cookie=f"stellwerk={cookie}")).status == 200
    for bad in tampered(cookie):
        person.client.cookies.clear()
        sent = {"cookie": f"stellwerk={bad}".encode()}
        answer = await person.client.get("/settings", headers=sent, follow_redirects=False)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/"), bad


async def test_every_answer_has_the_security_headers(person: Any) -> None:
    for path in ("/", "/settings", "/static/stellwerk.css", "/nothing", "/health"):
        headers = (await person.open(path)).answer.headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers


async def test_pages_are_kept_by_no_cache_and_files_are_asked_for_again(person: Any) -> None:
    assert (await person.open("/")).answer.headers["cache-control"] == "no-store"
    assert (await person.open("/static/stellwerk.css")).answer.headers["cache-control"] == "no-cache"


async def test_pages_hold_nothing_inline_and_nothing_from_elsewhere(person: Any) -> None:
    for page in (await person.open("/"), await person.logs_in(), await person.open("/connections")):
        for tag, given in page.read.tags:
            assert "style" not in given
            assert not any(name.startswith("on") for name in given)
            assert tag != "style"
            for name in ("src", "action") if tag != "link" else ("href",):
                assert given.get(name, "/").startswith("/")
        assert page.answer.text.count("<script") == page.answer.text.count('<script src="/static/')


async def test_every_input_has_a_label_and_every_id_stands_once(person: Any) -> None:
    page = await person.logs_in()
    assert len(page.read.ids) == len(set(page.read.ids))
    for tag, given in page.read.tags:
        if tag in ("input", "select") and given.get("type") != "hidden":
            assert page.read.labels[given["id"]]
        for one in given.get("aria-describedby", "").split():
            assert one in page.read.ids


async def test_a_missing_page_is_a_page_for_people_and_a_document_for_programs(person: Any) -> None:
    page = await person.open("/nothing", accept="text/html")
    assert page.status == 404
    assert "There is nothing here." in page.text
    answer = (await person.open("/api/nothing")).answer
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404}


async def test_a_wrong_method_is_told_as_one(person: Any) -> None:
    assert (await person.post("/login/shop", {})).status == 405


async def test_a_store_that_takes_nothing_is_told_without_its_words(person: Any, hub: Any, all_logs: Any) -> None:
    page = await person.logs_in()
    typed = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no"}

    async def full(work: Any) -> Any:
        raise StoreError("the disk of host db7 is full")

    write, hub.store.write = hub.store.write, full
    try:
        page = await person.submit(page, action="save", **typed)
    finally:
        hub.store.write = write
    assert page.status == 503
    assert "cannot save anything at the moment" in page.text
    assert "db7" not in page.answer.text
    assert "db7 is full" in all_logs.text


async def test_a_bug_is_a_plain_page_and_a_log_line(person: Any, hub: Any, all_logs: Any) -> None:
    await person.logs_in()

    def broken(brand: str = "") -> Any:
        raise ZeroDivisionError("inner words of ada@example.com")

    hub.book, book = broken, hub.book
    try:
        page = await person.open("/settings")
    finally:
        hub.book = book
    assert page.status == 500
    assert "Something went wrong on our side." in page.text
    assert "inner words" not in page.answer.text
    assert "a bug stopped GET settings: ZeroDivisionError at test_guards.py:" in all_logs.text
    assert "inner words" not in all_logs.text, "what an exception says may be what somebody wrote"


@pytest.mark.parametrize(
    "name", ["%00", "stellwerk.css%00", "x" * 300, "..%2Froutes.py", "%2Fetc%2Fpasswd", "a%2Fstellwerk.css"]
)
async def test_a_name_that_no_file_has_is_nothing_and_no_bug(person: Any, all_logs: Any, name: str) -> None:
    answer = (await person.open(f"/static/{name}", accept="text/html")).answer
    assert answer.status_code == 404
    assert "a bug stopped" not in all_logs.text


@pytest.fixture
def open_umask() -> Iterator[None]:
    """New files may be read and written by everybody, unless whoever makes them says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


async def test_every_file_beside_the_database_is_for_the_hubs_own_user_alone(
    open_umask: None, person: Any, hub: Any
) -> None:
    await person.sets_up()
    files = [one for one in hub.database.parent.iterdir() if one.name.startswith(hub.database.name)]
    assert {one.name.removeprefix(hub.database.name) for one in files} == {
        "",
        "-wal",
        "-shm",
        ".lock",
        ".sock",
        ".instance",
    }
    assert {one.name: oct(one.stat().st_mode & 0o077) for one in files} == {one.name: "0o0" for one in files}


class TestOverHttps:
    @pytest.fixture
    def public_url(self) -> str:
        return "https://hub.test"

    async def test_the_cookie_is_for_https_alone_and_browsers_are_told_to_stay_there(self, person: Any) -> None:
        answer = (await person.open("/login/shop")).answer
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-stellwerk=")
        assert "Secure" in cookie
        assert answer.headers["strict-transport-security"] == "max-age=31536000"

    async def test_the_login_works(self, person: Any) -> None:
        assert (await person.logs_in()).status == 200
