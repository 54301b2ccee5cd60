"""Pages of a list and the headers that tell of them (section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from .exchange import Request
from .parameters import Parameters

T = TypeVar("T")
PARAMETERS = ("page_index", "page_size")


def cut(
    items: Sequence[T], request: Request, parameters: Parameters, largest: int = 1000
) -> tuple[Sequence[T], list[tuple[str, str]]]:
    """One page of `items`, and `X-Pages`, `X-Items` and one `Link` per relation."""
    index = parameters.whole("page_index", 1, 2**31 - 1) or 1
    size = parameters.whole("page_size", 1, largest) or 100
    pages = max(1, -(-len(items) // size))
    headers = [("X-Pages", str(pages)), ("X-Items", str(len(items)))]
    others = [pair for pair in request.pairs if pair[0] not in PARAMETERS]
    relations = {"start": 1, "prev": index - 1, "next": index + 1}
    for relation, page in relations.items():
        if 1 <= page <= pages:
            query = urlencode([*others, ("page_index", page), ("page_size", size)])
            host = request.headers.get("host", "localhost")
            headers.append(("Link", f'<http://{host}{request.path}?{query}>; rel="{relation}"'))
    return items[(index - 1) * size : index * size], headers
