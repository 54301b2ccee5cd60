"""English and German, chosen or asked for by the browser."""

from __future__ import annotations

import re
import string
import typing
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

import stellwerk.relay.preview as preview_module
import stellwerk.web.phrases as phrases_module
import stellwerk_hubspot
import stellwerk_maileon
import stellwerk_rules
from stellwerk.web.language import accepted_language
from stellwerk.web.phrases import PHRASES
from stellwerk.web.reason_phrases import REASONS
from stellwerk.web.repair_phrases import REPAIRS
from stellwerk_rules.converters import Converter

WEB = Path(phrases_module.__file__).parent


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,de;q=0.5", "de"),
        ("fr", "en"),
        ("en;q=0.2, de;q=0.7", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=nonsense", "en"),
        ("*", "en"),
    ],
)
def test_the_browsers_best_liked_language_counts(header: str, language: str) -> None:
    assert accepted_language(header) == language


@pytest.mark.anyio
async def test_a_german_browser_gets_german_pages_with_the_files_labels(person: Any) -> None:
    person.client.headers["accept-language"] = "de-DE,de;q=0.9"
    assert "Anmelden mit ToyShop" in (await person.open("/")).text
    page = await person.logs_in()
    assert ("html", {"lang": "de"}) in page.read.tags
    assert page.read.labels["setting.ask"] == "Erst fragen"
    assert "Was keine Angabe heißt." in page.text


@pytest.mark.anyio
async def test_a_chosen_language_stays_through_the_login(person: Any) -> None:
    await person.open("/?lang=de")
    assert "Anmelden mit ToyShop" in (await person.open("/")).text
    assert (await person.logs_in()).read.labels["setting.ask"] == "Erst fragen"
    assert (await person.open("/settings?lang=en")).read.labels["setting.ask"] == "Ask first"


@pytest.mark.anyio
async def test_an_unknown_language_changes_nothing(person: Any) -> None:
    assert "Login with ToyShop" in (await person.open("/?lang=xx")).text


@pytest.mark.anyio
async def test_errors_speak_the_chosen_language(person: Any) -> None:
    await person.logs_in()
    page = await person.open("/settings?lang=de")
    refused = await person.submit(page, action="save", setting__per_day="99")
    assert "Bitte zwischen 1 und 50." in refused.text
    assert "Bitte geben Sie den API Key Ihres Toypost-Kontos ein." in refused.text


@pytest.mark.anyio
async def test_an_address_that_leads_nowhere_speaks_the_chosen_language(person: Any, somebody: Any) -> None:
    await person.open("/?lang=de")
    for path in ("/nothing", "/login/nothing", "/invited", "/static/nothing.css"):
        page = await person.open(path, accept="text/html")
        assert (page.status, "Hier ist nichts." in page.text) == (404, True), path
    assert "Das geht hier nicht." in (await person.post("/login/shop", {})).text
    assert "There is nothing here." in (await somebody().open("/nothing", accept="text/html")).text


@pytest.mark.anyio
@pytest.mark.parametrize("first", ["/", "%2F", "%5C", "//", "%09/", "%0A/", "%0D%0A/", "%09%5C"])
async def test_no_link_of_a_page_leads_to_another_host_whatever_was_asked_for(person: Any, first: str) -> None:
    asked = f"http://hub.test/{first}evil.example/x"
    page = await person.open(asked, accept="text/html")
    links = [given["href"] for _, given in page.read.tags if "href" in given]
    assert "?lang=de" in links
    # A browser takes either slash for one, and no notice of tabs and ends of lines in an address.
    led = [urljoin(asked, one.replace("\\", "/").translate(dict.fromkeys(map(ord, "\t\r\n")))) for one in links]
    assert {urlsplit(one).netloc for one in led} == {"hub.test"}


@pytest.mark.anyio
async def test_a_language_chosen_on_an_error_page_is_kept_by_the_next(person: Any) -> None:
    await person.logs_in()
    page = await person.open("/nothing?lang=de", accept="text/html")
    assert "Hier ist nichts." in page.text
    (on,) = [given["href"] for tag, given in page.read.tags if given.get("class") == "button"]
    assert on == "/overview?lang=de"
    await person.open(on)
    assert "Hier ist nichts." in (await person.open("/nothing", accept="text/html")).text


@pytest.mark.anyio
async def test_an_address_that_leads_nowhere_is_no_dead_end_for_who_is_logged_in(person: Any) -> None:
    await person.sets_up()
    page = await person.open("/nothing", accept="text/html")
    assert "Logged in as jo@shop7.example" in page.text
    assert ("a", {"class": "brand", "href": "/overview"}) in page.read.tags
    out = await person.submit(page)
    assert (out.status, out.where) == (303, "/")


@pytest.mark.anyio
@pytest.mark.parametrize("cookie", ["", "x", "stellwerk", "é" * 10, "A" * 5000])
async def test_a_cookie_that_says_nothing_leaves_an_error_page_as_it_is(person: Any, cookie: str) -> None:
    sent = f"stellwerk={cookie}; stellwerk-0={cookie}".encode()
    answer = await person.client.get("/nothing", headers={"cookie": sent, "accept": "text/html"})
    assert (answer.status_code, "There is nothing here." in answer.text) == (404, True)


@pytest.mark.anyio
async def test_whoever_is_not_logged_in_is_told_why_once(person: Any) -> None:
    await person.open("/?lang=de")
    assert (await person.open("/overview")).where == "/"
    assert "Sie sind hier nicht mehr angemeldet" in (await person.open("/")).text
    assert "nicht mehr angemeldet" not in (await person.open("/")).text
    assert (await person.open("/operator")).where == "/"
    assert "stellwerk operator-link" in (await person.open("/")).text


@pytest.mark.parametrize("key", sorted(PHRASES))
def test_both_languages_of_a_phrase_have_the_same_places(key: str) -> None:
    english, german = PHRASES[key]
    assert english.strip()
    assert german.strip()
    assert _places(english) == _places(german)


def test_every_phrase_named_in_a_template_or_module_exists_and_every_phrase_is_used() -> None:
    sources = {path: path.read_text() for path in [*WEB.glob("*.py"), *WEB.glob("templates/*.html")]}
    sources = {path: text for path, text in sources.items() if not path.name.endswith("phrases.py")}
    text = "\n".join(sources.values())
    named = set(re.findall(r"say\(\s*[\"']([a-z0-9-]+)[\"']\s*[,)]", text))
    assert named <= set(PHRASES)
    families = (
        "remote-", "error-", "permission-", "topic-", "language-", "page-", "state-", "repair-button-", "finding-",
        "fact-", "event-", "change-", "outcome-", "delivery-",
        "arrival-", "kind-", "reading-", "asking-", "access-", "foresight-", "outlook-", "invited-", "way-", "how-", "sync-",
        "foretold-", "convert-", "told-kind-", "told-wrong-", "untold-", "unread-", "unlink-told-", "link-again-told-",
    )  # fmt: skip
    unused = [
        key for key in PHRASES if not key.startswith(families) and f'"{key}"' not in text and f"'{key}'" not in text
    ]
    assert unused == []


RULES = Path(stellwerk_rules.__file__).parent
REASON = r'(?:skip|because|_skip|_nothing|_skipped)\(\s*(?:[\w.]+, )?"([a-z]+(?:-[a-z]+)*)"|Because\(\s*code="([a-z-]+)"|"(override-[a-z-]+)"'


def test_every_reason_of_the_rules_has_its_sense_in_german() -> None:
    text = "\n".join(path.read_text() for path in RULES.glob("*.py"))
    codes = {code for found in re.findall(REASON, text) for code in found if code}
    assert len(codes) > 40
    assert sorted(codes - REASONS.keys()) == []


def test_what_a_preview_cannot_tell_has_its_sense_in_german() -> None:
    text = Path(preview_module.__file__).read_text("utf-8")
    codes = set(re.findall(r'foretold\.unknown\(\s*"([a-z-]+)"', text))
    assert codes >= {"not-connected", "not-looked-up"}
    assert sorted(codes - REASONS.keys()) == []


@pytest.mark.parametrize("kind", sorted(one.__struct_config__.tag for one in typing.get_args(Converter)))
def test_every_converter_is_told_in_words_on_the_page_of_fields(kind: str) -> None:
    assert f"convert-{kind}" in PHRASES


def test_what_a_connector_did_not_understand_has_a_code_with_its_sense_in_both_languages() -> None:
    reasons = [
        reason
        for plugin in (stellwerk_hubspot, stellwerk_maileon)
        for path in Path(plugin.__file__).parent.rglob("*.py")
        for reason in re.findall(r"\bUnread\([^\n]*because=([^,)]+)", path.read_text("utf-8"))
    ]
    assert len(reasons) > 6
    assert sorted({f"unread-{reason.strip(chr(34))}" for reason in reasons} - PHRASES.keys()) == []


def test_every_repair_that_operators_read_about_has_its_text_for_people() -> None:
    operators = (Path(__file__).parents[3] / "docs" / "for-operators.md").read_text("utf-8")
    part = operators.split("\n## Repairs\n", 1)[1].split("\n## ", 1)[0]
    told = {code for row in re.findall(r"^\| (`.*?) \|", part, re.M) for code in re.findall(r"`([^`]+)`", row)}
    assert len(told) > 30
    assert sorted(told - REPAIRS.keys() - {"bad-"}) == []


@pytest.mark.parametrize("code", sorted(REPAIRS))
def test_a_repair_says_in_both_languages_what_it_means_and_what_to_do(code: str) -> None:
    text = REPAIRS[code]
    for english, german in (text.meaning, text.mend):
        assert english.strip() != german.strip()
        assert _places(english) == _places(german) <= {"system"}
    assert f"repair-button-{text.button}" in PHRASES or text.button == "none"


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
