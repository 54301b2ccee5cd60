"""A contact back from a deletion: its link is taken up again, and nobody is subscribed. What was said before is handled.

While it was gone nothing could be written to it: what became of it meanwhile is told to it now.
"""

from __future__ import annotations

from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.answering import answered_no
from stellwerk_rules.carrying import carried_over
from stellwerk_rules.mirror import shown_of_nobody
from stellwerk_rules.model import (
    Because,
    Decision,
    Skip,
)
from stellwerk_rules.scene import Scene, joined
from stellwerk_rules.wishes import handled


def restored(now: Scene) -> Decision:
    """Only an explicit yes from now on brings it in, if it is not in any more."""
    names = now.plan.answered_fields(now.system, entered=now.known.remembered.entered)
    said = handled(now.contact, names, now.known)
    since = now.event.occurred_at
    before = {name: one for name, one in said.items() if since is None or one.at is None or one.at <= since}
    now = now.remembering(replace(remember.with_answers(now.known.remembered, before), by_wish=True))
    now = replace(now, moved=False)
    fields = carried_over(now, frozenset({"restored", "changed"}), brought=False)
    text = "back from a deletion: linked as before, and only an explicit yes subscribes it"
    skip = Skip(because=Because(code="restored", text=text))
    mail = now.plan.mail_system
    decision = joined(Decision(skips=(skip,), look_again=() if mail is None else (mail,)), fields)
    decision = joined(decision, answered_no(now.remembering(decision.remembered), "left while the contact was deleted"))
    return joined(decision, shown_to_it(now.remembering(decision.remembered)))


def shown_to_it(now: Scene) -> Decision:
    """The state of a contact that has nobody left over there to be read: of one that left, or where one was ever shown."""
    remembered, mail = now.known.remembered, now.plan.mail_system
    names = now.plan.mirror_fields(now.system)
    left = now.consent.left
    was_shown = any(remember.seen(remembered, now.system, one) is not None for one in names)
    if mail is None or not (left or (was_shown and mail not in remembered.ids)):
        return Decision(remembered=remembered)
    return shown_of_nobody(now, mail)
