"""Communication preferences: keyed by address, not by contact (section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from .call import Answer, Call, answer
from .clock import iso
from .errors import invalid
from .portal import Portal, Source, Status, address_key
from .writing import set_read_only

__all__ = ["SUBSCRIPTIONS", "definitions", "opt_out", "read_all", "read_statuses", "set_status", "unsubscribe_all"]

SUBSCRIPTIONS: Mapping[int, str] = {91_000_001: "Marketing Information", 91_000_002: "One to One"}
LegalBasis = Literal[
    "LEGITIMATE_INTEREST_PQL",
    "LEGITIMATE_INTEREST_CLIENT",
    "LEGITIMATE_INTEREST_OTHER",
    "PERFORMANCE_OF_CONTRACT",
    "CONSENT_WITH_NOTICE",
    "NON_GDPR",
    "PROCESS_AND_STORE",
]


class Setting(Struct, rename="camel", forbid_unknown_fields=True):
    subscription_id: int
    status_state: Literal["SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"]
    channel: Literal["EMAIL"]
    legal_basis: LegalBasis | None = None
    legal_basis_explanation: str | None = None


def definitions(call: Call) -> Answer:
    rows = [
        {
            "id": str(number),
            "name": name,
            "description": name,
            "isActive": True,
            "isDefault": True,
            "isInternal": False,
            "communicationMethod": "Email",
        }
        for number, name in SUBSCRIPTIONS.items()
    ]
    return answer({"results": rows})


def _address(call: Call) -> str:
    if call.one("channel") != "EMAIL":
        raise invalid("channel is EMAIL")
    return address_key(call.params["email"])


def _public(address: str, number: int, status: Status | None, *, reason: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "subscriberIdString": address,
        "subscriptionId": number,
        "subscriptionName": SUBSCRIPTIONS[number],
        "channel": "EMAIL",
        "status": status.state if status else "NOT_SPECIFIED",
        "source": status.source.kind if status else "NONE",
        "timestamp": iso(status.at_ms if status else 0),
    }
    if reason is not None:
        found["setStatusSuccessReason"] = reason
    return found


def read_statuses(call: Call) -> Answer:
    """One row per subscription type."""
    address, statuses = _address(call), call.portal.statuses
    return answer({"results": [_public(address, one, statuses.get((address, one))) for one in SUBSCRIPTIONS]})


def set_status(call: Call) -> Answer:
    """200 with what happened. Unlike v3 it can resubscribe somebody who had opted out, of all mail too."""
    wanted, portal, address = call.json(Setting), call.portal, address_key(call.params["email"])
    if wanted.subscription_id not in SUBSCRIPTIONS:
        raise invalid(f"There is no subscription {wanted.subscription_id}")
    before = portal.statuses.get((address, wanted.subscription_id))
    back = wanted.status_state == "SUBSCRIBED" and (
        address in portal.opted_out or (before is not None and before.state == "UNSUBSCRIBED")
    )
    if back:
        opt_out(portal, address, False, call.granted.source)
    reason = "RESUBSCRIBE_OCCURRED" if back else "REQUESTED_CHANGE_OCCURRED"
    if before is not None and before.state == wanted.status_state:
        reason = "NO_STATUS_CHANGE"
    status = Status(wanted.status_state, portal.clock.ms(), call.granted.source)
    portal.statuses[(address, wanted.subscription_id)] = status
    return answer(_public(address, wanted.subscription_id, status, reason=reason))


def read_all(call: Call) -> Answer:
    """The opt-out of all mail; empty results mean not opted out."""
    address, portal = _address(call), call.portal
    if address not in portal.opted_out:
        return answer({"results": []})
    row = {
        "subscriberIdString": address,
        "channel": "EMAIL",
        "wideStatusType": "PORTAL_WIDE",
        "status": "UNSUBSCRIBED",
        "timestamp": iso(portal.opted_out[address]),
    }
    return answer({"results": [row]})


def unsubscribe_all(call: Call) -> Answer:
    """200; the contact's `hs_email_optout` reads true from now on."""
    address, portal, source = _address(call), call.portal, call.granted.source
    opt_out(portal, address, True, source)
    for number in SUBSCRIPTIONS:
        portal.statuses[(address, number)] = Status("UNSUBSCRIBED", portal.clock.ms(), source)
    reason = "UNSUBSCRIBE_FROM_ALL_OCCURRED"
    rows = [_public(address, one, portal.statuses[(address, one)], reason=reason) for one in SUBSCRIPTIONS]
    return answer({"results": rows})


def opt_out(portal: Portal, address: str, out: bool, source: Source) -> None:
    """Set or lift the opt-out of an address, at its contact too when there is one."""
    if out:
        portal.opted_out[address_key(address)] = portal.clock.ms()
    else:
        portal.opted_out.pop(address_key(address), None)
    holder = portal.holder(address)
    if holder is not None and portal.contacts[holder].values.get("email") == address_key(address):
        set_read_only(portal, portal.contacts[holder], {"hs_email_optout": "true" if out else ""}, source)
