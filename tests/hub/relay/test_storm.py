"""An import storm: many events over fewer contacts and three connections, half of them told twice, and forms in between.

`make bench BENCH=storm` plays it with 100,000 events over 20,000 contacts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from stellwerk_bench.storm import stormed

EVENTS, CONTACTS, SIGN_UPS = 3_000, 600, 6


@pytest.mark.anyio
async def test_a_storm_costs_a_read_for_a_hundred_contacts_and_drops_nothing_while_forms_pass_in_front(
    tmp_path: Path,
) -> None:
    told = await stormed(tmp_path, events=EVENTS, contacts=CONTACTS, sign_ups=SIGN_UPS)
    assert told.acknowledged == sum(told.six.values())
    assert told.acknowledged >= EVENTS + SIGN_UPS
    assert (told.six["waiting"], told.six["dead"], told.six["erased"]) == (0, 0, 0)
    # Each form is read with its wave, and once more where its status is shown.
    assert CONTACTS / 100 <= told.reads <= CONTACTS / 100 + 2 * SIGN_UPS
    assert len(told.passed) == SIGN_UPS
    assert min(told.passed) > 0
