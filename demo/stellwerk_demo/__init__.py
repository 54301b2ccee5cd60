"""`stellwerk demo`: hub and both twins on this machine; with `--script` Ada's story is told four times and checked."""

from __future__ import annotations

from stellwerk_demo.program import main

__all__ = ["main"]
