"""The brake: what is counted for whom, and when one more has to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stellwerk_rules.brake import Braked, braked, over, source_of
from stellwerk_rules.model import (
    Ask,
    AskTerms,
    Change,
    Create,
    DeleteContact,
    Enter,
    Origin,
    Permission,
    SetFields,
    Unsubscribe,
)
from stellwerk_rules.spec import Limits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ASK = Ask(email="a@b", peer_id=None, mark="m", terms=AskTerms(), fields={}, existing=False)
CREATE = Create(email="a@b", peer_id=None, permission=Permission.NONE, fields={})


def enter(origin: Origin) -> Enter:
    return Enter(
        email="a@b",
        peer_id="1",
        wish="m",
        wished_at=NOON,
        explicit=True,
        ask=AskTerms(),
        grant=Permission.NONE,
        fields={},
        origin=origin,
    )


@pytest.mark.parametrize(
    ("planned", "change", "counted"),
    [
        (enter(Origin.FORM), ASK, Braked.ASKS),
        (enter(Origin.FORM), CREATE, None),
        (enter(Origin.FORM), SetFields(fields={}), None),
        (DeleteContact(removal=True), DeleteContact(removal=True), Braked.REMOVALS),
        (DeleteContact(), DeleteContact(), None),
        (Unsubscribe(), Unsubscribe(), None),
    ],
)
def test_asks_and_removals_are_counted_and_an_opt_out_never(
    planned: Change, change: Change, counted: Braked | None
) -> None:
    assert braked(planned, change) is counted


@pytest.mark.parametrize(
    ("change", "source"),
    [
        (enter(Origin.IMPORT), Origin.IMPORT),
        (enter(Origin.INTEGRATION), Origin.OTHER),
        (DeleteContact(origin=Origin.FORM), Origin.FORM),
        (SetFields(fields={}), Origin.OTHER),
    ],
)
def test_a_record_comes_from_a_form_a_person_an_import_a_workflow_or_elsewhere(change: Change, source: Origin) -> None:
    assert source_of(change) is source


@pytest.mark.behaviour("brake-asks")
def test_the_first_beyond_the_limit_waits_for_a_person() -> None:
    limits = Limits(doi_mails_per_hour=3, removals_per_hour=1)
    assert over(limits, Braked.ASKS, Origin.FORM, 2) is None
    held = over(limits, Braked.ASKS, Origin.IMPORT, 3)
    assert held is not None
    assert held.repair == "too-many-asks"
    assert "3 double opt-ins" in held.because.text
    assert "import" in held.because.text
    removed = over(limits, Braked.REMOVALS, Origin.FORM, 1)
    assert removed is not None
    assert removed.repair == "too-many-removals"
