"""Where a contact's own field chooses among terms, each of them is possible: whoever might be mailed counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stellwerk_rules.settings import mails_or_grants


def by_language(*results: str) -> dict[str, Any]:
    names = ("de", "en", "fr")
    return {"lookup": "language", "table": dict(zip(names, results, strict=False)), "otherwise": ""}


def needs_agreement(make_world: Callable[..., Any], *, enter: Any = "yes", **consent: Any) -> bool:
    rule = {
        "id": "subscribe",
        "from": "crm",
        "to": "mail",
        "events": ["created"],
        "enter": {"who": "new", "answer": "subscribe", "without_answer": enter},
        "consent": {"ask": False, "grant": "none", **consent},
    }
    return mails_or_grants(make_world(rules=[rule], provide={}).plan, {})


@pytest.mark.parametrize(("results", "expected"), [(("none", "single"), True), (("none", "none"), False)])
def test_one_language_that_grants_something_is_enough(
    make_world: Callable[..., Any], results: tuple[str, ...], expected: bool
) -> None:
    assert needs_agreement(make_world, grant=by_language(*results)) is expected


@pytest.mark.parametrize(("results", "expected"), [(("no", "yes"), True), (("no", "no"), False)])
def test_one_language_that_is_asked_without_an_answer_is_enough(
    make_world: Callable[..., Any], results: tuple[str, ...], expected: bool
) -> None:
    assert needs_agreement(make_world, ask=by_language(*results)) is expected
    assert needs_agreement(make_world, ask=True, enter=by_language(*results)) is expected


def test_who_is_asked_only_after_a_yes_needs_nobodys_agreement(make_world: Callable[..., Any]) -> None:
    assert not needs_agreement(make_world, ask=True, enter="no")
