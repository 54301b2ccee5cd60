"""A signed POST to a URL that a customer typed: to nothing inside this network unless the operator allows it.

The name is resolved here and the connection goes to that very address, so that a name which answers otherwise the next
time leads nowhere. No redirect is followed, no proxy is asked, and of the answer only the status is read.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import ssl
from urllib.parse import urlsplit

from stellwerk.relay.untold import Untold

SECONDS = 15.0
LONGEST_STATUS_LINE = 1000
SIGNATURE = "stellwerk-signature"
_INSIDE = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96", "fec0::/10")))
"""IPv6 addresses that stand for an IPv4 address, wherever it leads, or for one of a site: not told by `is_global`."""


async def post(url: str, body: bytes, *, secret: str, at: int, internal: bool) -> None:
    """Raises `Untold`: `hook-inside`, `hook-unreachable`, `hook-not-trusted`, `hook-late`, `hook-refused`. `at` in seconds since 1970."""
    parts = urlsplit(url)
    encrypted = parts.scheme == "https"
    if not encrypted and not internal:
        raise Untold("hook-inside")
    try:
        async with asyncio.timeout(SECONDS):
            host, port = parts.hostname or "", parts.port or (443 if encrypted else 80)
            address = await _address(host, port, internal=internal)
            status = await _status(address, port, host if encrypted else None, _request(url, body, secret, at))
    except TimeoutError:
        raise Untold("hook-late") from None
    except ssl.SSLError:
        raise Untold("hook-not-trusted") from None
    except (OSError, ValueError):  # the second: a line too long, or a name that is none
        raise Untold("hook-unreachable") from None
    if not 200 <= status < 300:
        raise Untold("hook-refused")


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 with the secret over `SECONDS.BODY`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_outside(address: str) -> bool:
    """Whether this address is one of the public internet. Raises `ValueError` for what is none."""
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):
        if any(one in network for network in _INSIDE):
            return False
        inner = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if inner is not None:
            return is_outside(str(inner))
    return one.is_global and not one.is_multicast


async def _address(host: str, port: int, *, internal: bool) -> str:
    """Where the name leads; nowhere if any of its addresses is inside."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    addresses = [str(info[4][0]) for info in found]
    if not internal and not all(map(is_outside, addresses)):
        raise Untold("hook-inside")
    return addresses[0]


def _request(url: str, body: bytes, secret: str, at: int) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = (
        f"POST {target} HTTP/1.1",
        f"host: {parts.netloc}",
        "user-agent: stellwerk",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"{SIGNATURE}: {signature(secret, at, body)}",
        "connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii") + body


async def _status(address: str, port: int, name: str | None, request: bytes) -> int:
    """`name` is whom the certificate must be of; None: not encrypted."""
    context = None if name is None else ssl.create_default_context()
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context, server_hostname=name, limit=LONGEST_STATUS_LINE
    )
    try:
        writer.write(request)
        await writer.drain()
        line = (await reader.readline()).split()
        return int(line[1]) if len(line) > 1 and line[0].startswith(b"HTTP/") else 0
    finally:
        writer.close()
