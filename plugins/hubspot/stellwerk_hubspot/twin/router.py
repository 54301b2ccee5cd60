"""Finds the row of a route table for a request; literal parts win over parameters."""

from __future__ import annotations

from collections.abc import Iterable

from .call import Route, match
from .errors import unknown_path

__all__ = ["Router"]


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_length: dict[int, list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.parts()
            self._by_length.setdefault(len(parts), []).append((parts, route))
        for rows in self._by_length.values():
            rows.sort(key=lambda row: [part.startswith("{") and part != "{contacts}" for part in row[0]])

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route and its parameters; raises 404, or 405 when only the method is unknown."""
        raw_parts = raw_path.strip("/").split("/")
        tail = raw_path != "/" and raw_path.endswith("/")
        known = False
        for parts, route in self._by_length.get(len(raw_parts), ()) if not tail else ():
            params = match(parts, raw_parts)
            if params is not None:
                if route.method == method:
                    return route, params
                known = True
        raise unknown_path(method, raw_path, status=405 if known else 404)
