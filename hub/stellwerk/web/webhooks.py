"""What vendors call."""

from __future__ import annotations

import urllib.parse
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from stellwerk.errors import WebhookError
from stellwerk.relay.hub import Hub
from stellwerk.relay.receive import LARGEST_BODY, receive
from stellwerk.sdk.connector import WebhookRequest
from stellwerk.web.limits import Limits


@post(["/webhooks/{connector:str}", "/webhooks/{connector:str}/{rest:path}"], status_code=HTTP_200_OK, name="webhooks")
async def take_webhook(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    limits: NamedDependency[Limits],
    connector: FromPath[str],
    rest: FromPath[str] = "",
) -> Response[str]:
    """Answer 200 once every event of the request is on disk; 401, 404, 413 are the only refusals, 429 for too many of them."""
    try:
        body = await _body(request)
        await receive(hub, connector, _request(request, hub, rest, body))
    except WebhookError as refused:
        limits.refused(request)
        return Response(content=refused.reason, status_code=refused.status, media_type="text/plain")
    return Response(content="", status_code=HTTP_200_OK, media_type="text/plain")


async def _body(request: Request[Any, Any, Any]) -> bytes:
    """The raw body, read no further than one byte over the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            break
    return bytes(body)


def _request(request: Request[Any, Any, Any], hub: Hub, rest: str, body: bytes) -> WebhookRequest:
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    path = raw.split(b"?", 1)[0].decode("latin-1")
    return WebhookRequest(
        method=request.method,
        url=hub.webhook_url + path + ("?" + query.decode("latin-1") if query else ""),
        path=tuple(urllib.parse.unquote(part) for part in rest.strip("/").split("/") if part),
        query=dict(urllib.parse.parse_qsl(query.decode("latin-1"), keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        received_at=hub.time(),
    )
