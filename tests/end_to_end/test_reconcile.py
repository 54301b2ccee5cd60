"""`stellwerk reconcile` over both twins: a healthy pair has no drift, and what differs is listed, mended, and then gone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def compared(there: Any, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and what the command told of the one connection."""
    command = [sys.executable, "-m", "stellwerk", "reconcile", *options, "--json", "--config", str(there.scene.config)]
    done = subprocess.run(
        command, env=there.scene.environment, cwd=there.scene.folder, capture_output=True, text=True, timeout=180
    )
    (told,) = json.loads(done.stdout or "[]") or [{"error": done.stderr}]
    return done.returncode, told


def kinds(told: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["kind"], row["system"]): row["count"] for row in told["drift"]}


def doi_mails(there: Any) -> int:
    told = there.scene.maileon.control("GET", "/accounts/9001/contacts")["mails"]
    return sum(mail["kind"] == "doi" for mail in told)


def test_a_healthy_pair_has_no_drift_and_what_differs_is_listed_then_mended(town: Callable[..., Any]) -> None:
    there = town()
    nora, ben = there.subscriber("Nora"), there.subscriber("Ben")
    there.marketer.edits_contact(there.record_id(nora), company="Nora Ltd.")
    cleo = there.visitor("Cleo")
    cleo.submits_form(ticks=False)
    there.marketer.sends_newsletter()
    there.until("the newsletter", lambda: ben.mails("regular"))
    ben.unsubscribes()
    there.until("status unsubscribed", lambda: there.status(ben) == "unsubscribed")
    there.quiet()
    mails = doi_mails(there)

    code, told = compared(there)
    assert (code, told["state"], told["drift"]) == (0, "done", []), told
    assert told["contacts"] >= 4

    # Somebody overwrites the state shown.
    there.marketer.edits_contact(there.record_id(nora), maileon_status="error")
    there.marketer.edits_contact(there.record_id(ben), maileon_status="subscribed")
    there.quiet()
    code, told = compared(there, "--dry-run")
    assert (code, kinds(told), told["mended"]) == (1, {("state", "crm"): 2}, 0)
    assert there.status(nora) == "error"
    code, told = compared(there)
    assert (code, told["mended"], told["waiting"]) == (0, 2, 0)
    there.until("the state shown anew", lambda: there.status(nora) == "subscribed")
    there.until("the state shown anew", lambda: there.status(ben) == "unsubscribed")
    there.quiet()
    assert compared(there)[0] == 0
    shown = {name: value for name, value in there.metrics().items() if name.startswith("stellwerk_drift{")}
    assert len(shown) == 8
    assert not any(shown.values())
    assert doi_mails(there) == mails
    assert "Traceback" not in there.scene.hub_log
