"""What the JSON API answers besides what was asked for: the problem documents of RFC 9457, as its description names them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypeAlias

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter
from msgspec import UNSET, Struct, UnsetType

PROBLEM_JSON = "application/problem+json"
EVERYWHERE = (401, 429, 503)
"""No token that works; too many calls with such ones; the store takes nothing at the moment."""
RowNumber: TypeAlias = Annotated[int, PathParameter(ge=1, le=2**62)]
"""A number in a path, as a database can hold it."""
CHANGING = 403
"""The token may only look."""
READING_A_BODY = (400, 413)


class Problem(Struct, frozen=True, kw_only=True):
    """RFC 9457. `detail` is a sentence for whoever wrote the program."""

    type: str
    title: str
    status: int
    detail: str | UnsetType = UNSET


def problems(*also: int, changes: bool = False, body: bool = False) -> dict[int, ResponseSpec]:
    """The statuses with which a call may be refused: those of every call, and those named."""
    every = {*EVERYWHERE, *also, *((CHANGING,) if changes else ()), *(READING_A_BODY if body else ())}
    return {status: _spec(status) for status in sorted(every)}


def _spec(status: int) -> ResponseSpec:
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        description=HTTPStatus(status).phrase,
        media_type=PROBLEM_JSON,
    )
