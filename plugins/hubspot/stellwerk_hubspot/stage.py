"""The lifecycle stage (reference page, section 7): forward only, unless it is cleared first; refused without a word."""

from __future__ import annotations

from stellwerk.sdk import DeliveryError, Receipt
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.receipt import answered, from_error, rejected
from stellwerk_hubspot.refusal import NotFound, Refused
from stellwerk_hubspot.wire import STAGE, clock

__all__ = ["Staging"]


class Staging:
    """`clear_stage` and `set_stage` of the `Target` ability."""

    async def clear_stage(self: Opened, contact_id: str) -> Receipt:
        """One call, no reading back: nothing may stand between the clear and the set."""
        try:
            found = await self.client.update_contact(contact_id, {STAGE: ""})
        except DeliveryError as error:
            return _refused(error)
        return answered(found.id, at=clock(found.updated_at))

    async def set_stage(self: Opened, contact_id: str, stage: str) -> Receipt:
        """One call. A backward move answers 200 too and changes nothing: only the next read tells."""
        try:
            found = await self.client.update_contact(contact_id, {STAGE: stage})
        except DeliveryError as error:
            return _refused(error)
        return answered(found.id, at=clock(found.updated_at))


def _refused(error: DeliveryError) -> Receipt:
    """`stage-required` where the portal's rules forbid a blank, `no-stage` where the stage is not one of its own."""
    match error:
        case NotFound():
            return rejected("no-contact", "the contact is gone")
        case Refused(code="required-field-missing"):
            return rejected("stage-required", "the portal's rules ask for a stage")
        case Refused(code="invalid-option"):
            return rejected("no-such-stage", "the portal has no such stage")
    return from_error(error)
