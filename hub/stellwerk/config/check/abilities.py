"""Systems: two of them, each able to do what the file asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stellwerk.config.convert import fields_of
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk.registry import has
from stellwerk.sdk.connector import Asker, ConsentSource, OAuth, Provisioner, Reader, Reporter, Target, WebhookSource
from stellwerk_rules.spec import Rule

__all__ = ["check_abilities", "check_systems"]


def check_systems(draft: Draft) -> None:
    """Names of systems: in `login`, `provide`, `mirror`, and as many as the rules can serve."""
    names = draft.names
    if names and len(names) != 2:
        draft.note(
            "two-systems", ("systems",), f"{len(names)} systems stand here", expected="two, for now", key=True,
            mend="keep two; another pair is another file and another hub",
        )  # fmt: skip
    if draft.login is not None and _known(draft, draft.login, ("login",)) and not _able(draft, draft.login, OAuth):
        draft.note(
            "missing-ability", ("login",), f"nobody can log in with '{draft.login}'",
            expected="a system whose connector has a login", mend="name the other system, or leave 'login' out",
        )  # fmt: skip
    for name in draft.provide:
        path: Path = ("provide", name)
        if _known(draft, name, path, key=True) and not _able(draft, name, Provisioner):
            connector = draft.systems[name].connector
            draft.note(
                "missing-ability", path, f"the connector '{connector}' creates nothing", key=True,
                mend=f"remove 'provide: {name}'",
            )  # fmt: skip


def check_abilities(draft: Draft) -> None:
    """What the rules ask of the connectors."""
    for path, rule in draft.rules():
        if _known(draft, rule.from_, (*path, "from")):
            _check_source(draft, path, rule)
        if _known(draft, rule.to, (*path, "to")):
            _check_target(draft, path, rule)
        if rule.from_ == rule.to:
            draft.note("not-allowed", (*path, "to"), "'from' and 'to' are one system", mend="name the other system")


def _check_source(draft: Draft, path: Path, rule: Rule) -> None:
    here = (*path, "from")
    if not _able(draft, rule.from_, Reader):
        _lacks(draft, here, rule.from_, "reads no contacts")
    if not (_able(draft, rule.from_, WebhookSource) or _able(draft, rule.from_, Reporter)):
        _lacks(draft, here, rule.from_, "tells no events")
    if "unsubscribed" in rule.events and not (_able(draft, rule.from_, ConsentSource) or _has_own_opt_out(draft, rule)):
        _lacks(draft, here, rule.from_, "cannot prove an unsubscription")


def _has_own_opt_out(draft: Draft, rule: Rule) -> bool:
    """Whether the rule's source has a "no mail at all" of its own, which is read with the contact and needs no proof."""
    connector: Any = _connector(draft, rule.from_)
    return _able(draft, rule.from_, Target) and "opt_out" in connector.batch_sizes


def _check_target(draft: Draft, path: Path, rule: Rule) -> None:
    if not _able(draft, rule.to, Target):
        _lacks(draft, (*path, "to"), rule.to, "cannot be written to")
        return
    connector: Any = _connector(draft, rule.to)
    for verb, tags in _needed(rule):
        missing = [tag for tag in tags if tag not in connector.batch_sizes]
        if missing:
            _lacks(draft, (*path, verb), rule.to, f"cannot do what '{verb}' asks ({', '.join(missing)})")
    if rule.consent is not None:
        _check_ask(draft, (*path, "consent"), rule, connector)


def _needed(rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Verbs of the rule, with the changes that they may lead to."""
    if rule.enter is not None and rule.enter.who != "ignore":
        yield "enter", ("create",)
    if rule.fields is not None:
        yield "fields", ("set_fields",)
    if isinstance(rule.contact, str) and rule.contact != "keep":
        yield "contact", {"unsubscribe": ("unsubscribe",), "delete": ("delete_contact",)}.get(rule.contact, ())
    if rule.stage not in (None, False):
        yield "stage", ("clear_stage", "set_stage")
    if rule.set_:
        yield "set", ("set_fields",)
    if rule.opt_out not in (None, False):
        yield "opt_out", ("opt_out",)
    if rule.timeline is not None and rule.timeline.as_ != "properties_only":
        yield "timeline", ("add_entry",)


def _check_ask(draft: Draft, path: Path, rule: Rule, connector: Any) -> None:
    consent = rule.consent
    if consent is None or consent.ask is False:
        return
    if not has(connector, Asker) or "ask" not in connector.batch_sizes:
        _lacks(draft, (*path, "ask"), rule.to, "cannot ask for consent")
        return
    if consent.plus is not False and not connector.ask_plus:
        _lacks(draft, (*path, "plus"), rule.to, "cannot ask for personal tracking")
    known = {info.encode_name: info for info, _ in fields_of(connector.ask_type)}
    for key in consent.with_:
        if key not in known:
            mend = did_you_mean(key, known)
            draft.note("unknown-key", (*path, "with", key), f"'{rule.to}' asks with no '{key}'", mend=mend, key=True)
    for key, info in known.items():
        if info.required and key not in consent.with_:
            draft.note("missing-key", (*path, "with"), f"'{key}' is missing", mend=f"add '{key}:'")


def _known(draft: Draft, name: str, path: Path, *, key: bool = False) -> bool:
    if name not in draft.names:
        draft.note(
            "unknown-name", path, f"no system is called '{name}'", expected=one_of(draft.names), key=key,
            mend=did_you_mean(name, draft.names),
        )  # fmt: skip
    return name in draft.systems


def _connector(draft: Draft, system: str) -> type[Any]:
    return draft.registry.connectors[draft.systems[system].connector]


def _able(draft: Draft, system: str, ability: type[Any]) -> bool:
    return has(_connector(draft, system), ability)


def _lacks(draft: Draft, path: Path, system: str, what: str) -> None:
    connector = draft.systems[system].connector
    draft.note(
        "missing-ability", path, f"the connector '{connector}' {what}",
        mend=f"let another system do it, or use a connector for '{system}' that can",
    )  # fmt: skip
