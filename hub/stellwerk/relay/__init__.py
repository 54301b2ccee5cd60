"""Receive, read, decide, deliver: one module per arrow of the picture."""

from __future__ import annotations
