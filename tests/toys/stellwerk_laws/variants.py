"""Random files: the toys' integration with other ids, kinds, dependencies, rows and rules, and a connection's settings.

`File` says in words of its own what was put into the file, so that what a law demands can be told without the rules.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol
from unittest import mock

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from ruamel.yaml import YAML

from stellwerk.config import load
from stellwerk.config.load import Loaded
from stellwerk.config.tree import Places, Tree
from stellwerk_toys.yard import ENVIRON, FILE, TOYS

RANKS = ("none", "single", "confirmed", "double", "double_plus")
SETTINGS = [
    "ask_first",
    "ask_tracking",
    "letter",
    "level",
    "short_cut",
    "ask_anew",
    "silence",
    "welcome",
    "farewell",
    "diary",
    "on_removal",
    "on_move",
    "on_move_old",
    "on_refusal",
    "close_shop",
    "carefulness",
]
OVERRIDES: Mapping[str, str] = {
    "ask_first": "ask_me",
    "ask_tracking": "track_me",
    "letter": "my_letter",
    "level": "my_level",
}
"""By setting, the field of the shop that overrides it for one contact."""

Convert = Literal["", "upper", "lower"]


class Row(Struct, frozen=True, kw_only=True):
    """One row of fields: the names at both sides, and what the file says of it."""

    shop: str
    news: str
    to: str | None = None
    owner: str | None = None
    fill_only: bool = False
    convert: Convert = ""

    def goes(self, target: str) -> bool:
        source = "shop" if target == "news" else "news"
        return self.to in (None, target) and self.owner in (None, source)

    def there(self, value: str | None) -> str | None:
        """The shop's value as it is to stand at the newsletter."""
        if value is None or not self.convert:
            return value
        return value.upper() if self.convert == "upper" else value.lower()


class Move(Struct, frozen=True, kw_only=True):
    """A stage move as it is saved."""

    enabled: bool
    source: str | None
    target: str
    reset: bool

    def any_or(self, stage: str | None) -> bool:
        """Whether the move starts from `stage`."""
        return self.source == "any" or stage == self.source


class File(Struct, frozen=True, kw_only=True):
    """A file and a connection. `renamed` prefixes every setting's id; `values` are the connection's, by the toys' own ids."""

    renamed: str
    rows: tuple[Row, ...]
    rules: frozenset[str]
    overrides: frozenset[str]
    literal_ask: bool | None
    literal_level: str | None
    level_only_unasked: bool
    tracking_only_asked: bool
    ask_only_if_careful: bool
    letter_kind: Literal["choice", "text", "pick"]
    literal_silence: Literal["yes", "no"] | None
    may_skip: bool
    forms_may_skip: bool
    mirrored: bool
    doi_valid_days: int
    values: Mapping[str, Any]
    agreed: bool
    confirmation_given: bool

    # --- what is in effect, without the rules -------------------------------------------------------------------------

    @property
    def asks(self) -> bool:
        """Whether the connection asks new contacts."""
        if self.literal_ask is not None:
            return self.literal_ask
        return bool(self.values["ask_first"]) and not (self.ask_only_if_careful and self.values["carefulness"] != 1)

    @property
    def ask_setting_on(self) -> bool:
        return bool(self.values["ask_first"]) and not (self.ask_only_if_careful and self.values["carefulness"] != 1)

    @property
    def tracks(self) -> bool:
        """Whether the connection asks everybody for tracking."""
        return bool(self.values["ask_tracking"]) and (self.ask_setting_on or not self.tracking_only_asked)

    @property
    def level(self) -> str:
        """What the connection says of a permission without asking: the most that a contact may be granted."""
        if self.literal_level is not None:
            return self.literal_level
        shown = not self.level_only_unasked or not self.ask_setting_on or bool(self.values["short_cut"])
        return str(self.values["level"]) if shown else "none"

    def may_be_granted(self, permission: str) -> bool:
        """Whether somebody agreed to granting this: no more than the connection says, a confirmed one only with its proof."""
        if permission in ("double", "double_plus") and not self.confirmation_given:
            return False
        return self.agreed and permission in RANKS and RANKS.index(permission) <= RANKS.index(self.level)

    @property
    def may_go_unasked(self) -> bool:
        return self.may_skip and bool(self.values["short_cut"])

    @property
    def silence_is_yes(self) -> bool:
        return self.agreed and (self.literal_silence or self.values["silence"]) == "yes"

    @property
    def no_is_opt_out(self) -> bool:
        return "refuse" in self.rules and self.values["on_refusal"] == "unsubscribe"

    def form_no_is_opt_out(self) -> bool:
        return self.no_is_opt_out and self.values["carefulness"] == 0

    def move(self, name: str) -> Move | None:
        rule = {"welcome": "said-yes", "farewell": "left"}[name]
        move = self.values[name]
        return Move(**move) if rule in self.rules and move["enabled"] else None

    def settings(self) -> dict[str, Any]:
        """The connection's settings as the page stores them."""
        return {self.renamed + name: value for name, value in self.values.items()}

    def loaded(self) -> Loaded:
        return _load(_text(replace(self, values={}, agreed=False, confirmation_given=False)))


def _label(text: str) -> dict[str, str]:
    return {"en": text, "de": text}


@functools.lru_cache
def _template() -> str:
    return json.dumps(YAML(typ="safe").load(FILE.read_text(encoding="utf-8")), default=str)


def _json(text: bytes, file: str) -> Tree:
    """JSON is YAML, and reading it as YAML would take most of a history's time."""
    return Tree(value=json.loads(text), places=Places({}, {}), problems=())


@functools.lru_cache(maxsize=64)
def _load(text: str) -> Loaded:
    with mock.patch.object(load, "read_tree", _json):
        loaded = load.load_bytes(text.encode(), ENVIRON, TOYS)
    assert loaded.integration is not None, [str(problem) for problem in loaded.problems]
    return loaded


def _text(file: File) -> str:
    tree: dict[str, Any] = json.loads(_template())
    tree.pop("tests")
    tree["systems"]["news"]["poll_seconds"] = 3600.0
    settings = {one["id"]: one for section in tree["settings"] for one in section["fields"]}
    for name, one in settings.items():
        if name not in file.overrides:
            one.pop("per_contact", None)
    if not file.tracking_only_asked:
        settings["ask_tracking"].pop("only_if")
    if file.level_only_unasked:
        settings["level"]["only_if"] = {
            "any": [{"setting": "ask_first", "is": False}, {"setting": "short_cut", "is": True}]
        }
    if file.ask_only_if_careful:
        settings["ask_first"]["only_if"] = {"setting": "carefulness", "is": 1}
    letter = settings["letter"]
    if file.letter_kind != "choice":
        letter.pop("options")
        letter["kind"] = file.letter_kind
        if file.letter_kind == "pick":
            letter |= {"of": "news.letters", "or_typed": True}
    tree["fields"] = [_row(row) for row in file.rows]
    rules = {rule["id"]: rule for rule in tree["rules"]}
    consent = rules["join"]["consent"]
    if file.literal_ask is not None:
        consent["ask"] = file.literal_ask
    if file.literal_level is not None:
        consent["grant"] = file.literal_level
    if file.literal_silence is not None:
        rules["join"]["enter"]["without_answer"] = file.literal_silence
    if not file.may_skip:
        consent.pop("may_skip")
    elif file.forms_may_skip:
        consent["may_skip_by_form"] = "settings.short_cut"
    tree["rules"] = [rule for name, rule in rules.items() if name in file.rules]
    if not file.mirrored:
        tree.pop("mirror")
    tree["limits"] = {"doi_valid_days": file.doi_valid_days}
    text = json.dumps(tree)
    for name in SETTINGS:
        text = re.sub(rf"settings\.{name}\b", f"settings.{file.renamed}{name}", text)
        text = re.sub(rf'"(id|setting)": "{name}"', rf'"\1": "{file.renamed}{name}"', text)
    return text


def _row(row: Row) -> dict[str, Any]:
    written: dict[str, Any] = {"shop": row.shop, "news": row.news}
    if row.to is not None:
        written["to"] = row.to
    if row.owner is not None:
        written["owner"] = row.owner
    if row.fill_only:
        written["fill_only"] = True
    if row.convert:
        written["convert"] = {"kind": "case", "to": row.convert}
    return written


# --- making one -------------------------------------------------------------------------------------------------------

STAGES = ("visitor", "guest", "regular", "alumnus")
RULES = ("join", "refuse", "removed", "forgotten", "said-yes", "left", "edited", "returned", "shut")
TOWNS: tuple[Mapping[str, Any], ...] = (
    {},
    {"fill_only": True},
    {"owner": "shop"},
    {"owner": "news"},
    {"to": "shop"},
    {"to": "news"},
)
LANGUAGES: tuple[Mapping[str, Any] | None, ...] = (
    {"to": "news", "convert": "upper"},
    {"to": "news"},
    {"to": "news", "convert": "lower"},
    None,
)


class Pick(Protocol):
    """Chooses one of several: by a strategy, or by dice."""

    def __call__(self, options: Sequence[Any], /) -> Any: ...


def made(pick: Pick, *, asks: bool = True) -> File:
    """A file that passes the check, and a connection of it; one that mostly asks, or mostly does not."""

    def often(usual: Any, *others: Any) -> Any:
        return pick([usual] * 2 * len(others) + list(others))

    left_out = often(None, *RULES[1:])
    return File(
        renamed=pick(["", "x_", "news_"]),
        rows=_rows(pick),
        rules=frozenset(name for name in RULES if name != left_out),
        overrides=often(
            frozenset(OVERRIDES), frozenset(), frozenset({"ask_first"}), frozenset({"level", "ask_tracking"})
        ),
        literal_ask=often(None, True, False),
        literal_level=often(None, "single", "none"),
        level_only_unasked=pick([False, True]),
        tracking_only_asked=often(True, False),
        ask_only_if_careful=often(False, True),
        letter_kind=often("choice", "text", "pick"),
        literal_silence=often(None, "yes", "no"),
        may_skip=often(True, False),
        forms_may_skip=pick([False, True]),
        mirrored=often(True, False),
        doi_valid_days=often(14, 1, 40),
        values={
            "ask_first": often(asks, not asks),
            "ask_tracking": often(False, True),
            "letter": pick(["welcome-en", "spring"]),
            "level": pick(RANKS),
            "short_cut": pick([False, True]),
            "ask_anew": often(False, True),
            "silence": pick(["no", "yes"]),
            "welcome": _move(pick, often, "visitor", "guest"),
            "farewell": _move(pick, often, "guest", "visitor"),
            "diary": often("note", "properties_only"),
            "on_removal": pick(["keep", "unsubscribe", "delete"]),
            "on_move": often("ask_again", "keep_permission"),
            "on_move_old": often("keep", "unsubscribe", "delete"),
            "on_refusal": often("unsubscribe", "keep"),
            "close_shop": often(False, True),
            "carefulness": often(1, 0, 2),
        },
        agreed=often(True, False),
        confirmation_given=often(False, True),
    )


def _rows(pick: Pick) -> tuple[Row, ...]:
    language = pick(LANGUAGES)
    rows = (Row(shop="name", news="FIRST"), Row(shop="town", news="TOWN", **pick(TOWNS)))
    return rows if language is None else (*rows, Row(shop="language", news="LANG", **language))


def _move(pick: Pick, often: Callable[..., Any], source: str, target: str) -> dict[str, Any]:
    backward = STAGES.index(target) < STAGES.index(source)
    chosen = often(source, None, "any")
    return {
        "enabled": often(True, False),
        "source": chosen,
        "target": target,
        "reset": True if backward and chosen == source else pick([False, True]),
    }


@st.composite
def files(draw: st.DrawFn, *, asks: bool = True) -> File:
    """Any file."""
    return made(lambda options: draw(st.sampled_from(list(options))), asks=asks)


@functools.lru_cache
def pooled(number: int) -> File:
    """One of a pool of files, for what asks for thousands: reading a file takes longer than deciding by it."""
    return made(random.Random(number).choice, asks=number % 3 > 0)
