"""Forged requests: a form counts only with the token of the session it was made for, sent by our own page."""

from __future__ import annotations

import secrets
import urllib.parse
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException, PermissionDeniedException

from stellwerk.web.visitor import visitor_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "token"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000


async def refuse_forged(request: Request[Any, Any, Any]) -> None:
    """Before every handler of the pages. Raises `PermissionDeniedException`, which shows as 403."""
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise PermissionDeniedException("sent by another site")
    token = visitor_of(request).token
    sent = (await posted(request)).get(FIELD, "")
    if not token or not secrets.compare_digest(token.encode(), sent.encode()):
        raise PermissionDeniedException("without this session's token")


async def posted(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The form's values; of two with one name the last, so that a box can stand behind its hidden `no`."""
    if request.content_type[0] != FORM:
        return {}
    try:
        text = (await request.body()).decode()
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise ClientException("the form cannot be read") from None


def row_id(text: str) -> int | None:
    """The id that one of our own buttons names; None for what is none."""
    return int(text[:18]) if text.isascii() and text.isdigit() else None
