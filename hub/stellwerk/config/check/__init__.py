"""What types cannot say: whether the parts of the file fit each other, the connectors and the laws."""

from __future__ import annotations

from collections.abc import Callable

from stellwerk.config.check.abilities import check_abilities, check_systems
from stellwerk.config.check.connections import check_connections
from stellwerk.config.check.fields import check_fields, check_mirror
from stellwerk.config.check.hub import check_hub
from stellwerk.config.check.laws import check_laws
from stellwerk.config.check.references import check_references
from stellwerk.config.check.rules import check_rules
from stellwerk.config.check.settings import check_settings
from stellwerk.config.check.trials import check_trials
from stellwerk.config.draft import Draft

__all__ = ["CHECKS", "check_draft"]

CHECKS: tuple[Callable[[Draft], None], ...] = (
    check_hub,
    check_systems,
    check_settings,
    check_fields,
    check_mirror,
    check_rules,
    check_references,
    check_abilities,
    check_laws,
    check_connections,
    check_trials,
)


def check_draft(draft: Draft) -> None:
    """Notes every finding at the draft's converter."""
    for check in CHECKS:
        check(draft)
