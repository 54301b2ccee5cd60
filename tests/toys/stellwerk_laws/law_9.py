"""What is not named does not travel, and nothing personal stands where it may not."""

from __future__ import annotations

from collections.abc import Iterator

from stellwerk_laws.happenings import PEOPLE
from stellwerk_laws.player import Player
from stellwerk_laws.watched import Touch
from stellwerk_toys.world import HOOK_KEY, MAIL_KEY

MIRRORS = frozenset({"news_state", "news_level", "left_on"})


def holds(player: Player) -> None:
    for touch in player.world.touches:
        if touch.what in ("doi", "create", "update"):
            _only_named_fields_went_there(player, touch)
        if touch.what == "fields":
            _only_named_fields_came_back(player, touch)
    texts = list(private(player))
    for line in player.log:
        found = [text for text in texts if text.lower() in line.lower()]
        assert not found, f"{len(found)} private texts stand in the log"
    player.yard.assert_no_clear_text(*texts)


def private(player: Player) -> Iterator[str]:
    """Everything that must not stand in the clear."""
    yield from (f"{person}@example.com" for person in PEOPLE)
    yield from player.truth.texts
    yield from (MAIL_KEY, HOOK_KEY)
    yield from (url.split("/webhooks/toymail/", 1)[1].split("/")[0] for url in player.world.mail.hooks.values())


def _only_named_fields_went_there(player: Player, touch: Touch) -> None:
    assert touch.after is not None
    before = {} if touch.before is None else touch.before.fields
    changed = {name: value for name, value in touch.after.fields.items() if before.get(name) != value}
    gone = before.keys() - touch.after.fields.keys()
    rows = {row.news: row for row in player.file.rows if row.goes("news")}
    for name in (*changed, *gone):
        assert name in rows, f"{name} was written, and no row carries it there"
    for name, value in changed.items():
        if "~" in value:
            source = value.split("~")[0].lower()
            assert source in (rows[name].shop, f"news-{name}".lower()), f"{name} got a value of {source}"


def _only_named_fields_came_back(player: Player, touch: Touch) -> None:
    file = player.file
    rows = {row.shop: row for row in file.rows if row.goes("shop")}
    if touch.field in rows:
        if "~" in (touch.value or ""):
            source = (touch.value or "").split("~")[0].lower()
            assert source in (f"news-{rows[touch.field].news}".lower(), touch.field), (
                f"{touch.field} got a value of {source}"
            )
        return
    allowed = (MIRRORS if file.mirrored else frozenset()) | ({"wants_news"} if "left" in file.rules else set())
    if "left" in file.rules and file.values["close_shop"]:
        allowed = allowed | {"no_mail"}
    assert touch.field in allowed, f"{touch.field} was written, and nothing in the file says so"
