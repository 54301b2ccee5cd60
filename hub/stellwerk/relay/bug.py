"""What a log may say of a bug: its type and place. The message may hold what somebody wrote, and stays away."""

from __future__ import annotations

import traceback
from pathlib import PurePath

BUG = "bug"
"""Code of what a bug stopped: tried again like everything that fails, and a dead letter in the end."""

FRAMES = 4


def place(bug: BaseException) -> str:
    """`KeyError at wire.py:12, read.py:110, …`, innermost first."""
    frames = reversed(traceback.extract_tb(bug.__traceback__)[-FRAMES:])
    return f"{type(bug).__name__} at " + ", ".join(f"{PurePath(one.filename).name}:{one.lineno}" for one in frames)
