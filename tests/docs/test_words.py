"""What has a name in code has its words in the docs, and what the docs name exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields as struct_fields

from stellwerk.config.load import load
from stellwerk.config.problems import CODES
from stellwerk.config.spec import Integration, Keep, Reconcile
from stellwerk.registry import Registry
from stellwerk.store.hold import RESTORED
from stellwerk.store.schema import TABLES
from stellwerk_rules.brake import Braked
from stellwerk_rules.breaker import KEEPS_CHANGING
from stellwerk_rules.entering import OLD_WISH
from stellwerk_rules.model import EventKind
from stellwerk_rules.spec import Limits
from stellwerk_rules.stage import STAGE_GONE
from stellwerk_rules.stands_twice import STANDS_TWICE

CODE = r'"([a-z]+(?:-[a-z]+)+)"'
NO_CODES = frozenset(
    {
        "_TIMES",
        "ASKED_AGAIN",
        "ANSWERED_ELSEWHERE",
        "ASK_AGAIN",
        "BY_ANOTHER",
        "REQUESTED",
        "SYNC_NOW",
        "TO_BE_DONE",
        "UNLINK",
        "UNLINKED",
        "LINK_AGAIN",
        "LOCKED_OUT",
        "OFFERED",
        "REFUSALS",
        "LINKED_AGAIN",
        "ALREADY",
        "ASKED_FOR",
        "DONE",
        "NOT_RUNNING",
        "RENEWED",
        "STAGES",
        "UNPROVIDED",
        "ENTRY",
        "SHOWN",
        "SIGNATURE",
        "SIGNED",
        "UNREAD",
        "WATCH",
        "CANCELLED",
        "NEVER_SAVED",
        "COMPARED",
        "CANNOT",
    }
)
"""Words of the relay that are names of lists, cursors and ends, not repairs."""


def keys(struct: type[Any]) -> list[str]:
    return [one.encode_name for one in struct_fields(struct)]


def table_of(text: str, heading: str) -> set[str]:
    """The codes in the first columns of the tables below a heading."""
    part = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`.*?) \|", part, re.M)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


# --- integration.yaml


def test_every_problem_code_has_its_section_and_no_other_has(pages: Mapping[str, str]) -> None:
    assert re.findall(r"^## (\S+)$", pages["docs/problems.md"], re.M) == list(CODES)


def test_every_part_of_the_file_has_its_section_in_the_order_of_the_file(operators: str) -> None:
    part = operators.split("section by section\n", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^### (\S+)$", part, re.M) == keys(Integration)


def test_every_setting_of_the_sample_is_described(operators: str, root: Path, registry: Registry) -> None:
    integration = load(root / "integration.yaml", None, registry).integration
    assert integration is not None
    ids = [setting.id for section in integration.settings for setting in section.fields]
    assert [one for one in ids if f"`{one}`" not in operators] == []


@pytest.mark.parametrize("struct", [Limits, Keep, Reconcile])
def test_every_limit_and_lifetime_is_described(operators: str, struct: type[Any]) -> None:
    assert [one for one in keys(struct) if f"`{one}`" not in operators and f"{one}:" not in operators] == []


def test_every_event_is_named(operators: str) -> None:
    assert [kind.value for kind in EventKind if f"`{kind.value}`" not in operators] == []


# --- a running hub


def test_every_table_is_explained_and_no_other_is(pages: Mapping[str, str]) -> None:
    made = re.findall(r"create table (\w+)", TABLES)
    assert table_of(pages["docs/how-it-works.md"], "The tables") == set(made)


def test_every_repair_is_explained_and_no_other_is(operators: str, sources: Any) -> None:
    relay = sources.text("hub/stellwerk/relay")
    text = sources.text("plugins/hubspot/stellwerk_hubspot", "plugins/maileon/stellwerk_maileon") + relay
    opened = {
        *re.findall(r"Difference\(\s*code=" + CODE, text),
        *re.findall(r"ReauthorizeError\(\s*" + CODE, text),
        *re.findall(r'"(stage-(?:interrupted|clear-refused|not-taken))"', text),
        *(code for name, code in re.findall(r'^([A-Z_]+) = "([a-z-]+)"$', relay, re.M) if name not in NO_CODES),
        *re.findall(r"ReauthorizeError\(\s*\"(\w+)\"", text),
        KEEPS_CHANGING,
        OLD_WISH,
        RESTORED,
        STAGE_GONE,
        STANDS_TWICE,
        *(kind.value for kind in Braked),
    }
    explained = table_of(operators, "Repairs")
    assert opened - explained == set()
    there = {*opened, *re.findall(CODE, text)}
    # HubSpot's own words for a refused login; only those that a new login mends stand in our code.
    own_words = {"bad-client-secret", "bad-client-id", "bad-redirect-uri", "bad-"}
    assert explained - there - own_words == set()


def test_every_figure_is_explained_and_no_other_is(operators: str, sources: Any) -> None:
    text = sources.text("hub/stellwerk")
    counted = set(re.findall(r'meta\.count\(\s*tx,\s*"(\w+)"', text))
    assert "webhooks_refused_{" in text
    counted |= {f"webhooks_refused_{status}" for status in re.findall(r"WebhookError\((\d+)", text)}
    shown = {f"stellwerk_{name}_total" for name in counted}
    shown |= {f"stellwerk_{name}" for name in re.findall(r'f[\'"]stellwerk_(\w+)(?:\{\{| )', text)}
    explained = {name for name in table_of(operators, "Health and figures") if name.startswith("stellwerk_")}
    assert explained == shown


def test_every_reason_told_to_marketers_exists(pages: Mapping[str, str], sources: Any) -> None:
    told = table_of(pages["docs/for-marketers.md"], '"Why did nothing happen?"')
    rules = sources.text("rules/stellwerk_rules")
    assert told
    assert [code for code in told if f'"{code}"' not in rules] == []


# --- the code


def test_every_module_and_function_that_is_named_exists(page: str, pages: Mapping[str, str], sources: Any) -> None:
    named = re.findall(r"`((?:hub|rules|plugins|demo)/[\w/]+\.py)`(?:\s+`(\w+)`)?", pages[page])
    missing = []
    for path, name in named:
        place = sources.place(path)
        if not place.is_file():
            missing.append(path)
        elif name and not re.search(rf"^ *(?:async def|def|class) {name}\b", place.read_text("utf-8"), re.M):
            missing.append(f"{path} {name}")
    assert missing == []


def test_how_it_works_leads_through_every_arrow_of_the_picture(pages: Mapping[str, str]) -> None:
    text = pages["docs/how-it-works.md"]
    for module in ("receive", "read", "decide", "deliver", "settle", "retry", "marks", "stage", "poll"):
        assert f"`hub/stellwerk/relay/{module}.py`" in text


def test_the_glossary_is_in_order_and_has_each_word_once(pages: Mapping[str, str]) -> None:
    words = re.findall(r"^\| ([^|]+?) \|", pages["docs/glossary.md"], re.M)[2:]
    assert words == sorted(set(words), key=str.casefold)


# --- for strangers


def test_no_page_names_a_machine(page: str, pages: Mapping[str, str]) -> None:
    assert re.findall(r"(?:^|[\s(`\"'])/(?:work|tmp|root|home|usr)/\S*", pages[page]) == []


def test_the_changelog_says_what_is_unreleased(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text("utf-8")
    unreleased = text.split("\n## Unreleased\n", 1)[1].split("\n## ", 1)[0]
    assert unreleased.strip().startswith("- ")
