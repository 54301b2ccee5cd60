"""Whose turn comes first, in the inbox as in the outbox: opt-outs, what somebody waits for, the many, and what a sync brings.

The many are what an import or a workflow did, and what a poll found: nobody knows how many of them there are.
"""

from __future__ import annotations

__all__ = ["BACKFILL", "LIVE", "MANY", "OPT_OUT"]

OPT_OUT, LIVE, MANY, BACKFILL = range(4)
