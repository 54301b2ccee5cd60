"""The contract every connector keeps, as pytest classes to inherit. A bug found in one connector becomes a test for all.

    class TestMine(ConnectorContract, ReaderContract, TargetContract, WebhookContract, SignatureContract):
        @pytest.fixture
        def remote(self) -> Remote:
            return MyRemote()  # a `Remote`: how to reach your system, and what stands there

The classes ask for behaviour only. `FaultyHttp` plays the faults, so a `Remote` may be a real server or a transport of
the tests alike. Needs pytest and anyio's plugin; nothing but tests imports this module.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from stellwerk.errors import DeliveryError, ReauthorizeError, WebhookError
from stellwerk.sdk.connector import (
    MarkState,
    Outcome,
    Receipt,
    Signal,
    Target,
    Unread,
    WebhookRequest,
    WebhookSource,
)
from stellwerk.sdk.reading_contract import RUBBISH, STATUSES, ContractBase, ListerContract, ReaderContract
from stellwerk.sdk.remote import FaultyHttp, Remote

__all__ = [
    "ConnectorContract",
    "FaultyHttp",
    "ListerContract",
    "ReaderContract",
    "Remote",
    "SignatureContract",
    "TargetContract",
    "WebhookContract",
]

WRITTEN = frozenset({Outcome.DONE, Outcome.NOT_NEEDED})
LATER = frozenset({Outcome.RETRY, Outcome.PAUSE})


@pytest.mark.anyio
class ConnectorContract(ContractBase):
    """For every connector."""

    async def test_a_check_names_the_account(self, remote: Remote) -> None:
        async with remote.open() as connector:
            assert (await connector.check()).id

    async def test_refused_credentials_ask_for_a_person(self, remote: Remote) -> None:
        async with remote.open() as connector:
            remote.faults.answer(401)
            with pytest.raises(ReauthorizeError) as caught:
                await connector.check()
        assert caught.value.code

    async def test_every_call_spends_from_the_budget_first(self, remote: Remote) -> None:
        async with remote.open() as connector:
            await connector.check()
            assert 0 < remote.faults.calls <= remote.spent

    @pytest.mark.parametrize("status", STATUSES)
    async def test_every_status_is_a_named_error(self, remote: Remote, status: int) -> None:
        async with remote.open() as connector:
            remote.faults.answer(status, b"<html>no</html>")
            with pytest.raises(DeliveryError) as caught:
                await connector.check()
        assert caught.value.code

    @pytest.mark.parametrize("body", RUBBISH)
    async def test_rubbish_is_a_named_error(self, remote: Remote, body: bytes) -> None:
        async with remote.open() as connector:
            remote.faults.answer(200, body)
            with pytest.raises(DeliveryError) as caught:
                await connector.check()
        assert caught.value.code

    async def test_secrets_are_absent_from_repr_errors_and_log(
        self, remote: Remote, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        shown: list[str] = []
        async with remote.open() as connector:
            shown += [repr(connector), repr(remote.system), repr(remote.account)]
            await connector.check()
            for status in (400, 401, 403, 500):
                remote.faults.answer(status, " ".join(remote.secrets).encode())
                with pytest.raises(DeliveryError) as caught:
                    await connector.check()
                shown += [str(caught.value), repr(caught.value), str(caught.value.answer)]
        _absent(remote.secrets, [*shown, caplog.text])


@pytest.mark.anyio
class TargetContract(ContractBase):
    """For connectors that write. Every tag of `batch_sizes` is tried."""

    async def test_each_tag_gives_one_receipt_for_each_delivery_in_order(self, remote: Remote) -> None:
        async with remote.open() as connector:
            assert isinstance(connector, Target)
            for tag, size in connector.batch_sizes.items():
                deliveries = remote.deliveries(tag, min(size, 3))
                receipts = await connector.apply(deliveries)
                assert len(receipts) == len(deliveries), tag
                assert {receipt.outcome for receipt in receipts} <= WRITTEN, (tag, receipts)
                for delivery, receipt in zip(deliveries, receipts, strict=True):
                    assert receipt.id is None or delivery.id is None or receipt.id == delivery.id, tag

    async def test_applying_a_change_twice_leaves_as_many_contacts(self, remote: Remote) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes.keys() - connector.marked:
                deliveries = remote.deliveries(tag, 1)
                await connector.apply(deliveries)
                before = remote.count()
                (receipt,) = await connector.apply(deliveries)
                # Twice may also find the contact gone already; it is never made once more.
                assert receipt.outcome not in LATER, (tag, receipt)
                assert remote.count() == before, tag

    async def test_applying_nothing_calls_nobody(self, remote: Remote) -> None:
        async with remote.open() as connector:
            assert list(await connector.apply(())) == []
            assert remote.faults.calls == 0

    async def test_a_rate_limit_rests_the_account_and_says_how_long(self, remote: Remote) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                receipt = await _faulty(remote, connector, tag, lambda: remote.faults.answer(*remote.rate_limited()))
                assert receipt.outcome is Outcome.PAUSE, (tag, receipt)
                assert receipt.seconds is not None, tag
                assert receipt.seconds > 0, tag

    async def test_refused_credentials_pause_the_account(self, remote: Remote) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                receipt = await _faulty(remote, connector, tag, lambda: remote.faults.answer(401))
                assert receipt.outcome is Outcome.REAUTHORIZE, (tag, receipt)

    async def test_a_refused_change_is_rejected_and_not_retried(self, remote: Remote) -> None:
        async with remote.open() as connector:
            (receipt,) = await connector.apply((remote.refused(),))
        assert receipt.outcome is Outcome.REJECTED
        assert receipt.code

    async def test_a_lost_answer_is_ambiguous_where_a_mark_can_settle_it_and_else_for_later(
        self, remote: Remote
    ) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                receipt = await _faulty(remote, connector, tag, lambda: remote.faults.lose_answer(remote.writes))
                wanted = Outcome.AMBIGUOUS if tag in connector.marked else Outcome.RETRY
                assert receipt.outcome is wanted, (tag, receipt)

    async def test_an_unreachable_remote_is_for_later(self, remote: Remote) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                receipt = await _faulty(remote, connector, tag, remote.faults.unreachable)
                assert receipt.outcome is Outcome.RETRY, (tag, receipt)

    async def test_a_mark_is_found_after_the_write_and_only_then(self, remote: Remote) -> None:
        async with remote.open() as connector:
            for tag in connector.marked:
                (delivery,) = remote.deliveries(tag, 1)
                state, _ = await connector.find_mark(delivery)
                assert state is MarkState.ABSENT, tag
                await connector.apply((delivery,))
                state, receipt = await connector.find_mark(delivery)
                assert state is MarkState.FOUND, tag
                assert receipt is not None, tag
                assert receipt.outcome in WRITTEN, tag

    async def test_a_marked_write_has_one_effect(self, remote: Remote) -> None:
        async with remote.open() as connector:
            for tag in connector.marked:
                before = remote.effects()
                await connector.apply(remote.deliveries(tag, 1))
                assert remote.effects() == before + 1, tag

    @pytest.mark.parametrize("status", STATUSES)
    async def test_no_status_is_taken_for_a_success_or_raised(self, remote: Remote, status: int) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                receipt = await _faulty(
                    remote, connector, tag, lambda: remote.faults.answer(status, b"<html>no</html>")
                )
                assert receipt.outcome is not Outcome.DONE, (tag, receipt)
                assert receipt.code, tag

    @pytest.mark.parametrize("body", RUBBISH)
    async def test_rubbish_is_a_named_receipt(self, remote: Remote, body: bytes) -> None:
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                receipt = await _faulty(remote, connector, tag, lambda: remote.faults.answer(200, body))
                assert receipt.code, tag

    async def test_receipts_and_log_hold_no_secret_and_no_address(
        self, remote: Remote, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        shown: list[str] = []
        private = list(remote.secrets)
        async with remote.open() as connector:
            for tag in connector.batch_sizes:
                deliveries = remote.deliveries(tag, 1)
                private += [delivery.email for delivery in deliveries if delivery.email]
                for status in (400, 403, 409, 500):
                    remote.faults.answer(status, " ".join(private).encode())
                    shown += [repr(receipt) for receipt in await connector.apply(deliveries)]
                remote.faults.heal()
        _absent(private, [*shown, caplog.text])


class WebhookContract(ContractBase):
    """For connectors that hear webhooks."""

    def test_an_authentic_webhook_is_understood(self, remote: Remote) -> None:
        connector: Any = remote.connector
        assert isinstance(connector, WebhookSource)
        signals = connector.receive(remote.webhook(), remote.system)
        assert signals
        assert all(isinstance(signal, Signal) for signal in signals)

    def test_the_same_webhook_has_the_same_keys(self, remote: Remote) -> None:
        request = remote.webhook()
        first, second = (remote.connector.receive(request, remote.system) for _ in range(2))
        assert [signal.key for signal in first] == [signal.key for signal in second]

    @pytest.mark.parametrize("body", RUBBISH)
    def test_a_body_that_is_not_understood_is_kept_and_never_raises(self, remote: Remote, body: bytes) -> None:
        items = remote.connector.receive(remote.webhook(body), remote.system)
        assert all(isinstance(item, Signal | Unread) for item in items)


class SignatureContract(ContractBase):
    """For connectors whose webhooks are signed."""

    def test_a_forged_webhook_is_refused(self, remote: Remote) -> None:
        request = remote.webhook()
        _refuses(remote, msgspec.structs.replace(request, body=request.body + b" "))

    def test_an_unsigned_webhook_is_refused(self, remote: Remote) -> None:
        _refuses(remote, msgspec.structs.replace(remote.webhook(), headers={}))

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_webhook_from_another_time_is_refused(self, remote: Remote, minutes: int) -> None:
        request = remote.webhook()
        _refuses(remote, msgspec.structs.replace(request, received_at=request.received_at + timedelta(minutes=minutes)))


async def _faulty(remote: Remote, connector: Target, tag: str, fault: Any) -> Receipt:
    """The receipt of one delivery of `tag` while the fault is on."""
    deliveries = remote.deliveries(tag, 1)
    fault()
    (receipt,) = await connector.apply(deliveries)
    remote.faults.heal()
    return receipt


def _refuses(remote: Remote, request: WebhookRequest) -> None:
    with pytest.raises(WebhookError) as caught:
        remote.connector.receive(request, remote.system)
    assert caught.value.status == 401


def _absent(private: Sequence[str], shown: Sequence[str]) -> None:
    for text in private:
        assert not any(text in one for one in shown), "a secret or an address shows"
