"""Login through the system's OAuth: there, back, and every way it can fail."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_the_first_page_offers_the_login_under_the_systems_own_name(person: Any) -> None:
    page = await person.open("/")
    assert page.status == 200
    assert "Login with ToyShop" in page.text
    assert ("a", "http://hub.test/login/shop") in [(tag, given.get("href")) for tag, given in page.read.tags]


async def test_login_goes_to_the_system_with_state_and_challenge_and_where_to_come_back(person: Any) -> None:
    asked = await person.goes_to_shop()
    assert asked["redirect_uri"] == "http://hub.test/oauth/shop/callback"
    assert len(asked["state"]) >= 32
    assert len(asked["code_challenge"]) == 43


async def test_a_granted_login_ends_on_the_settings_page(person: Any) -> None:
    page = await person.logs_in()
    assert page.status == 200
    assert "ToyShop account: Shop 7" in page.text
    assert "Logged in as jo@shop7.example" in page.text


async def test_every_login_has_a_state_of_its_own(person: Any) -> None:
    assert (await person.goes_to_shop())["state"] != (await person.goes_to_shop())["state"]


async def test_two_tabs_can_log_in_at_once(person: Any) -> None:
    first, second = await person.goes_to_shop(), await person.goes_to_shop()
    assert (await person.comes_back(first)).status == 303
    assert (await person.open("/settings")).status == 200
    # The login made a new session, so that the other tab begins again rather than mixing two people.
    assert (await person.comes_back(second)).status == 400


async def test_a_state_of_nobody_is_refused_with_a_sentence(person: Any) -> None:
    asked = await person.goes_to_shop()
    page = await person.comes_back({**asked, "state": "made-up"})
    assert page.status == 400
    assert "was not begun in this browser" in page.text
    assert (await person.open("/settings")).where == "/"


async def test_a_state_begun_in_another_browser_is_refused(person: Any, somebody: Any) -> None:
    asked = await person.goes_to_shop()
    page = await somebody().comes_back(asked)
    assert page.status == 400
    assert "was not begun in this browser" in page.text


async def test_a_state_counts_once_even_when_the_cookie_of_before_comes_again(person: Any, world: Any) -> None:
    asked = await person.goes_to_shop()
    before = person.cookie()
    assert (await person.comes_back(asked)).status == 303
    person.client.cookies.clear()
    world.codes["fresh"] = ("7", asked["code_challenge"])
    again = await person.open(f"/oauth/shop/callback?code=fresh&state={asked['state']}", cookie=f"stellwerk={before}")
    assert again.status == 400
    assert "was not begun in this browser, or it has been used already" in again.text
    assert "fresh" in world.codes


async def test_a_login_older_than_ten_minutes_is_refused(person: Any, hub: Any) -> None:
    asked = await person.goes_to_shop()
    began = hub.now()
    hub.now = lambda: began + 601
    page = await person.comes_back(asked)
    assert page.status == 400
    assert "ten minutes" in page.text


async def test_a_refused_access_is_a_plain_sentence(person: Any) -> None:
    asked = await person.goes_to_shop()
    page = await person.open(f"/oauth/shop/callback?error=access_denied&state={asked['state']}")
    assert page.status == 403
    assert "Access was not granted at ToyShop" in page.text
    assert "access_denied" not in page.text


async def test_a_refusal_that_comes_back_without_a_state_is_told_as_one(person: Any) -> None:
    await person.goes_to_shop()
    page = await person.open("/oauth/shop/callback?error=access_denied")
    assert page.status == 403
    assert "Access was not granted at ToyShop" in page.text
    assert (await person.open("/oauth/shop/callback?error=access_denied&state=made-up")).status == 400
    assert (await person.open("/oauth/shop/callback?code=c")).status == 400


async def test_another_error_of_the_system_is_a_sentence_without_its_words(person: Any) -> None:
    asked = await person.goes_to_shop()
    page = await person.open(
        f"/oauth/shop/callback?error=server_error&error_description=<script>x</script>&state={asked['state']}"
    )
    assert page.status == 400
    assert "ToyShop did not complete the login" in page.text
    assert "<script>x" not in page.answer.text


async def test_a_return_without_a_code_is_a_sentence(person: Any) -> None:
    asked = await person.goes_to_shop()
    page = await person.open(f"/oauth/shop/callback?state={asked['state']}")
    assert page.status == 400
    assert "did not complete" in page.text


async def test_a_code_that_was_used_or_has_expired_is_a_sentence(person: Any) -> None:
    asked = await person.goes_to_shop()
    page = await person.open(f"/oauth/shop/callback?code=long-gone&state={asked['state']}")
    assert page.status == 400
    assert "has been used already or is too old" in page.text


async def test_a_code_that_belongs_to_another_login_is_refused_by_its_challenge(person: Any, world: Any) -> None:
    asked = await person.goes_to_shop()
    stolen = urlsafe_b64encode(hashlib.sha256(b"somebody else's verifier").digest()).decode().rstrip("=")
    world.codes["stolen"] = ("8", stolen)
    page = await person.open(f"/oauth/shop/callback?code=stolen&state={asked['state']}")
    assert page.status == 400
    assert (await person.open("/settings")).where == "/"


async def test_an_outage_of_the_system_says_to_try_again(person: Any, world: Any) -> None:
    asked = await person.goes_to_shop()
    world.shop_down = True
    page = await person.comes_back(asked)
    assert page.status == 503
    assert "ToyShop does not answer at the moment" in page.text


async def test_a_refused_app_is_told_apart_from_a_mistake_of_the_visitor(person: Any, world: Any) -> None:
    asked = await person.goes_to_shop()
    world.app_refused = True
    page = await person.comes_back(asked)
    assert page.status == 502
    assert "whoever runs the hub must mend it (reason: bad-client-secret)" in page.text


async def test_nothing_of_the_session_before_the_login_is_left_after_it(person: Any) -> None:
    page = await person.logs_in()
    token = page.form.values["token"]
    assert (await person.logs_in()).form.values["token"] != token


@pytest.mark.parametrize("path", ["/login/post", "/login/nothing", "/oauth/post/callback", "/oauth/nothing/callback"])
async def test_only_the_system_of_the_login_can_be_logged_in_with(person: Any, path: str) -> None:
    assert (await person.open(path)).status == 404


async def test_logging_out_forgets_who_was_here(person: Any) -> None:
    page = await person.logs_in()
    token = page.form.values["token"]
    assert (await person.post("/logout", {"token": token})).where == "/"
    assert (await person.open("/settings")).where == "/"


@pytest.mark.parametrize("path", ["/settings", "/connections"])
async def test_who_is_not_logged_in_is_led_to_the_login(person: Any, path: str) -> None:
    page = await person.open(path)
    assert (page.status, page.where) == (303, "/")


async def test_a_failed_login_leaves_no_code_and_no_token_in_the_log(person: Any, world: Any, all_logs: Any) -> None:
    asked = await person.goes_to_shop()
    await person.open(f"/oauth/shop/callback?code=secret-code-9&state={asked['state']}")
    assert "login with shop: bad-auth-code" in all_logs.text
    assert "secret-code-9" not in all_logs.text
    assert asked["state"] not in all_logs.text
