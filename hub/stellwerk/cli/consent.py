"""`stellwerk consent`: what is known of an address's consent, with its proof."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, printed
from stellwerk.view.proof import Proof, Standing, proof

__all__ = ["consent"]


@click.command()
@click.argument("address")
@CONFIG
@JSON
def consent(address: str, config: Path, as_json: bool) -> None:
    """Show the consent history of an address: what was asked, granted, confirmed, withdrawn, when, and on whose word.

    Reads the hub's database and changes nothing; the hub may run. Exit code 1: nothing is known of that address.
    """
    with beside(config) as view:
        found = proof(view.tx, view.vault, address, time.time(), view.integration.limits)
    text = "\n".join(line for one in found for line in _text(one))
    printed(found, text or "nothing is known of this address", as_json=as_json)
    sys.exit(0 if found else 1)


def _text(one: Standing) -> list[str]:
    since = f", suppressed since {one.suppressed_since}" if one.suppressed_since else ""
    return [f"{one.account}: {one.state}{since}", *(f"    {_line(fact)}" for fact in one.history)]


def _line(fact: Proof) -> str:
    extra = [fact.permission] if fact.permission else []
    extra += ["with personal tracking"] if fact.plus else []
    extra += [] if fact.final else ["not proved"]
    what = " ".join([fact.kind, *([f"({', '.join(extra)})"] if extra else [])])
    by = f" by {fact.connection}" if fact.connection else ""
    word = f"; {fact.agreed_by} agreed on {fact.agreed_at}: {fact.sentence or fact.words}" if fact.agreed_by else ""
    under = f", configuration {fact.configuration}" if fact.configuration else ""
    return (
        f"{fact.at}  {what}, told by {fact.told_by}, written down {fact.recorded}{by} (event {fact.event}{under}){word}"
    )
