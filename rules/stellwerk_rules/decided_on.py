"""What a contact's coming in was decided on, besides the laws: where that changed since, it is decided anew before anything goes out.

Between a decision and its delivery lie outages, brakes and holds. Who saves other settings meanwhile, or says something else
of themselves, is not mailed or granted by what held before.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stellwerk_rules.model import Enter, Known, Permission, Remembered
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import SettingValue

_LENGTH = 16


def decided_on(plan: Plan, settings: Mapping[str, SettingValue], known: Known, remembered: Remembered) -> str:
    """Names the file, the settings, whether somebody agreed, and the contact's answer and own values for settings."""
    names = {*plan.overrides.values(), plan.answer_field(plan.wish_system) or ""}
    said = {name: one.digest for name, one in remembered.answered.items() if name in names}
    agreed = "" if known.agreed is None else "agreed"
    told = msgspec.json.encode((plan.hash, dict(settings), agreed, said), order="sorted")
    return known.digest(told.decode())[:_LENGTH]


def has_changed(plan: Plan, settings: Mapping[str, SettingValue], known: Known, enter: Enter) -> bool:
    """Whether something of that has changed since `enter` was decided. Whom a sync brings in unasked and with no permission comes in as
    it said; whom it asks or grants something is decided anew, on that sync's own terms."""
    gets_something = enter.mails or enter.grant is not Permission.NONE
    if enter.decided_on == "" or enter.links or (enter.backfill and not gets_something):
        return False
    said = known.remembered.answered.get(plan.answer_field(plan.wish_system) or "")
    if enter.explicit and said is not None and said.wish is None and said.at is not None and said.at > enter.wished_at:
        return True  # A workflow's yes after a no, for instance: it brings back no yes of before.
    return enter.decided_on != decided_on(plan, settings, known, known.remembered)
