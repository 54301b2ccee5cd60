"""Whether the hub lives, whether it can work, and its numbers."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from stellwerk.errors import StoreAway, StoreError, StoreFull
from stellwerk.relay.hearing import wrong_clocks
from stellwerk.relay.hub import Hub, log
from stellwerk.store import accounts, comparisons, counts, inbox, meta, opt_outs, outbox, repairs
from stellwerk.store.store import Tx
from stellwerk_rules.comparing import DriftKind


@get("/health", name="health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/health/ready", name="ready")
async def ready(hub: NamedDependency[Hub]) -> Response[dict[str, Any]]:
    """The store can be written and the clocks agree; accounts that wait for a person are counted, and do not make it unready.

    Anybody may ask, so nothing is named: that is in the log and in `stellwerk status`.
    """
    waiting = 0
    try:
        await hub.store.write(lambda tx: meta.count(tx, "health_checks"))
        waiting = await hub.store.read(lambda tx: sum(row.state != "ok" for row in accounts.every(tx, hub.vault)))
    except StoreError as error:
        if not isinstance(error, (StoreAway, StoreFull)):  # the store has said so, once
            log.error("not ready: %s", error)
        if not hub.store.full:
            return _down("the database cannot be used as it is; the hub's log says why")
    if hub.store.full:  # also where this one small write still fitted
        return _down("the disk of the database is full: make room there; nothing that was taken in is lost")
    wrong = wrong_clocks(hub)
    if wrong:
        return _down("clocks are more than five minutes apart; set this host's clock", clocks_apart=len(wrong))
    return Response(content={"status": "ok", "accounts_waiting_for_a_person": waiting}, status_code=HTTP_200_OK)


def _down(because: str, **counted: int) -> Response[dict[str, Any]]:
    return Response(content={"status": "down", "because": because, **counted}, status_code=HTTP_503_SERVICE_UNAVAILABLE)


@get("/metrics", name="metrics", media_type="text/plain; version=0.0.4")
async def metrics(hub: NamedDependency[Hub]) -> str:
    """Prometheus text; no personal data."""
    return await hub.store.read(lambda tx: _metrics(tx, hub.now()))


def _metrics(tx: Tx, now: float) -> str:
    oldest = opt_outs.oldest(tx)
    lines = [f"stellwerk_{name}_total {value}" for name, value in meta.counters(tx).items()]
    lines += [f'stellwerk_events{{state="{name}"}} {n}' for name, n in counts.six(tx).items()]
    lines += [f'stellwerk_inbox_events{{state="{state}"}} {n}' for state, n in sorted(inbox.counts(tx).items())]
    lines += [f'stellwerk_outbox_deliveries{{state="{state}"}} {n}' for state, n in sorted(outbox.counts(tx).items())]
    lines.append(
        f"stellwerk_oldest_undelivered_opt_out_seconds {0.0 if oldest is None else max(0.0, now - oldest):.1f}"
    )
    lines += _drift(tx, now)
    lines.append(f"stellwerk_open_repairs {len(repairs.still_open(tx))}")
    return "\n".join(lines) + "\n"


def _drift(tx: Tx, now: float) -> list[str]:
    """What the last comparison of each connection found, by kind, and how long ago that was."""
    lines = []
    for row in comparisons.figures(tx):
        found: dict[str, int] = msgspec.json.decode(row["counts"], type=dict[str, int])
        of = f'connection="{row["connection"]}"'
        lines += [f'stellwerk_drift{{{of},kind="{kind.value}"}} {found.get(kind.value, 0)}' for kind in DriftKind]
        lines.append(f"stellwerk_compared_seconds_ago{{{of}}} {max(0.0, now - row['ended']):.1f}")
    return lines
