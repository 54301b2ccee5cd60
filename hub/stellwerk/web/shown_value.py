"""A setting's value as a person reads it: by the labels of integration.yaml, never by the words that are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stellwerk.web.language import in_language
from stellwerk.web.pages import Speaker
from stellwerk_rules.spec import ChoiceSetting, Setting, StageMove, StageMoveSetting


def shown_value(say: Speaker, setting: Setting | None, value: Any) -> str:
    """The value, as stored or as typed. `setting` is None for one that the file does not have any more."""
    if isinstance(setting, StageMoveSetting):
        return _move(say, value)
    if isinstance(setting, ChoiceSetting) and setting.option_labels and value in setting.option_labels:
        return in_language(setting.option_labels[value], say.language)
    if value is None or value == "":
        return say("value-unset")
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if value in ("yes", "no"):
        return say(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown_value(say, None, part)}" for name, part in value.items())
    return say(f"permission-{value}") if say.knows(f"permission-{value}") else str(value)


def _move(say: Speaker, value: Any) -> str:
    parts = value if isinstance(value, Mapping) else _parts(value) if isinstance(value, StageMove) else {}
    if not parts.get("enabled"):
        return say("no")
    source = parts.get("source") or ""
    before = say("stage-none") if source == "" else say("stage-any") if source == "any" else source
    key = "value-move-reset" if parts.get("reset") else "value-move"
    return say(key, source=before, target=parts.get("target") or say("value-unset"))


def _parts(move: StageMove) -> dict[str, Any]:
    return {"enabled": move.enabled, "source": move.source, "target": move.target, "reset": move.reset}
