"""`stellwerk status`: what became of every event, and what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, printed
from stellwerk.store import accounts, counts, hold, outbox, repairs

__all__ = ["status"]


@click.command()
@CONFIG
@JSON
def status(config: Path, as_json: bool) -> None:
    """Say what became of every acknowledged event (six counts that add up), and what waits for a person.

    Exit code 1: something does.
    """
    with beside(config) as view:
        six, acknowledged = counts.six(view.tx), counts.acknowledged(view.tx)
        stands = hold.standing(view.tx)
        told: dict[str, Any] = {
            "events": {**six, "acknowledged": acknowledged},
            "deliveries": outbox.counts(view.tx),
            "held_what_mails": None if stands is None else stands.because,
            "accounts_waiting_for_a_person": [
                one.id for one in accounts.every(view.tx, view.vault) if one.state != "ok"
            ],
            "repairs": len(repairs.still_open(view.tx)),
        }
    adds_up = sum(six.values()) == acknowledged
    lines = [f"{acknowledged} events acknowledged: " + ", ".join(f"{n} {name}" for name, n in six.items())]
    lines += [] if adds_up else ["    these do not add up, which is a bug: please report it"]
    lines += ["what mails or grants is held; see `stellwerk hold status`"] if stands is not None else []
    lines += [f"{one} waits for a person" for one in told["accounts_waiting_for_a_person"]]
    lines += [f"{told['repairs']} repairs; see `stellwerk repairs`"] if told["repairs"] else []
    printed(told, "\n".join(lines), as_json=as_json)
    waits = told["accounts_waiting_for_a_person"] or told["repairs"] or stands or six["dead"] or six["held"]
    raise SystemExit(bool(waits) or not adds_up)
