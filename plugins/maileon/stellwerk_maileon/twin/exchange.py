"""One HTTP exchange as values: the request as it was sent, the answer as it will be."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from msgspec import Struct

from .problem import Problem, Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 32_000_000


class Request(Struct, kw_only=True):
    """`segments` are percent-decoded one by one; a trailing slash leaves an empty last one. Header names are lower-case."""

    method: str
    path: str
    segments: tuple[str, ...]
    query: str
    pairs: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Answer(Struct, frozen=True, kw_only=True):
    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


async def read_request(scope: Scope, receive: Receive) -> Request:
    """The whole request; `Refusal` when path or query are not UTF-8. The body stays as sent, see `plain_body`."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    raw_query: bytes = scope["query_string"]
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        size += len(message.get("body", b""))
        if size <= LARGEST_BODY:
            chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        headers[key] = f"{headers[key]}, {value.decode('latin-1')}" if key in headers else value.decode("latin-1")
    request = Request(
        method=scope["method"],
        path=raw_path.decode("latin-1"),
        segments=(),
        query=raw_query.decode("latin-1"),
        pairs=[],
        headers=headers,
        body=b"".join(chunks) if size <= LARGEST_BODY else b"",
    )
    if size > LARGEST_BODY:
        headers["content-length"] = str(size)
    return request


def understand(request: Request) -> None:
    """Fill `segments` and `pairs`, and undo gzip (section 2, the Java client); `Refusal` when that cannot be done."""
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
        raise Problem(413, f"the body is larger than {LARGEST_BODY} bytes")
    try:
        request.segments = tuple(unquote_to_bytes(part).decode() for part in request.path.split("/")[1:])
        request.pairs = parse_qsl(
            request.query, keep_blank_values=True, strict_parsing=bool(request.query), errors="strict"
        )
    except ValueError:
        raise Refusal(400, "path or query are not well-formed UTF-8") from None
    coding = request.headers.get("content-encoding", "identity")
    if coding == "gzip":
        try:
            request.body = gzip.decompress(request.body)
        except (OSError, EOFError, zlib.error):
            raise Refusal(400, "the body is not gzip") from None
    elif coding != "identity":
        raise Refusal(415, f"unknown content encoding {coding}")


def encode_headers(answer: Answer, date: str, length: int | None = None) -> list[tuple[bytes, bytes]]:
    """The header list of the answer; `length` replaces the true length (a cut answer promises more than it sends)."""
    headers = [(b"date", date.encode())]
    if answer.content_type is not None:
        headers.append((b"content-type", answer.content_type.encode()))
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body) if length is None else length).encode()))
    headers.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers)
    return headers


async def send_answer(send: Send, answer: Answer, date: str) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": encode_headers(answer, date)})
    await send({"type": "http.response.body", "body": b"" if answer.status == 204 else answer.body})
