"""The part of the contract that is about reading: contacts by reference, and all of them page by page.

Re-exported by `stellwerk.sdk.testing`; nothing but tests imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stellwerk.errors import DeliveryError, RetryableError
from stellwerk.sdk.connector import Lister, Reader, Ref
from stellwerk.sdk.remote import Remote

__all__ = ["RUBBISH", "STATUSES", "ContractBase", "ListerContract", "ReaderContract"]

STATUSES = (
    300,
    302,
    400,
    403,
    404,
    405,
    408,
    409,
    410,
    414,
    415,
    418,
    423,
    429,
    451,
    500,
    501,
    502,
    503,
    504,
    520,
    522,
    599,
)
DEPTH = 20_000
"""Of a body that no reader follows: what it raises is no error of decoding."""
RUBBISH = (
    b"",
    b"<html>gateway</html>",
    b"{",
    b"[1, 2",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"results": 7}',
    pytest.param(b"[" * DEPTH + b"]" * DEPTH, id="deep lists"),
    pytest.param(b'[{"a":' + b"[" * DEPTH + b"]" * DEPTH + b"}]", id="a deep value"),
    pytest.param(b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, id="deep objects"),
    pytest.param(b"<a>" * DEPTH + b"</a>" * DEPTH, id="deep elements"),
    b'{"email": "\\u0000", "peer": "\\u0000", "timestamp": "0001-01-01 00:00:00+1400"}',
)


class ContractBase:
    """What the classes share: the fixture to give, and the event loop."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def remote(self) -> Remote:
        """Override this: a fresh `Remote` for each test."""
        raise NotImplementedError("a contract needs a fixture `remote`")


@pytest.mark.anyio
class ReaderContract(ContractBase):
    """For connectors that read contacts."""

    async def test_reading_gives_one_contact_for_each_reference_in_order(self, remote: Remote) -> None:
        known, unknown = remote.known(), remote.unknown()
        refs = (*known, unknown, *reversed(known))
        async with remote.open() as connector:
            assert isinstance(connector, Reader)
            found = await connector.read(refs, ())
        assert len(found) == len(refs)
        assert [contact.id for contact in found] == [contact.id for contact in reversed(found)]
        assert len({contact.id for contact in found}) == len(known) + 1

    async def test_a_contact_that_is_not_there_is_absent_and_no_error(self, remote: Remote) -> None:
        async with remote.open() as connector:
            (found,) = await connector.read((remote.unknown(),), ())
        assert (found.presence, found.id) == ("absent", None)

    async def test_reading_nothing_calls_nobody(self, remote: Remote) -> None:
        async with remote.open() as connector:
            assert list(await connector.read((), ())) == []
            assert remote.faults.calls == 0

    async def test_a_lost_answer_to_a_read_is_for_later(self, remote: Remote) -> None:
        async with remote.open() as connector:
            remote.faults.lose_answer()
            with pytest.raises(RetryableError):
                await connector.read(remote.known(), ())

    @pytest.mark.parametrize("status", [status for status in STATUSES if status not in (404, 410)])
    async def test_a_status_never_makes_a_contact_look_gone(self, remote: Remote, status: int) -> None:
        async with remote.open() as connector:
            remote.faults.answer(status, b"<html>no</html>")
            with pytest.raises(DeliveryError):
                await connector.read(remote.known(), ())

    @pytest.mark.parametrize("body", RUBBISH)
    async def test_rubbish_never_makes_a_contact_look_gone(self, remote: Remote, body: bytes) -> None:
        async with remote.open() as connector:
            remote.faults.answer(200, body)
            with pytest.raises(DeliveryError):
                await connector.read(remote.known(), ())


@pytest.mark.anyio
class ListerContract(ContractBase):
    """For connectors that page through all their contacts."""

    async def test_all_pages_together_name_everybody_once(self, remote: Remote) -> None:
        known = remote.known()
        async with remote.open() as connector:
            assert isinstance(connector, Reader)
            pages = await _pages(connector)
            found = {contact.id for contact in await connector.read(known, ())}
        named = [ref.value for refs in pages.values() for ref in refs]
        assert len(named) == len(set(named))
        assert found <= set(named)

    async def test_a_page_that_is_asked_for_again_names_the_same_contacts(self, remote: Remote) -> None:
        remote.known()
        async with remote.open() as connector:
            first, _ = await connector.page(None)
        async with remote.open() as connector:
            again, _ = await connector.page(None)
        assert list(again) == list(first)

    @pytest.mark.parametrize("status", STATUSES)
    async def test_a_status_never_makes_a_page_the_last(self, remote: Remote, status: int) -> None:
        async with remote.open() as connector:
            remote.faults.answer(status, b"<html>no</html>")
            with pytest.raises(DeliveryError):
                await connector.page(None)

    @pytest.mark.parametrize("body", RUBBISH)
    async def test_rubbish_never_makes_a_page_the_last(self, remote: Remote, body: bytes) -> None:
        async with remote.open() as connector:
            remote.faults.answer(200, body)
            with pytest.raises(DeliveryError):
                await connector.page(None)


async def _pages(connector: Any) -> dict[str | None, Sequence[Ref]]:
    """Every page by its cursor."""
    assert isinstance(connector, Lister)
    pages: dict[str | None, Sequence[Ref]] = {}
    cursor: str | None = None
    while cursor not in pages:
        pages[cursor], following = await connector.page(cursor)
        if following is None:
            return pages
        cursor = following
    raise AssertionError(f"page {cursor} leads to itself")
