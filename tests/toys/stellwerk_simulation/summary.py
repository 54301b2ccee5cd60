"""What many histories reached and found, for people to read."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping

from stellwerk_simulation.history import FAULTS

DEEDS = (
    *("Write", "Confirm", "Leave", "EditThere", "Bounce", "Delete", "Restore", "Erase", "Merge", "Move", "OptOut"),
    *("Save", "Watch", "Hold", "Unlink", "Sync", "merge during a sync", "Wait", "BackUp", "GoBack"),
)
CALLS = (
    *(f"call {kind}" for kind in FAULTS if kind != "token"),
    *("call late, and carried out", "tokens ended", "call with a token that had ended"),
)
WEBHOOKS = (
    *("webhook", "webhook again", "webhook after a younger one", "webhook lost", "webhook unheard"),
    "webhook while the hub was gone",
)
ENDS = ("between two steps", "before the commit", "after the commit", "for hours")
WORLD = (
    *(f"process ended {where}" for where in ENDS),
    *("process ended while it began", "disk full: commit failed", "clock ahead", "clock behind", "two connections"),
)
UNANSWERED = "ended where the oracle has no answer"
GROUPS = {"deeds": DEEDS, "calls": CALLS, "webhooks": WEBHOOKS, "processes, disk, clock": WORLD}
WIDTH = 120


def reached(counted: Mapping[str, int]) -> Iterable[str]:
    """A paragraph for each group: what happened, how often; and what never did."""
    for title, names in GROUPS.items():
        there = [f"{name} {counted[name]:,}" for name in names if counted.get(name)]
        yield _paragraph(title, there)
    if counted.get(UNANSWERED):
        yield f"{UNANSWERED}: {counted[UNANSWERED]:,}"
    missing = [name for names in GROUPS.values() for name in names if not counted.get(name)]
    if missing:
        yield _paragraph("never reached", missing)


def wrong(found: Mapping[int, str], seeds: int) -> Iterable[str]:
    """Each history that went wrong, and how to see it again."""
    yield f"{len(found)} of {seeds:,} went wrong; `make simulate SEED=n` plays one again and shrinks it:"
    for seed, what in found.items():
        yield textwrap.shorten(f"  seed {seed}: {what}", width=2 * WIDTH, placeholder=" …")
    alike = Counter(_kind(what) for what in found.values())
    yield "of these, by what differs: " + ", ".join(f"{kind} {number}" for kind, number in alike.most_common())


def _kind(what: str) -> str:
    """Which sides differ, or what else is wrong, without who and when."""
    sides = [side for side in ("crm", "news", "mails", "suppressed") if f": {side} must be" in what]
    return " and ".join(sides) or what.partition(": ")[2][:60] or what[:60]


def _paragraph(title: str, names: Iterable[str]) -> str:
    whole = ", ".join(name.replace(" ", "\0") for name in names)  # a name stays in its line
    return textwrap.fill(f"{title}: {whole}", width=WIDTH, subsequent_indent="  ").replace("\0", " ")
