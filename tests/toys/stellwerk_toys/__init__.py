"""Two systems that exist only in the tests, and what the tests of several folders need."""

from __future__ import annotations
