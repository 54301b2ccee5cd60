"""What a contact itself picked from a system's list, such as its DOI mailing: one that is not offered there is told in its trace.

As with a connection's own picks, nothing is held up: whether a list is complete is for its system to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from stellwerk.relay.case import Case
from stellwerk.relay.rulebook import typed_settings
from stellwerk.sdk.connector import Option
from stellwerk.store import accounts
from stellwerk.store.store import Tx
from stellwerk_rules.chosen import possible, references
from stellwerk_rules.layers import MOST_SHOWN
from stellwerk_rules.model import Ask, Because, Change, Decision
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import Chosen, PickSetting, SettingValue

OFFERED = "offered"
"""In what the remote told of an account: by list, whether each entry is switched on."""

_UNKNOWN = ("override-unknown", "the list over there has no such entry")
_INACTIVE = ("override-inactive", "this entry is switched off over there")


def list_of(plan: Plan, setting: str, system: str) -> str | None:
    """The list of `system` from which a contact may pick a value of its own for `setting`; None where it may not."""
    spec = plan.settings_by_id.get(setting)
    if not isinstance(spec, PickSetting) or setting not in plan.overrides:
        return None
    name, _, found = spec.of.partition(".")
    return found if name == system else None


def as_offered(lists: Mapping[str, Sequence[Option]]) -> dict[str, dict[str, bool]]:
    """The lists as they are remembered; an entry that stands there twice is on where one of them is."""
    return {
        name: {one.value: any(same.active for same in options if same.value == one.value) for one in options}
        for name, options in lists.items()
    }


def with_own_picks(tx: Tx, case: Case, system: str, account: str, change: Change, decision: Decision) -> Decision:
    """`decision` with a notice for each value of the contact's own that an ask went out with and that is not offered."""
    plan, consent = case.book.plan, case.book.plan.consent_spec
    if not isinstance(change, Ask) or consent is None:
        return decision
    remembered: dict[str, dict[str, bool]] = accounts.info(tx, account).get(OFFERED, {})
    values = typed_settings(plan, case.connection.settings)
    found = [
        notice
        for name, chosen in consent.with_.items()
        if (notice := _notice(plan, system, chosen, change.terms.options.get(name, ""), values, remembered)) is not None
    ]
    return replace(decision, notices=(*decision.notices, *found)) if found else decision


def _notice(
    plan: Plan,
    system: str,
    chosen: Chosen,
    value: str,
    values: Mapping[str, SettingValue],
    remembered: Mapping[str, Mapping[str, Any]],
) -> Because | None:
    settings = [name for name in references(chosen) if list_of(plan, name, system) in remembered]
    if not value or not settings or value in possible(chosen, values):
        return None  # the connection's own is told by its repair
    setting = settings[0]
    offered = remembered[list_of(plan, setting, system) or ""]
    if offered.get(value, False):
        return None
    code, why = _INACTIVE if value in offered else _UNKNOWN
    return Because(code=code, text=f"setting {setting} ({plan.overrides[setting]} is {value[:MOST_SHOWN]}): {why}")
