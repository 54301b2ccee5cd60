"""What the settings page says of the other side: the webhooks with their last call, and how the answer gets onto a form."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.relay.hub import Hub
from stellwerk.relay.provide import hook_urls
from stellwerk.relay.rulebook import Rulebook, wanted
from stellwerk.store import meta
from stellwerk.view.moment import moment
from stellwerk.web.choose import Here
from stellwerk.web.pages import Speaker, system_title


async def shown_webhooks(hub: Hub, here: Here, say: Speaker) -> list[dict[str, object]]:
    """By system the URLs to copy, each with its topic's name and when it was last called; none before there is an account."""
    parts: list[dict[str, object]] = []
    for name, system in hub.systems.items():
        topics: Sequence[str] = getattr(system.connector, "hook_topics", ())
        trusted_path = getattr(system.connector, "webhook_trust", "") == "path"
        if not topics or not trusted_path:
            continue
        account = here.connection.accounts[name] if here.stored and name in here.accounts else None
        urls = {} if account is None else await hook_urls(hub, name, account)
        called = {} if account is None else await _last_calls(hub, account, tuple(urls))
        named = [
            {
                "label": say(f"topic-{topic}") if say.knows(f"topic-{topic}") else topic,
                "url": url,
                "seen": say("webhook-unseen")
                if called[topic] is None
                else say("webhook-seen", at=say.when.at(called[topic])),
            }
            for topic, url in urls.items()
        ]
        parts.append({"title": system_title(system), "system": name, "urls": named})
    return parts


async def _last_calls(hub: Hub, account: str, topics: Sequence[str]) -> dict[str, str | None]:
    """When each was last called; None where it never was."""
    found = await hub.store.read(lambda tx: {one: meta.cursor(tx, account, f"hook:{one}") for one in topics})
    return {one: None if at is None else moment(float(at)) for one, at in found.items()}


def form_recipe(hub: Hub, book: Rulebook, say: Speaker) -> dict[str, str] | None:
    """How a form asks for the newsletter: the property that holds the answer, by label and name. None without one."""
    system = book.plan.wish_system
    field = book.plan.answer_field(system)
    if system is None or field is None:
        return None
    label = next((one.label for one in wanted(book, system).created if one.name == field), None)
    return {"system": system_title(hub.systems[system]), "label": label or field, "name": field}
