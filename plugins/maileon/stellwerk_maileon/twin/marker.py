"""The unsubscription marker of an address, independent of any contact (section 7.2)."""

from __future__ import annotations

from .exchange import Answer
from .fields import is_address
from .problem import Problem
from .routing import Call, Route

TEMPLATE = "/contacts/email/{email}/unsubscription"


def address(call: Call) -> str:
    if not is_address(call.path["email"]):
        raise Problem(400, "the email is not valid")
    return call.path["email"].lower()


def get(call: Call) -> Answer:
    if address(call) not in call.account.markers:
        raise Problem(404, "no unsubscription marker")
    return Answer()


def put(call: Call) -> Answer:
    """201 when newly set, 200 when it was set; an existing contact is not unsubscribed by it."""
    email = address(call)
    status = 200 if email in call.account.markers else 201
    call.account.markers.setdefault(email, call.now)
    return Answer(status=status)


def delete(call: Call) -> Answer:
    """Brings no data back, and the report entries stay."""
    if call.account.markers.pop(address(call), None) is None:
        raise Problem(404, "no unsubscription marker")
    return Answer()


ROUTES = (
    Route(method="GET", template=TEMPLATE, handle=get),
    Route(method="PUT", template=TEMPLATE, handle=put),
    Route(method="DELETE", template=TEMPLATE, handle=delete),
)
