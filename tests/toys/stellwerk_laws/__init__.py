"""Random files and random histories over the two toys, what truly happened in them, and what each law demands of it."""

from __future__ import annotations
