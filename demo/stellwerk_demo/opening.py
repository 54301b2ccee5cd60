"""How every story begins: a marketer connects both sides, and what is needed stands there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stellwerk_demo.browser import Page
from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.witness import Witness

__all__ = ["Opening"]


class Opening:
    def __init__(self, witness: Witness, marketer: Marketer) -> None:
        self.witness = witness
        self.marketer = marketer
        self.people: Sequence[Visitor] = ()
        self.typed: Sequence[str] = ()
        self.steps: Sequence[Callable[[], None]] = (self.marketer_connects, self.everything_is_provided)

    def marketer_connects(self) -> None:
        """Login by OAuth, key stored and tested, settings saved with the tick."""
        check = self.witness.check
        page = self.marketer.logs_in()
        check("login through the consent screen leads to the settings", page.url.endswith("/settings"), page.url)
        page = self.marketer.tests_key(page, "not-the-key-of-anybody")
        check(
            "a wrong key is refused with a reason",
            "account-outcome" in page.html and "Acme Newsletter" not in page.text,
            page.text,
        )
        page = pressing(lambda: self.marketer.tests_key(page), lambda seen: "Acme Newsletter" in seen.text)
        check("the right key names its account", "Acme Newsletter" in page.text, page.text)
        page = pressing(lambda: self.marketer.saves(page), self.marketer.says_saved)
        check("saved, after the tick", self.marketer.says_saved(page), page.text)

    def everything_is_provided(self) -> None:
        """Property group and properties in HubSpot, custom fields and webhooks in Maileon."""
        watch = self.witness
        group = watch.seen("the property group stands in HubSpot", lambda: watch.crm.property_group("maileon"))
        box = watch.seen("with the property of the form's box", lambda: watch.crm.property(watch.subscribe))
        fields = watch.seen("custom fields stand in Maileon", lambda: watch.mail.custom_fields() or None)
        hooks = watch.seen("two webhooks are registered", lambda: _two(watch.mail.webhooks()))
        watch.note(
            f"group {group['label']!r}, box {box['label']!r}, custom fields {', '.join(fields)}, webhooks {', '.join(hooks)}"
        )


def pressing(press: Callable[[], Page], good: Callable[[Page], bool]) -> Page:
    """What a person does when a page says that the other side had an outage: press again, a few times."""
    page = press()
    for _ in range(3):
        if good(page):
            break
        page = press()
    return page


def _two(hooks: list[dict[str, Any]]) -> list[str] | None:
    events = sorted(hook["event"] for hook in hooks)
    return events if events == ["doi", "unsubscription"] else None
