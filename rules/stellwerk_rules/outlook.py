"""What a decision comes to for its contact, in one word, with its reason: for dry runs and for whoever chooses settings."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from stellwerk_rules.model import Because, Decision, Enter, Known, Permission, SetFields
from stellwerk_rules.plan import Plan


class What(StrEnum):
    """What would become of a contact, the most that happens to it."""

    MAILED = "mailed"
    GRANTED = "granted"
    CREATED = "created"
    CHANGED = "changed"
    HELD = "held"
    SKIPPED = "skipped"


CONFIRMED = frozenset({What.MAILED, What.GRANTED})
"""Of these a person confirms how many there may be."""


class Outlook(Struct, frozen=True, kw_only=True):
    """`new`: it is not known at the system that mails; whether that holds an opt-out, or has it already, shows only there.

    `permission` is what is granted without being asked, none otherwise.
    """

    what: What
    because: Because
    new: bool = False
    permission: Permission = Permission.NONE


def outlook(plan: Plan, decision: Decision, known: Known) -> Outlook:
    """What `decision`, made on what was `known`, comes to; one that leads to nothing says why.

    That a state is shown anew is no change to who is skipped.
    """
    entry = next((one for one in decision.changes if isinstance(one.change, Enter)), None)
    if entry is not None and isinstance(entry.change, Enter):
        new = plan.mail_system not in known.remembered.ids
        what = _entering(entry.change, new=new)
        permission = entry.change.grant if what is What.GRANTED else Permission.NONE
        return Outlook(what=what, because=entry.because, new=new, permission=permission)
    if decision.held:
        return Outlook(what=What.HELD, because=decision.held[0][1].because)
    written = [one for one in decision.changes if not (isinstance(one.change, SetFields) and one.change.mirror)]
    shown = () if decision.skips else decision.changes
    if changes := (*written, *shown):
        return Outlook(what=What.CHANGED, because=changes[0].because)
    reasons = (*(skip.because for skip in decision.skips), *decision.notices)
    nothing = Because(code="unchanged", text="nothing is to be done")
    return Outlook(what=What.SKIPPED, because=reasons[0] if reasons else nothing)


def _entering(change: Enter, *, new: bool) -> What:
    if change.mails:
        return What.MAILED
    if change.grant is not Permission.NONE:
        return What.GRANTED
    return What.CREATED if new else What.CHANGED
