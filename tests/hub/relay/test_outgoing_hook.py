"""Where a webhook that a customer typed may lead: to the public internet, and nowhere inside unless the operator allows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from stellwerk.relay import outgoing_hook
from stellwerk.relay.recipients import NotTaken, check_url
from stellwerk.relay.untold import Untold
from stellwerk_toys.listeners import HookListener, listening

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hook() -> AsyncIterator[HookListener]:
    made = HookListener()
    async with listening(made.answer) as made.port:
        yield made


INSIDE = [
    "https://localhost/", "https://127.0.0.1/", "https://10.0.0.1:8443/x", "https://192.168.1.1/", "https://[::1]/",
    "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/", "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/",
    "https://[fec0::1]/", "https://[::127.0.0.1]/", "https://[::ffff:0:127.0.0.1]/",
]  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_a_webhook_to_an_address_inside_is_refused_unless_the_operator_allows_it(url: str) -> None:
    with pytest.raises(NotTaken, match="inside"):
        check_url(url, internal=False)
    check_url(url, internal=True)


@pytest.mark.parametrize("url", ["http://hooks.example/", "ftp://hooks.example/", "https://u:p@hooks.example/", "https:///x", "hooks.example", "https://hooks.example/a b", "https://hooks.example:0/", "https://[::1/", "https://hooks.example/\r\nx: y", "https://hö.example/"])  # fmt: skip
def test_what_is_no_encrypted_url_is_refused(url: str) -> None:
    with pytest.raises(NotTaken, match="not-a-url"):
        check_url(url, internal=False)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost"])
async def test_a_name_that_leads_inside_is_not_called(host: str, hook: HookListener) -> None:
    with pytest.raises(Untold, match="hook-inside"):
        await outgoing_hook.post(f"https://{host}:{hook.port}/", b"{}", secret="s", at=1, internal=False)
    assert hook.calls == []


async def test_a_name_with_one_address_inside_among_others_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answers(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.215.14", 443)), (0, 0, 0, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answers)
    with pytest.raises(Untold, match="hook-inside"):
        await outgoing_hook.post("https://hooks.example/", b"{}", secret="s", at=1, internal=False)


async def test_the_address_that_was_judged_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, hook: HookListener
) -> None:
    """A name that answers otherwise the second time (DNS rebinding) gains nothing."""
    asked: list[str] = []

    async def answers(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", hook.port))]

    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def first_only(host: str, *rest: Any, **more: Any) -> Any:
        return await (answers(host) if host == "hooks.example" else real(host, *rest, **more))

    monkeypatch.setattr(loop, "getaddrinfo", first_only)
    await outgoing_hook.post(f"http://hooks.example:{hook.port}/", b"{}", secret="s", at=1, internal=True)
    assert asked == ["hooks.example"]
    assert hook.calls[0].headers["host"] == f"hooks.example:{hook.port}"
