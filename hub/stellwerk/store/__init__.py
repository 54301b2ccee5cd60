"""The truth: our own tables behind one small protocol. A transaction wraps one arrow of the picture."""

from __future__ import annotations
