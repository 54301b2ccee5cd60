"""`stellwerk explain`: why something happened to a contact, and why something did not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import rich_click as click

from stellwerk.cli.beside import Beside, beside
from stellwerk.cli.give import CONFIG, JSON, printed
from stellwerk.view.activity import activity

__all__ = ["explain", "known_of", "lines_of"]

Known: TypeAlias = dict[str, list[dict[str, Any]]]


@click.command()
@click.argument("who", metavar="ADDRESS_OR_ID")
@CONFIG
@JSON
def explain(who: str, config: Path, as_json: bool) -> None:
    """Say what was decided and written for a contact, named by its address or its id at a system, and why.

    Reads the hub's database and changes nothing; the hub may run. Exit code 1: nothing is known of that contact.
    """
    with beside(config) as view:
        known = known_of(view, who)
    printed(known, "\n".join(lines_of(known)) or "nothing is known of this contact", as_json=as_json)
    sys.exit(0 if any(known[name] for name in ("steps", "events", "waiting", "consent")) else 1)


def known_of(view: Beside, who: str) -> Known:
    """`{contacts, steps, events, waiting, consent}` of `stellwerk.view.activity`, as a program reads them."""
    known: Known = msgspec.to_builtins(activity(view.tx, view.vault, who))
    return known


def lines_of(known: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """The same for a person to read."""
    lines = []
    for one in known["contacts"]:
        ids = ", ".join(f"{system} {remote}" for system, remote in one["ids"].items())
        lines.append(f"contact {one['contact']} of connection {one['connection']}: {ids or 'linked to nothing yet'}")
    for step in known["steps"]:
        lines.append(
            f"{step['at']}  {step['connection']}  {step['what']} -> {step['outcome']}  (event {step['event']})"
        )
        lines += [f"    {_change_text(change)}: {_because_text(change['because'])}" for change in step["changes"]]
        lines += [f"    {_because_text(reason)}" for reason in step["reasons"]]
        lines += _answer_text(step)
    for row in known["events"]:
        why = f": [{row['code']}]" if row["code"] else ""
        lines.append(
            f"{row['state']}  {row['event']} at {row['account']}, due {row['due']}, since {row['received']}{why}"
        )
        lines += _answer_text(row)
    for row in known["waiting"]:
        why = ": " + " ".join(filter(None, (row["text"], f"[{row['code']}]"))) if row["code"] else ""
        lines.append(
            f"{row['state']}  {row['change']} for {row['account']}, due {row['due']}, since {row['created']}{why}"
        )
        lines += _answer_text(row)
    for one in known["consent"]:
        lines.append(
            f"consent at {one['account']}{' — suppressed since ' + one['suppressed_since'] if one['suppressed_since'] else ''}"
        )
        lines += [f"    {_fact_text(fact)}" for fact in one["facts"]]
    return lines


def _change_text(change: Mapping[str, Any]) -> str:
    extra = [f"{name} {change[name]}" for name in ("source", "target", "stage", "permission") if change.get(name)]
    extra += ["with reset"] if change.get("reset") else []
    extra += [f"fields {', '.join(change['fields'])}"] if change["fields"] else []
    return f"{change['change']} at {change['system']}" + (f" ({'; '.join(extra)})" if extra else "")


def _because_text(one: Mapping[str, Any]) -> str:
    rule = f" (rule {one['rule']}, line {one['line']})" if one["rule"] else ""
    nearest = f"; nearest miss: {one['nearest']}" if one["nearest"] else ""
    return f"{one['text']}{rule}{nearest} [{one['code']}]"


def _fact_text(fact: Mapping[str, Any]) -> str:
    extra = [fact["permission"]] if fact["permission"] else []
    extra += ["with personal tracking"] if fact["plus"] else []
    extra += [] if fact["final"] else ["not final"]
    told = f", told by {fact['told_by']}" if fact["told_by"] else ""
    return f"{fact['at']}  {fact['kind']}{' ' + ', '.join(extra) if extra else ''}{told}  (event {fact['event']})"


def _answer_text(row: Mapping[str, Any]) -> list[str]:
    return [f"    answer: {row['answer']}"] if row["answer"] else []
