"""`rules:` as such: ids once, verbs that go together, names of fields that are there."""

from __future__ import annotations

from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk_rules.spec import Rule

__all__ = ["check_rules", "property_kinds"]

_VERBS = ("enter", "fields", "contact", "stage", "set", "opt_out", "timeline")


def property_kinds(draft: Draft, system: str) -> dict[str, str]:
    """Kinds of the provided properties of a system, by the file's name."""
    part = draft.provide.get(system)
    return {key: wanted.kind for key, wanted in part.properties.items()} if part is not None else {}


def check_rules(draft: Draft) -> None:
    seen: set[str] = set()
    for path, rule in draft.rules():
        if rule.id in seen:
            draft.note("name-taken", (*path, "id"), f"a rule is called '{rule.id}' already", mend="rename one of them")
        seen.add(rule.id)
        _check_verbs(draft, path, rule)
        _check_answer(draft, path, rule)
        _check_field_names(draft, path, rule)
    asking = [path for path, rule in draft.rules() if rule.consent is not None]
    for path in asking[1:]:
        draft.note(
            "not-allowed", (*path, "consent"), "another rule has 'consent' already", key=True,
            expected="one rule that says how consent is asked for", mend="put both into one rule; choose by settings",
        )  # fmt: skip
    for system in draft.provide:
        _check_provided(draft, system)


def _check_verbs(draft: Draft, path: Path, rule: Rule) -> None:
    written = (rule.enter, rule.fields, rule.contact, rule.stage, rule.set_, rule.opt_out, rule.timeline)
    if all(verb is None for verb in written):
        draft.note("missing-key", path, "this rule does nothing", expected=one_of(_VERBS), mend="add one of these")
    if rule.consent is not None and rule.enter is None:
        draft.note("missing-key", (*path, "consent"), "'consent' stands without 'enter'", mend="add 'enter:'")
    if len(set(rule.events)) < len(rule.events):
        draft.note("name-taken", (*path, "events"), "an event stands here twice", mend="remove one of them")


def _check_answer(draft: Draft, path: Path, rule: Rule) -> None:
    if rule.enter is None or rule.enter.answer is None:
        return
    kind = property_kinds(draft, rule.from_).get(rule.enter.answer)
    if kind not in (None, "yes_no"):
        draft.note(
            "wrong-kind", (*path, "enter", "answer"), f"'{rule.enter.answer}' is of kind {kind}",
            expected="a property of kind yes_no", mend="name such a property",
        )  # fmt: skip


def _check_field_names(draft: Draft, path: Path, rule: Rule) -> None:
    if isinstance(rule.fields, tuple) and draft.whole("fields"):
        known = {row.names[rule.to] for _, row in draft.rows() if rule.to in row.names}
        for index, name in enumerate(rule.fields):
            if name not in known:
                here = (*path, "fields", index)
                mend = did_you_mean(name, known)
                draft.note("unknown-name", here, f"'fields' has no '{name}' at '{rule.to}'", mend=mend)
    elsewhere = {key for system in draft.provide if system != rule.to for key in property_kinds(draft, system)}
    for name, value in (rule.set_ or {}).items():
        kinds = property_kinds(draft, rule.to)
        if name in elsewhere and name not in kinds:
            draft.note(
                "unknown-name", (*path, "set", name), f"'{name}' is a property of the other system", key=True,
                mend=did_you_mean(name, kinds) or "name a field of the rule's 'to'",
            )  # fmt: skip
        if kinds.get(name) == "yes_no" and value not in ("yes", "no"):
            draft.note("not-allowed", (*path, "set", name), "this is neither yes nor no", mend='write "yes" or "no"')


def _check_provided(draft: Draft, system: str) -> None:
    names: set[str] = set()
    for key, wanted in draft.provide[system].properties.items():
        path = ("provide", system, "properties", key)
        if wanted.name in names:
            draft.note("name-taken", (*path, "name"), f"'{wanted.name}' is created already", mend="choose another name")
        names.add(wanted.name)
        for there in (wanted.name, draft.provide[system].group.name):
            bare = there.replace("{brand}", "")
            if "{" in bare or "}" in bare or not bare:
                draft.note(
                    "not-allowed", (*path, "name"), "this is no internal name",
                    expected="a name; `{brand}` is the only thing filled in", mend="correct it",
                )  # fmt: skip
                break
