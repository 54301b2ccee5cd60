"""A body is taken as the description of the API has it: the framework alone would read `0` or `"no"` for `false`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ClientException, ValidationException

from stellwerk.errors import UNREADABLE


class Asked(Request[Any, Any, Any]):
    """The framework reads the body before it asks who calls, and would call one that is nested too deep our bug."""

    async def json(self) -> Any:
        try:
            return await super().json()
        except RecursionError:
            raise ClientException() from None


async def as_described(request: Request[Any, Any, Any]) -> None:
    """Raises `ValidationException` (400) where the JSON body has a type that the called handler does not name."""
    field = request.scope["route_handler"].parsed_data_field
    body = await request.body()
    if field is None or not body:
        return
    try:
        msgspec.json.decode(body, type=field.annotation)
    except UNREADABLE as wrong:
        raise ValidationException(str(wrong)) from None
